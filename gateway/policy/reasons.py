"""Why a rule does or does not speak of a command: a sentence for each, for people who write policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model import Connection, Facts, Lineage
from gateway.policy.evaluate import evaluate
from gateway.policy.globs import Globs
from gateway.policy.matching import Deed, RuleErred, deeds, failing, speaks_of
from gateway.policy.model import DEFAULT_RULE, Allowing, Blocking, Comparison, Holding, Policy, Rule, Then
from gateway.policy.moment import NOTHING, SOME_MOMENT, Moment, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    rule: str
    file: str
    line: int
    decides: bool
    """It is among the rules of the verdict."""
    sentence: str


def reasons(
    policy: Policy, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment = SOME_MOMENT
) -> tuple[Reason, ...]:
    """One for each rule, in the file's order, and one for the default where it decides."""
    deciding = evaluate(policy, lineage, connection, facts, moment).rules
    found = [
        Reason(
            rule=rule.name,
            file=policy.source,
            line=rule.line,
            decides=rule.name in deciding,
            sentence=_sentence(rule, lineage, connection, facts, moment),
        )
        for rule in policy.rules
    ]
    if DEFAULT_RULE in deciding:
        found.append(_default(policy, lineage, connection, facts, moment))
    return tuple(found)


def _default(
    policy: Policy, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment
) -> Reason:
    left = deeds(facts)
    for rule in policy.enforced:
        try:
            if not failing(rule, lineage, connection, facts, moment):
                left -= speaks_of(rule, left)
        except RuleErred:
            left = frozenset()
    return Reason(
        rule=DEFAULT_RULE,
        file=policy.source,
        line=policy.places.get("default", (0, 0))[0],
        decides=True,
        sentence=f"{_does(policy.default)}: no rule speaks of {_deeds(left) if left else 'this command'}",
    )


def _sentence(rule: Rule, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment) -> str:
    try:
        key = failing(rule, lineage, connection, facts, moment)
    except RuleErred as error:
        return f"blocks, because it cannot be judged: {error}"
    when = rule.when
    if not rule.enforce and not key:
        return f"is a shadow: it {_matched(rule, facts)}, and acts on nothing"
    match key:
        case "":
            return _matched(rule, facts) + _unknown(rule, moment)
        case "connections":
            return f"is for other connections than {connection.name}"
        case "protocols":
            return f"is for other protocols than {connection.protocol}"
        case "labels":
            wanted = ", ".join(f"{name}: {'|'.join(globs.patterns)}" for name, globs in when.labels.items())
            return f"is for connections labelled {wanted}"
        case "effects":
            return f"speaks of {_list(when.effects or ())}; the command does {_list(facts.effects)}"
        case "resources":
            patterns = when.resources.patterns if when.resources is not None else ()
            touched = list(dict.fromkeys(each.name for each in facts.resources))
            shown = ", ".join(touched[:5]) + (", ..." if len(touched) > 5 else "")
            return (
                f"speaks of {', '.join(patterns)}; the command touches {shown or 'nothing that has a name'}"
            )
        case "agents":
            chain = " → ".join(actor.name for actor in lineage.chain) or "nobody"
            every = "every agent of the chain" if isinstance(rule.then, Allowing) else "an agent of the chain"
            return f"wants {every} to be {_patterns(when.agents)}; {chain} asks"
        case "persons":
            return f"is for {_patterns(when.persons)}; {lineage.person or 'nobody'} is accountable"
        case "groups":
            return f"is for the groups {_list(when.groups or ())}; the person is in {_list(lineage.groups)}"
        case "ancestors":
            every = "every agent" if isinstance(rule.then, Allowing) else "an agent"
            return f"wants {every} above the one that asks to be {_patterns(when.ancestors)}"
        case "min_depth":
            return f"begins at depth {when.min_depth}; the chain has {lineage.depth}"
        case "max_depth":
            return f"ends at depth {when.max_depth}; the chain has {lineage.depth}"
        case "during":
            return f"is for {_windows(when.during)}" + (
                "" if moment.at is not None else "; the time is not known"
            )
        case "outside":
            return f"is for times outside {_windows(when.outside)}"
        case "budget":
            spent = moment.spent.get(rule.name, NOTHING)
            used = f"{spent.commands} commands and {spent.rows} rows were had"
            left = "its budget is used up" if isinstance(rule.then, Allowing) else "its budget is not used up"
            return f"does not speak of it now: {left} ({used})"
        case "estimated_rows":
            rows = "nobody knows how many" if moment.rows is None else str(moment.rows)
            return f"is for {_compared(when.estimated_rows or ())} estimated rows; {rows} are expected"
        case "where":
            return "has a `where` that is false of it"
        case _:
            return f"compares attributes: {_attributes(rule, facts)}"


def _unknown(rule: Rule, moment: Moment) -> str:
    """What had to be taken for the worst."""
    when = rule.when
    if when.estimated_rows is not None and moment.rows is None:
        return ", since nobody knows here how many rows it would touch"
    if (when.during is not None or when.outside is not None) and moment.at is None:
        return ", since the time is not known"
    return ""


def _matched(rule: Rule, facts: Facts) -> str:
    done = deeds(facts)
    covered = speaks_of(rule, done)
    rest = done - covered
    if not isinstance(rule.then, Allowing):
        return f"{_does(rule.then)} {_deeds(covered)}" if covered else _does(rule.then)
    if not rest:
        return f"allows {_deeds(covered)}" if covered else "allows"
    if covered:
        return f"allows a part, {_deeds(covered)}; it does not speak of {_deeds(rest)}"
    return f"does not speak of {_deeds(rest)}" + ("; its masks apply all the same" if rule.then.masks else "")


def _deeds(done: Iterable[Deed]) -> str:
    """`write of orders, read of customers`"""
    said = sorted({f"{deed.effect} of {deed.name}" if deed.name else str(deed.effect) for deed in done})
    return ", ".join(said[:5]) + (f" and {len(said) - 5} more" if len(said) > 5 else "")


def _does(then: Then) -> str:
    match then:
        case Allowing():
            return "allows"
        case Holding():
            return "holds"
        case Blocking():
            return "blocks"


def _attributes(rule: Rule, facts: Facts) -> str:
    for name, wanted in rule.when.attributes.items():
        found = facts.attributes.get(name)
        if found is None:
            return f"this command has no {name}"
        if found not in wanted:
            return f"{name} is {_plain(found)}, not {' or '.join(map(_plain, wanted))}"
    for name, comparisons in rule.when.comparisons.items():
        found = facts.attributes.get(name)
        if found is None:
            return f"this command has no {name}"
        return f"{name} is {_plain(found)}, which is not {_compared(comparisons)}"
    return "they differ"


def _compared(comparisons: Iterable[Comparison]) -> str:
    return " and ".join(f"{each.operator} {_plain(each.value)}" for each in comparisons)


def _windows(windows: Iterable[Window] | None) -> str:
    return " or ".join(map(str, windows or ()))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:80]


def _patterns(globs: Globs | None) -> str:
    return ", ".join(globs.patterns) if globs is not None else "anything"


def _list(values: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, values))) or "none"
