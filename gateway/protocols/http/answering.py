"""One request that was let through, and its answer on the way back: parsed strictly, masked, and framed anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from gateway.model import Effect
from gateway.protocols.http.body_mask import BodyMask
from gateway.protocols.http.framing import LAST_CHUNK, Header, Malformed, chunk, take_head, written
from gateway.protocols.http.requests import Asked, Judged
from gateway.protocols.http.responses import Answered
from gateway.protocols.http.speech import Speech, Tunnel
from gateway.protocols.http.target import Target
from gateway.protocols.http.websocket import accept
from gateway.wire import CommandAnswered, Event, Limits, Mask, ProtocolViolation, Send, Side

_GOES_ON: Final[Sequence[Header]] = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))
_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Answering:
    """Between a request that went to the target, and the end of its answer."""

    def __init__(self, asked: Asked, judged: Judged, *, mask: Mask, limits: Limits, speech: Speech) -> None:
        self.asked: Final = asked
        self.id: Final = judged.command.id
        self._judged: Final = judged
        self._mask: Final = mask
        self._limits: Final = limits
        self._speech: Final = speech
        self._answer: Answered | None = None
        self._body: BodyMask | None = None
        self._chunked = False
        self._promised: int | None = None
        self._said = 0
        self._pieces: list[bytes] = []
        self.tunnel: Tunnel | None = None
        """What the connection carries in place of a body."""
        self.repeated = False
        self.done = False
        self.keeps = False
        """The target takes another request on the same connection."""

    @property
    def begun(self) -> bool:
        """The client has got some of the answer."""
        return self._answer is not None

    @property
    def closes(self) -> bool:
        """The client is told to close behind the answer."""
        return (
            not self.asked.keeps
            or self.tunnel is not None
            or (self.begun and not self._chunked and self._promised is None)
        )

    @property
    def may_be_repeated(self) -> bool:
        """Whether nothing happens twice where it is sent once more."""
        facts = self._judged.command.facts
        return (
            not self.begun
            and not self.repeated
            and self.asked.method in _REPEATABLE
            and facts.effects == {Effect.READ}
        )

    def sent(self, target: Target) -> bytes:
        """The request, as `target` gets it."""
        judged = self._judged
        kept = self._speech.asked(judged.headers, judged.command.facts, self._mask)
        return judged.sent(own=target.headers, kept=[*kept, *(_GOES_ON if self.asked.upgrades else ())])

    def receive(self, inbox: bytearray, target: Target, out: list[Event]) -> None:
        """Take of the answer what is there. Raises `ProtocolViolation`; then none of it has gone out."""
        begun = self.begun
        try:
            self._take(inbox, target)
        except ProtocolViolation:
            if not begun:
                self._answer = None
            raise
        self._send(out)

    def _take(self, inbox: bytearray, target: Target) -> None:
        while self._answer is None:
            head = take_head(inbox)
            if head is None:
                return
            answer = Answered(head, method=self.asked.method)
            if answer.status == 101:
                self._go_on(answer, target)
            elif not answer.is_interim:
                self._begin(answer, target)
        if self.tunnel is not None:
            self._pieces.append(self.tunnel.from_target(inbox))
            self.done = self.tunnel.done
            return
        assert self._body is not None
        data = self._answer.body.take(inbox)
        if data:
            self._pass(self._body.receive(data))
        if self._answer.body.done:
            self._finish()

    def closed(self, out: list[Event]) -> bool:
        """The target sends no more; whether that was the end of its answer."""
        if self._answer is None or self.tunnel is not None or not self._answer.body.closed():
            return False
        self._finish()
        self._send(out)
        return True

    def _send(self, out: list[Event]) -> None:
        """What has come together, and how it ended."""
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        if data:
            out.append(Send(Side.CLIENT, data, self.id))
        if self._answer is not None and self.done:
            if self.tunnel is not None:
                out.append(
                    CommandAnswered(
                        self.id,
                        self.tunnel.outcome,
                        failed=self.tunnel.failed,
                        masked=self._masked,
                        shape=self._shape,
                    )
                )
                return
            status, reason = self._answer.status, self._answer.reason.decode()
            out.append(
                CommandAnswered(
                    self.id,
                    f"{status} {reason}".strip(),
                    failed=status >= 400,
                    masked=self._masked,
                    shape=self._shape,
                )
            )

    def failed(self, why: str) -> CommandAnswered:
        """How it ended, where the answer was not the target's, or not whole."""
        outcome = f"{self._answer.status} {self._answer.reason.decode()}" if self._answer else "no answer"
        return CommandAnswered(
            self.id, f"{outcome}, {why}", failed=True, masked=self._masked, shape=self._shape
        )

    def _go_on(self, answer: Answered, target: Target) -> None:
        """The target goes on in WebSocket, as it was asked to."""
        sent = dict(self.asked.headers)
        key, offered = sent.get("sec-websocket-key", ""), sent.get("sec-websocket-protocol", "")
        told = {name.lower(): value for name, value in answer.passed(())}
        chosen = told.get(b"sec-websocket-protocol", b"")
        if (
            not self.asked.upgrades
            or told.get(b"sec-websocket-accept") != accept(key.encode("latin-1"))
            or b"sec-websocket-extensions" in told
            or chosen.decode("latin-1") not in [each.strip() for each in offered.split(",")]
        ):
            raise Malformed("the target goes on in another protocol, which nobody asked for")
        self._answer = answer
        self.tunnel = self._speech.tunnel(self._mask, target.secrets, self._limits)
        headers = [(b"Sec-WebSocket-Accept", told[b"sec-websocket-accept"])]
        headers += [(b"Sec-WebSocket-Protocol", chosen)] if chosen else []
        self._pieces.append(written(b"HTTP/1.1 101 Switching Protocols", [*_GOES_ON, *headers]))

    def _begin(self, answer: Answered, target: Target) -> None:
        facts, headers = self._judged.command.facts, answer.passed(target.origins)
        body = BodyMask(
            mask=self._mask,
            names=self._speech.names(self._mask, facts, headers),
            status=answer.status,
            headers=headers,
            secrets=target.secrets,
            limits=self._limits,
            head=not answer.has_body,
        )
        self._answer, self._body = answer, body
        # Who is not known to the target has perhaps another credential by now, which the next connection brings.
        self.keeps = answer.keeps and answer.status != HTTPStatus.UNAUTHORIZED
        headers = list(body.headers)
        if answer.has_body:
            lengths = [value for name, value in headers if name.lower() == b"content-length"]
            self._promised = int(lengths[0]) if lengths else None
            self._chunked = self._promised is None and not self.asked.of_1_0
        else:
            self._promised = 0
        headers += self._framing()
        self._pieces.append(written(answer.start, headers))

    def _framing(self) -> Sequence[Header]:
        found: list[Header] = [(b"Transfer-Encoding", b"chunked")] if self._chunked else []
        if self.closes:
            found.append((b"Connection", b"close"))
        elif self.asked.of_1_0:
            found.append((b"Connection", b"keep-alive"))
        return found

    def _pass(self, data: bytes) -> None:
        if not data:
            return
        self._said += len(data)
        if self._promised is not None and self._said > self._promised:
            raise Malformed("an answer is longer than it says")
        self._pieces.append(chunk(data) if self._chunked else data)

    def _finish(self) -> None:
        assert self._body is not None
        self._pass(self._body.finish())
        if self._promised is not None and self._said != self._promised:
            raise Malformed("an answer is shorter than it says")
        if self._chunked:
            self._pieces.append(LAST_CHUNK)
        self.done = True

    @property
    def _masked(self) -> Mapping[str, int]:
        if self.tunnel is not None:
            return self.tunnel.masked
        return self._body.masked if self._body is not None else {}

    @property
    def _shape(self) -> bytes:
        return self.asked.method.encode()
