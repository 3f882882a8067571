"""The client's side of a session before it is admitted: greeting, TLS, who it says it is, and the proof.

A token is a password that is handed over as it is: inside TLS by the full authentication of caching_sha2_password, which
every usual client does without being told; on loopback without TLS, or where the client itself names it, by
mysql_clear_password. A minted user's password is proved by challenge.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from gateway.protocols.mysql import capabilities as can
from gateway.protocols.mysql import errors, greeting, packets, proofs, refusals
from gateway.protocols.mysql.greeting import Answer, Greeting
from gateway.protocols.mysql.packets import Packet, Packets
from gateway.wire import (
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

WITHOUT_TLS = (
    "A token may not cross this connection in clear. Connect with TLS (--ssl), "
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
    TOKEN = auto()
    SWITCHED = auto()
    OVER = auto()


class Startup:
    """From the greeting to `LoginAsked` with a secret, or `LoginProved`."""

    def __init__(self, opening: Opening, *, version: str, connection: int) -> None:
        self._opening = opening
        self._step = _Step.FIRST
        self._packets = Packets()
        self._tls = False
        self._version = version
        self._connection = connection
        self._challenge = _challenge(opening)
        self._offered = can.OFFERED | (can.SSL if opening.client_tls else 0)
        self._verifiers: Mapping[str, str] = {}
        self._plugin = ""
        self._sequence = 0
        self.answer = Answer(capabilities=0, charset=0, user="", proof=b"")
        self.named = False
        """The client has said who it is, and so how errors look to it."""

    @property
    def buffered(self) -> int:
        return len(self._packets)

    def leftover(self) -> bytes:
        """What the client has already sent behind its login."""
        return self._packets.rest()

    def start(self, out: list[Event]) -> None:
        said = greeting.write_greeting(
            Greeting(
                version=self._version,
                connection=self._connection,
                challenge=self._challenge,
                capabilities=self._offered,
                plugin=proofs.CACHING,
            )
        )
        self.say(said, out)

    def say(self, payload: bytes, out: list[Event]) -> None:
        out.append(Send(Side.CLIENT, packets.frame(payload, self._sequence)))
        self._sequence += 1

    def error(self, code: int, state: str, message: str) -> bytes:
        return errors.err(code, state if self.named else "", message, self._sequence)

    def receive(self, data: bytes, out: list[Event]) -> None:
        self._packets.add(data)
        self.resume(out)

    def resume(self, out: list[Event]) -> None:
        limits = self._opening.limits
        while self._step is not _Step.OVER:
            first = self._step is _Step.FIRST
            if self._step is _Step.HANDSHAKE and self._packets:
                raise ProtocolViolation("bytes in clear where TLS was to begin")
            if self._packets.announced() > (limits.startup_bytes if first else limits.secret_bytes):
                raise ProtocolViolation("a client sent more than it may before it was admitted")
            if self._step is _Step.ASKED:
                if len(self._packets) > limits.startup_bytes:
                    raise ProtocolViolation("a client sent more than it may before it was admitted")
                return
            packet = self._packets.take()
            if packet is None:
                return
            if packet.sequence != self._sequence & 0xFF:
                raise ProtocolViolation("a packet of the handshake is numbered out of order")
            self._sequence += 1
            self._take(packet, out)

    def _take(self, packet: Packet, out: list[Event]) -> None:
        match self._step:
            case _Step.FIRST if greeting.asks_for_tls(packet.payload):
                if not self._opening.client_tls or self._tls:
                    raise ProtocolViolation("a request for TLS where none can be")
                self._step = _Step.HANDSHAKE
                # Nothing answers the request, so the handshake may have come with it: whatever that is, it is read as one.
                out.append(StartTls(Side.CLIENT, self._packets.rest()))
            case _Step.FIRST:
                self._named(packet.payload, out)
            case _Step.TOKEN:
                secret = packet.payload.removesuffix(b"\0").decode("utf-8", "replace")
                self._step = _Step.ASKED
                out.append(LoginAsked(user=self.answer.user, database=self.answer.database, secret=secret))
            case _:
                self._prove(packet.payload, out)

    def tls_started(self) -> None:
        if self._step is not _Step.HANDSHAKE:
            raise ProtocolViolation("TLS began where none was to begin")
        self._tls = True
        self._step = _Step.FIRST

    def _named(self, payload: bytes, out: list[Event]) -> None:
        self.answer = greeting.read_answer(payload, self._offered)
        self.named = True
        self._step = _Step.ASKED
        out.append(LoginAsked(user=self.answer.user, database=self.answer.database))

    # The proof.

    def challenge(self, verifiers: Mapping[str, str] | None, out: list[Event]) -> None:
        """Ask for a proof by challenge where there is a verifier, else for the token, never over a path that tells it."""
        if verifiers is not None and not {proofs.CACHING, proofs.NATIVE} & verifiers.keys():
            verifiers = None
        if verifiers is None:
            self._ask_for_token(out)
        else:
            self._verifiers = verifiers
            plugin = self.answer.plugin
            if plugin == proofs.CACHING and plugin in verifiers and self.answer.proof:
                self._plugin = plugin
                self._prove(self.answer.proof, out)
                return
            wanted = proofs.NATIVE if plugin == proofs.NATIVE and plugin in verifiers else proofs.CACHING
            self._switch(wanted if wanted in verifiers else proofs.NATIVE, out)
            self._step = _Step.SWITCHED
        self.resume(out)

    def _ask_for_token(self, out: list[Event]) -> None:
        if not (self._tls or self._opening.client_trusted_path):
            self.refuse(WITHOUT_TLS if self._opening.client_tls else NO_TLS_HERE, out)
            return
        self._step = _Step.TOKEN
        if self.answer.plugin == proofs.CLEAR or not self._tls:
            # Without TLS no client hands a password to caching_sha2_password as it is, and RSA has no room for a token.
            self._switch(proofs.CLEAR, out)
        elif self.answer.plugin == proofs.CACHING and self.answer.proof:
            self.say(greeting.more(proofs.FULL), out)
        else:
            self._switch(proofs.CACHING, out)
            self._step = _Step.SWITCHED

    def _switch(self, plugin: str, out: list[Event]) -> None:
        self._plugin = plugin
        self._challenge = _challenge(self._opening)
        self.say(greeting.write_switch(plugin, self._challenge), out)

    def _prove(self, proof: bytes, out: list[Event]) -> None:
        """The answer to a challenge; whatever it is, a token still has to be handed over."""
        if not self._verifiers:
            self._step = _Step.TOKEN
            if not proof or proof == b"\0":
                self.refuse_proof(out)
            else:
                self.say(greeting.more(proofs.FULL), out)
            return
        verifier = bytes.fromhex(self._verifiers[self._plugin])
        check = proofs.native_proved if self._plugin == proofs.NATIVE else proofs.caching_proved
        if not check(proof, self._challenge, verifier):
            self.refuse_proof(out)
            return
        if self._plugin == proofs.CACHING:
            self.say(greeting.more(proofs.FAST_OK), out)
        self._step = _Step.ASKED
        out.append(LoginProved(user=self.answer.user, database=self.answer.database))

    def refuse_proof(self, out: list[Event]) -> None:
        user = self.answer.user
        self.refuse(f'The password of "{user}" was not proved: it is wrong, empty or has expired.', out)

    def refuse(
        self,
        message: str,
        out: list[Event],
        *,
        code: int = refusals.NOT_ADMITTED[0],
        state: str = refusals.NOT_ADMITTED[1],
    ) -> None:
        self._step = _Step.OVER
        self._packets.rest()
        out += (Send(Side.CLIENT, self.error(code, state, message)), Hangup(message))

    def welcome(self, status: int, out: list[Event]) -> None:
        """The client is in."""
        self._step = _Step.OVER
        out.append(Send(Side.CLIENT, errors.ok(self._sequence, status=status)))


def _challenge(opening: Opening) -> bytes:
    """Twenty bytes of which none is a zero or a dollar sign, as servers make them."""
    return bytes(
        1 + each % 127 if 1 + each % 127 != ord("$") else ord("%")
        for each in opening.random(greeting.SCRAMBLE)
    )
