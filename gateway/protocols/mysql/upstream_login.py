"""The gateway's own login at the target: TLS, the proof of its stored credential, and the modes its session begins with.

The client's secret goes nowhere near it. Once it is in, the gateway asks what decides how texts read there (`sql_mode`,
the character set), since a server's own configuration may have changed that.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from gateway.protocols.mysql import capabilities as can
from gateway.protocols.mysql import errors, greeting, packets, proofs
from gateway.protocols.mysql.greeting import Answer, Greeting
from gateway.protocols.mysql.packets import Body, Packet, Packets
from gateway.wire import Event, Limits, Login, ProtocolViolation, Send, Side, StartTls

QUERY: Final = b"\x03"
MODES: Final = packets.frame(QUERY + b"SELECT @@SESSION.sql_mode, @@SESSION.character_set_client", 0)
_ROW: Final = 5
"""Which packet of the answer to `MODES` is the row, behind the number of columns, two definitions and an EOF."""
MOST_PACKETS = 200
"""Packets of one login."""
_LONGEST_NAME = 512
_OF_CREDENTIAL = frozenset({1045, 1698, 1820, 1862, 3118, 4151})
"""Errors about who logs in: access denied, expired, locked."""


class LoginFailed(Exception):
    """The target did not let the gateway in. The text is for the client and names no credential."""

    def __init__(
        self, message: str, *, of_credential: bool = False, code: int = 1105, state: str = "HY000"
    ) -> None:
        super().__init__(message)
        self.of_credential = of_credential
        self.code = code
        self.state = state


class _Step(Enum):
    GREETING = auto()
    HANDSHAKE = auto()
    PROOF = auto()
    MODES = auto()
    DONE = auto()


class Modes:
    """How a session reads its texts, as the server answers `MODES`."""

    sql_mode = ""
    character_set = ""
    status = errors.AUTOCOMMIT

    def __init__(self) -> None:
        self._taken = 0

    def told(self, payload: bytes) -> bool:
        """Takes one packet of the answer; True when it is the last. One row of two columns stands between two EOFs."""
        self._taken += 1
        if self._taken == _ROW:
            row = Body(payload)
            self.sql_mode = row.string().decode("ascii", "replace")
            self.character_set = row.string().decode("ascii", "replace")
        elif self._taken > _ROW:
            self.status = errors.read_eof(payload).status
        return self._taken > _ROW


class UpstreamLogin:
    """From the target's greeting to `done`."""

    def __init__(
        self,
        login: Login,
        *,
        tls: str,
        limits: Limits,
        capabilities: int,
        charset: int,
        attributes: Mapping[bytes, bytes],
        asks_modes: bool = True,
    ) -> None:
        """`capabilities` are what the client was promised and uses."""
        self._login = login
        self._tls = tls
        self._limits = limits
        self._client = capabilities
        self._charset = charset
        self._attributes = attributes
        self._asks_modes = asks_modes
        self._packets = Packets()
        self._step = _Step.GREETING
        self._secure = False
        self._taken = 0
        self._sequence = 0
        self._plugin = ""
        self._challenge = b""
        self._greeting: Greeting | None = None
        self.modes = Modes()

    @property
    def done(self) -> bool:
        return self._step is _Step.DONE

    @property
    def connection(self) -> int:
        """The target's own id of this connection."""
        return self._greeting.connection if self._greeting is not None else 0

    @property
    def version(self) -> str:
        return self._greeting.version if self._greeting is not None else ""

    def leftover(self) -> bytes:
        return self._packets.rest()

    def receive(self, data: bytes, out: list[Event]) -> None:
        """Raises `LoginFailed`."""
        self._packets.add(data)
        while self._step is not _Step.DONE:
            if self._step is _Step.HANDSHAKE and self._packets:
                raise ProtocolViolation("the target sent bytes in clear where TLS was to begin")
            if self._packets.announced() > self._limits.secret_bytes:
                raise ProtocolViolation("the target sent a packet of an impossible length")
            packet = self._packets.take()
            if packet is None:
                return
            self._taken += 1
            if self._taken > MOST_PACKETS:
                raise ProtocolViolation("the target's login does not end")
            self._sequence = packet.sequence + 1
            if not packet.payload:
                raise ProtocolViolation("the target sent an empty packet in its login")
            if packet.payload[0] == packets.ERR:
                raise _refused(packet.payload)
            self._take(packet, out)

    def _take(self, packet: Packet, out: list[Event]) -> None:
        payload = packet.payload
        match self._step:
            case _Step.GREETING:
                self._greeted(payload, out)
            case _Step.PROOF if payload[0] == packets.OK:
                self._ask_modes(out)
            case _Step.PROOF if payload[0] == packets.EOF:
                self._plugin, self._challenge = greeting.read_switch(payload)
                self._say(self._proof(), out)
            case _Step.PROOF if payload[0] == packets.MORE:
                self._more(payload[1:], out)
            case _Step.MODES:
                if self.modes.told(payload):
                    self._step = _Step.DONE
            case _:
                raise ProtocolViolation("the target's login is out of order")

    def _say(self, payload: bytes, out: list[Event]) -> None:
        out.append(Send(Side.UPSTREAM, packets.frame(payload, self._sequence)))

    # The greeting, and TLS.

    def _greeted(self, payload: bytes, out: list[Event]) -> None:
        said = self._greeting = greeting.read_greeting(payload)
        if not can.needed(said.capabilities):
            raise LoginFailed("The target speaks a protocol from before MySQL 4.1.")
        lacking = can.missing(self._client, said.capabilities)
        if lacking:
            raise LoginFailed(f"The target cannot do what this client asks for: {lacking}.")
        self._plugin, self._challenge = said.plugin or proofs.NATIVE, said.challenge
        if self._tls == "disable":
            self._answer(out)
            return
        if not said.capabilities & can.SSL:
            raise LoginFailed("The target offers no TLS, and this connection does not go on without.")
        if self._packets:
            raise ProtocolViolation("the target sent bytes in clear where TLS was to begin")
        self._step = _Step.HANDSHAKE
        self._say(greeting.write_ssl_request(self._capabilities(), self._charset), out)
        out.append(StartTls(Side.UPSTREAM))

    def tls_started(self, out: list[Event]) -> None:
        if self._step is not _Step.HANDSHAKE:
            raise ProtocolViolation("TLS began where none was to begin")
        self._secure = True
        self._sequence += 1
        self._answer(out)

    def _capabilities(self) -> int:
        assert self._greeting is not None
        return can.upstream(self._client, self._greeting.capabilities, database=bool(self._login.database))

    def _answer(self, out: list[Event]) -> None:
        self._step = _Step.PROOF
        if self._login.database and not self._capabilities() & can.CONNECT_WITH_DB:
            raise LoginFailed("The target takes no database at login, and this connection has one.")
        answer = Answer(
            capabilities=self._capabilities(),
            charset=self._charset,
            user=self._login.user,
            # A plugin that the gateway does not have, or that tells, waits for what the account has: the server switches.
            proof=self._proof() if self._plugin in {proofs.NATIVE, proofs.CACHING} else b"",
            database=self._login.database,
            plugin=self._plugin if self._plugin in {proofs.NATIVE, proofs.CACHING} else proofs.NATIVE,
            attributes=self._attributes,
        )
        self._say(greeting.write_answer(answer, tls=self._secure), out)

    # The proof.

    def _proof(self) -> bytes:
        password = self._login.password.encode()
        match self._plugin:
            case proofs.NATIVE:
                return proofs.native(password, self._challenge)
            case proofs.CACHING:
                return proofs.caching(password, self._challenge)
            case proofs.CLEAR | proofs.SHA256 if self._secure:
                return password + b"\0"
            case proofs.CLEAR | proofs.SHA256:
                raise LoginFailed(
                    "The target wants the gateway's password in clear, without TLS: "
                    "use caching_sha2_password for its account, or tls: verify-full."
                )
        raise LoginFailed(
            f"The target asks for the authentication plugin {packets.shown(self._plugin.encode())!r}, which the gateway "
            "does not have: give its account caching_sha2_password (MySQL) or mysql_native_password (MariaDB)."
        )

    def _more(self, data: bytes, out: list[Event]) -> None:
        if self._plugin != proofs.CACHING or data not in {proofs.FAST_OK, proofs.FULL}:
            raise ProtocolViolation("the target's authentication is out of order")
        if data == proofs.FAST_OK:
            return
        if not self._secure:
            raise LoginFailed(
                "The target wants the gateway's password in clear, without TLS, since it has not yet cached it: "
                "use TLS with it, or log in to it once as the gateway's account from elsewhere."
            )
        self._say(self._login.password.encode() + b"\0", out)

    # The modes.

    def _ask_modes(self, out: list[Event]) -> None:
        if not self._asks_modes:
            self._step = _Step.DONE
            return
        self._step = _Step.MODES
        self._taken = 0
        out.append(Send(Side.UPSTREAM, MODES))


def _refused(payload: bytes) -> LoginFailed:
    """The target's error; where it is about who logs in, without its words, which name the gateway's user."""
    failed = errors.read_err(payload)
    if failed.code in _OF_CREDENTIAL:
        return LoginFailed(
            f"The target refused the gateway's credential (error {failed.code}).", of_credential=True
        )
    said = failed.message.decode("utf-8", "replace")
    if failed.code == 1044:
        said = f"its account may not use that database (error {failed.code})"
    return LoginFailed(
        f"The target refused the session: {said}", code=failed.code, state=failed.state or "HY000"
    )


def attributes_of(client: Mapping[bytes, bytes], application: str) -> Mapping[bytes, bytes]:
    """What the target's logs know of the session: the client's own, and ours behind its program's name, never cut."""
    ours = f"[{application}]".encode("ascii", "replace")
    name = client.get(b"program_name", b"")[: max(0, _LONGEST_NAME - 1 - len(ours))]
    return {**client, b"program_name": b" ".join(part for part in (name, ours) if part)}
