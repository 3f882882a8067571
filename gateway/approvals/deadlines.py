"""When approvals have to be looked at again: one scheduled job, always at the earliest of all deadlines."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Deadlines:
    """Times at which names are due."""

    def __init__(
        self, scheduler: AsyncIOScheduler, *, clock: Callable[[], float], when_due: Callable[[], object]
    ) -> None:
        """`when_due` is called in the event loop when at least one name is due."""
        self._scheduler = scheduler
        self._clock = clock
        self._when_due = when_due
        self._heap: list[tuple[float, str]] = []
        self._woken_at = float("inf")

    def add(self, at: float, name: str) -> None:
        """`name` is due at `at`, Unix seconds; it may be due at several times."""
        heapq.heappush(self._heap, (at, name))
        self._schedule()

    def take(self) -> list[str]:
        """The names that are due now, each time once."""
        now = self._clock()
        due: list[str] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[1])
        self._woken_at = float("inf")
        self._schedule()
        return due

    def _schedule(self) -> None:
        if not self._heap or self._heap[0][0] >= self._woken_at:
            return
        self._woken_at = self._heap[0][0]
        delay = max(0.0, self._woken_at - self._clock())
        self._scheduler.add_job(
            self._wake,
            "date",
            # The scheduler goes by the machine's clock; a millisecond more, so that it never is a hair early.
            run_date=datetime.now(UTC) + timedelta(seconds=delay, milliseconds=1),
            id=f"deadline-{id(self)}",
            replace_existing=True,
            misfire_grace_time=None,
        )

    async def _wake(self) -> None:
        """A coroutine, since the scheduler runs anything else in a thread."""
        self._when_due()
