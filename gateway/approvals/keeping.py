"""The open approvals as they are kept: in memory, in the store, and from there into the journal when they are settled."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace

from gateway.approvals.capacity import Capacity
from gateway.approvals.deadlines import Deadlines
from gateway.approvals.families import Families
from gateway.approvals.settled import Settled
from gateway.approvals.table import Event, step
from gateway.approvals.waiting import Live
from gateway.changes import LIVE, Feed
from gateway.contract import Approval, Choice, State
from gateway.store import Store, StoreFailed

TABLE = "approvals"
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"


class Kept:
    """Every change is durable before anybody is told of it."""

    def __init__(
        self,
        store: Store,
        settled: Settled,
        feed: Feed,
        deadlines: Deadlines,
        *,
        clock: Callable[[], float],
        on_kill: Callable[[Approval], Awaitable[object]],
    ) -> None:
        self._store = store
        self._feed = feed
        self._clock = clock
        self._on_kill = on_kill
        self.deadlines = deadlines
        self.settled = settled
        self.live: dict[str, Live] = {}
        self.by_key: dict[tuple[object, ...], Live] = {}
        """Those that one who asks for the same may still share."""
        self.capacity = Capacity()
        self.families = Families()
        self.on_settled: list[Callable[[Approval], object]] = []

    def add(self, live: Live) -> None:
        self.live[live.approval.id] = live
        self.by_key[live.key] = live
        self.families.join(live)
        self.capacity.take(live)
        self.deadlines.add(live.approval.expires_at, live.approval.id)
        for due in live.approval.steps[live.approval.stepped :]:
            self.deadlines.add(due.at, live.approval.id)

    def unshare(self, live: Live) -> None:
        """Nobody can join it any more."""
        self.by_key.pop(live.key, None)

    def apply(self, live: Live, event: Event) -> None:
        """One step, in memory and put into the store."""
        live.approval = step(live.approval, event, self._clock())
        if live.approval.state is not State.PENDING:
            self.families.settle(live)
        if live.approval.state not in LIVE:
            self.unshare(live)
        self._store.put(TABLE, live.approval.id, live.document())

    async def told(self, live: Live) -> None:
        """Make an open approval durable, then publish it."""
        approval = live.approval
        await self._store.commit()
        self._feed.publish(approval=approval)

    async def finish(self, live: Live) -> None:
        """Make a settled approval durable, tell those who wait, and move it to the journal."""
        approval = live.approval
        try:
            await self._store.commit()
        except StoreFailed:
            live.tell(unkept(approval))
            raise
        live.tell(approval)
        if approval.votes and approval.votes[-1].choice is Choice.KILL:
            await self._on_kill(approval)
        await self.settled.add(approval)
        self._forget(live)
        self._feed.publish(approval=approval)
        for listener in self.on_settled:
            listener(approval)
        await self._store.commit()

    def rejoin_until(self, live: Live, at: float) -> None:
        """Nobody waits for it; somebody may come back until then."""
        live.rejoin_until = at
        self.deadlines.add(at, live.approval.id)

    def new_id(self) -> str:
        """Short enough to be typed; unique among all that are remembered."""
        while True:
            found = "".join(secrets.choice(_ALPHABET) for _ in range(8))
            if found not in self.live and found not in self.settled:
                return found

    def _forget(self, live: Live) -> None:
        if self.live.pop(live.approval.id, None) is not None:
            self.capacity.give_back(live)
        self._store.delete(TABLE, live.approval.id)


def unkept(approval: Approval) -> Approval:
    """What those who wait are told when the decision could not be made durable: nothing is released by it."""
    if approval.state is State.SPENT:
        return replace(approval, state=State.WITHDRAWN, reason="the gateway could not keep the decision")
    return approval
