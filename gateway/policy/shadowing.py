"""Rules that can never decide: what they speak of never comes, or a stricter rule always comes with it.

Only what is certain is told. A rule is shadowed where for each connection and effect it speaks of there is a
stricter rule whose conditions follow from its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.model import Connection, Effect
from gateway.policy.coverage import STRICTNESS, effects_of, masks_of, reaches, set_conditions, word
from gateway.policy.globs import Globs, is_glob
from gateway.policy.model import Allowing, AttributeValue, Blocking, Comparison, Policy, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A rule that decides nothing, and why."""

    at: int
    """Its place among the rules, from 0."""
    condition: str
    """The condition at fault, "" where it is the rule as a whole."""
    message: str


def dead(policy: Policy) -> Iterator[Dead]:
    """In the file's order, at most one for each rule."""
    for at, rule in enumerate(policy.rules):
        reached = [
            target.connection for target in policy.targets.values() if reaches(rule, target.connection)
        ]
        found = (
            _without_connection(rule, reached)
            or _without_agent(policy, rule)
            or _without_person(policy, rule)
            or _contradicts_itself(rule)
            or _too_deep(policy, rule)
            or _out_of_scope(policy, rule, reached)
            or _shadowed(policy, rule, reached)
        )
        if found:
            condition, message = found
            yield Dead(at=at, condition=condition, message=message)


def implied(narrow: Rule, wide: Rule) -> bool:
    """Whenever `narrow` speaks of a command on some connection, the other conditions of `wide` hold as well.

    Connection and effect are left to the caller.
    """
    return all(_follows(name, narrow, wide) for name in set_conditions(wide.when) if name not in _OF_CELLS)


_OF_CELLS = frozenset({"connections", "protocols", "labels", "effects"})


def _without_connection(rule: Rule, reached: list[Connection]) -> tuple[str, str] | None:
    if reached:
        return None
    return (
        "",
        f"the rule {rule.name} can never match: its connections, protocols and labels fit no connection",
    )


def _without_agent(policy: Policy, rule: Rule) -> tuple[str, str] | None:
    """Children choose their names, roots do not: an allowing rule needs a root that fits."""
    childless = all(agent.max_depth == 1 for agent in policy.agents.values())
    for key, named in (("agents", rule.when.agents), ("ancestors", rule.when.ancestors)):
        if named is None or not policy.agents:
            continue
        fits = any(map(named.match, policy.agents))
        if childless and key == "ancestors":
            why = "no agent may start another (`max_depth: 1`), so none has an ancestor"
        elif isinstance(rule.then, Allowing) and not fits:
            every = "every agent of the chain" if key == "agents" else "every agent above the one that asks"
            roots = ", ".join(sorted(policy.agents))
            why = f"it wants {every} to fit, and none of the agents that begin one does ({roots})"
        elif childless and not fits:
            why = "no agent fits, and none may start another (`max_depth: 1`)"
        else:
            continue
        return key, f"the rule {rule.name} can never match: {why}"
    return None


def _without_person(policy: Policy, rule: Rule) -> tuple[str, str] | None:
    """Who is accountable, agents' `person` and `persons` say; "*" is anybody."""
    persons = rule.when.persons
    named = {name for agent in policy.agents.values() for name in (agent.person, *agent.persons) if name}
    if persons is None or not named or "*" in named or any(map(persons.match, named)):
        return None
    return (
        "persons",
        f"the rule {rule.name} can never match: nobody it names is accountable for any agent ({', '.join(sorted(named))})",
    )


def _contradicts_itself(rule: Rule) -> tuple[str, str] | None:
    when = rule.when
    if 0 < when.max_depth < when.min_depth:
        return (
            "max_depth",
            f"the rule {rule.name} can never match: it ends at depth {when.max_depth}, before it begins",
        )
    compared = [("attributes", each) for each in when.comparisons.values()]
    if when.estimated_rows is not None:
        compared.append(("estimated_rows", when.estimated_rows))
    for key, comparisons in compared:
        if not _can_hold(comparisons):
            return key, f"the rule {rule.name} can never match: no number is all that `{key}` asks for"
    return None


def _can_hold(comparisons: Sequence[Comparison]) -> bool:
    """Some whole number lies within all of the bounds."""
    least, most = -math.inf, math.inf
    for each in comparisons:
        if isinstance(each.value, str):
            continue
        match each.operator:
            case "gt":
                least = max(least, each.value + 1)
            case "ge":
                least = max(least, each.value)
            case "lt":
                most = min(most, each.value - 1)
            case "le":
                most = min(most, each.value)
            case _:
                pass
    return least <= most


def _too_deep(policy: Policy, rule: Rule) -> tuple[str, str] | None:
    deepest = max((agent.max_depth for agent in policy.agents.values()), default=0)
    if not policy.agents or rule.when.min_depth <= deepest:
        return None
    return (
        "min_depth",
        (
            f"the rule {rule.name} can never match: it begins at depth {rule.when.min_depth}, and no agent's chains "
            f"grow deeper than {deepest} (`max_depth`)"
        ),
    )


def _out_of_scope(policy: Policy, rule: Rule, reached: list[Connection]) -> tuple[str, str] | None:
    """A rule that blocks may stand guard over what no scope has; one that lets through is of no use there."""
    if isinstance(rule.then, Blocking) or rule.when.effects is None:
        return None
    scopes = [
        agent.scope[connection.name]
        for agent in policy.agents.values()
        for connection in reached
        if agent.scope.get(connection.name)
    ]
    if not scopes or masks_of(rule.then):
        return None  # a connection that nobody reaches is told of by itself; masks are lent to other effects
    granted = frozenset({Effect.SESSION}).union(*scopes)
    if rule.when.effects & granted:
        return None
    return (
        "effects",
        (
            f"the rule {rule.name} never decides: no agent's scope has {_list(rule.when.effects)} on "
            f"{', '.join(connection.name for connection in reached)}, and what is outside the scope is refused "
            "before any rule is asked"
        ),
    )


def _shadowed(policy: Policy, rule: Rule, reached: list[Connection]) -> tuple[str, str] | None:
    if isinstance(rule.then, Blocking):
        return None
    stricter = [
        other for other in policy.enforced if STRICTNESS[word(other.then)] > STRICTNESS[word(rule.then)]
    ]
    by: dict[str, Rule] = {}
    for connection in reached:
        covering = [other for other in stricter if reaches(other, connection) and implied(rule, other)]
        for effect in sorted(effects_of(rule)):
            above = max(
                (other for other in covering if effect in effects_of(other)),
                key=lambda other: STRICTNESS[word(other.then)],
                default=None,
            )
            if above is None:
                return None
            by.setdefault(above.name, above)
    named = " and ".join(
        f"{other.name} (line {other.line}), which {word(other.then)}s" for other in by.values()
    )
    return (
        "",
        f"the rule {rule.name} never decides: everything it {word(rule.then)}s is met by {named}"
        + ("; only its masks count" if masks_of(rule.then) else ""),
    )


def _follows(condition: str, narrow: Rule, wide: Rule) -> bool:
    """A condition of `wide` holds wherever the one of the same name of `narrow` does."""
    have: Any = getattr(narrow.when, condition)
    want: Any = getattr(wide.when, condition)
    match condition:
        case "agents" | "persons" | "ancestors":
            if want.patterns == ("*",) and condition == "agents":
                return True  # somebody always asks
            return have is not None and all(_contains(want, pattern) for pattern in have.patterns)
        case "groups":
            return have is not None and have <= want
        case "resources":
            return have is not None and {each.lower() for each in have.patterns} <= {
                each.lower() for each in want.patterns
            }
        case "attributes":
            return all(name in have and _kinds(have[name]) <= _kinds(values) for name, values in want.items())
        case "min_depth":
            return bool(have >= want)
        case "max_depth":
            return bool(0 < have <= want)
        case "budget":
            return False  # each rule has its own
        case _:
            return bool(have == want)


def _contains(wide: Globs, pattern: str) -> bool:
    """Every name that `pattern` matches is matched by one of `wide`; in doubt no.

    A pattern read as a name is matched by a wider one, where no `?` of that takes a `*` for one character.
    """
    if pattern in wide.patterns:
        return True
    candidates = tuple(each for each in wide.patterns if "?" not in each or not is_glob(pattern))
    return bool(candidates) and Globs(candidates).match(pattern)


def _kinds(values: tuple[AttributeValue, ...]) -> set[tuple[type, AttributeValue]]:
    """Python holds True and 1 for equal; conditions do not."""
    return {(type(value), value) for value in values}


def _list(effects: frozenset[Effect]) -> str:
    return ", ".join(sorted(effects))
