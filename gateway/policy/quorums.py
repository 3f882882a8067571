"""Can the people a policy names ever meet what its holds ask for?

Every ask needs its quorum from its own group, and each person counts for one ask alone; whoever is accountable for
a command does not vote on it. Of a group with a Slack handle or a claim only others know how many it has: it is never too small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.model import Connection, Effect
from gateway.policy.coverage import effects_of, open_conditions, reaches, word
from gateway.policy.model import (
    ANY_GROUP,
    DEFAULT_RULE,
    Agent,
    AskedGroup,
    Group,
    Holding,
    Policy,
    Rule,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeetable:
    """Asks that nobody can meet."""

    key: str
    """Where in the file: `rules[1].then`, `default`."""
    message: str


def unmeetable(policy: Policy) -> Iterator[Unmeetable]:
    """Each hold whose asks cannot be met; alone, for some agent, or together with other rules."""
    holds = [
        (f"rules[{at}].then", rule.name, rule.then)
        for at, rule in enumerate(policy.rules)
        if isinstance(rule.then, Holding)
    ]
    if isinstance(policy.default, Holding):
        holds.append(("default", DEFAULT_RULE, policy.default))
    broken: set[str] = set()
    for key, name, then in holds:
        if any(not _people(policy, ask.approvers) and _is_known(policy, ask.approvers) for ask in then.asks):
            broken.add(name)  # a group without anybody is a fault of its own
        elif not can_be_met(policy, then.asks):
            broken.add(name)
            yield Unmeetable(key=key, message=_too_few(policy, then.asks))
        else:
            yield from _without_the_accountable(policy, key, name, then)
    for at, offer in enumerate(policy.elevations):
        review = offer.break_glass.asks if offer.break_glass is not None else ()
        for key, asks in (("hold", offer.hold.asks), ("break_glass", review)):
            if all(_people(policy, ask.approvers) for ask in asks) and not can_be_met(policy, asks):
                yield Unmeetable(key=f"elevations[{at}].{key}", message=_too_few(policy, asks))
    yield from _together(policy, broken)


def can_be_met(policy: Policy, asks: Sequence[AskedGroup], *, without: str = "") -> bool:
    """There are people enough for every ask, each counted once; `without` is a person who may not vote."""
    known = [ask for ask in asks if _is_known(policy, ask.approvers)]
    places = [_people(policy, ask.approvers) - {without} for ask in known for _ in range(ask.quorum)]
    taken: dict[str, int] = {}

    def place(number: int, tried: set[str]) -> bool:
        for person in sorted(places[number] - tried):
            tried.add(person)
            if person not in taken or place(taken[person], tried):
                taken[person] = number
                return True
        return False

    return all(place(number, set()) for number in range(len(places)))


def is_empty(group: Group) -> bool:
    return not group.is_open and not group.members


def _is_known(policy: Policy, approvers: str) -> bool:
    return not any(group.is_open for group in _groups(policy, approvers))


def _people(policy: Policy, approvers: str) -> frozenset[str]:
    return frozenset(member for group in _groups(policy, approvers) for member in group.members)


def _groups(policy: Policy, approvers: str) -> Iterable[Group]:
    if approvers == ANY_GROUP:
        return policy.groups.values()
    return (policy.groups[approvers],) if approvers in policy.groups else ()


def _too_few(policy: Policy, asks: Sequence[AskedGroup]) -> str:
    for ask in asks:
        if not can_be_met(policy, (ask,)):
            return (
                f"{ask.quorum} votes are asked of {_named(ask.approvers)}, which has "
                f"{len(_people(policy, ask.approvers))}: it can never be met"
            )
    asked = ", ".join(f"{ask.quorum} of {_named(ask.approvers)}" for ask in asks)
    return f"{asked} must be different people, and these groups have too few: it can never be met"


def _without_the_accountable(policy: Policy, key: str, name: str, then: Holding) -> Iterator[Unmeetable]:
    rule = next((each for each in policy.rules if each.name == name), None)
    for agent in policy.agents.values():
        if not agent.person or agent.persons:
            continue  # others may be named in the token request
        concerned = rule is None or any(
            _concerns(rule, agent, target.connection, policy) for target in policy.targets.values()
        )
        if concerned and not can_be_met(policy, then.asks, without=agent.person):
            asked = " and ".join(f"{ask.quorum} of {_named(ask.approvers)}" for ask in then.asks)
            yield Unmeetable(
                key=key,
                message=f"what {agent.name} asks for can never be approved: {asked} must vote, and {agent.person}, "
                "who is accountable for it, may not; add a member",
            )


def _concerns(rule: Rule, agent: Agent, connection: Connection, policy: Policy) -> bool:
    when = rule.when
    if not reaches(rule, connection):
        return False
    scope = agent.scope.get(connection.name, frozenset())
    if not effects_of(rule) & (scope | ({Effect.SESSION} if scope else set())):
        return False
    if when.persons is not None and not when.persons.match(agent.person):
        return False
    member_of = {name for name, group in policy.groups.items() if agent.person in group.members}
    return when.groups is None or not when.groups.isdisjoint(member_of)


def _together(policy: Policy, broken: set[str]) -> Iterator[Unmeetable]:
    """Rules that always hold the same commands, and ask for more people together than there are."""
    told: set[frozenset[str]] = set()
    for target in policy.targets.values():
        always = [
            (at, rule, rule.then)
            for at, rule in enumerate(policy.rules)
            if isinstance(rule.then, Holding)
            and rule.enforce
            and rule.name not in broken
            and open_conditions(rule, target.connection) == ()
        ]
        for effect in Effect:
            holding = [(at, rule, then) for at, rule, then in always if effect in effects_of(rule)]
            names = frozenset(rule.name for _, rule, _ in holding)
            if len(holding) < 2 or names in told or _is_blocked(policy, target.connection, effect):
                continue
            if not can_be_met(policy, [ask for _, _, then in holding for ask in then.asks]):
                told.add(names)
                at, last, _ = holding[-1]
                others = ", ".join(f"{rule.name} (line {rule.line})" for _, rule, _ in holding[:-1])
                yield Unmeetable(
                    key=f"rules[{at}].then",
                    message=f"{last.name} and {others} hold the same commands ({effect} on {target.connection.name}) and need "
                    "different people, of whom their groups have too few: it can never be met",
                )


def _is_blocked(policy: Policy, connection: Connection, effect: Effect) -> bool:
    return any(
        word(rule.then) == "block" and effect in effects_of(rule) and open_conditions(rule, connection) == ()
        for rule in policy.enforced
    )


def _named(approvers: str) -> str:
    return "any declared group" if approvers == ANY_GROUP else approvers
