"""What is decided about commands: the gate, the votes it waits for, what was granted, and what a revocation ends."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from gateway import chores
from gateway.api.metrics import Meters
from gateway.approvals import Approvals
from gateway.contract import Approval
from gateway.elevations import house as elevations
from gateway.elevations.grants import Grants
from gateway.elevations.house import Elevation
from gateway.gate import Gate
from gateway.house.entrance import Entrance
from gateway.house.ground import Ground
from gateway.identity.lineages import Revocation
from gateway.policy.budgets import Budgets
from gateway.protocols import shape

UNHEARD_FOR = 600.0
"""Seconds within which a session that ended may be one that no follower had heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    approvals: Approvals
    elevation: Elevation
    budgets: Budgets
    meters: Meters
    gate: Gate


async def begin_decisions(parts: AsyncExitStack, ground: Ground, entrance: Entrance) -> Decisions:
    """Take up what an earlier life left, and decide from now on. Raises `StoreFailed` and `JournalFailed`."""
    policy, clock = ground.policy, ground.clock
    grants = Grants(
        ground.store,
        ground.journal,
        policy=policy,
        clock=clock,
        steady=time.monotonic,
        scheduler=ground.scheduler,
        spawn=ground.tasks.spawn,
    )

    async def kill(approval: Approval) -> None:
        """A killing vote: revoke the asking agent's token, and with it everything below."""
        vote = approval.votes[-1]
        asking = approval.lineage.chain[-1].token_id
        entrance.lineages.revoke(
            asking, by=vote.person, reason=vote.reason or f"killed with approval {approval.id}"
        )
        await ground.store.commit()

    approvals = Approvals(
        ground.store,
        ground.journal,
        ground.feed,
        clock=clock,
        scheduler=ground.scheduler,
        policy=policy,
        proof_key=ground.keys.secret("opened"),
        on_kill=kill,
        grants=grants,
        rejoin=policy().limits.rejoin,
    )
    parts.push_async_callback(approvals.stop)
    _end_what_is_revoked(ground, entrance, grants, approvals)
    elevation = elevations.build(
        grants=grants,
        approvals=approvals,
        sessions=entrance.sessions,
        issuer=entrance.issuer,
        minted=entrance.minted,
        lineages=entrance.lineages,
        feed=ground.feed,
        store=ground.store,
        journal=ground.journal,
        policy=policy,
        schema=ground.reaching.surveys.schema,
        announce=ground.announce,
        spawn=ground.tasks.spawn,
        clock=clock,
    )
    budgets = chores.recalled(ground.store)
    parts.callback(chores.keep, budgets, ground.store)
    meters = Meters()
    gate = Gate(
        policy(),
        mask_key=ground.keys.secret("masks"),
        approvals=approvals,
        recorder=ground.recorder,
        sessions=entrance.sessions,
        still_valid=entrance.admission.still_valid,
        estimate=ground.reaching.estimate,
        shaper=shape,
        grants=grants,
        budgets=budgets,
        announce=ground.announce,
        meters=meters,
        clock=clock,
    )
    await approvals.start()
    await elevation.start()
    ground.feed.recall(
        chores.ended(ground.recorder.directory, gate.audit_channel, entrance.links.link),
        unheard_since=clock() - UNHEARD_FOR,
    )
    return Decisions(approvals=approvals, elevation=elevation, budgets=budgets, meters=meters, gate=gate)


def _end_what_is_revoked(ground: Ground, entrance: Entrance, grants: Grants, approvals: Approvals) -> None:
    """From now on a revocation ends the sessions, grants and waiting commands of its whole subtree."""

    def revoked(revocation: Revocation) -> None:
        reason = f"revoked by {revocation.by}" + (
            f": {revocation.reason.rstrip('.')}" if revocation.reason else ""
        )
        entrance.sessions.kill_tokens(revocation.token_ids, f"This session was {reason}.")
        grants.end_tokens(revocation.token_ids, f"its agent was {reason}")
        ground.tasks.spawn(chores.withdraw(approvals, ground.journal, revocation, reason))

    entrance.lineages.on_revoked(revoked)
