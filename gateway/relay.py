"""The only place that moves bytes: carries out what a wire says, for one client connection.

Everything that enters the wire comes through `_step`, on one event loop, so a wire is never entered twice at
once. Where nobody has to be waited for, a command goes from socket to socket without leaving that call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, Protocol, assert_never

from gateway import pending
from gateway.admission import Admission, AdmissionRefused
from gateway.end import End, Owner
from gateway.errand import Errand
from gateway.gate import Gate
from gateway.holding import Held
from gateway.model import Allow, Block, Command, Connection, Hold, Session
from gateway.recorder import RecordingFailed
from gateway.sessions import LiveSession
from gateway.tls import TlsLayer, end_point
from gateway.upstream.dial import Dialer
from gateway.wire import (
    AnswerWithheld,
    Aside,
    CancelAsked,
    CommandAnswered,
    CommandAsked,
    CommandWithdrawn,
    Event,
    Hangup,
    Login,
    LoginAsked,
    LoginProved,
    LoginRefused,
    ProtocolViolation,
    Reconnect,
    Send,
    Side,
    StartTls,
    Wire,
)

log = logging.getLogger("countersign.relay")

_CLIENT: Final = Side.CLIENT
_UPSTREAM: Final = Side.UPSTREAM

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Door(Protocol):
    """What a relay needs of the listener that accepted its client."""

    @property
    def connection(self) -> Connection: ...
    @property
    def gate(self) -> Gate: ...
    @property
    def admission(self) -> Admission: ...
    @property
    def dialer(self) -> Dialer: ...
    @property
    def spawn(self) -> Spawn: ...
    @property
    def pipelined_bytes(self) -> int: ...
    @property
    def full(self) -> bool:
        """One client more than the limit allows."""

    def open_wire(self, peer: str) -> Wire: ...

    def client_tls(self, client: End, received: bytes) -> None:
        """Begin TLS toward a client."""

    def binding(self, tls: TlsLayer, *, direct: bool) -> bytes:
        """The channel binding of the certificate that clients were shown.

        Raises `ProtocolViolation` where TLS was `direct`, from the first byte, without the ALPN that it needs.
        """

    def admitted(self, relay: Relay) -> None: ...
    def closed(self, relay: Relay) -> None: ...


class Relay(Owner):
    """One client connection, its upstream, and the wire between."""

    _wire: Wire
    """From the moment the client's address is known."""

    def __init__(self, door: Door, *, clock: Callable[[], float]) -> None:
        self._door = door
        self._clock = clock
        self._gate = door.gate
        self.client = End(Side.CLIENT, self)
        self._upstream: End | None = None
        self.live: LiveSession | None = None
        self.peer = ""
        self._held: Held | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._asked: LoginProved | None = None
        """As whom the client is in; a secret that it came with is not kept."""
        self._login_used: Login | None = None
        """With which it may be tried once more."""
        self._keyed = False
        self._direct_tls = False
        self._paused = False
        self._full = False
        """The client has yet to take what was sent to it."""
        self._over = False

    # What enters the wire.

    def opened(self, peer: str) -> None:
        self.peer = peer
        self._wire = self._door.open_wire(peer)
        if self._door.full:
            self._step(
                partial(self._wire.refuse, "This connection has as many clients as it may have; try later.")
            )
        else:
            self._step(self._wire.start)

    def received(self, side: Side, data: bytes) -> None:
        if self._over:
            return
        try:
            self._carry_out(self._wire.receive(side, data))
        except AnswerWithheld as failure:
            self._withheld(failure)
        except ProtocolViolation as violation:
            self._violated(side, str(violation))
        except RecordingFailed as failure:
            self._unrecorded(failure)
        if side is _CLIENT:
            if self._held is not None and self._wire.buffered > self._door.pipelined_bytes:
                self._pause_client(paused=True)
        elif not self._keyed and self.live is not None and self._wire.cancel_key:
            self._keyed = True
            self._gate.sessions.keyed(self.live, self._wire.cancel_key, self.cancel)

    def tls_up(self, side: Side, tls: TlsLayer) -> None:
        def started() -> Sequence[Event]:
            if side is Side.UPSTREAM:
                return self._wire.tls_started(side, end_point(tls.peer_certificate))
            return self._wire.tls_started(side, self._door.binding(tls, direct=self._direct_tls))

        self._step(started)

    def cancel(self) -> None:
        """Somebody with this session's cancel key wants the running command stopped."""
        self._step(self._wire.cancel)

    def kill(self, reason: str) -> None:
        """End the session now, telling the client why."""
        self._step(partial(self._wire.end, reason))
        self._close(reason)

    def _step(self, enter: Callable[[], Sequence[Event]]) -> None:
        if self._over:
            return
        try:
            self._carry_out(enter())
        except AnswerWithheld as failure:
            self._withheld(failure)
        except ProtocolViolation as violation:
            self._violated(Side.CLIENT, str(violation))
        except RecordingFailed as failure:
            self._unrecorded(failure)

    # What comes out of it.

    def _carry_out(self, events: Sequence[Event]) -> None:
        # Plain branches, the most frequent first: this runs several times for every command.
        while events and not self._over:
            answer: Sequence[Event] = ()
            for event in events:
                if isinstance(event, Send):
                    if event.to is _UPSTREAM:
                        assert self._upstream is not None
                        self._upstream.send(event.data)
                    else:
                        if event.command_id and self.live is not None:
                            self.live.recording.answer(event.command_id, event.data)
                        self.client.send(event.data)
                elif isinstance(event, CommandAsked):
                    answer = self._judge(event.command)
                elif isinstance(event, CommandAnswered):
                    assert self.live is not None
                    self._gate.answered(self.live, event)
                elif isinstance(event, LoginAsked | LoginProved):
                    answer = self._login(event)
                else:
                    self._carry_out_rare(event)
            events = answer

    def _carry_out_rare(
        self, event: StartTls | CommandWithdrawn | CancelAsked | Aside | LoginRefused | Reconnect | Hangup
    ) -> None:
        match event:
            case CommandWithdrawn():
                self._leave(withdraw=True)
            case StartTls(side, received):
                self._start_tls(side, received)
            case CancelAsked(key):
                self._gate.sessions.cancel(key)
            case Aside(wire):
                self._spawn(pending.errand(Errand(wire, self._door.dialer), self._door.dialer))
            case LoginRefused(message):
                self._log_in_again(message)
            case Reconnect():
                assert self._asked is not None
                self._reach(self._asked, ready=self._admit)
            case Hangup(reason):
                self._close(reason)
            case _:
                assert_never(event)

    def _judge(self, command: Command) -> Sequence[Event]:
        assert self.live is not None
        verdict = self._gate.ask(self.live, command)
        if isinstance(verdict, Hold):
            self._held = Held(self._gate, self.live, command, verdict)
            self._wait(self._held)
            return ()
        return self._wire.answer(command.id, verdict, self._gate.mask(verdict))

    def _wait(self, held: Held) -> None:
        command_id = held.command.id

        def tell(text: str) -> None:
            self._step(partial(self._wire.notice, command_id, text))

        def settled(final: Allow | Block) -> None:
            if held is self._held:
                self._held = None
                self._step(partial(self._wire.answer, command_id, final, self._gate.mask(final)))
                self._pause_client(paused=False)

        self._spawn(pending.decision(held, tell=tell, final=settled))

    def _leave(self, *, withdraw: bool) -> None:
        if self._held is not None:
            self._held.leave(withdraw=withdraw)
            self._held = None
            self._pause_client(paused=False)

    # Login.

    def _login(self, event: LoginAsked | LoginProved) -> Sequence[Event]:
        admission, connection = self._door.admission, self._door.connection.name
        try:
            match event:
                case LoginProved(user=user):
                    session = admission.admit_proved(connection, user=user, client=self.peer)
                case LoginAsked(user=user, secret=None):
                    return self._wire.challenge(admission.challenge(connection, user))
                case LoginAsked(user=user, secret=str() as secret):
                    session = admission.admit(connection, user=user, secret=secret, client=self.peer)
        except AdmissionRefused as refusal:
            log.info("refused a client", extra={"peer": self.peer, "connection": connection})
            return self._wire.refuse(str(refusal))
        return self._enter(session, event)

    def _enter(self, session: Session, asked: LoginAsked | LoginProved) -> Sequence[Event]:
        """Open the recording, reach the upstream, and log in there."""
        try:
            self.live = self._gate.open(session, kill=self.kill)
        except RecordingFailed:
            log.exception("no recording, no session", extra={"session": session.id})
            return self._wire.refuse("This session cannot be recorded, so it cannot begin.", unreachable=True)
        self._asked = LoginProved(user=asked.user, database=asked.database)
        self._reach(asked, ready=self._ready)
        return ()

    def _reach(self, asked: LoginAsked | LoginProved, *, ready: Callable[[Login], None]) -> None:
        """Connect to the target, in place of a connection that it has closed, and find out how to log in there."""
        assert self.live is not None
        if self._upstream is not None:
            self._upstream.close()
        self._upstream = End(Side.UPSTREAM, self)
        self._upstream.read(paused=self._full)
        self._spawn(
            pending.target(
                self._door.dialer,
                self._upstream,
                self.live.session,
                user=asked.user,
                database=asked.database,
                ready=ready,
                refused=self._unreachable,
            )
        )

    def _ready(self, login: Login) -> None:
        assert self.live is not None
        session = self.live.session
        self._login_used = login
        self._expiry = asyncio.get_running_loop().call_later(
            max(0.0, session.expires_at - self._clock()), self.kill, "The token of this session has expired."
        )
        self._door.admitted(self)
        self._admit(login)

    def _admit(self, login: Login) -> None:
        assert self.live is not None
        self._step(partial(self._wire.admit, self.live.session, login))

    def _unreachable(self, message: str) -> None:
        self._step(partial(self._wire.refuse, message, unreachable=True))

    def _log_in_again(self, message: str) -> None:
        assert self.live is not None
        assert self._upstream is not None
        used, self._login_used = self._login_used, None
        self._upstream.close()
        self._upstream = End(Side.UPSTREAM, self)
        self._spawn(
            pending.target_again(
                self._door.dialer,
                self._upstream,
                self.live.session,
                used,
                because=message,
                ready=self._admit,
                refused=self._unreachable,
            )
        )

    # Sockets.

    def _start_tls(self, side: Side, received: bytes) -> None:
        if side is Side.CLIENT:
            self._direct_tls = bool(received)
            self._door.client_tls(self.client, received)
        else:
            assert self._upstream is not None
            self._door.dialer.start_tls(self._upstream)

    def congested(self, side: Side, full: bool) -> None:  # noqa: FBT001
        if side is Side.CLIENT:
            self._full = full
            if self._upstream is not None:
                self._upstream.read(paused=full)
        else:
            self._pause_client(paused=full)

    def _pause_client(self, *, paused: bool) -> None:
        if paused is not self._paused:
            self._paused = paused
            self.client.read(paused=paused)

    def failed(self, side: Side, reason: str) -> None:
        log.info("TLS failed", extra={"side": side.value, "peer": self.peer, "reason": reason})
        if side is Side.UPSTREAM:
            self._step(partial(self._wire.refuse, f"TLS with the target failed: {reason}.", unreachable=True))
        self._close(f"TLS with the {side.value} failed: {reason}")

    # Endings.

    def _violated(self, side: Side, reason: str) -> None:
        log.warning("protocol violation", extra={"side": side.value, "peer": self.peer, "reason": reason})
        self._end(f"Protocol violation: {reason}", f"protocol violation by the {side.value}: {reason}")

    def _withheld(self, failure: AnswerWithheld) -> None:
        """What cannot be masked is not passed on, and what came before it can no longer be told apart from it."""
        log.error("masking failed", extra={"reason": str(failure), "peer": self.peer})
        self._end(f"This session was ended: {failure}.", str(failure))

    def _unrecorded(self, failure: RecordingFailed) -> None:
        """What cannot be recorded does not happen: the session ends without another byte from upstream."""
        log.critical("recording failed", extra={"reason": str(failure), "peer": self.peer})
        if self.live is not None:
            self._gate.unrecorded(self.live, failure)
        self._end("This session can no longer be recorded.", "the recording failed")

    def _end(self, words: str, reason: str) -> None:
        """Close, with last words to the client if they can still be said."""
        try:
            self._carry_out(self._wire.end(words))
        except (ProtocolViolation, RecordingFailed):
            self.client.abort()
        self._close(reason)

    def _close(self, reason: str) -> None:
        if self._over:
            return
        self._over = True
        self._leave(withdraw=False)
        if self._expiry is not None:
            self._expiry.cancel()
        self.client.close()
        if self._upstream is not None:
            self._upstream.close()
        if self.live is not None:
            self._gate.close(self.live, reason)
        self._door.closed(self)
        for task in self._tasks:
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._door.spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that failed leaves the wire waiting for an answer that will not come: end the session."""
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("a session's task failed", exc_info=error, extra={"peer": self.peer})
        self.kill("The gateway failed while it served this session; nothing was let through.")
