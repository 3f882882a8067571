"""One admitted client of a server whose protocol's library owns the sockets: its commands, its answers, its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

from gateway.gate import Gate
from gateway.holding import Held
from gateway.hosted import Ruling, SessionOver
from gateway.masking.amid import AmidBinary
from gateway.masking.stream import StreamMask
from gateway.model import Allow, Block, Command, Final, Hold, Session
from gateway.recorder import RecordingFailed
from gateway.relay import Spawn
from gateway.sessions import LiveSession
from gateway.wire import CommandAnswered

log = logging.getLogger("countersign.listener")

NOBODY_ASKED = "The gateway failed while it asked for approval; nothing ran."


class Seated:
    """Fulfils `gateway.hosted.Seat`."""

    _live: LiveSession

    def __init__(self, gate: Gate, session: Session, *, spawn: Spawn, left: Callable[[Seated], None]) -> None:
        self.session = session
        self._gate = gate
        self._spawn = spawn
        self._left = left
        self._held: dict[str, Held] = {}
        self._timers: list[asyncio.TimerHandle] = []
        self._active = 0.0
        self._kill: Callable[[str], None] = lambda _reason: None
        self._over = False

    def open(self, kill: Callable[[str], None]) -> None:
        self._kill = kill
        self._live = self._gate.open(self.session, kill=self.kill)

    def ends_in(self, seconds: float, why: str) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(max(0.0, seconds), self.kill, why))

    def idles_out(self, seconds: float) -> None:
        """End the session once nothing was asked and nothing answered for so long. What waits for people is not idle."""
        loop = asyncio.get_running_loop()
        self._active = loop.time()

        def look() -> None:
            left = self._active + seconds - loop.time()
            if self._held:
                left = seconds
            if left <= 0:
                self.kill(f"Nothing happened here for {seconds:.0f} s.")
            else:
                self._timers[:] = [each for each in self._timers if each.when() > loop.time()]
                self._timers.append(loop.call_later(left, look))

        look()

    def kill(self, reason: str) -> None:
        """End the session now, telling the client why."""
        try:
            self._kill(reason)
        finally:
            self.close(reason)

    async def judge(
        self, command: Command, tell: Callable[[str], None], *, after: Ruling | None = None
    ) -> Ruling:
        if self._over:
            raise SessionOver
        self.active()
        try:
            verdict = self._gate.ask(self._live, command)
        except RecordingFailed as failure:
            self._unrecorded(failure)
        final = await self._settled(command, verdict, tell) if isinstance(verdict, Hold) else verdict
        if isinstance(final, Allow) and after is not None and isinstance(after.verdict, Allow):
            final = replace(final, masks=tuple(dict.fromkeys((*after.verdict.masks, *final.masks))))
        mask = AmidBinary(self._gate.mask(final), starred=True)

        def stream(same_length: bool) -> _Masking:  # noqa: FBT001  # the shape of Ruling's field
            return _Masking(AmidBinary(mask, starred=same_length))

        return Ruling(verdict=final, mask=mask, stream=stream)

    async def _settled(self, command: Command, verdict: Hold, tell: Callable[[str], None]) -> Final:
        held = Held(self._gate, self._live, command, verdict)
        outcome: asyncio.Future[Final] = asyncio.get_running_loop().create_future()

        async def settle() -> None:
            try:
                outcome.set_result(await held.settle(tell))
            except RecordingFailed as failure:
                outcome.set_exception(failure)
            except Exception:
                log.exception("a command could not be held", extra={"session": self.session.id})
                outcome.set_result(Block(rules=verdict.rules, message=NOBODY_ASKED))
            finally:
                outcome.cancel()

        self._held[command.id] = held
        self._spawn(settle())
        try:
            return await asyncio.shield(outcome)
        except RecordingFailed as failure:
            self._unrecorded(failure)
        except asyncio.CancelledError:
            if self._over:
                raise SessionOver from None
            if outcome.cancelled():
                return Block(rules=verdict.rules, message="Withdrawn; nothing ran.")
            held.leave(withdraw=False)
            raise
        finally:
            self._held.pop(command.id, None)
            self.active()

    def withdraw(self, command_id: str) -> bool:
        held = self._held.get(command_id)
        if held is not None:
            held.leave(withdraw=True)
        return held is not None

    def active(self) -> None:
        self._active = asyncio.get_running_loop().time()

    def answer(self, command_id: str, data: bytes) -> None:
        if self._over:
            raise SessionOver
        self.active()
        try:
            self._live.recording.answer(command_id, data)
        except RecordingFailed as failure:
            self._unrecorded(failure)

    def noted(self, text: str) -> None:
        if self._over:
            raise SessionOver
        try:
            self._live.recording.noted(self._gate.scrubber.text(text)[0])
        except RecordingFailed as failure:
            self._unrecorded(failure)

    def answered(self, event: CommandAnswered) -> None:
        if self._over:
            return
        try:
            self._gate.answered(self._live, event)
        except RecordingFailed as failure:
            self._unrecorded(failure)

    def close(self, reason: str) -> None:
        if self._over:
            return
        self._over = True
        for timer in self._timers:
            timer.cancel()
        for held in list(self._held.values()):
            held.leave(withdraw=False)
        self._gate.close(self._live, reason)
        self._left(self)

    def _unrecorded(self, failure: RecordingFailed) -> NoReturn:
        """What cannot be recorded does not happen."""
        log.critical("recording failed", extra={"reason": str(failure), "session": self.session.id})
        self._gate.unrecorded(self._live, failure)
        self.kill("This session can no longer be recorded.")
        raise SessionOver from failure


class _Masking:
    """A masked stream that counts (`gateway.hosted.Stream`). From its first NUL on, lengths stay: archives count on them."""

    def __init__(self, mask: AmidBinary) -> None:
        self._mask = mask
        self._stream = StreamMask(mask)
        self._counts: dict[str, int] = {}
        self.flush, self.close = self._stream.flush, self._stream.close

    def feed(self, data: bytes) -> bytes:
        if self._mask.starred or b"\0" not in data:
            return self._stream.feed(data)
        text, nul, rest = data.partition(b"\0")
        shown = self._stream.feed(text)
        self._mask.starred = True
        return shown + self._stream.feed(nul + rest)

    def counts(self) -> Mapping[str, int]:
        for _, _, name in self._stream.hits:
            self._counts[name] = self._counts.get(name, 0) + 1
        self._stream.hits.clear()
        return self._counts
