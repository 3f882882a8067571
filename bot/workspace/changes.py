"""What happened, numbered: the page's live updates and everybody who waits read from here.

A change is a small note ("something about this message is new"); the reader fetches the thing
itself. A reader that fell behind the kept notes is told so and starts afresh.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

KEPT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One note: `kind` says what it is about (message, ephemeral, view, home, channel, ...)."""

    seq: int
    kind: str
    about: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"seq": self.seq, "kind": self.kind, **self.about}


class Changes:
    """A bounded, numbered log that can be waited on."""

    def __init__(self) -> None:
        self.seq = 0
        self.closed = False
        self._kept: deque[Change] = deque(maxlen=KEPT)
        self._waiting: set[asyncio.Future[None]] = set()

    def note(self, kind: str, **about: Any) -> None:
        """Append a note and wake everybody who waits."""
        self.seq += 1
        self._kept.append(Change(seq=self.seq, kind=kind, about=about))
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def close(self) -> None:
        """Wake everybody for the last time, so that open streams and polls end."""
        self.closed = True
        self.note("closed")

    def after(self, seq: int) -> list[Change]:
        """All kept notes younger than `seq`."""
        if seq >= self.seq:
            return []
        return [change for change in self._kept if change.seq > seq]

    def lost(self, seq: int) -> bool:
        """Whether notes after `seq` are no longer kept."""
        return bool(self._kept) and seq < self._kept[0].seq - 1

    async def wait(self, seq: int, *, seconds: float) -> list[Change]:
        """Notes younger than `seq`, waiting up to `seconds` for the first one."""
        if seq >= self.seq and seconds > 0 and not self.closed:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            try:
                async with asyncio.timeout(seconds):
                    await future
            except TimeoutError:
                pass
            finally:
                self._waiting.discard(future)
        return self.after(seq)
