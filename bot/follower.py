"""Follows the gateway's changes by number, and remembers in the gateway how far everything was dealt with.

At least once: after a restart the last unfinished changes come again, and whoever takes them is idempotent by
what it noted. Nothing is skipped while something older is still unfinished.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.gateway_client import Conflict, GatewayClient, GatewayError, Unauthorized
from bot.newest import Backoff, Newest
from gateway.contract import Announcement, Approval, Change, GrantView, SessionView

log = logging.getLogger(__name__)

CURSOR = "follower"
"""The note that holds the number up to which all changes are dealt with."""
WAIT = 25.0
SAVE_EVERY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Takers:
    """Who deals with what; each is called again with the same value until it returns."""

    seen: Callable[[Approval], object]
    """Called at once with every approval, so that what waits to be drawn is drawn as it is by then."""
    approval: Callable[[Approval], Awaitable[None]]
    session: Callable[[SessionView], Awaitable[None]]
    announcement: Callable[[Announcement], Awaitable[None]]
    grant: Callable[[GrantView], Awaitable[None]]


class Follower:
    """One reader of the feed."""

    def __init__(
        self,
        gateway: GatewayClient,
        takers: Takers,
        tasks: asyncio.TaskGroup,
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self._gateway = gateway
        self._takers = takers
        self._backoff = backoff or Backoff(longest=30.0)
        self._approvals = Newest(takers.approval, tasks, name="approval", backoff=self._backoff)
        self._sessions = Newest(takers.session, tasks, name="session", backoff=self._backoff)
        self._announcements = Newest(takers.announcement, tasks, name="announcement", backoff=self._backoff)
        self._grants = Newest(takers.grant, tasks, name="grant", backoff=self._backoff)
        self._read = 0
        self._saved = 0
        self._note = 0
        self.reachable = False
        """The last call to the gateway succeeded."""

    @property
    def done(self) -> int:
        """The number up to which every change is dealt with."""
        unfinished = [
            one.unfinished() for one in (self._approvals, self._sessions, self._announcements, self._grants)
        ]
        return min((number - 1 for number in unfinished if number is not None), default=self._read)

    async def run(self) -> None:
        """Read and hand out changes for ever; a gateway that is away is asked again, later and later."""
        failures = 0
        started = False
        while True:
            try:
                if not started:
                    await self._resume()
                    started = True
                changes = await self._gateway.changes(after=self._read, wait=WAIT)
            except GatewayError as error:
                self.reachable = False
                wait = self._backoff.after(failures)
                level = logging.ERROR if isinstance(error, Unauthorized) else logging.WARNING
                log.log(level, "cannot follow the gateway: %s Again in %.1f s.", error, wait)
                failures += 1
                await asyncio.sleep(wait)
                continue
            failures = 0
            self.reachable = True
            for change in changes.changes:
                self._hand_out(change)
            self._read = changes.next

    async def save_for_ever(self) -> None:
        """Keep the gateway's note of how far everything is done at most a second behind."""
        while True:
            await asyncio.sleep(SAVE_EVERY)
            try:
                await self.save()
            except GatewayError as error:
                log.info("the follower's place is not noted yet: %s", error)

    async def save(self) -> None:
        """Note how far everything is done, unless another bot has noted more."""
        done = self.done
        if done == self._saved:
            return
        try:
            self._note = await self._gateway.put_note(CURSOR, {"after": done}, version=self._note)
        except Conflict:
            note = await self._gateway.note(CURSOR)
            self._note = note.version if note else 0
            return
        self._saved = done

    async def _resume(self) -> None:
        note = await self._gateway.note(CURSOR)
        if note is not None:
            self._note = note.version
            self._read = self._saved = int(note.data.get("after", 0))

    def _hand_out(self, change: Change) -> None:
        if change.approval is not None:
            self._takers.seen(change.approval)
            # Those of one card are dealt with one after the other.
            key = change.approval.family or change.approval.id
            self._approvals.offer(key, change.approval, number=change.seq)
        elif change.session is not None:
            self._sessions.offer(change.session.id, change.session, number=change.seq)
        elif change.announcement is not None:
            self._announcements.offer(change.announcement.id, change.announcement, number=change.seq)
        elif change.grant is not None:
            self._grants.offer(change.grant.id, change.grant, number=change.seq)
