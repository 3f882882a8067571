"""The client's side of a session before it is admitted: TLS, cancel requests, who it says it is, and the proof.

Written from "Message Flow: Start-up" and "SASL Authentication" of PostgreSQL's manual. Everything a client may
send here is bounded; bytes that come between a TLS request and the handshake are an injection and end the
connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto

from gateway.protocols.postgres import messages
from gateway.protocols.postgres.messages import Body
from gateway.protocols.postgres.scram import NONCE_BYTES, PLAIN, ScramFailed, ScramServer, Verifier
from gateway.wire import (
    CancelAsked,
    Event,
    Hangup,
    LoginAsked,
    LoginProved,
    Opening,
    ProtocolViolation,
    Send,
    Side,
    StartTls,
)

TLS_HANDSHAKE = 0x16
LONGEST_KEY = 4 + 256
_WORDS = frozenset({"user", "database", "replication", "options"})
SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")
WITHOUT_TLS = (
    "A token may not cross this connection in clear. Connect with sslmode=require, "
    "or with a user and password minted for the token."
)
NO_TLS_HERE = (
    "A token may not cross this connection in clear, and this gateway has no certificate to offer TLS with: "
    "set tls: in its policy file, or connect with a user and password minted for the token."
)


class _Step(Enum):
    FIRST = auto()
    HANDSHAKE = auto()
    ASKED = auto()
    PASSWORD = auto()
    SASL_FIRST = auto()
    SASL_FINAL = auto()
    OVER = auto()


class Startup:
    """From the first byte to `LoginAsked` with a secret, or `LoginProved`."""

    user = ""
    database = ""
    application = ""
    minor = 0
    """The minor version of protocol 3 that is spoken with this client."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._step = _Step.FIRST
        self._data = b""
        self._binding = b""
        self._tls = False
        self._gss_refused = False
        self._tls_refused = False
        self._scram: ScramServer | None = None
        self._tried = False
        self.settings: dict[str, str] = {}
        """Settings that the client wants its session to begin with."""

    @property
    def buffered(self) -> int:
        return len(self._data)

    @property
    def error_code(self) -> str:
        """The SQLSTATE of a refusal now: a wrong proof, or none."""
        return "28P01" if self._tried else "28000"

    def leftover(self) -> bytes:
        """What the client has already sent behind its login."""
        data, self._data = self._data, b""
        return data

    def receive(self, data: bytes, out: list[Event]) -> None:
        self._data += data
        while self._data and self._one(out):
            pass

    def _one(self, out: list[Event]) -> bool:
        match self._step:
            case _Step.FIRST:
                return self._first(out)
            case _Step.HANDSHAKE:
                raise ProtocolViolation("bytes in clear where TLS was to begin")
            case _Step.ASKED:
                if len(self._data) > self._opening.limits.startup_bytes:
                    raise ProtocolViolation("a client sent more than it may before it was admitted")
                return False
            case _Step.PASSWORD | _Step.SASL_FIRST | _Step.SASL_FINAL:
                return self._proof(out)
            case _Step.OVER:
                self._data = b""
                return False

    # The first packet, and those that ask for something before it.

    def _first(self, out: list[Event]) -> bool:
        data = self._data
        if data[0] == TLS_HANDSHAKE and not self._tls:
            if not self._opening.client_tls:
                raise ProtocolViolation("TLS from the first byte, and no certificate to answer with")
            self._data = b""
            self._step = _Step.HANDSHAKE
            out.append(StartTls(Side.CLIENT, data))
            return False
        if len(data) < 4:
            return False
        size = int.from_bytes(data[:4], "big")
        if not 8 <= size <= self._opening.limits.startup_bytes:
            raise ProtocolViolation("a start-up packet's length is impossible")
        if len(data) < size:
            return False
        self._data = data[size:]
        code, body = int.from_bytes(data[4:8], "big"), data[8:size]
        if code == messages.SSL_REQUEST:
            self._tls_asked(body, out)
        elif code == messages.GSSENC_REQUEST:
            if body or self._tls or self._gss_refused:
                raise ProtocolViolation("a request for GSSAPI encryption where none can be")
            self._gss_refused = True
            out.append(Send(Side.CLIENT, b"N"))
        elif code == messages.CANCEL_REQUEST:
            if not 8 <= len(body) <= LONGEST_KEY:
                raise ProtocolViolation("a cancel request's key has an impossible length")
            self._step = _Step.OVER
            out += (CancelAsked(body), Hangup("a cancel request"))
        elif code >> 16 == 3:
            self._named(code, body, out)
        else:
            self._refuse(
                out, "0A000", f"Protocol {code >> 16}.{code & 0xFFFF} is not spoken here; 3.0 to 3.2 are."
            )
        return True

    def _tls_asked(self, body: bytes, out: list[Event]) -> None:
        if body or self._tls or self._tls_refused:
            raise ProtocolViolation("a request for TLS where none can be")
        if not self._opening.client_tls:
            self._tls_refused = True
            out.append(Send(Side.CLIENT, b"N"))
            return
        if self._data:
            raise ProtocolViolation("bytes in clear between a request for TLS and its handshake")
        self._step = _Step.HANDSHAKE
        out += (Send(Side.CLIENT, b"S"), StartTls(Side.CLIENT))

    def tls_started(self, binding: bytes) -> None:
        if self._step is not _Step.HANDSHAKE:
            raise ProtocolViolation("TLS began where none was to begin")
        self._tls = True
        self._binding = binding
        self._step = _Step.FIRST

    def _named(self, version: int, body: bytes, out: list[Event]) -> None:
        parameters = _parameters(body)
        spoken = min(version, messages.PROTOCOL_3_2)
        self.minor = spoken & 0xFFFF
        unknown = [name.encode() for name in parameters if name.startswith("_pq_.")]
        if version > messages.PROTOCOL_3_2 or unknown:
            out.append(Send(Side.CLIENT, messages.negotiate(spoken, unknown)))
        self.user = parameters.get("user", "")
        self.database = parameters.get("database", "") or self.user
        if not self.user:
            return self._refuse(out, "28000", "No user name was given: connect with -U, or user= in the URL.")
        if parameters.get("replication", "false").lower() not in {"false", "off", "no", "0", "f", "n"}:
            return self._refuse(
                out,
                "42501",
                "Replication connections do not go through this gateway: leave replication= out.",
            )
        try:
            options = _options(parameters.get("options", ""))
        except ValueError as wrong:
            return self._refuse(out, "42501", str(wrong))
        # As the server does it: what the message names itself comes after what its options name.
        named = [
            *options.items(),
            *((name, value) for name, value in parameters.items() if not _of_the_message(name)),
        ]
        # The server knows a setting in any case, and by one name each is judged once.
        settings = {name.lower(): value for name, value in named}
        for name in settings:
            if not SETTING.fullmatch(name):
                return self._refuse(out, "42704", "A start-up parameter has a name that no setting has.")
            if _of_the_message(name):
                return self._refuse(
                    out,
                    "42704",
                    f'No setting is called "{name}": it belongs into the start-up message itself.',
                )
        self.application = settings.pop("application_name", "")
        self.settings = settings
        self._step = _Step.ASKED
        out.append(LoginAsked(user=self.user, database=self.database))
        return None

    # The proof.

    def challenge(self, verifiers: Mapping[str, str] | None, out: list[Event]) -> None:
        """Ask for a proof by SCRAM where there is a verifier, else for the token, never over a path that tells it."""
        if verifiers is not None and (verifier := verifiers.get("scram-sha-256")) is not None:
            random = self._opening.random(NONCE_BYTES)
            self._scram = ScramServer(Verifier.read(verifier), nonce=random, binding=self._binding)
            self._step = _Step.SASL_FIRST
            out.append(Send(Side.CLIENT, messages.sasl(self._scram.mechanisms)))
        elif verifiers is None and (self._tls or self._opening.client_trusted_path):
            self._step = _Step.PASSWORD
            out.append(Send(Side.CLIENT, messages.CLEARTEXT_PASSWORD))
        elif verifiers is None:
            self._refuse(out, "28000", WITHOUT_TLS if self._opening.client_tls else NO_TLS_HERE)
        else:
            self._refuse(out, "28000", f"This user has no secret that can be proved by {PLAIN}.")
        if self._step is not _Step.OVER and self._data:
            self.receive(b"", out)

    def _proof(self, out: list[Event]) -> bool:
        data = self._data
        if data[:1] != b"p":
            raise ProtocolViolation("something else came where a password was to come")
        if len(data) < 5:
            return False
        size = 1 + int.from_bytes(data[1:5], "big")
        if not 5 <= size <= self._opening.limits.secret_bytes:
            raise ProtocolViolation("a password message's length is impossible")
        if len(data) < size:
            return False
        self._data = data[size:]
        self._tried = True
        body = Body(data, 5, size)
        if self._step is _Step.PASSWORD:
            secret = body.text().decode("utf-8", "replace")
            body.end()
            self._step = _Step.ASKED
            out.append(LoginAsked(user=self.user, database=self.database, secret=secret))
            return True
        try:
            self._sasl(body, out)
        except ScramFailed:
            self._refuse(
                out, "28P01", f'The password of "{self.user}" was not proved: it is wrong or has expired.'
            )
        except UnicodeDecodeError:
            raise ProtocolViolation("a SASL message is not text") from None
        return True

    def _sasl(self, body: Body, out: list[Event]) -> None:
        assert self._scram is not None
        if self._step is _Step.SASL_FIRST:
            mechanism, size = body.text().decode("utf-8"), body.int32()
            message = body.rest().decode("utf-8")
            if size != len(message.encode()):
                raise ProtocolViolation("a SASL message's length is wrong")
            self._step = _Step.SASL_FINAL
            answer = self._scram.first(mechanism, message)
            out.append(Send(Side.CLIENT, messages.sasl_step(11, answer.encode())))
            return
        answer = self._scram.final(body.rest().decode("utf-8"))
        self._step = _Step.ASKED
        out.append(Send(Side.CLIENT, messages.sasl_step(12, answer.encode())))
        out.append(LoginProved(user=self.user, database=self.database))

    def _refuse(self, out: list[Event], code: str, message: str) -> None:
        self._step = _Step.OVER
        self._data = b""
        out += (Send(Side.CLIENT, messages.error(code, message, severity="FATAL")), Hangup(message))


def _parameters(body: bytes) -> dict[str, str]:
    """Names and values of a StartupMessage, after its version."""
    reader = Body(body)
    parameters: dict[str, str] = {}
    try:
        while name := reader.text().decode("utf-8"):
            if name in parameters:
                raise ProtocolViolation("a start-up parameter is there twice")
            parameters[name] = reader.text().decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolViolation("a start-up parameter is not UTF-8") from None
    reader.end()
    return parameters


def _of_the_message(name: str) -> bool:
    """Whether the server takes this word of a StartupMessage for something else than a setting.

    As a setting it would reach the server as that: another database, a replication connection, options unjudged.
    """
    return name in _WORDS or name.startswith("_pq_.")


def _options(options: str) -> dict[str, str]:
    """The settings in `options`: `-c name=value` and `--name=value`, blanks escaped by backslashes.

    As `pg_split_opts` and `ParseLongOption` of the server read them; every other switch raises `ValueError`.
    """
    words = [
        re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL)
        for word in re.findall(r"(?:\\.|[^\\\s])+", options, re.DOTALL)
    ]
    settings: dict[str, str] = {}
    pending = iter(words)
    for word in pending:
        if word.startswith("--") and len(word) > 2:
            assignment = word[2:]
        elif word.startswith("-c"):
            assignment = word[2:] or next(pending, "")
        else:
            raise ValueError(
                f"The start-up option {word[:40]!r} is refused: only -c name=value and --name=value are known."
            )
        name, separator, value = assignment.partition("=")
        if not separator:
            raise ValueError(f"The start-up option {word[:40]!r} sets nothing: write -c name=value.")
        settings[name.replace("-", "_")] = value
    return settings
