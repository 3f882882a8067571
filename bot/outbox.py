"""What the bot says in Slack goes through here: in order, at Slack's pace, and never twice.

Each channel is a lane: about one new message a second, cards before everything else. Edits have the app-wide
pace of chat.update, and edits that wait for the same message are one edit. A message is drawn when its turn
comes, so what waited long is still the newest. 429 holds the lane for as long as Slack says; after a 5xx or a
lost answer nobody knows whether a post happened, so the sender is asked to look before it is sent again.
https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks import Message

log = logging.getLogger(__name__)

Draw: TypeAlias = Callable[[], Awaitable[Message | None]]
"""The message as it is now, or None when there is nothing to say any more."""
Find: TypeAlias = Callable[[], Awaitable[str]]
"""The ts of the message if it is in the channel already, else ""."""


class SlackRefused(Exception):
    """Slack will not do this; `code` is its name for why."""

    def __init__(self, code: str, method: str) -> None:
        super().__init__(f"{method}: {code}")
        self.code = code


class SlackUnreachable(Exception):
    """Slack did not answer for long, or the lane is full."""


class Urgency(IntEnum):
    CARD = 0
    REPLY = 1
    EDIT = 2
    TRANSCRIPT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds and counts that Slack's limits ask for."""

    between_posts: float = 1.05
    edits_at_once: int = 20
    between_edits: float = 1.25
    first_retry: float = 0.5
    longest_retry: float = 30.0
    attempts: int = 8
    lane: int = 5_000
    """Messages that may wait in one channel."""


@dataclass(slots=True, order=True)
class _Item:
    urgency: int
    number: int
    draw: Draw = field(compare=False)
    find: Find | None = field(compare=False)
    thread_ts: str = field(compare=False)
    edits: str = field(compare=False)
    """The ts to update; "" for a new message."""
    waiters: list[asyncio.Future[str]] = field(compare=False)
    failures: int = field(compare=False, default=0)
    not_before: float = field(compare=False, default=0.0)
    doubtful: bool = field(compare=False, default=False)
    """An earlier attempt may have gone through."""

    @property
    def wanted(self) -> bool:
        return any(not waiter.done() for waiter in self.waiters)


class Outbox:
    """Posts and edits for one app. Lanes are tasks of `tasks` and end when they are empty."""

    def __init__(
        self,
        client: AsyncWebClient,
        tasks: asyncio.TaskGroup,
        *,
        clock: Callable[[], float],
        pace: Pace | None = None,
    ) -> None:
        self.client = client
        """Has no retry handlers: they would send a message again that may have arrived."""
        self._tasks = tasks
        self._clock = clock
        self._pace = pace or Pace()
        self._lanes: dict[str, _Lane] = {}
        self._numbers = itertools.count()
        self._edits_left = float(self._pace.edits_at_once)
        self._edits_at = clock()
        self._edits_from = 0.0

    async def post(
        self, channel: str, draw: Draw, *, urgency: Urgency, thread_ts: str = "", find: Find | None = None
    ) -> str:
        """The ts of the new message, "" where `draw` had nothing to say.

        Raises SlackRefused, SlackUnreachable, and what `draw` and `find` raise.
        """
        item = _Item(int(urgency), next(self._numbers), draw, find, thread_ts, "", [])
        return await self._wait(channel, item)

    async def edit(self, channel: str, ts: str, draw: Draw) -> None:
        """Update a message; edits of one message that wait together become the newest. Raises like `post`."""
        queued = self._lane(channel).edit_of(ts)
        if queued is None:
            queued = _Item(int(Urgency.EDIT), next(self._numbers), draw, None, "", ts, [])
            await self._wait(channel, queued)
        else:
            queued.draw = draw
            await self._join(queued)

    def waiting(self, channel: str) -> int:
        """How many messages wait in a channel's lane."""
        lane = self._lanes.get(channel)
        return len(lane.items) if lane else 0

    def edit_room(self) -> float:
        """Seconds until an edit fits Slack's pace for chat.update."""
        now = self._clock()
        refill = (now - self._edits_at) / self._pace.between_edits
        self._edits_left = min(float(self._pace.edits_at_once), self._edits_left + refill)
        self._edits_at = now
        short = max(0.0, 1 - self._edits_left) * self._pace.between_edits
        return max(short, self._edits_from - now)

    def count_edit(self) -> None:
        self._edits_left -= 1

    def hold_edits(self, seconds: float) -> None:
        self._edits_from = self._clock() + seconds

    async def _wait(self, channel: str, item: _Item) -> str:
        lane = self._lane(channel)
        if len(lane.items) >= self._pace.lane:
            raise SlackUnreachable(f"{len(lane.items):,} messages wait already.")
        lane.put(item)
        return await self._join(item)

    @staticmethod
    async def _join(item: _Item) -> str:
        waiter: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        item.waiters.append(waiter)
        return await waiter

    def _lane(self, channel: str) -> _Lane:
        lane = self._lanes.get(channel)
        if lane is None:
            lane = self._lanes[channel] = _Lane(self, channel, clock=self._clock, pace=self._pace)
            self._tasks.create_task(self._run(channel, lane), name=f"lane {channel}")
        return lane

    async def _run(self, channel: str, lane: _Lane) -> None:
        try:
            await lane.run()
        finally:
            self._lanes.pop(channel, None)


class _Lane:
    """One channel's queue."""

    def __init__(self, outbox: Outbox, channel: str, *, clock: Callable[[], float], pace: Pace) -> None:
        self._outbox = outbox
        self._channel = channel
        self._clock = clock
        self._pace = pace
        self._arrived = asyncio.Event()
        self._posts_from = 0.0
        self.items: list[_Item] = []

    def put(self, item: _Item) -> None:
        heapq.heappush(self.items, item)
        self._arrived.set()

    def edit_of(self, ts: str) -> _Item | None:
        return next((item for item in self.items if item.edits == ts), None)

    async def run(self) -> None:
        """Send until nothing is left, then rest as long as the pace of posts asks, and end."""
        while True:
            self.items = [item for item in self.items if item.wanted]
            heapq.heapify(self.items)
            item, wait = self._next()
            if item is not None:
                self.items.remove(item)
                heapq.heapify(self.items)
                await self._send(item)
                continue
            rest = wait if self.items else self._posts_from - self._clock()
            if not self.items and rest <= 0:
                return
            self._arrived.clear()
            # Not `wait_for`: until Python 3.12 it forgets a cancellation that comes with what it waits for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(rest, 0.001)):
                    await self._arrived.wait()

    def _next(self) -> tuple[_Item | None, float]:
        """The most urgent item that may go now, or the seconds until one may."""
        now = self._clock()
        soonest = float("inf")
        for item in sorted(self.items):
            wait = max(
                item.not_before - now, self._outbox.edit_room() if item.edits else self._posts_from - now
            )
            if wait <= 0:
                return item, 0.0
            soonest = min(soonest, wait)
        return None, soonest

    async def _send(self, item: _Item) -> None:
        try:
            ts = await self._attempt(item)
        except SlackApiError as error:
            self._failed(item, error)
        except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
            self._later(item, f"{type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - it is raised where the message was asked for
            _settle(item, error)
        else:
            _settle(item, ts)

    async def _attempt(self, item: _Item) -> str:
        if item.doubtful and item.find is not None:
            found = await item.find()
            if found:
                return found
            item.doubtful = False
        message = await item.draw()
        if message is None:
            return ""
        given: dict[str, Any] = message.arguments() | {"channel": self._channel}
        if item.edits:
            self._outbox.count_edit()
            await self._outbox.client.chat_update(ts=item.edits, **given)
            return item.edits
        self._posts_from = self._clock() + self._pace.between_posts
        answer = await self._outbox.client.chat_postMessage(
            unfurl_links=False, unfurl_media=False, thread_ts=item.thread_ts or None, **given
        )
        return str(answer["ts"])

    def _failed(self, item: _Item, error: SlackApiError) -> None:
        status, code = status_of(error), code_of(error)
        method = "chat.update" if item.edits else "chat.postMessage"
        if status == 429 or code in {"ratelimited", "rate_limited"}:
            seconds = _retry_after(error)
            log.info("Slack asks to wait", extra={"method": method, "seconds": seconds})
            if item.edits:
                self._outbox.hold_edits(seconds)
            else:
                self._posts_from = self._clock() + seconds
            self.put(item)
        elif status >= 500 or code in {
            "fatal_error",
            "internal_error",
            "service_unavailable",
            "request_timeout",
        }:
            self._later(item, f"{status} {code}".strip())
        else:
            _settle(item, SlackRefused(code, method))

    def _later(self, item: _Item, why: str) -> None:
        item.failures += 1
        item.doubtful = not item.edits
        if item.failures >= self._pace.attempts:
            _settle(item, SlackUnreachable(f"Slack failed {item.failures} times, lastly: {why}."))
            return
        wait = min(self._pace.longest_retry, self._pace.first_retry * 2 ** (item.failures - 1))
        log.warning("Slack failed, trying again", extra={"why": why, "seconds": wait})
        item.not_before = self._clock() + wait
        self.put(item)


def _settle(item: _Item, result: str | Exception) -> None:
    for waiter in item.waiters:
        if waiter.done():
            continue
        if isinstance(result, Exception):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)


def code_of(error: SlackApiError) -> str:
    """Slack's name for the error, "" where the answer was none of Slack's."""
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def status_of(error: SlackApiError) -> int:
    """The HTTP status; slack_sdk hands over aiohttp's answer where the body was not JSON."""
    for name in ("status_code", "status"):
        status = getattr(error.response, name, None)
        if isinstance(status, int):
            return status
    return 200


def _retry_after(error: SlackApiError) -> float:
    headers = {
        name.lower(): value for name, value in (getattr(error.response, "headers", None) or {}).items()
    }
    try:
        return max(1.0, float(headers.get("retry-after", "1")))
    except ValueError:
        return 1.0
