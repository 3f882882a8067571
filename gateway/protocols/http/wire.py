"""HTTP's side of the gateway's `Wire`: requests are read whole, judged one after the other, and written anew.

A connection of a client is a session, and the credential of its first request is what all of them have to show. The
connection to the target may be another one later: a target may close one on which nothing is under way, and one that
waited for people will have been closed. Nothing of a request is sent there before it was let through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from gateway.model import Allow, Block, Session
from gateway.protocols.http.answering import Answering
from gateway.protocols.http.entrance import OUTSIDER, Entrance, Entry
from gateway.protocols.http.framing import TooLarge
from gateway.protocols.http.incoming import Incoming, Refusal
from gateway.protocols.http.refusals import NO_HANDSHAKE, UNANSWERED
from gateway.protocols.http.requests import Asked, Judged
from gateway.protocols.http.speech import HTTP, Parting, Speech
from gateway.protocols.http.target import Link, Target, authority
from gateway.wire import (
    CommandAsked,
    Event,
    Hangup,
    Login,
    Mask,
    Opening,
    ProtocolViolation,
    Reconnect,
    Send,
    Side,
    StartTls,
)

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpWire:
    """One client connection's protocol state."""

    cancel_key = b""

    def __init__(self, opening: Opening, speech: Speech = HTTP) -> None:
        self._opening = opening
        self._speech = speech
        self._limits = opening.limits
        self._entrance = Entrance(opening)
        self._session_id = ""
        self._target: Target | None = None
        self._link = Link.OPENING
        self._commands = 0
        self._client = Incoming(opening.limits)
        self._upstream = bytearray()
        self._waiting: tuple[Asked, Judged] | None = None
        self._running: Answering | None = None
        self._parting: Parting | None = None
        self._unsent = False
        """What runs waits for a connection to the target."""
        self._fault = HTTPStatus.SERVICE_UNAVAILABLE
        """What a client is told of an end that its target has caused."""
        self._farewell = ""
        """Why the session ends, once the client has taken notice of its last answer."""
        self._over = False

    @property
    def buffered(self) -> int:
        return len(self._client.bytes)

    def start(self) -> Sequence[Event]:
        return ()

    def receive(self, side: Side, data: bytes) -> Sequence[Event]:
        out: list[Event] = []
        if self._over:
            return out
        if side is Side.CLIENT:
            self._from_client(data, out)
            return out
        try:
            self._from_upstream(data, out)
        except ProtocolViolation:
            self._fault = HTTPStatus.BAD_GATEWAY
            raise
        return out

    # From the client.

    def _from_client(self, data: bytes, out: list[Event]) -> None:
        if not data:
            self._hang_up(self._farewell or "the client closed the connection", out)
            return
        if self._farewell:
            if self._client.throw_away(data):
                self._hang_up(self._farewell, out)
            return
        if (first := self._entrance.begun(data)) is not None:
            self._over = isinstance(first, Hangup)
            out.append(first)
            return
        self._client.bytes += data
        self._through(out)
        if not self._over and self._parting is None:
            self._advance(out)
        if self._over or self._farewell:
            return
        if self._client.is_too_much(knocked=self._entrance.entry is Entry.KNOCKED):
            self._violated(TooLarge("too much was sent behind a request that is not answered"), out)

    def _through(self, out: list[Event]) -> None:
        """What a client says in another protocol that its connection goes on in."""
        running, parting = self._running, self._parting
        heard = parting if parting is not None else running.tunnel if running is not None else None
        if heard is None:
            return
        try:
            data = heard.from_client(self._client.bytes)
        except ProtocolViolation as why:
            if running is not None:
                out.append(running.failed("cut off"))
            self._running = None
            self._hang_up(f"protocol violation by the client: {why}", out)
            return
        if data:
            out.append(Send(Side.UPSTREAM if parting is None else Side.CLIENT, data))
        if parting is not None and parting.done:
            self._hang_up("what the connection was to go on for was refused", out)

    def _advance(self, out: list[Event]) -> None:
        """Read requests as far as one may be dealt with now."""
        try:
            self._read(out)
        except ProtocolViolation as why:
            self._violated(why, out)

    def _violated(self, why: ProtocolViolation, out: list[Event]) -> None:
        """Nothing of such a request goes anywhere, and nothing behind it is one that can be told from it."""
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if isinstance(why, TooLarge) else HTTPStatus.BAD_REQUEST
        if self._running is not None and self._running.begun:
            self._cut_off(self._running, f"protocol violation by the client: {why}", out)
            return
        message = f"This request is not read here: {why}."
        if not isinstance(why, TooLarge):
            self._client.asked = None  # where it would end nobody can tell
        self._refuse(status, message, out, close=True, why=f"protocol violation by the client: {why}")

    def _read(self, out: list[Event]) -> None:
        while not self._over and not self._farewell and self._may_read:
            if self._client.asked is None:
                asked = self._client.begin()
                if asked is None:
                    return
                self._began(asked, out)
            else:
                asked = self._client.asked
                body = self._client.body(asked)
                if body is None:
                    return
                self._whole(asked, body, out)

    @property
    def _may_read(self) -> bool:
        idle = self._waiting is None and self._running is None
        return idle and self._entrance.entry is not Entry.KNOCKED

    def _began(self, asked: Asked, out: list[Event]) -> None:
        """A head has come: who is it, and may the rest come?"""
        said = self._entrance.shown(asked.credential)
        if isinstance(said, Refusal):
            self._refuse(said.status, said.message, out, close=True)
        elif said is not None:
            out.append(said)
        else:
            if self._entrance.entry is Entry.OUTSIDE:
                self._client.refusal = OUTSIDER
            self._go_on(asked, out)

    def _go_on(self, asked: Asked, out: list[Event]) -> None:
        """The rest of a request may come, if only to be thrown away."""
        client = self._client
        if client.refusal is None and asked.upgrades:
            why = self._speech.refuses_upgrade(asked.method, asked.target, asked.headers)
            client.refusal = Refusal(HTTPStatus.FORBIDDEN, why) if why else None
        if client.bytes:
            asked.waits_for_100 = False
        if not asked.waits_for_100:
            return
        if client.refusal is not None:
            self._refuse(client.refusal.status, client.refusal.message, out, close=True)
        else:
            asked.waits_for_100 = False
            out.append(Send(Side.CLIENT, _CONTINUE))

    def _whole(self, asked: Asked, body: bytes, out: list[Event]) -> None:
        found, self._client.refusal = self._client.refusal, None
        if found is None:
            self._commands += 1
            number = f"{self._session_id}.{self._commands}"
            judged = asked.judged(number, body, target=authority(self._opening), speech=self._speech)
            if not judged.refused:
                self._waiting = (asked, judged)
                out.append(CommandAsked(judged.command))
                return
            found = Refusal(HTTPStatus.FORBIDDEN, judged.refused)
        self._client.asked = asked
        self._refuse(found.status, found.message, out, close=not asked.keeps)
        self._client.asked = None

    # Admission, and the connection to the target.

    def tls_started(self, side: Side, binding: bytes) -> Sequence[Event]:
        del binding
        out: list[Event] = []
        if side is Side.CLIENT:
            self._entrance.encrypted = True
        elif not self._over:
            self._linked(out)
        return out

    def challenge(self, verifiers: Mapping[str, str] | None) -> Sequence[Event]:
        raise AssertionError(verifiers)  # every `LoginAsked` brings its secret

    def admit(self, session: Session, login: Login) -> Sequence[Event]:
        out: list[Event] = []
        if self._over or self._farewell:
            return out
        self._session_id = session.id
        self._target = Target(self._opening, session, login)
        if self._opening.upstream_tls != "disable":
            out.append(StartTls(Side.UPSTREAM))
        else:
            self._linked(out)
        if self._entrance.entry is Entry.KNOCKED:
            self._entrance.entry = Entry.INSIDE
            assert self._client.asked is not None
            self._go_on(self._client.asked, out)
            self._advance(out)
        return out

    def _linked(self, out: list[Event]) -> None:
        self._link = Link.UP
        self._upstream.clear()
        self._forward(out)

    def refuse(self, message: str, *, unreachable: bool = False) -> Sequence[Event]:
        out: list[Event] = []
        if self._over or self._farewell:
            return out
        status = HTTPStatus.BAD_GATEWAY if unreachable else self._entrance.refused
        if self._running is not None and self._running.begun:
            self._cut_off(self._running, message, out)
        else:
            self._refuse(status, message, out, close=True)
        return out

    # Commands.

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask) -> Sequence[Event]:
        out: list[Event] = []
        if self._over or self._waiting is None or self._waiting[1].command.id != command_id:
            return out
        (asked, judged), self._waiting = self._waiting, None
        if isinstance(verdict, Allow):
            self._running = Answering(asked, judged, mask=mask, limits=self._limits, speech=self._speech)
            self._unsent = True
            self._forward(out)
        elif asked.upgrades:
            self._parting = self._speech.upgrade_refused(asked.headers, verdict.message)
            out.append(Send(Side.CLIENT, self._parting.begins, command_id))
        else:
            close = not asked.keeps
            said = asked.refused(
                self._speech, HTTPStatus.FORBIDDEN, verdict.message, close=close, rules=verdict.rules
            )
            out.append(Send(Side.CLIENT, said, command_id))
            if not asked.keeps:
                self._hang_up("the client wanted no more than this", out)
            self._advance(out)
        return out

    def _forward(self, out: list[Event]) -> None:
        """Send what was let through, as soon as there is somewhere to send it."""
        if self._running is None or not self._unsent or self._target is None:
            return
        if self._link is Link.UP:
            self._unsent = False
            out.append(Send(Side.UPSTREAM, self._running.sent(self._target)))
        elif self._link is Link.DOWN:
            self._link = Link.OPENING
            out.append(Reconnect())

    def notice(self, command_id: str, text: str) -> Sequence[Event]:
        del command_id, text  # nothing can be said before the answer
        return ()

    def cancel(self) -> Sequence[Event]:
        return ()

    def end(self, message: str) -> Sequence[Event]:
        out: list[Event] = []
        if self._over:
            return out
        running = self._running
        if running is not None and running.begun:
            self._cut_off(running, message, out)
        elif self._is_idle or self._farewell:
            self._hang_up(message, out)  # an answer that nobody waits for would be taken for the next one's
        else:
            self._refuse(self._fault, message, out, close=True)
        return out

    def _cut_off(self, running: Answering, why: str, out: list[Event]) -> None:
        if running.tunnel is not None:
            out.append(Send(Side.CLIENT, running.tunnel.ended(why), running.id))
        out.append(running.failed("cut off"))
        self._hang_up(why, out)

    @property
    def _is_idle(self) -> bool:
        idle = self._waiting is None and self._running is None
        return idle and self._client.asked is None and not self._client.bytes

    # From the target.

    def _from_upstream(self, data: bytes, out: list[Event]) -> None:
        running = self._running if not self._unsent else None
        if not data:
            self._lost(running, out)
        elif running is None:
            # Some say 408 before they close what was idle: whatever it is, it is no answer to what comes next.
            self._link = Link.DOWN if self._link is Link.UP else self._link
        elif self._link is Link.UP:
            assert self._target is not None
            self._upstream += data
            running.receive(self._upstream, self._target, out)
            if running.done:
                self._answered(running, out)
            else:
                self._through(out)

    def _lost(self, running: Answering | None, out: list[Event]) -> None:
        """The target has closed: a connection on which nothing was under way is replaced once it is needed."""
        was, self._link = self._link, Link.DOWN
        if running is None:
            if was is Link.OPENING and self._unsent:
                self._refuse(HTTPStatus.BAD_GATEWAY, NO_HANDSHAKE, out, close=True)
        elif running.closed(out):
            self._answered(running, out)
        elif running.may_be_repeated:
            # It may have closed a connection that seemed free just as this came.
            running.repeated = self._unsent = True
            self._forward(out)
        elif running.begun:
            out.append(running.failed("cut off by the target"))
            self._hang_up("the target closed the connection amid an answer", out)
        else:
            self._refuse(HTTPStatus.BAD_GATEWAY, UNANSWERED, out, close=True)

    def _answered(self, running: Answering, out: list[Event]) -> None:
        self._running = None
        if not running.keeps or self._upstream:
            self._link = Link.DOWN  # nothing that comes behind an answer belongs to the next
        if running.closes:
            self._hang_up("the client wanted no more than this", out)
        else:
            self._advance(out)

    # Endings.

    def _refuse(
        self, status: HTTPStatus, message: str, out: list[Event], *, close: bool, why: str = ""
    ) -> None:
        """An answer of our own to what is under way; `why` it ends is said to those who look at the session."""
        command_id, asked = "", self._client.asked
        if self._waiting is not None:
            asked, judged = self._waiting
            command_id = judged.command.id
        if self._running is not None:
            asked, command_id = self._running.asked, self._running.id
        if asked is None:
            said = self._speech.refusal(status, message, close=close)
        elif asked.upgrades and command_id:
            said = self._speech.upgrade_refused(asked.headers, message).at_once
        else:
            said = asked.refused(self._speech, status, message, close=close)
        out.append(Send(Side.CLIENT, said, command_id))
        if self._running is not None:
            out.append(self._running.failed(f"HTTP {status.value} from the gateway"))
            self._running = None
        if close and self._client.is_amid_a_body:
            self._farewell = why or message
            self._client.bytes.clear()
        elif close:
            self._hang_up(why or message, out)

    def _hang_up(self, why: str, out: list[Event]) -> None:
        self._over = True
        out.append(Hangup(why))
