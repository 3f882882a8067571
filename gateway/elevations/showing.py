"""What approvers see of a request: what becomes possible that was not, and what the same person had before."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.contract import ElevationView, GrantView, PastView, PossibleView
from gateway.elevations.grant import Grant
from gateway.elevations.past import Granted
from gateway.elevations.wish import Request, revealed
from gateway.model import Connection, Effect
from gateway.policy.coverage import Sender, cell
from gateway.policy.model import Policy
from gateway.policy.offers import Offer

PAST_SHOWN = 5


def elevation_view(
    request: Request, offer: Offer, *, policy: Policy, past: list[Granted], how: str, now: float
) -> ElevationView:
    wish = request.wish
    return ElevationView(
        asked_by=request.asked_by,
        effects=tuple(sorted(wish.effects)),
        seconds=wish.seconds,
        commands=wish.commands or 0,
        reason=wish.reason,
        template=offer.name,
        rows=wish.rows,
        resources=offer.resources.patterns if offer.resources is not None else (),
        by_hand=request.by_hand,
        ticket=wish.ticket,
        extends=wish.extends,
        reveal=revealed(offer),
        ending=offer.ending,
        how=how,
        possible=tuple(_possible(request, policy, policy.targets[wish.connection].connection, now=now)),
        past=tuple(_past(each) for each in past[:PAST_SHOWN]),
        past_count=len(past),
    )


def grant_view(grant: Grant, *, ended_at: float | None = None, ended: str = "") -> GrantView:
    reveal = grant.reveal
    return GrantView(
        id=grant.id,
        approval=grant.approval,
        connection=grant.connection,
        effects=tuple(sorted(grant.effects)),
        token_id=grant.token_id,
        agent=grant.agent,
        asked_by=grant.asked_by,
        reason=grant.reason,
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        commands=grant.commands,
        used=grant.used,
        what=grant.narrow.reach if grant.narrow is not None else None,
        template=grant.template,
        how=grant.how,
        person=grant.person,
        by_hand=grant.by_hand,
        rows=grant.rows,
        rows_used=grant.rows_used,
        resources=grant.resources,
        ticket=grant.ticket,
        reveal=(*reveal.columns, *reveal.detect) if reveal is not None else (),
        ending=grant.ending,
        ended_at=ended_at,
        ended=ended,
    )


def reachable(request: Request) -> frozenset[Effect]:
    """What a grant lets its holder do at all: by hand one may also read, as far as the rules let anybody read."""
    return request.wish.effects | ({Effect.READ} if request.by_hand else frozenset())


def _possible(
    request: Request, policy: Policy, connection: Connection, *, now: float
) -> Iterable[PossibleView]:
    """A grant turns `hold` into `allow`, and nothing else."""
    lineage = request.lineage
    sender = Sender(
        agents=tuple(actor.name for actor in lineage.chain),
        person=lineage.person,
        groups=lineage.groups,
        at=now,
    )
    for effect in sorted(reachable(request)):
        found = cell(policy, connection, effect, sender)
        granted = effect in request.wish.effects
        blocking = tuple(each.rule for each in found.may if each.verdict == "block")
        yield PossibleView(
            effect=effect,
            before="" if request.by_hand else found.verdict,
            after="allow" if found.verdict == "hold" and granted else found.verdict,
            blocked_by=blocking if found.verdict != "block" else (),
        )


def _past(granted: Granted) -> PastView:
    grant = granted.grant
    return PastView(
        at=grant.starts_at,
        connection=grant.connection,
        effects=tuple(sorted(grant.effects)),
        reason=grant.reason,
        how=grant.how,
        used=grant.used,
        ended=granted.why,
    )
