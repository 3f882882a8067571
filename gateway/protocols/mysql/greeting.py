"""The packets of the connection phase: the server's greeting, the client's answer to it, and switches of how to prove.

Written from "Connection Phase" of MySQL's protocol reference and of MariaDB's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.protocols.mysql import capabilities as can
from gateway.protocols.mysql import packets
from gateway.protocols.mysql.packets import Body, string
from gateway.wire import ProtocolViolation

SCRAMBLE: Final = 20
"""Bytes of a challenge."""
VERSION: Final = "5.5.5-10.11.0-MariaDB"
"""What the gateway says it is as long as nothing is known of the target."""
UTF8MB4: Final = 45
"""utf8mb4_general_ci, which both families have."""
MAX_PACKET: Final = 1 << 24
SSL_REQUEST: Final = 32
"""Bytes of an answer that only asks for TLS."""
_SWITCH: Final = b"\xfe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    version: str
    connection: int
    challenge: bytes
    capabilities: int
    charset: int = UTF8MB4
    status: int = 2
    plugin: str = ""


def write_greeting(greeting: Greeting) -> bytes:
    """Protocol version 10, as the payload of the first packet."""
    low, high = greeting.capabilities & 0xFFFF, greeting.capabilities >> 16
    return b"".join(
        (
            b"\x0a",
            greeting.version.encode("ascii", "replace").replace(b"\0", b"?"),
            b"\0",
            greeting.connection.to_bytes(4, "little"),
            greeting.challenge[:8],
            b"\0",
            low.to_bytes(2, "little"),
            bytes((greeting.charset,)),
            greeting.status.to_bytes(2, "little"),
            high.to_bytes(2, "little"),
            bytes((SCRAMBLE + 1,)),
            b"\0" * 10,
            greeting.challenge[8:],
            b"\0",
            greeting.plugin.encode("ascii"),
            b"\0",
        )
    )


def read_greeting(payload: bytes) -> Greeting:
    body = Body(payload)
    if body.number(1) != 10:
        raise ProtocolViolation("the server speaks another protocol than version 10")
    version = body.text().decode("ascii", "replace")
    connection = body.number(4)
    challenge = body.take(8)
    body.take(1)
    capabilities = body.number(2)
    charset, status = 0, 0
    plugin = ""
    if body.left:
        charset, status = body.number(1), body.number(2)
        capabilities |= body.number(2) << 16
        length = body.number(1)
        body.take(10)
        if capabilities & can.SECURE_CONNECTION:
            challenge += body.take(max(13, length - 8))[: SCRAMBLE - 8]
        if capabilities & can.PLUGIN_AUTH:
            plugin = body.rest().split(b"\0")[0].decode("ascii", "replace")
    return Greeting(
        version=version,
        connection=connection,
        challenge=challenge,
        capabilities=capabilities,
        charset=charset,
        status=status,
        plugin=plugin,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """HandshakeResponse41."""

    capabilities: int
    charset: int
    user: str
    proof: bytes = field(repr=False)
    database: str = ""
    plugin: str = ""
    attributes: Mapping[bytes, bytes] = field(default_factory=dict)


def write_ssl_request(capabilities: int, charset: int) -> bytes:
    return (
        (capabilities | can.SSL).to_bytes(4, "little")
        + MAX_PACKET.to_bytes(4, "little")
        + bytes((charset,))
        + b"\0" * 23
    )


def write_answer(answer: Answer, *, tls: bool) -> bytes:
    flags = answer.capabilities
    head = write_ssl_request(flags, answer.charset) if tls else b""
    if not tls:
        head = (
            flags.to_bytes(4, "little")
            + MAX_PACKET.to_bytes(4, "little")
            + bytes((answer.charset,))
            + b"\0" * 23
        )
    parts = [head, answer.user.encode(), b"\0"]
    if flags & can.PLUGIN_AUTH_LENENC:
        parts.append(string(answer.proof))
    else:
        parts += (bytes((len(answer.proof),)), answer.proof)
    if flags & can.CONNECT_WITH_DB:
        parts += (answer.database.encode(), b"\0")
    if flags & can.PLUGIN_AUTH:
        parts += (answer.plugin.encode(), b"\0")
    if flags & can.CONNECT_ATTRS:
        parts.append(string(b"".join(string(k) + string(v) for k, v in answer.attributes.items())))
    return b"".join(parts)


def asks_for_tls(payload: bytes) -> bool:
    """Whether a client's first packet only asks for TLS."""
    return len(payload) == SSL_REQUEST and bool(payload[1] & can.SSL >> 8)


def read_answer(payload: bytes, offered: int) -> Answer:
    """A client's answer; it can have no more than what was `offered`. Raises `ProtocolViolation`."""
    body = Body(payload)
    said = body.number(4)
    flags = said & offered
    if not can.needed(said):
        raise ProtocolViolation("the client speaks a protocol from before MySQL 4.1")
    body.number(4)
    charset = body.number(1)
    body.take(23)
    user = _text(body.text())
    proof = body.string() if said & can.PLUGIN_AUTH_LENENC else body.take(body.number(1))
    database = _text(body.text()) if said & can.CONNECT_WITH_DB and body.left else ""
    plugin = ""
    if said & can.PLUGIN_AUTH and body.left:
        plugin = body.text().decode("ascii", "replace")
    attributes: dict[bytes, bytes] = {}
    if said & can.CONNECT_ATTRS and body.left:
        inner = Body(body.string())
        while inner.left:
            name = inner.string()
            attributes[name] = inner.string()
    return Answer(
        capabilities=flags,
        charset=charset,
        user=user,
        proof=proof,
        database=database,
        plugin=plugin,
        attributes=attributes,
    )


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolViolation("the name of a user or database is not UTF-8") from None


def write_switch(plugin: str, challenge: bytes) -> bytes:
    """AuthSwitchRequest."""
    return _SWITCH + plugin.encode("ascii") + b"\0" + challenge + b"\0"


def read_switch(payload: bytes) -> tuple[str, bytes]:
    """The plugin and its challenge; a lone 0xFE asks for the oldest one."""
    if len(payload) == 1:
        return "mysql_old_password", b""
    body = Body(payload, 1)
    plugin = body.text().decode("ascii", "replace")
    challenge = body.rest()
    return plugin, challenge.removesuffix(b"\0") if len(challenge) == SCRAMBLE + 1 else challenge


def more(data: bytes) -> bytes:
    """AuthMoreData."""
    return bytes((packets.MORE,)) + data
