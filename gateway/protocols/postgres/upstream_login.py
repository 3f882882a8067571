"""The gateway's own login at the target: TLS, the proof of its stored credential, and what the target says first.

The client's secret goes nowhere near it. What the target reports of itself is kept, to be passed to the client
once both sides are in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from enum import Enum, auto

from gateway.protocols.postgres import messages
from gateway.protocols.postgres.messages import HEADER, Body
from gateway.protocols.postgres.scram import NONCE_BYTES, ScramClient, ScramFailed
from gateway.wire import Event, Limits, Login, ProtocolViolation, Send, Side, StartTls

LONGEST_NAME = 63
"""PostgreSQL's NAMEDATALEN, less one: longer application names are cut."""
MOST_REPORTED = 1_000
"""ParameterStatus and notices of one login."""


class LoginFailed(Exception):
    """The target did not let the gateway in. The text is for the client and names no credential."""

    def __init__(self, code: str, message: str, *, of_credential: str = "") -> None:
        """`of_credential` is the SQLSTATE by which the target refused who logs in; "" where it was something else."""
        super().__init__(message)
        self.code = code
        self.of_credential = of_credential


class _Step(Enum):
    TLS_ANSWER = auto()
    HANDSHAKE = auto()
    PROOF = auto()
    SASL_FIRST = auto()
    SASL_FINAL = auto()
    PROVED = auto()
    SETTLING = auto()
    IN = auto()


class UpstreamLogin:
    """Call `start`; then `receive` and `tls_started` until `done`. Raises `LoginFailed` or `ProtocolViolation`."""

    def __init__(
        self,
        login: Login,
        *,
        tls: str,
        parameters: Mapping[str, str],
        random: Callable[[int], bytes],
        limits: Limits,
    ) -> None:
        """`parameters` are the StartupMessage's: user, database, and the settings the session begins with."""
        self._login = login
        self._tls = tls != "disable"
        self._parameters = parameters
        self._random = random
        self._limits = limits
        self._step = _Step.TLS_ANSWER
        self._secure = False
        self._binding = b""
        self._data = b""
        self._scram: ScramClient | None = None
        self._reported = 0
        self.status: dict[str, str] = {}
        """What the target reported by ParameterStatus."""
        self.key = b""
        """The target's BackendKeyData: process id and secret; b"" where it gave none."""

    @property
    def done(self) -> bool:
        return self._step is _Step.IN

    def leftover(self) -> bytes:
        data, self._data = self._data, b""
        return data

    def start(self, out: list[Event]) -> None:
        if self._tls:
            out.append(Send(Side.UPSTREAM, messages.untagged(messages.SSL_REQUEST)))
        else:
            self._introduce(out)

    def tls_started(self, binding: bytes, out: list[Event]) -> None:
        if self._step is not _Step.HANDSHAKE:
            raise ProtocolViolation("TLS began upstream where none was to begin")
        self._secure = True
        self._binding = binding
        self._introduce(out)

    def _introduce(self, out: list[Event]) -> None:
        self._step = _Step.PROOF
        out.append(Send(Side.UPSTREAM, messages.startup(self._parameters)))

    def receive(self, data: bytes, out: list[Event]) -> None:
        self._data += data
        if self._step is _Step.TLS_ANSWER and self._data:
            self._tls_answered(out)
            return
        if self._step is _Step.HANDSHAKE:
            raise ProtocolViolation("the target sent bytes in clear where TLS was to begin")
        while self._step is not _Step.IN and len(self._data) >= HEADER.size:
            tag, size = HEADER.unpack_from(self._data)
            end = 1 + size
            if size < 4 or end > self._limits.secret_bytes:
                raise ProtocolViolation("a message of the target's login has an impossible length")
            if len(self._data) < end:
                return
            message, self._data = self._data[:end], self._data[end:]
            self._message(tag, message, out)

    def _tls_answered(self, out: list[Event]) -> None:
        answer, self._data = self._data, b""
        if answer == b"S":
            self._step = _Step.HANDSHAKE
            out.append(StartTls(Side.UPSTREAM))
        elif answer[:1] == b"S":
            raise ProtocolViolation(
                "the target sent bytes in clear between its consent to TLS and the handshake"
            )
        elif answer[:1] in {b"N", b"E"}:
            raise LoginFailed(
                "08006",
                "The target offers no TLS, which its connection demands: turn ssl on there, or set sslmode.",
            )
        else:
            raise ProtocolViolation("the target answered a request for TLS with neither yes nor no")

    def _message(self, tag: int, message: bytes, out: list[Event]) -> None:
        if tag == ord("N"):
            self._count()
            out.append(Send(Side.CLIENT, message))
        elif tag == ord("E"):
            raise _refused(messages.read_fields(message, 5, len(message)))
        elif tag == ord("R") and self._step is not _Step.SETTLING:
            self._authenticate(Body(message, 5), out)
        elif self._step is not _Step.SETTLING:
            raise ProtocolViolation("the target skipped the gateway's login")
        elif tag == ord("S"):
            self._count()
            name, value = messages.read_status(message, 5, len(message))
            self.status[name] = value
        elif tag == ord("K") and not self.key and 5 + 4 + 4 <= len(message) <= 5 + 4 + 256:
            self.key = message[5:]
        elif tag == ord("Z") and len(message) == 6 and message[5] == ord("I"):
            self._step = _Step.IN
        else:
            raise ProtocolViolation("the target sent what does not belong into a login")

    def _count(self) -> None:
        self._reported += 1
        if self._reported > MOST_REPORTED:
            raise ProtocolViolation("the target's login never ends")

    def _authenticate(self, body: Body, out: list[Event]) -> None:
        kind = body.int32()
        match self._step, kind:
            case ((_Step.PROOF | _Step.PROVED), 0):
                self._step = _Step.SETTLING
            case _Step.PROOF, 3:
                if not self._secure:
                    raise LoginFailed(
                        "08006",
                        "The target wants the gateway's password in clear, without TLS: "
                        "use scram-sha-256 in its pg_hba.conf, or sslmode=verify-full.",
                    )
                out.append(Send(Side.UPSTREAM, messages.password(self._password() + b"\0")))
            case _Step.PROOF, 5:
                out.append(Send(Side.UPSTREAM, messages.password(self._md5(body.take(4)))))
            case _Step.PROOF, 10:
                self._begin_sasl(body, out)
                return
            case _Step.SASL_FIRST, 11:
                self._step = _Step.SASL_FINAL
                answer = self._exchange(body.rest()).encode()
                out.append(Send(Side.UPSTREAM, messages.password(answer)))
            case _Step.SASL_FINAL, 12:
                self._verify(body.rest())
                self._scram = None
                self._step = _Step.PROVED
            case _Step.PROOF, _:
                raise LoginFailed(
                    "08006",
                    f"The target asks for authentication method {kind}, which the gateway does not have: "
                    "use scram-sha-256 in its pg_hba.conf.",
                )
            case _:
                raise ProtocolViolation("the target's authentication is out of order")
        body.end()

    def _password(self) -> bytes:
        if not self._login.password:
            raise LoginFailed(
                "08006",
                "The target asks for a password and this connection's credential has none: set password:.",
            )
        return self._login.password.encode()

    def _md5(self, salt: bytes) -> bytes:
        """`md5` + md5(md5(password + user) + salt), as the server's own method has it."""
        user = self._login.user.encode()
        inner = hashlib.md5(self._password() + user, usedforsecurity=False).hexdigest().encode()
        return b"md5" + hashlib.md5(inner + salt, usedforsecurity=False).hexdigest().encode() + b"\0"

    def _begin_sasl(self, body: Body, out: list[Event]) -> None:
        offered: list[str] = []
        while mechanism := body.text():
            offered.append(mechanism.decode("ascii", "replace"))
        body.end()
        nonce = self._random(NONCE_BYTES)
        try:
            self._scram = ScramClient(
                self._password().decode(), nonce=nonce, offered=tuple(offered), binding=self._binding
            )
        except ScramFailed as failure:
            raise LoginFailed("08006", f"The gateway cannot log in to the target: {failure}.") from None
        self._step = _Step.SASL_FIRST
        first = self._scram.first().encode()
        out.append(Send(Side.UPSTREAM, messages.sasl_initial(self._scram.mechanism, first)))

    def _exchange(self, message: bytes) -> str:
        assert self._scram is not None
        try:
            return self._scram.final(message.decode("utf-8"))
        except (ScramFailed, UnicodeDecodeError) as failure:
            raise LoginFailed("08006", f"The gateway broke off its login at the target: {failure}.") from None

    def _verify(self, message: bytes) -> None:
        assert self._scram is not None
        try:
            self._scram.verify(message.decode("utf-8"))
        except (ScramFailed, UnicodeDecodeError) as failure:
            raise LoginFailed("08006", f"The gateway broke off its login at the target: {failure}.") from None


def _refused(fields: Mapping[bytes, bytes]) -> LoginFailed:
    """The target's error; where it is about who logs in, without its words, which name the gateway's user."""
    code = fields.get(b"C", b"").decode("ascii", "replace")[:5]
    if code.startswith("28"):
        message = f"The target refused the gateway's credential (SQLSTATE {code})."
        return LoginFailed("08006", message, of_credential=code)
    said = fields.get(b"M", b"").decode("utf-8", "replace")
    return LoginFailed(code or "08006", f"The target refused the session: {said}")


def signature(ours: str) -> str:
    """What ends the application name of a session that the gateway calls `ours`."""
    return f"[{_ascii(ours)}]"[-LONGEST_NAME:] if ours else ""


def application_name(client: str, signature: str) -> str:
    """What the target's logs call the session: the client's own name, and ours behind it, never cut."""
    own = _ascii(client)
    if not signature:
        return own[:LONGEST_NAME]
    return f"{own[: max(0, LONGEST_NAME - 1 - len(signature))]} {signature}".strip()[-LONGEST_NAME:]


def _ascii(name: str) -> str:
    """PostgreSQL shows anything else as question marks or escapes, of another length."""
    return "".join(character if " " <= character <= "~" else "?" for character in name)


def own_key(key: bytes, *, minor: int, random: Callable[[int], bytes]) -> bytes:
    """What the client gets in place of the target's key: its real process id, and a secret of the gateway's own.

    Four bytes of secret in protocol 3.0, thirty-two from 3.2 on. The process id is real since drivers compare
    the one in notifications with `pg_backend_pid()`.
    """
    return (key[:4] or b"\0\0\0\0") + random(32 if minor >= 2 else 4)
