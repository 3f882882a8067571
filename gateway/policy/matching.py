"""Whether a rule matches a command, and which of its deeds it speaks of.

Conditions are read in the safe direction of what the rule does. A rule that allows speaks only of what it names:
the deed's effect, the resource exactly as written, every agent of the chain. A rule that holds or blocks matches
as soon as one effect, one resource that could be meant, one agent of the chain does.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import Connection, Effect, Facts, Lineage, Resource
from gateway.policy.expressions import ExpressionErred
from gateway.policy.globs import Globs
from gateway.policy.model import Allowing, AttributeValue, Comparison, Rule, When
from gateway.policy.moment import NOTHING, SOME_MOMENT, Moment

COLUMNS = frozenset({"column", "condition"})
"""Kinds that are parts of a table. Only a dotted pattern (`customers.ssn`) speaks of them."""
MEANS = frozenset({"function"})
"""Kinds that are nothing in themselves as long as they only read: `sum` is not what a command reaches."""


OF_THE_MOMENT = frozenset({"during", "outside", "budget", "estimated_rows"})
"""Conditions that hold now and may not hold in a moment; they are asked last."""


class RuleErred(Exception):
    """A condition cannot be compared with what it finds; the rule blocks."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a command does: an effect, and the name of what it is done to ("" where it has no object)."""

    effect: Effect
    name: str
    kind: str = ""


def deeds(facts: Facts) -> frozenset[Deed]:
    """Every effect with each thing it falls on; one that has no thing of its own falls on all of them."""
    things = [resource for resource in facts.resources if _is_thing(resource)]
    found: set[Deed] = set()
    for effect in facts.effects.union(thing.effect for thing in things):
        own = [thing for thing in things if thing.effect is effect] or things
        found.update(Deed(effect, thing.name, thing.kind) for thing in own)
        if not own:
            found.add(Deed(effect, ""))
    return frozenset(found)


def _is_thing(resource: Resource) -> bool:
    if resource.kind in MEANS:
        return resource.effect is not Effect.READ
    return resource.kind not in COLUMNS


def speaks_of(rule: Rule, done: frozenset[Deed]) -> frozenset[Deed]:
    """The deeds among `done` that a rule whose conditions hold decides."""
    when = rule.when
    if isinstance(rule.then, Allowing):
        return frozenset(deed for deed in done if _allowed_effect(when, deed) and _allowed_name(when, deed))
    return frozenset(deed for deed in done if _stopped_effect(when, deed) and _stopped_name(when, deed))


def failing(
    rule: Rule,
    lineage: Lineage,
    connection: Connection,
    facts: Facts,
    moment: Moment = SOME_MOMENT,
    *,
    but: str = "",
) -> str:
    """The key of the first condition of `rule` that does not hold, "" where all do. Raises `RuleErred`.

    `but` is a condition of the moment that is left aside. `effects` of an allowing rule is no condition here: with effects that are not the command's it speaks of no
    deed, but still lends its masks. What may not be seen by reading comes back from no other command either.
    """
    when = rule.when
    allows = isinstance(rule.then, Allowing)
    if when.connections is not None and not when.connections.match(connection.name):
        return "connections"
    if when.protocols is not None and connection.protocol not in when.protocols:
        return "protocols"
    for key, values in when.labels.items():
        value = connection.labels.get(key)
        if value is None or not values.match(value):
            return "labels"
    if not allows and when.effects is not None and when.effects.isdisjoint(facts.effects):
        return "effects"
    if when.agents is not None:
        named = [when.agents.match(actor.name) for actor in lineage.chain]
        if not (named and all(named) if allows else any(named)):
            return "agents"
    if when.persons is not None and not (lineage.person and when.persons.match(lineage.person.lower())):
        return "persons"
    if when.groups is not None and when.groups.isdisjoint(lineage.groups):
        return "groups"
    if when.ancestors is not None:
        named = [when.ancestors.match(actor.name) for actor in lineage.chain[:-1]]
        if not (named and all(named) if allows else any(named)):
            return "ancestors"
    if lineage.depth < when.min_depth:
        return "min_depth"
    if when.max_depth and lineage.depth > when.max_depth:
        return "max_depth"
    if when.resources is not None and not any(_could_mean(when, resource) for resource in facts.resources):
        return "resources"
    for name, wanted in when.attributes.items():
        found = facts.attributes.get(name)
        if found is None or not _equals_one(name, found, wanted):
            return "attributes"
    for name, comparisons in when.comparisons.items():
        found = facts.attributes.get(name)
        if found is None or not all(_compares(name, found, each) for each in comparisons):
            return "attributes"
    if when.where is not None:
        try:
            if not when.where.holds(lineage, connection, facts):
                return "where"
        except ExpressionErred as erred:
            raise RuleErred(str(erred)) from None
    if when.is_of_the_moment:
        return next((key for key in sorted(OF_THE_MOMENT) if key != but and not _now(key, rule, moment)), "")
    return ""


def _now(key: str, rule: Rule, moment: Moment) -> bool:
    """Whether a condition of the moment holds; what is not known stops, and lets nothing through."""
    when, stops = rule.when, not isinstance(rule.then, Allowing)
    match key:
        case "during" if when.during is not None:
            return stops if moment.at is None else any(each.holds(moment.at) for each in when.during)
        case "outside" if when.outside is not None:
            return stops if moment.at is None else not any(each.holds(moment.at) for each in when.outside)
        case "budget" if when.budget is not None:
            return when.budget.is_used_up(moment.spent.get(rule.name, NOTHING)) == stops
        case "estimated_rows" if when.estimated_rows is not None:
            rows = moment.rows
            return stops if rows is None else all(_compares(key, rows, each) for each in when.estimated_rows)
        case _:
            return True


def _compares(name: str, found: AttributeValue, wanted: Comparison) -> bool:
    value = wanted.value
    if wanted.operator == "ne":
        return not _equals_one(name, found, (value,))
    if wanted.operator == "like":
        if not isinstance(found, str):
            raise RuleErred(f"it compares {name}, which is {_shown(found)}, with a pattern")
        return Globs((str(value),)).match(found)
    if isinstance(found, bool) or not isinstance(found, int) or not isinstance(value, int):
        raise RuleErred(f"it compares {name}, which is {_shown(found)}, with {_shown(value)}")
    match wanted.operator:
        case "gt":
            return found > value
        case "ge":
            return found >= value
        case "lt":
            return found < value
        case "le":
            return found <= value


def _could_mean(when: When, resource: Resource) -> bool:
    if when.resources is None:
        return False
    if resource.kind in COLUMNS:
        return when.resources.columns_could_be(resource)
    return when.resources.could_be(resource.kind, resource.name, resource.effect)


def _allowed_effect(when: When, deed: Deed) -> bool:
    return deed.effect is not Effect.UNKNOWN if when.effects is None else deed.effect in when.effects


def _allowed_name(when: When, deed: Deed) -> bool:
    return when.resources is None or (deed.name != "" and when.resources.is_exactly(deed.kind, deed.name))


def _stopped_effect(when: When, deed: Deed) -> bool:
    return when.effects is None or deed.effect in when.effects


def _stopped_name(when: When, deed: Deed) -> bool:
    return when.resources is None or (
        deed.name != "" and when.resources.could_be(deed.kind, deed.name, deed.effect)
    )


def _equals_one(name: str, found: AttributeValue, wanted: tuple[AttributeValue, ...]) -> bool:
    for value in wanted:
        # Python holds True and 1 for equal; an operator who writes one does not mean the other.
        if type(value) is not type(found):
            raise RuleErred(f"it compares {name}, which is {_shown(found)}, with {_shown(value)}")
    return found in wanted


def _shown(value: AttributeValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"the number {value}"
        case str():
            return "a text"
