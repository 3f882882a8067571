"""Scripted MySQL sessions: packets of both sides, and a wire whose client is in."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from gateway.model import Allow, Block, Command
from gateway.protocols.mysql import capabilities as can
from gateway.protocols.mysql import greeting, packets
from gateway.protocols.mysql.catalogue import Known
from gateway.protocols.mysql.greeting import Answer, Greeting
from gateway.protocols.mysql.packets import counted, frame, string
from gateway.protocols.mysql.wire import MysqlWire
from gateway.wire import Limits, Login, Mask, Opening, Send, Side
from tests.wires.conformance import ALLOW
from tests.wires.masks import NOTHING
from tests.wires.playbook import Play
from tests.wires.pump import SESSION

LOGIN = Login(user="gateway", password="stored", database="shop", application="cs-1")
CHALLENGE = bytes(range(1, 21))
THREAD = 7
"""The server's own number of its connection."""
CAPABILITIES = can.OFFERED | 1 << 7 | 1 << 24
MODES = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"


def opening(**changes: object) -> Opening:
    values: dict[str, object] = {"random": os.urandom, "client_trusted_path": True, "upstream_tls": "disable"}
    return Opening(**{**values, **changes})  # type: ignore[arg-type]


def make_wire(changed: Opening | None = None, known: Known | None = None) -> MysqlWire:
    return MysqlWire(changed or opening(), known or Known())


# What a client sends.


def answer(
    user: str = "alice",
    proof: bytes = b"",
    plugin: str = "mysql_native_password",
    *,
    database: str = "shop",
    capabilities: int = can.OFFERED,
    charset: int = greeting.UTF8MB4,
    attributes: dict[bytes, bytes] | None = None,
    sequence: int = 1,
) -> bytes:
    said = Answer(
        capabilities=capabilities,
        charset=charset,
        user=user,
        proof=proof,
        database=database,
        plugin=plugin,
        attributes=attributes or {b"program_name": b"shopper"},
    )
    return frame(greeting.write_answer(said, tls=False), sequence)


def command(number: int, *parts: bytes) -> bytes:
    return frame(bytes((number,)) + b"".join(parts), 0)


def query(text: str) -> bytes:
    return command(3, text.encode())


def prepare(text: str) -> bytes:
    return command(0x16, text.encode())


def execute(
    number: int = 1,
    values: Sequence[bytes | int | None] | None = None,
    *,
    bound: bool = True,
    cursor: bool = False,
) -> bytes:
    """With `values` as strings or 64-bit integers."""
    body = number.to_bytes(4, "little") + bytes((cursor,)) + b"\1\0\0\0"
    if values:
        nulls = sum(1 << place for place, value in enumerate(values) if value is None)
        body += nulls.to_bytes((len(values) + 7) // 8, "little") + bytes((bound,))
        if bound:
            body += b"".join(b"\x08\0" if isinstance(value, int) else b"\xfd\0" for value in values)
        for value in values:
            if isinstance(value, int):
                body += value.to_bytes(8, "little", signed=True)
            elif value is not None:
                body += string(value)
    return command(0x17, body)


def long_data(value: bytes, place: int = 0, number: int = 1) -> bytes:
    return command(0x18, number.to_bytes(4, "little"), place.to_bytes(2, "little"), value)


def numbered(kind: int, number: int = 1, *rest: bytes) -> bytes:
    """STMT_CLOSE, STMT_RESET, STMT_FETCH."""
    return command(kind, number.to_bytes(4, "little"), *rest)


# What a server sends. Its packets count on from the first number.


def packed(*payloads: bytes, first: int = 1) -> bytes:
    return b"".join(frame(payload, first + place) for place, payload in enumerate(payloads))


def ok(affected: int = 0, status: int = 2) -> bytes:
    return b"\0" + counted(affected) + b"\0" + status.to_bytes(2, "little") + b"\0\0"


def eof(status: int = 2) -> bytes:
    return b"\xfe\0\0" + status.to_bytes(2, "little")


def err(code: int, state: str, message: str) -> bytes:
    return b"\xff" + code.to_bytes(2, "little") + b"#" + state.encode() + message.encode()


def column(name: str, *, kind: int = 0xFD, table: str = "t", default: bytes = b"") -> bytes:
    names = (b"def", b"shop", table.encode(), table.encode(), name.encode(), name.encode())
    return b"".join(map(string, names)) + b"\x0c\x2d\0\0\4\0\0" + bytes((kind,)) + b"\0\0\0\0\0" + default


def row(*values: str | None) -> bytes:
    return b"".join(b"\xfb" if value is None else string(value.encode()) for value in values)


def binary_row(*values: bytes | None) -> bytes:
    nulls = sum(1 << (place + 2) for place, value in enumerate(values) if value is None)
    return (
        b"\0"
        + nulls.to_bytes((len(values) + 9) // 8, "little")
        + b"".join(string(value) for value in values if value is not None)
    )


def result(names: Sequence[str], rows: Sequence[bytes], *, status: int = 2, first: int = 1) -> bytes:
    columns = [column(name) for name in names]
    return packed(counted(len(names)), *columns, eof(status), *rows, eof(status), first=first)


def prepared(number: int = 1, *, parameters: int = 0, columns: Sequence[str] = ()) -> bytes:
    head = b"\0" + number.to_bytes(4, "little")
    head += len(columns).to_bytes(2, "little") + parameters.to_bytes(2, "little") + b"\0\0\0"
    payloads = [head]
    if parameters:
        payloads += [column("?") for _ in range(parameters)] + [eof()]
    if columns:
        payloads += [column(name) for name in columns] + [eof()]
    return packed(*payloads)


def server_greeting(
    plugin: str = "mysql_native_password",
    *,
    version: str = "5.5.5-10.11.6-MariaDB",
    capabilities: int = CAPABILITIES,
) -> bytes:
    said = Greeting(
        version=version, connection=THREAD, challenge=CHALLENGE, capabilities=capabilities, plugin=plugin
    )
    return frame(greeting.write_greeting(said), 0)


def server_modes(modes: str = MODES, character_set: str = "utf8mb4") -> bytes:
    return result(["@@SESSION.sql_mode", "@@SESSION.character_set_client"], [row(modes, character_set)])


def play(
    judge: Callable[[Command], Allow | Block | None] = lambda _command: ALLOW,
    *,
    mask: Mask = NOTHING,
    limits: Limits | None = None,
    known: Known | None = None,
    modes: str = MODES,
    character_set: str = "utf8mb4",
    charset: int = greeting.UTF8MB4,
) -> Play:
    """A session that is in: both greetings, both logins and the modes have passed."""
    made = Play(make_wire(opening(limits=limits or Limits()), known), judge=judge, mask=mask)  # type: ignore[arg-type]
    made._step(list(made.wire.start()))
    made.client(answer(charset=charset))
    made._step(list(made.wire.challenge(None)))
    made.client(frame(b"token\0", 3))
    made._step(list(made.wire.admit(SESSION, LOGIN)))
    made.server(server_greeting())
    made.server(packed(ok(), first=2))
    made.server(server_modes(modes, character_set))
    assert payloads(made.said_to_client())[-1][:1] == b"\0"
    made.said_to_server()
    made.events.clear()
    return made


def payloads(data: bytes) -> list[bytes]:
    """Of whole packets."""
    found = packets.Packets()
    found.add(data)
    each = []
    while (packet := found.take()) is not None:
        each.append(packet.payload)
    assert not found, "the data ends inside a packet"
    return each


def errors(data: bytes) -> list[tuple[int, str]]:
    """Number and text of each ERR packet."""
    return [
        (
            int.from_bytes(payload[1:3], "little"),
            payload[9:].decode() if payload[3:4] == b"#" else payload[3:].decode(),
        )
        for payload in payloads(data)
        if payload[:1] == b"\xff"
    ]


def sent(events: Sequence[object], side: Side) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Send) and event.to is side)
