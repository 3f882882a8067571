"""Everything about elevation, put together once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gateway.approvals import Approvals
from gateway.changes import Feed
from gateway.elevations.access import Access
from gateway.elevations.asking import Elevations
from gateway.elevations.grant import Grant, How
from gateway.elevations.grants import Grants
from gateway.elevations.past import Past
from gateway.elevations.reviews import Reviews
from gateway.elevations.showing import grant_view
from gateway.elevations.wish import Request
from gateway.facts.schema import Schema
from gateway.identity.lineages import Lineages
from gateway.identity.minted import Minted
from gateway.identity.tokens import Issuer
from gateway.journal import Journal
from gateway.policy.model import Policy, Target
from gateway.sessions import Sessions
from gateway.store import Store

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    grants: Grants
    requests: Elevations
    reviews: Reviews
    access: Access
    spawn: Spawn

    async def start(self) -> None:
        """Take up what an earlier life left. Call it once approvals have started."""
        self.grants.sweep()
        await self.requests.start()
        self.reviews.start()
        self.spawn(self.grants.watch())


def build(
    *,
    grants: Grants,
    approvals: Approvals,
    sessions: Sessions,
    issuer: Issuer,
    minted: Minted,
    lineages: Lineages,
    feed: Feed,
    store: Store,
    journal: Journal,
    policy: Callable[[], Policy],
    schema: Callable[[Target], Schema | None],
    announce: Callable[[str, str], None],
    spawn: Spawn,
    clock: Callable[[], float],
) -> Elevation:
    """Raises `StoreFailed` and `JournalFailed`."""
    past = Past(journal)
    access = Access(grants, issuer, minted, clock=clock)

    def begin_by_hand(request: Request) -> None:
        access.begin(request, now=clock())

    async def end(approval_id: str, why: str) -> None:
        await grants.end(requests.grant_of(approval_id), why)

    reviews = Reviews(
        approvals, policy=policy, announce=announce, end=end, clock=clock, spawn=spawn, store=store
    )
    requests = Elevations(
        grants,
        approvals,
        past,
        policy=policy,
        schema=schema,
        still_valid=issuer.broken,
        begin_by_hand=begin_by_hand,
        begin_review=reviews.begin,
        clock=clock,
        spawn=spawn,
        store=store,
    )

    def begun(grant: Grant) -> None:
        past.began(grant)
        if grant.how is How.UNASKED:
            announce(
                "info",
                f"Nobody was asked: {grant.agent} has {', '.join(sorted(grant.effects))} on {grant.connection} for "
                f"{(grant.ends_at - grant.starts_at) / 60:g} minutes, within the bounds of {grant.template}. "
                f"Reason: {grant.reason} (grant {grant.id}).",
            )
        feed.publish(grant=grant_view(grant))

    def ended(grant: Grant, why: str) -> None:
        now = clock()
        past.ended(grant, why, now)
        access.end(grant)
        feed.publish(grant=grant_view(grant, ended_at=now, ended=why))
        reason = f"The elevation {grant.id} ended: {why}."
        sessions.end_elevated(grant.id, reason, everybody=grant.ending == "kill")
        if grant.by_hand:
            lineages.revoke(grant.token_id, by="the gateway", reason=why)

    grants.on_begun(begun)
    grants.on_ended(ended)
    return Elevation(grants=grants, requests=requests, reviews=reviews, access=access, spawn=spawn)
