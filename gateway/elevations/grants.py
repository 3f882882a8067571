"""Grants: what was elevated, for whom, until when, and how much of it is used up.

A grant lets commands of one token and everything below it run that would be held; it never reaches what is blocked,
and shows what masks hide only where its offer says so. It ends at its time, with its budget, with its token, with the
offer it came of, or when somebody ends it; whichever comes first, the next command is held again, and what still runs
under it is told to stop. A grant is durable before anybody hears of it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.approvals.deadlines import Deadlines
from gateway.approvals.lasting import Yielded
from gateway.approvals.settled import GRANTED
from gateway.elevations.grant import Grant, read
from gateway.journal import Journal
from gateway.policy.model import Policy
from gateway.store import Store

TABLE = "grants"
LOOK_EVERY = 1.0
"""Seconds between two looks at the clocks, which may jump, and at the policy, which may offer less."""


class Grants:
    """The grants that hold now. One event loop."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        *,
        policy: Callable[[], Policy],
        clock: Callable[[], float],
        steady: Callable[[], float],
        scheduler: AsyncIOScheduler,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """`steady` counts seconds whatever happens to the clock: who puts a clock back prolongs nothing."""
        self._store = store
        self._journal = journal
        self._policy = policy
        self._clock = clock
        self._steady = steady
        self._spawn = spawn
        self._held: dict[str, Grant] = {}
        self._ends: dict[str, float] = {}
        """By `steady`."""
        self._running: Counter[str] = Counter()
        """How many commands run under each."""
        self._on_begun: list[Callable[[Grant], object]] = []
        self._on_ended: list[Callable[[Grant, str], object]] = []
        self._deadlines = Deadlines(scheduler, clock=clock, when_due=self.sweep)
        self.revealing = False
        """Some grant shows what masks would hide."""
        for document in store.all(TABLE).values():
            self._keep(read(document))

    def on_begun(self, listener: Callable[[Grant], object]) -> None:
        """`listener(grant)` is called for each grant that began, once it is durable; it must not raise."""
        self._on_begun.append(listener)

    def on_ended(self, listener: Callable[[Grant, str], object]) -> None:
        """`listener(grant, why)` is called for each grant that ended; it must not raise."""
        self._on_ended.append(listener)

    def all(self) -> list[Grant]:
        """Those that hold, oldest first."""
        self.sweep()
        return list(self._held.values())

    def get(self, grant_id: str) -> Grant | None:
        """A grant that holds."""
        self.sweep()
        return self._held.get(grant_id)

    async def open(self, *, seconds: float, answers: tuple[str, str], **fields: Any) -> Grant:
        """A new grant, durable when this returns, with the end of the request that it `answers`, table and key.

        Raises `StoreFailed` and `JournalFailed`.
        """
        now = self._clock()
        grant = Grant(id=secrets.token_hex(6), starts_at=now, ends_at=now + seconds, **fields)
        await self._journal.append(GRANTED, grant.document())
        self._store.delete(*answers)
        self._store.put(TABLE, grant.id, grant.document())
        await self._store.commit()
        self._keep(grant)
        for listener in self._on_begun:
            listener(grant)
        return grant

    def prepare(self, yielded: Yielded) -> None:
        """Put the grant that votes on a command made into the store, to become durable with the votes: see `begin`."""
        grant = Grant(
            id=yielded.approval,
            approval=yielded.approval,
            connection=yielded.connection,
            effects=yielded.effects,
            token_id=yielded.token_id,
            agent=yielded.agent,
            root=yielded.root,
            person=yielded.person,
            asked_by=yielded.agent,
            reason=yielded.reason,
            starts_at=yielded.starts_at,
            ends_at=yielded.starts_at + yielded.seconds,
            commands=yielded.commands,
            rows=yielded.rows,
            narrow=yielded.narrow,
        )
        self._store.put(TABLE, grant.id, grant.document())

    async def begin(self, grant_id: str) -> None:
        """What was prepared is durable now: it is journalled and holds. One that has ended does not begin again.

        Raises `JournalFailed`.
        """
        document = self._store.get(TABLE, grant_id)
        if document is None:
            return
        await self._journal.append(GRANTED, document)
        grant = read(document)
        self._keep(grant)
        for listener in self._on_begun:
            listener(grant)

    def spend(
        self, token_ids: Collection[str], connection: str, lets: Callable[[Grant], bool]
    ) -> Grant | None:
        """One command of the first grant of a chain of tokens that `lets` it go; None where none does."""
        for grant in list(self._held.values()):
            if grant.connection != connection or grant.token_id not in token_ids:
                continue
            if over := self._over(grant):
                self._forget(grant, over)
            elif not grant.is_spent and lets(grant):
                spent = replace(grant, used=grant.used + 1)
                self._put(spent)
                self._running[grant.id] += 1
                return spent
        return None

    def done(self, grant_id: str, rows: int) -> None:
        """A command that ran under it is over, and brought or changed so many rows.

        The last command of a budget runs to its end; where rows are used up, what else runs under it does not.
        """
        self._running[grant_id] -= 1
        grant = self._held.get(grant_id)
        if grant is None:
            if self._running[grant_id] <= 0:
                del self._running[grant_id]
            return
        if grant.rows is not None and rows:
            self._put(replace(grant, rows_used=grant.rows_used + rows))
        if over := self._over(self._held[grant_id]):
            self._forget(self._held[grant_id], over)

    async def end(self, grant_id: str, why: str) -> Grant | None:
        """End one now; durable when this returns. None where none of that id holds."""
        grant = self._held.get(grant_id)
        if grant is not None:
            self._forget(grant, why)
            await self._store.commit()
        return grant

    def end_tokens(self, token_ids: Collection[str], why: str) -> None:
        """End every grant of these tokens."""
        for grant in [each for each in self._held.values() if each.token_id in token_ids]:
            self._forget(grant, why)

    def sweep(self) -> None:
        """End what is due. The scheduler calls it at each deadline."""
        self._deadlines.take()
        for grant in list(self._held.values()):
            if over := self._over(grant):
                self._forget(grant, over)

    async def watch(self) -> None:
        """For ever: see to what no deadline tells of, a clock that jumped and a policy that was changed."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.sweep()

    def _over(self, grant: Grant) -> str:
        """Why it holds no longer, or ""."""
        if self._clock() >= grant.ends_at or self._steady() >= self._ends[grant.id]:
            return "its time is over"
        if grant.rows is not None and grant.rows_used >= grant.rows:
            return "its budget of rows is spent"
        if grant.is_spent and not self._running[grant.id]:
            return "its budget is spent"
        policy = self._policy()
        if grant.narrow is not None:
            # What the rules offer is looked at for each command that it would let go.
            return "" if grant.connection in policy.targets else "its connection is closed"
        offer = next((each for each in policy.elevations if each.name == grant.template), None)
        target = policy.targets.get(grant.connection)
        if offer is None or target is None or not grant.is_within(offer, target.connection):
            return "policies.yaml offers it no longer"
        return "" if offer.is_open(self._clock()) else "its hours are over"

    def _keep(self, grant: Grant) -> None:
        self._held[grant.id] = grant
        self._ends[grant.id] = self._steady() + (grant.ends_at - self._clock())
        self._deadlines.add(grant.ends_at, grant.id)
        self.revealing = any(each.reveal is not None for each in self._held.values())

    def _put(self, grant: Grant) -> None:
        self._held[grant.id] = grant
        self._store.put(TABLE, grant.id, grant.document())

    def _forget(self, grant: Grant, why: str) -> None:
        del self._held[grant.id], self._ends[grant.id]
        if not self._running[grant.id]:
            del self._running[grant.id]
        self.revealing = any(each.reveal is not None for each in self._held.values())
        self._store.delete(TABLE, grant.id)
        self._spawn(self._ended(grant, why))
        for listener in self._on_ended:
            listener(grant, why)

    async def _ended(self, grant: Grant, why: str) -> None:
        await self._store.commit()
        await self._journal.append("grant ended", ended(grant, why))


def ended(grant: Grant, why: str) -> Mapping[str, Any]:
    """What the journal says of an end."""
    return {"id": grant.id, "used": grant.used, "rows": grant.rows_used, "why": why}
