"""The smallest wire: one line is one command. It shows that nothing in the gateway knows a protocol.

`login NAME SECRET` begins; any other line asks. The server answers each released line with one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.model import Allow, Block, Command, Effect, Facts, Session
from gateway.wire import (
    CommandAnswered,
    CommandAsked,
    CommandWithdrawn,
    Event,
    Hangup,
    Limits,
    Login,
    LoginAsked,
    Mask,
    Opening,
    ProtocolViolation,
    Send,
    Side,
)

FACTS = Facts(effects=frozenset({Effect.WRITE}))


class EchoWire:
    """Lines in, lines out."""

    cancel_key = b""

    def __init__(self, opening: Opening) -> None:
        self._limits: Limits = opening.limits
        self._client = b""
        self._server = b""
        self._admitted = False
        self._asked: Command | None = None
        self._running = ""
        self._count = 0

    @property
    def buffered(self) -> int:
        return len(self._client)

    def start(self) -> Sequence[Event]:
        return ()

    def receive(self, side: Side, data: bytes) -> Sequence[Event]:
        out: list[Event] = []
        if not data:
            self._asked = None
            return (Hangup(f"the {side.value} closed the connection"),)
        if side is Side.CLIENT:
            self._client += data
            self._lines(out)
        else:
            self._server += data
            self._answers(out)
            self._lines(out)
        return out

    def _lines(self, out: list[Event]) -> None:
        while self._asked is None and not self._running and b"\n" in self._client:
            line, _, self._client = self._client.partition(b"\n")
            text = _text(line)
            if not self._admitted:
                word, _, rest = text.partition(" ")
                user, _, secret = rest.partition(" ")
                if word != "login":
                    raise ProtocolViolation("a line before the login")
                out.append(LoginAsked(user=user, database="", secret=secret))
                return
            self._count += 1
            self._asked = Command(id=f"e{self._count}", text=text, facts=FACTS, exact=(line,))
            out.append(CommandAsked(self._asked))
        if len(self._client) > self._limits.command_bytes:
            raise ProtocolViolation("a line is longer than it may be")

    def _answers(self, out: list[Event]) -> None:
        while b"\n" in self._server:
            line, _, self._server = self._server.partition(b"\n")
            if not self._running:
                raise ProtocolViolation("the server answered what nobody asked")
            _text(line)
            out.append(Send(Side.CLIENT, line + b"\n", self._running))
            out.append(CommandAnswered(command_id=self._running, outcome="ok"))
            self._running = ""

    def tls_started(self, side: Side, binding: bytes) -> Sequence[Event]:
        raise AssertionError(side, binding)

    def challenge(self, verifiers: Mapping[str, str] | None) -> Sequence[Event]:
        raise AssertionError(verifiers)

    def admit(self, session: Session, login: Login) -> Sequence[Event]:
        del session, login
        self._admitted = True
        out: list[Event] = [Send(Side.CLIENT, b"welcome\n")]
        self._lines(out)
        return out

    def refuse(self, message: str, *, unreachable: bool = False) -> Sequence[Event]:
        del unreachable
        return (Send(Side.CLIENT, f"no: {message}\n".encode()), Hangup(message))

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask) -> Sequence[Event]:
        del mask
        asked, self._asked = self._asked, None
        out: list[Event] = []
        if asked is None or asked.id != command_id:
            self._asked = asked
            return out
        if isinstance(verdict, Allow):
            self._running = asked.id
            out.append(Send(Side.UPSTREAM, b"".join(asked.exact) + b"\n"))
        else:
            out.append(Send(Side.CLIENT, f"no: {verdict.message}\n".encode()))
        self._lines(out)
        return out

    def notice(self, command_id: str, text: str) -> Sequence[Event]:
        del command_id
        return (Send(Side.CLIENT, f"wait: {text}\n".encode()),)

    def cancel(self) -> Sequence[Event]:
        asked, self._asked = self._asked, None
        return () if asked is None else (CommandWithdrawn(asked.id), Send(Side.CLIENT, b"no: cancelled\n"))

    def end(self, message: str) -> Sequence[Event]:
        return (Send(Side.CLIENT, f"bye: {message}\n".encode()), Hangup(message))


def _text(line: bytes) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ProtocolViolation("a line is not UTF-8") from None
    if not text.isprintable():
        raise ProtocolViolation("a line holds what cannot be seen")
    return text
