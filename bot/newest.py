"""Work by key, where only the newest matters: one task per key, retried until it succeeds.

What is offered while a key's task runs replaces what waits. A number counts as done when its value, or a newer one
of the same key, was worked off; so the follower knows how far it may forget.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import aiohttp
from slack_sdk.errors import SlackClientError

from bot.gateway_client import GatewayError
from bot.once import Claimed
from bot.outbox import SlackRefused, SlackUnreachable

log = logging.getLogger(__name__)

T = TypeVar("T")

EXPECTED = (
    GatewayError,
    SlackClientError,
    SlackRefused,
    SlackUnreachable,
    Claimed,
    OSError,
    TimeoutError,
    aiohttp.ClientError,
)
"""What goes wrong outside of the bot, and is tried again for as long as it takes."""
UNEXPECTED_ATTEMPTS = 5


@dataclass(slots=True)
class _Waiting(Generic[T]):
    value: T
    numbers: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Seconds between attempts: doubled each time, with jitter, up to `longest`."""

    first: float = 0.5
    longest: float = 60.0

    def after(self, failures: int) -> float:
        ceiling = min(self.longest, self.first * 2.0 ** min(failures, 16))
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
        return ceiling * jitter


class Newest(Generic[T]):
    """Keys and the one task each of them has; tasks belong to `tasks`."""

    def __init__(
        self, work: Callable[[T], Awaitable[None]], tasks: asyncio.TaskGroup, *, name: str, backoff: Backoff
    ) -> None:
        self._work = work
        self._tasks = tasks
        self._name = name
        self._backoff = backoff
        self._waiting: dict[str, _Waiting[T]] = {}
        self._running: dict[str, set[int]] = {}

    def offer(self, key: str, value: T, *, number: int) -> None:
        """Let `value` be worked off under `key`, unless something newer comes first."""
        waiting = self._waiting.setdefault(key, _Waiting(value))
        waiting.value = value
        waiting.numbers.add(number)
        if key not in self._running:
            self._running[key] = set()
            self._tasks.create_task(self._run(key), name=f"{self._name} {key}")

    def unfinished(self) -> int | None:
        """The lowest number that is not done, None where all are."""
        numbers = [min(one.numbers) for one in self._waiting.values() if one.numbers]
        numbers += [min(running) for running in self._running.values() if running]
        return min(numbers, default=None)

    async def _run(self, key: str) -> None:
        failures = 0
        unexpected = 0
        try:
            while (waiting := self._waiting.pop(key, None)) is not None:
                self._running[key] |= waiting.numbers
                try:
                    await self._work(waiting.value)
                except EXPECTED as error:
                    wait = error.seconds if isinstance(error, Claimed) else self._backoff.after(failures)
                    log.warning("%s %s: %s; again in %.1f s", self._name, key, error, wait)
                except Exception:
                    unexpected += 1
                    log.exception("%s %s failed", self._name, key)
                    wait = self._backoff.after(failures)
                    if unexpected >= UNEXPECTED_ATTEMPTS:
                        # A fault of our own must not keep everything else from being forgotten.
                        self._running[key].clear()
                        unexpected = failures = 0
                        continue
                else:
                    self._running[key].clear()
                    unexpected = failures = 0
                    continue
                failures += 1
                await asyncio.sleep(wait)
                self._waiting.setdefault(key, waiting)
        finally:
            self._running.pop(key, None)
