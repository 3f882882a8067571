"""What is doubtful about the elevations of a policy."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model import Effect
from gateway.policy.coverage import cell
from gateway.policy.model import Policy
from gateway.policy.offers import Offer


def doubts(policy: Policy) -> Iterator[tuple[str, str]]:
    """Where in the file, and what: offers that give nothing, and a glass that anybody may break."""
    for at, offer in enumerate(policy.elevations):
        targets = [
            target.connection
            for target in policy.targets.values()
            if offer.connections is None or offer.connections.match(target.connection.name)
        ]
        if not targets:
            yield (
                f"elevations[{at}].connections",
                f"{offer.name} is for no connection that there is; it gives nothing",
            )
            continue
        nothing = [
            effect
            for effect in sorted(offer.effects - _of_use(offer))
            if not any("hold" in cell(policy, connection, effect).words for connection in targets)
        ]
        if nothing:
            said = f"{', '.join(nothing)} is held nowhere that {offer.name} is for, and what is blocked stays blocked"
            yield (
                f"elevations[{at}].effects",
                f"{said}: it gives nothing; leave it out, or let a rule hold it",
            )
        if offer.break_glass is not None and offer.persons is None and offer.groups is None:
            yield (
                f"elevations[{at}].break_glass",
                f"anybody who is known may break the glass of {offer.name}; say who: `groups` or `persons`",
            )


def _of_use(offer: Offer) -> frozenset[Effect]:
    """Effects that are of use without being held: by hand one gets in to read, and what is read may be shown."""
    return frozenset({Effect.READ}) if offer.by_hand or offer.reveal is not None else frozenset()
