"""What approvers see of a request: what becomes possible that was not, and what the same person had before."""

from __future__ import annotations

from gateway.contract import ElevationView, GrantView, PastView, PossibleView, TablesView
from gateway.elevations.counting import Counting, Given
from gateway.elevations.grant import Grant
from gateway.elevations.past import Granted
from gateway.elevations.wish import Request, revealed
from gateway.facts.schema import Schema
from gateway.model import Connection, Effect, Effects
from gateway.policy.coverage import Sender, cell
from gateway.policy.model import Policy
from gateway.policy.offers import Offer

PAST_SHOWN = 5


def elevation_view(
    request: Request, offer: Offer, *, policy: Policy, past: list[Granted], how: str, now: float
) -> ElevationView:
    wish = request.wish
    connection = policy.targets[wish.connection].connection
    possible, before, after = _possible(request, policy, connection, now=now)
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
        possible=possible,
        freely_before=before,
        freely_after=after,
        past=tuple(_past(each) for each in past[:PAST_SHOWN]),
        past_count=len(past),
    )


def counted(request: Request, offer: Offer, policy: Policy, schema: Schema, *, now: float) -> TablesView:
    """The same in numbers of tables."""
    lineage, reach = request.lineage, _reach(request, policy)
    counting = Counting(policy, lineage, policy.targets[request.wish.connection].connection, schema, at=now)
    return counting.view(
        before=frozenset() if request.by_hand else reach,
        after=reach,
        given=Given(
            effects=request.wish.effects,
            things=offer.resources,
            reveal=offer.shows_to(lineage.groups),
        ),
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
) -> tuple[tuple[PossibleView, ...], tuple[str, ...], tuple[str, ...]]:
    """What becomes of each effect, and all that runs without asking before and after.

    A grant turns `hold` into `allow`, and nothing else; what lies outside of the root agent's scope stays there.
    """
    lineage, wished = request.lineage, request.wish.effects
    sender = Sender(
        agents=tuple(actor.name for actor in lineage.chain),
        person=lineage.person,
        groups=lineage.groups,
        at=now,
    )
    reach = _reach(request, policy)
    found = {effect: cell(policy, connection, effect, sender) for effect in reach | wished}
    before = set() if request.by_hand else {effect for effect in reach if found[effect].verdict == "allow"}
    after = {
        effect
        for effect in reach
        if found[effect].verdict == "allow" or (found[effect].verdict == "hold" and effect in wished)
    }
    possible = tuple(
        PossibleView(
            effect=effect,
            before=found[effect].verdict if effect in reach and not request.by_hand else "",
            after=("allow" if effect in after else found[effect].verdict) if effect in reach else "",
            blocked_by=tuple(each.rule for each in found[effect].may if each.verdict == "block")
            if effect in after
            else (),
        )
        for effect in sorted(reachable(request))
    )
    return possible, tuple(sorted(before)), tuple(sorted(after))


def _reach(request: Request, policy: Policy) -> Effects:
    """The effects that the chain gets to at all while it is granted; by hand one gets nowhere before."""
    if request.by_hand:
        return reachable(request)
    root = policy.root(request.lineage.chain[0].name)
    return root.scope.get(request.wish.connection, frozenset()) if root is not None else frozenset()


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
