"""PostgreSQL's side of the gateway's `Wire`: its phases in order, each with an object that speaks it.

Start-up (who is it?), the upstream's login (let us in), then `Asking` from the client to the server and `Answers`
back. Everything that a client sends before its turn waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.model import Allow, Block, Command, Session, measured
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.answers import Answers, ReadEach
from gateway.protocols.postgres.asking import Asking
from gateway.protocols.postgres.cancelling import CancelErrand
from gateway.protocols.postgres.exchange import Exchange
from gateway.protocols.postgres.plans import PlanCopy, PlanRows
from gateway.protocols.postgres.reading import Background, Read, Reader
from gateway.protocols.postgres.startup import Startup
from gateway.protocols.postgres.statements import Statements
from gateway.protocols.postgres.upstream_login import (
    LoginFailed,
    UpstreamLogin,
    application_name,
    own_key,
    signature,
)
from gateway.wire import (
    Aside,
    CommandAsked,
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

UNJUDGED = frozenset(
    {
        "client_encoding",
        "datestyle",
        "timezone",
        "intervalstyle",
        "extra_float_digits",
        "statement_timeout",
        "lock_timeout",
    }
)
"""Settings that a session may begin with unasked: they change how values are written, or end commands sooner."""
_ENDED = "57P01"
_CLIENT: Final = Side.CLIENT


class PostgresWire:
    """One client connection's protocol state."""

    def __init__(
        self,
        opening: Opening,
        *,
        read: Read,
        read_each: ReadEach,
        plan_rows: PlanRows,
        plan_copy: PlanCopy,
        background: Background | None = None,
    ) -> None:
        self._opening = opening
        self._read = read
        self._background = background
        self._startup: Startup | None = Startup(opening)
        self._login: UpstreamLogin | None = None
        self._exchange = Exchange(limits=opening.limits, names=Statements(most=opening.limits.statements))
        self._answers = Answers(self._exchange, read_each=read_each, plan_rows=plan_rows, plan_copy=plan_copy)
        reader = Reader(self._exchange, read, background)
        self._asking = Asking(self._exchange, self._answers, reader, next_id=self._next_id)
        self._ready = False
        self._over = False
        self._session_id = ""
        self._commands = 0
        self._held_login: tuple[str, Login] | None = None
        """A command that asks for the settings a session begins with, and the login that waits for its answer."""
        self._begun = False
        """The settings that it begins with are judged; only the target has yet to let the gateway in."""
        self._welcomed = False
        """The client has heard that it is in: before that libpq takes no notice."""
        self._upstream_key = b""
        self._own_key = b""

    def _next_id(self) -> str:
        self._commands += 1
        return f"{self._session_id}.{self._commands}"

    @property
    def cancel_key(self) -> bytes:
        return self._own_key

    @property
    def buffered(self) -> int:
        return self._asking.buffered if self._startup is None else self._startup.buffered

    def start(self) -> Sequence[Event]:
        return ()

    def receive(self, side: Side, data: bytes) -> Sequence[Event]:
        out: list[Event] = []
        if self._over:
            return out
        if not data:
            self._over = True
            out.append(Hangup("the client closed the connection" if side is Side.CLIENT else self._lost(out)))
        elif self._ready:
            if side is _CLIENT:
                self._asking.receive(data, out)
            else:
                self._answers.receive(data, out)
                if self._exchange.unsigned is not None:
                    self._asking.sign(out)
                self._asking.resume(out)
        elif side is Side.CLIENT:
            assert self._startup is not None
            self._startup.receive(data, out)
        elif self._login is None:
            raise ProtocolViolation("the target spoke before it was spoken to")
        else:
            try:
                said: list[Event] = []
                self._login.receive(data, said)
                if any(isinstance(event, Send) and event.to is _CLIENT for event in said):
                    self._welcome(out)
                out += said
            except LoginFailed as failure:
                self._login_failed(failure, out)
            else:
                self._enter(out)
        return out

    def _lost(self, out: list[Event]) -> str:
        """The target has closed: before the session began the client has not heard why."""
        if not self._ready:
            said = messages.error(
                "08006", "The target closed the connection before the session began.", severity="FATAL"
            )
            out.append(Send(Side.CLIENT, said))
        return "the target closed the connection"

    def tls_started(self, side: Side, binding: bytes) -> Sequence[Event]:
        out: list[Event] = []
        if side is Side.CLIENT:
            assert self._startup is not None
            self._startup.tls_started(binding)
        else:
            assert self._login is not None
            self._login.tls_started(binding, out)
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
        self._session_id = session.id
        self._exchange.database = login.database or self._startup.database
        settings = {
            name: value for name, value in self._startup.settings.items() if name.lower() not in UNJUDGED
        }
        if self._begun:
            self._log_in(login, out)
        elif settings:
            text = "; ".join(_set(name, value) for name, value in settings.items())
            command = Command(
                id=self._next_id(),
                text=text,
                facts=self._read(text),
                exact=(
                    measured(
                        b"startup",
                        text.encode(),
                        self._exchange.database.encode(),
                        (login.account or login.user).encode(),
                    ),
                ),
            )
            self._held_login = (command.id, login)
            out.append(CommandAsked(command))
        else:
            self._log_in(login, out)
        return out

    def _log_in(self, login: Login, out: list[Event]) -> None:
        startup = self._startup
        assert startup is not None
        self._begun = True
        self._exchange.signature = signature(login.application)
        parameters = {
            **startup.settings,
            "user": login.user,
            "database": self._exchange.database,
            "application_name": application_name(startup.application, self._exchange.signature),
        }
        opening = self._opening
        self._login = UpstreamLogin(
            login,
            tls=opening.upstream_tls,
            parameters={name: value for name, value in parameters.items() if value},
            random=opening.random,
            limits=opening.limits,
        )
        for name, value in startup.settings.items():
            self._exchange.changed_by(f"{name}={value}")
            if self._background is not None:
                text = _set(name, value)
                self._background.released(self._read(text), text)
        self._login.start(out)

    def _enter(self, out: list[Event]) -> None:
        """Once the target has let the gateway in, the client hears the same of it, with a key of the gateway's own."""
        login, startup = self._login, self._startup
        if login is None or startup is None or not login.done:
            return
        for name, value in login.status.items():
            self._exchange.reported(name, value)
        self._upstream_key = login.key
        self._own_key = own_key(login.key, minor=startup.minor, random=self._opening.random)
        out.append(
            Send(
                Side.CLIENT,
                b"".join(
                    (
                        b"" if self._welcomed else messages.AUTHENTICATION_OK,
                        *(messages.parameter_status(name, value) for name, value in login.status.items()),
                        messages.frame(b"K", self._own_key),
                        messages.ready(self._exchange.status),
                    )
                ),
            )
        )
        self._ready = True
        self._startup = None
        self._login = None
        if rest := login.leftover():
            self._answers.receive(rest, out)
        if rest := startup.leftover():
            self._asking.receive(rest, out)

    def _welcome(self, out: list[Event]) -> None:
        if not self._welcomed:
            self._welcomed = True
            out.append(Send(Side.CLIENT, messages.AUTHENTICATION_OK))

    def _login_failed(self, failure: LoginFailed, out: list[Event]) -> None:
        if failure.of_credential:
            self._login = None
            out.append(LoginRefused(str(failure)))
            return
        self._over = True
        out.append(Send(Side.CLIENT, messages.error(failure.code, str(failure), severity="FATAL")))
        out.append(Hangup(str(failure)))

    def refuse(self, message: str, *, unreachable: bool = False) -> Sequence[Event]:
        del unreachable  # the codes of both are of what had begun
        if self._over:
            return ()
        self._over = True
        code = self._startup.error_code if self._startup is not None and not self._begun else "08006"
        return (Send(Side.CLIENT, messages.error(code, message, severity="FATAL")), Hangup(message))

    # Commands.

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask) -> Sequence[Event]:
        out: list[Event] = []
        if self._held_login is not None and self._held_login[0] == command_id:
            _, login = self._held_login
            self._held_login = None
            if isinstance(verdict, Allow):
                self._log_in(login, out)
            else:
                self._over = True
                said = messages.error(
                    "42501",
                    verdict.message,
                    detail=f"Decided by {', '.join(verdict.rules)}.",
                    severity="FATAL",
                )
                out += (Send(Side.CLIENT, said), Hangup("the settings it wanted to begin with were refused"))
        elif not self._over:
            self._asking.answer(command_id, verdict, mask, out)
        return out

    def notice(self, command_id: str, text: str) -> Sequence[Event]:
        out: list[Event] = []
        if self._held_login is not None and self._held_login[0] == command_id:
            self._welcome(out)
            out.append(Send(Side.CLIENT, messages.notice(text)))
        else:
            self._asking.notice(command_id, text, out)
        return out

    def cancel(self) -> Sequence[Event]:
        out: list[Event] = []
        if self._over or self._asking.cancel(out):
            return out
        if self._exchange.expected and self._upstream_key:
            out.append(Aside(CancelErrand(self._upstream_key, tls=self._opening.upstream_tls)))
        return out

    def end(self, message: str) -> Sequence[Event]:
        if self._over:
            return ()
        self._over = True
        if not self._answers.between_messages:
            return (Hangup(message),)
        return (Send(Side.CLIENT, messages.error(_ENDED, message, severity="FATAL")), Hangup(message))


def _set(name: str, value: str) -> str:
    return f"SET {name} TO '{_quoted(value)}'"


def _quoted(value: str) -> str:
    return value.replace("'", "''")
