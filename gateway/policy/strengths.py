"""How strong a login has to be for a yes: what is wanted somewhere, and where two wishes contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy.coverage import effects_of, reaches
from gateway.policy.model import ANY_GROUP, AskedGroup, Holding, Policy, Rule
from gateway.policy.quorums import Unmeetable
from gateway.policy.shadowing import implied


def wanted(policy: Policy) -> dict[str, str]:
    """Each `acr` that a yes may need, and the first place in the file that says so."""
    found: dict[str, str] = {}
    for key, asks in _asking(policy):
        for ask in asks:
            if ask.step_up is not None and ask.step_up.acr:
                found.setdefault(ask.step_up.acr, key)
    return found


def contradicting(policy: Policy) -> Iterator[Unmeetable]:
    """Rules that hold the same commands, ask the same people, and want logins that no login can be both of."""
    holding = [
        (at, rule, rule.then)
        for at, rule in enumerate(policy.rules)
        if rule.enforce and isinstance(rule.then, Holding)
    ]
    for at, rule, then in holding:
        for _, earlier, others in (each for each in holding if each[0] < at):
            pair = next(
                (
                    (mine, theirs)
                    for mine in then.asks
                    for theirs in others.asks
                    if _differ(mine, theirs) and _same_people(mine, theirs)
                ),
                None,
            )
            if pair is not None and _of_the_same(policy, rule, earlier):
                mine, theirs = (ask.step_up.acr for ask in pair if ask.step_up is not None)
                yield Unmeetable(
                    key=f"rules[{at}].then.hold.step_up",
                    message=f"{rule.name} wants a login of {mine} and {earlier.name} (line {earlier.line}) one of {theirs}, of "
                    "the same people for the same commands: no login is both, so no yes of theirs can count",
                )
                break


def _asking(policy: Policy) -> Iterator[tuple[str, tuple[AskedGroup, ...]]]:
    for at, rule in enumerate(policy.rules):
        if isinstance(rule.then, Holding):
            yield f"rules[{at}].then", rule.then.asks
    if isinstance(policy.default, Holding):
        yield "default", policy.default.asks
    for at, offer in enumerate(policy.elevations):
        yield f"elevations[{at}].hold", offer.hold.asks


def _differ(mine: AskedGroup, theirs: AskedGroup) -> bool:
    strengths = {ask.step_up.acr for ask in (mine, theirs) if ask.step_up is not None and ask.step_up.acr}
    return len(strengths) == 2


def _same_people(mine: AskedGroup, theirs: AskedGroup) -> bool:
    return mine.approvers == theirs.approvers or ANY_GROUP in {mine.approvers, theirs.approvers}


def _of_the_same(policy: Policy, one: Rule, other: Rule) -> bool:
    """Whatever one of them holds of some effect on some connection, the other holds as well."""
    together = any(
        reaches(one, each.connection) and reaches(other, each.connection) for each in policy.targets.values()
    )
    return (
        together
        and bool(effects_of(one) & effects_of(other))
        and (implied(one, other) or implied(other, one))
    )
