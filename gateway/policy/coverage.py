"""What a policy says of each effect on each connection, without a command in hand: connection × effect -> verdict.

A rule speaks of a cell never, always, or depending on conditions that only a command or its sender decides
(resources, attributes, agents, ...). The cell's verdict is what holds where none of those conditions does; `may`
lists what else can come of it. What no rule always speaks of falls to the default, and is marked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from gateway.model import Connection, Effect, Effects
from gateway.policy.matching import OF_THE_MOMENT
from gateway.policy.model import DEFAULT_RULE, Allowing, Blocking, Holding, Policy, Rule, Then, When

Word: TypeAlias = Literal["allow", "hold", "block"]

STRICTNESS: Mapping[Word, int] = {"allow": 0, "hold": 1, "block": 2}
EVERY: Effects = frozenset(Effect)
_NONE = When()
_CONDITIONS = tuple(field.name for field in dataclasses.fields(When))
_OF_CELLS = frozenset({"connections", "protocols", "labels", "effects"})
"""Conditions that a cell decides: connection and effect."""
_OF_SENDERS = frozenset({"agents", "persons", "groups", "ancestors", "min_depth", "max_depth"})
"""Conditions that a known sender decides."""
_OF_THE_CLOCK = frozenset({"during", "outside"})
"""Conditions that a known time decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One chain of agents that asks, and on whose account."""

    agents: tuple[str, ...]
    """Root first."""
    person: str = ""
    groups: frozenset[str] = frozenset()
    at: float | None = None
    """When, in Unix seconds; None is at some time or other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Possibility:
    """A rule that speaks of a cell where conditions hold that the cell leaves open."""

    verdict: Word
    rule: str
    line: int
    on: tuple[str, ...]
    """The conditions: `resources`, `agents`, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One effect on one connection."""

    connection: str
    effect: Effect
    verdict: Word
    rules: tuple[str, ...]
    """Those that decide, in the file's order; `default` alone where none does."""
    masks: tuple[str, ...] = ()
    may: tuple[Possibility, ...] = ()
    """What comes of it where further conditions hold; only what differs from `verdict`."""

    @property
    def is_default(self) -> bool:
        return self.rules == (DEFAULT_RULE,)

    @property
    def words(self) -> frozenset[Word]:
        """Everything that can come of it."""
        return frozenset({self.verdict, *(each.verdict for each in self.may)})


def coverage(policy: Policy) -> tuple[Cell, ...]:
    """Every connection in the file's order, and on each every effect."""
    return tuple(
        cell(policy, target.connection, effect) for target in policy.targets.values() for effect in Effect
    )


def cell(policy: Policy, connection: Connection, effect: Effect, sender: Sender | None = None) -> Cell:
    """What comes of a command with this one effect; of anybody's, or of one sender's."""
    always: list[Rule] = []
    sometimes: list[tuple[Rule, tuple[str, ...]]] = []
    lending: set[str] = set()
    for rule in policy.enforced:
        left_open = open_conditions(rule, connection, sender)
        if left_open is None:
            continue
        if OF_THE_MOMENT.issuperset(left_open):
            lending.update(masks_of(rule.then))
        if effect not in effects_of(rule):
            continue
        if left_open:
            sometimes.append((rule, left_open))
        else:
            always.append(rule)
    verdict = strictest(word(rule.then) for rule in always) or word(policy.default)
    deciding = tuple(rule.name for rule in always if word(rule.then) == verdict)
    if not always:
        lending.update(masks_of(policy.default))
    may = tuple(
        Possibility(verdict=word(rule.then), rule=rule.name, line=rule.line, on=left_open)
        for rule, left_open in sometimes
        if word(rule.then) != verdict and (not always or STRICTNESS[word(rule.then)] > STRICTNESS[verdict])
    )
    return Cell(
        connection=connection.name,
        effect=effect,
        verdict=verdict,
        rules=deciding or (DEFAULT_RULE,),
        masks=() if verdict == "block" else tuple(sorted(lending)),
        may=may,
    )


def reaches(rule: Rule, connection: Connection) -> bool:
    """The rule can speak of commands on this connection."""
    when = rule.when
    if when.connections is not None and not when.connections.match(connection.name):
        return False
    if when.protocols is not None and connection.protocol not in when.protocols:
        return False
    return all(
        key in connection.labels and values.match(connection.labels[key])
        for key, values in when.labels.items()
    )


def open_conditions(
    rule: Rule, connection: Connection, sender: Sender | None = None
) -> tuple[str, ...] | None:
    """The conditions that connection, effect and sender leave open; `None` where the rule never speaks of them."""
    if not reaches(rule, connection) or (sender is not None and not _is_for(rule, sender)):
        return None
    decided = _OF_CELLS
    if sender is not None:
        decided |= _OF_SENDERS if sender.at is None else _OF_SENDERS | _OF_THE_CLOCK
    return tuple(name for name in set_conditions(rule.when) if name not in decided)


def set_conditions(when: When) -> tuple[str, ...]:
    """The conditions that were written."""
    return tuple(name for name in _CONDITIONS if getattr(when, name) != getattr(_NONE, name))


def effects_of(rule: Rule) -> Effects:
    """The effects that a rule speaks of: without `effects` all, and to allow all but `unknown`."""
    if rule.when.effects is not None:
        return rule.when.effects
    return EVERY - {Effect.UNKNOWN} if isinstance(rule.then, Allowing) else EVERY


def word(then: Then) -> Word:
    match then:
        case Allowing():
            return "allow"
        case Holding():
            return "hold"
        case Blocking():
            return "block"
        case _ as unreachable:
            assert_never(unreachable)


def strictest(words: Iterable[Word]) -> Word | None:
    return max(words, key=STRICTNESS.__getitem__, default=None)


def masks_of(then: Then) -> tuple[str, ...]:
    return () if isinstance(then, Blocking) else then.masks


def _is_for(rule: Rule, sender: Sender) -> bool:
    when = rule.when
    if when.agents is not None:
        named = [when.agents.match(name) for name in sender.agents]
        if not (bool(named) and all(named) if isinstance(rule.then, Allowing) else any(named)):
            return False
    if when.persons is not None and not (sender.person and when.persons.match(sender.person.lower())):
        return False
    if when.groups is not None and when.groups.isdisjoint(sender.groups):
        return False
    if when.ancestors is not None:
        named = [when.ancestors.match(name) for name in sender.agents[:-1]]
        if not (bool(named) and all(named) if isinstance(rule.then, Allowing) else any(named)):
            return False
    depth = len(sender.agents)
    return depth >= when.min_depth and not 0 < when.max_depth < depth and _is_then(when, sender.at)


def _is_then(when: When, at: float | None) -> bool:
    if at is None:
        return True
    return (when.during is None or any(each.holds(at) for each in when.during)) and not (
        when.outside is not None and any(each.holds(at) for each in when.outside)
    )
