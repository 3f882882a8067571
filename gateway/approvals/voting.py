"""A person's vote: whether it counts, and all that follows where it settles an approval.

What is checked is in `ballot`, `electorate` and `freshness`; this is their order, and what has to be durable before what.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from gateway.approvals import ballot, freshness, releasing
from gateway.approvals.electorate import PolicyPort, standing
from gateway.approvals.keeping import Kept, unkept
from gateway.approvals.releasing import GrantsPort
from gateway.approvals.table import AlreadySettled, Covered, Lapsed, Released
from gateway.approvals.waiting import Live
from gateway.changes import LIVE
from gateway.contract import Approval, LoginView, State, VoteRequest
from gateway.store import Store, StoreFailed


class Voting:
    """Counts votes on the approvals that are kept, and makes the grants of a yes for a while."""

    def __init__(
        self,
        kept: Kept,
        store: Store,
        *,
        clock: Callable[[], float],
        policy: Callable[[], PolicyPort],
        proof_key: bytes,
        grants: GrantsPort,
    ) -> None:
        self._kept = kept
        self._store = store
        self._clock = clock
        self._policy = policy
        self._proof_key = proof_key
        self._grants = grants

    async def count(
        self,
        approval_id: str,
        request: VoteRequest,
        *,
        through: str,
        vouched: Collection[str],
        login: LoginView | None,
    ) -> Approval:
        """The approval after the vote. Raises what `Approvals.vote` does."""
        live = self._kept.live.get(approval_id)
        approval = live.approval if live is not None else self._kept.settled.get(approval_id)
        if approval is None:
            raise self._kept.settled.gone(approval_id)
        # Nobody is told of what could still be lost: the state that decides here becomes durable first.
        await self._store.commit()
        if ballot.cast_before(approval, request):
            return live.approval if live is not None else approval
        groups = standing(self._policy(), approval, request.person, vouched)
        if live is None:
            raise AlreadySettled(approval)
        now = self._clock()
        if live.approval.expires_at <= now and live.approval.state in LIVE:
            self._kept.apply(live, Lapsed())
            await self._kept.finish(live)
        ballot.check(live.approval, request, proof_key=self._proof_key)
        if ballot.cast_before(live.approval, request):
            return live.approval
        # Last, so that nobody logs in for a vote that would be refused for another reason.
        freshness.check(live.approval, request, groups=groups, login=login, now=now)
        event = ballot.event(
            request,
            offered=live.approval.lasting,
            groups=groups,
            through=through,
            now=now,
            login=login,
        )
        self._kept.apply(live, event)
        made = live.approval.grant if live.approval.state is State.APPROVED else ""
        if live.approval.state is State.APPROVED and live.waiters:
            self._kept.apply(live, Released())
        voted = live.approval
        if made:
            releasing.prepare(self._grants, live)
            await self._granted(live)
        elif voted.grant:
            await self._grants.end(voted.grant, f"{request.person} said no after all")
        await (self._kept.told(live) if voted.state in LIVE else self._kept.finish(live))
        if made:
            await self._released(voted)
        return voted

    async def _granted(self, live: Live) -> None:
        """The grant that the votes agree to begins once both are durable."""
        try:
            await self._store.commit()
        except StoreFailed:
            live.tell(unkept(live.approval))
            raise
        await self._grants.begin(live.approval.id)

    async def _released(self, approval: Approval) -> None:
        """Let go what else waits and is covered by the grant that the votes on `approval` made."""
        covered = list(releasing.released(self._grants, approval, self._kept.live.values()))
        for live in covered:
            self._kept.apply(live, Covered(grant=approval.grant, person=approval.settled_by))
            self._kept.apply(live, Released())
        await asyncio.gather(*(self._kept.finish(live) for live in covered))
