"""MySQL's and MariaDB's side of the gateway's `Wire`: its phases in order, each with an object that speaks it.

The gateway greets (who is it?), the target is logged in to (let us in), then `Commands` go from the client to the server
and `Answers` back. Everything that a client sends before its turn waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.model import Allow, Block, Session
from gateway.protocols.mysql import errors, greeting, refusals
from gateway.protocols.mysql.answers import Answers, Running
from gateway.protocols.mysql.asking import Asking
from gateway.protocols.mysql.cancelling import KillErrand
from gateway.protocols.mysql.catalogue import Known
from gateway.protocols.mysql.commands import Commands
from gateway.protocols.mysql.session import Reading, codec_of
from gateway.protocols.mysql.startup import Startup
from gateway.protocols.mysql.statements import Statements
from gateway.protocols.mysql.upstream_login import LoginFailed, UpstreamLogin, attributes_of
from gateway.wire import (
    Aside,
    CancelAsked,
    Event,
    Hangup,
    Login,
    LoginRefused,
    Mask,
    Opening,
    ProtocolViolation,
    Send,
    Side,
)

_CLIENT: Final = Side.CLIENT
_KEY = 32
_OURS = 1 << 30
"""Set in every number that the gateway gives a session: the target's own are far from it."""
_PREFIX = "5.5.5-"
"""What MariaDB 10 says before its version, and its clients cut off."""


class MysqlWire:
    """One client connection's protocol state."""

    def __init__(self, opening: Opening, known: Known) -> None:
        self._opening = opening
        self._known = known
        self._number = _number(opening, known)
        self._startup: Startup | None = Startup(
            opening, version=announced(known.version), connection=self._number
        )
        self._login: UpstreamLogin | None = None
        self._early: list[bytes] = []
        """What the target has said before the gateway knew how to log in."""
        self._used: Login | None = None
        self._upstream_number = 0
        self._key = opening.random(_KEY)
        self._keyed = False
        self._session: Session | None = None
        self._count = 0
        self._statements = Statements()
        self._answers = Answers(
            opening.limits,
            over=self._ran,
            prepared=self._statements.add,
            labels=lambda: self._reading.labels,
        )
        self._reading = Reading(known, codec="utf-8", database="", account="")
        self._asking: Asking | None = None
        self._commands: Commands | None = None
        self._over = False

    def _next_id(self) -> str:
        self._count += 1
        assert self._session is not None
        return f"{self._session.id}.{self._count}"

    @property
    def cancel_key(self) -> bytes:
        return self._key if self._keyed else b""

    @property
    def lineage(self) -> str:
        return self._session.lineage.key if self._session is not None else ""

    @property
    def buffered(self) -> int:
        if self._commands is not None:
            return self._commands.buffered
        return self._startup.buffered if self._startup is not None else 0

    def start(self) -> Sequence[Event]:
        assert self._startup is not None
        out: list[Event] = []
        self._startup.start(out)
        return out

    def receive(self, side: Side, data: bytes) -> Sequence[Event]:
        out: list[Event] = []
        if self._over:
            return out
        if not data:
            self._end()
            out.append(Hangup("the client closed the connection" if side is _CLIENT else self._lost(out)))
        elif self._commands is not None:
            if side is _CLIENT:
                self._commands.receive(data, out)
            else:
                self._answers.receive(data, out)
                self._commands.resume(out)
            if any(isinstance(event, Hangup) for event in out):
                self._end()
        elif side is _CLIENT:
            assert self._startup is not None
            self._startup.receive(data, out)
        elif self._login is None:
            self._early.append(data)
            if sum(map(len, self._early)) > self._opening.limits.startup_bytes:
                raise ProtocolViolation("the target said more than a greeting before it was spoken to")
        else:
            self._log_in_with(data, out)
        return out

    def _end(self) -> None:
        self._over = True
        self._known.sessions.pop(self._number, None)

    def _lost(self, out: list[Event]) -> str:
        """The target has closed: before the session began the client has not heard why."""
        if self._startup is not None:
            said = self._startup.error(
                2013, "HY000", "The target closed the connection before the session began."
            )
            out.append(Send(_CLIENT, said))
        return "the target closed the connection"

    def tls_started(self, side: Side, binding: bytes) -> Sequence[Event]:
        del binding
        out: list[Event] = []
        if side is _CLIENT:
            assert self._startup is not None
            self._startup.tls_started()
        else:
            assert self._login is not None
            self._login.tls_started(out)
        return out

    # Admission, and the login upstream.

    def challenge(self, verifiers: Mapping[str, str] | None) -> Sequence[Event]:
        assert self._startup is not None
        out: list[Event] = []
        self._startup.challenge(verifiers, out)
        return out

    def admit(self, session: Session, login: Login) -> Sequence[Event]:
        assert self._startup is not None
        out: list[Event] = []
        answer = self._startup.answer
        self._session = session
        self._used = login
        codec = codec_of(answer.charset)
        self._reading = Reading(
            self._known, codec=codec, database=login.database, account=login.account or login.user
        )
        self._login = UpstreamLogin(
            login,
            tls=self._opening.upstream_tls,
            limits=self._opening.limits,
            capabilities=answer.capabilities,
            charset=answer.charset,
            attributes=attributes_of(answer.attributes, login.application),
        )
        early, self._early = b"".join(self._early), []
        if early:
            self._log_in_with(early, out)
        return out

    def _log_in_with(self, data: bytes, out: list[Event]) -> None:
        login, startup = self._login, self._startup
        assert login is not None
        assert startup is not None
        try:
            login.receive(data, out)
        except LoginFailed as failure:
            if failure.of_credential:
                self._login = None
                out.append(LoginRefused(str(failure)))
                return
            self._end()
            startup.refuse(str(failure), out, code=failure.code, state=failure.state)
            return
        if login.done:
            self._enter(login, startup, out)

    def _enter(self, login: UpstreamLogin, startup: Startup, out: list[Event]) -> None:
        """Once the target has let the gateway in, the client is in."""
        self._known.version = login.version
        self._reading.begin(login.version, login.modes)
        self._upstream_number = login.connection
        self._keyed = True
        self._known.sessions[self._number] = self
        self._answers.status = login.modes.status
        self._asking = Asking(
            self._opening.limits, self._answers, self._reading, self._statements, next_id=self._next_id
        )
        self._commands = Commands(self._asking, kill=self._kill)
        startup.welcome(login.modes.status, out)
        self._startup = self._login = None
        if login.leftover():
            raise ProtocolViolation("the target said something though nothing was asked")
        if rest := startup.leftover():
            self._commands.receive(rest, out)

    def refuse(self, message: str, *, unreachable: bool = False) -> Sequence[Event]:
        if self._over or self._startup is None:
            return ()
        self._end()
        out: list[Event] = []
        code, state = refusals.UNREACHABLE if unreachable else refusals.NOT_ADMITTED
        self._startup.refuse(message, out, code=code, state=state)
        return out

    # Commands.

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask) -> Sequence[Event]:
        out: list[Event] = []
        if not self._over and self._commands is not None:
            self._commands.answer(command_id, verdict, mask, out)
        return out

    def notice(self, command_id: str, text: str) -> Sequence[Event]:
        """The protocol has no way to say anything before the answer."""
        del command_id, text
        return ()

    def _ran(self, running: Running, failed: bool, out: list[Event]) -> None:  # noqa: FBT001
        """An answer is over: what it leaves behind counts for what comes next."""
        if running.done is not None and not failed:
            running.done(out)
        if running.context is not None:
            self._reading.ran(running.text, running.facts, running.context, failed=failed)

    def _kill(self, number: int, out: list[Event]) -> bool:
        """Stop what runs in the session of that number, if it is one of the gateway's and of the same lineage."""
        found = self._known.sessions.get(number)
        if found is None or found.lineage != self.lineage:
            return False
        out.append(CancelAsked(found.cancel_key))
        return True

    def cancel(self) -> Sequence[Event]:
        out: list[Event] = []
        if self._over or self._commands is None or self._commands.cancel(out):
            return out
        running = self._answers.running
        if running is not None and running.own is None and self._used is not None:
            errand = KillErrand(
                self._used,
                self._upstream_number,
                tls=self._opening.upstream_tls,
                limits=self._opening.limits,
            )
            out.append(Aside(errand))
        return out

    def end(self, message: str) -> Sequence[Event]:
        if self._over:
            return ()
        self._end()
        if self._startup is not None:
            code, state = refusals.ENDED
            return (Send(_CLIENT, self._startup.error(code, state, message)), Hangup(message))
        if self._asking is None or not self._answers.between_packets:
            return (Hangup(message),)
        said = errors.err(*refusals.ENDED, message, self._asking.sequence)
        return (Send(_CLIENT, said), Hangup(message))


def _number(opening: Opening, known: Known) -> int:
    """What the client knows its session by, and asks to be killed."""
    while True:
        number = _OURS | int.from_bytes(opening.random(4), "little") % _OURS
        if number not in known.sessions:
            return number


def announced(version: str) -> str:
    """The version as the target itself would greet with it."""
    if not version:
        return greeting.VERSION
    prefixed = version.startswith("10.") and "mariadb" in version.lower()
    return _PREFIX + version if prefixed else version
