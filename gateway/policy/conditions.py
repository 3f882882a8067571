"""The conditions of a rule: what `when` may say, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time as wall
from functools import cache
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from gateway.model import Effect
from gateway.policy import tree
from gateway.policy.expressions import Expression, ExpressionUnclear
from gateway.policy.globs import Globs, is_glob
from gateway.policy.kinds import SLASHED, Patterns
from gateway.policy.model import AttributeValue, Comparison, Group, MaskPolicy, Target, When
from gateway.policy.moment import EVERY_DAY, HOUR, WEEK, Budget, Window
from gateway.policy.reader import Look, suggestion
from gateway.policy.values import effect, given, group, pattern, person
from gateway.policy.vocabulary import Vocabulary

CONDITIONS = (
    "connections",
    "protocols",
    "labels",
    "effects",
    "resources",
    "attributes",
    "agents",
    "persons",
    "groups",
    "ancestors",
    "min_depth",
    "max_depth",
    "during",
    "outside",
    "budget",
    "estimated_rows",
    "where",
)
OPERATORS = ("gt", "ge", "lt", "le", "ne", "like")
ORDERING = ("gt", "ge", "lt", "le")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
LONGEST_BUDGET = 86_400.0
MOST = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What rules may refer to."""

    vocabulary: Vocabulary
    targets: Mapping[str, Target]
    groups: Mapping[str, Group]
    masks: Mapping[str, MaskPolicy]


def conditions(look: Look, declared: Declared) -> When:
    keys = look.fields(CONDITIONS)
    protocols = declared.vocabulary.protocols

    def protocol(look: Look) -> str:
        return look.choice(protocols, "a protocol")

    def listed_group(look: Look) -> str:
        return group(look, declared.groups)

    def connection(look: Look) -> str:
        return _connection(look, declared.targets)

    effects = given(keys, "effects", lambda look: look.each(effect), None)
    resources = given(keys, "resources", lambda look: look.each(resource), None)
    in_protocols = given(keys, "protocols", lambda look: look.each(protocol), None)
    in_groups = given(keys, "groups", lambda look: look.each(listed_group), None)
    equal, comparisons = given(
        keys, "attributes", lambda look: _attributes(look, declared.vocabulary), ({}, {})
    )
    return When(
        connections=_globs(given(keys, "connections", lambda look: look.each(connection), None)),
        protocols=None if in_protocols is None else frozenset(in_protocols),
        labels=given(keys, "labels", _labels, {}),
        effects=None if effects is None else frozenset(map(Effect, effects)),
        resources=None if resources is None else Patterns(resources),
        attributes=equal,
        comparisons=comparisons,
        ancestors=_globs(given(keys, "ancestors", lambda look: look.each(pattern), None)),
        max_depth=given(keys, "max_depth", lambda look: look.integer(least=1, most=32), 0),
        during=given(keys, "during", windows, None),
        outside=given(keys, "outside", windows, None),
        budget=given(keys, "budget", _budget, None),
        estimated_rows=given(keys, "estimated_rows", _estimated_rows, None),
        where=given(keys, "where", _expression, None),
        agents=_globs(given(keys, "agents", lambda look: look.each(pattern), None)),
        persons=_globs(given(keys, "persons", lambda look: look.each(_persons), None)),
        groups=None if in_groups is None else frozenset(in_groups),
        min_depth=given(keys, "min_depth", lambda look: look.integer(least=1, most=32), 0),
    )


def _globs(patterns: tuple[str, ...] | None) -> Globs | None:
    return None if patterns is None else Globs(patterns)


def _connection(look: Look, targets: Mapping[str, Target]) -> str:
    value = pattern(look)
    if value and not any(map(Globs((value,)).match, targets)):
        if is_glob(value):
            look.fault(
                f"`{value[:60]}` matches no connection; there are: {', '.join(sorted(targets)) or 'none'}"
            )
        else:
            look.fault(f"the connection `{value[:60]}` is not declared{suggestion(value, targets)}")
    return value


def _persons(look: Look) -> str:
    value = pattern(look)
    if value and not is_glob(value):
        return person(look)
    return value.lower()


def resource(look: Look) -> str:
    value = pattern(look)
    kind, colon, rest = value.partition(":")
    if colon:
        if not kind.isidentifier() or not rest or (kind not in SLASHED and ".." in rest):
            look.fault(
                f"`{value[:60]}` names no resource; write it as in table:public.orders or path:/admin/**"
            )
            return ""
        if kind == "path" and rest[0] not in "/*?":
            look.fault(f"`{value[:60]}` is no path, which begins with a slash; write path:/{rest[:60]}")
            return ""
        return value
    if "/" in value:
        look.fault(
            f"`{value[:60]}` has slashes and no kind, and would match nothing; write path: (of HTTP), file: or k8s: "
            "before it"
        )
        return ""
    if value.startswith(".") or value.endswith(".") or ".." in value:
        look.fault(f"`{value[:60]}` names no resource; write it as in orders, public.orders or audit.*")
        return ""
    return value


def _labels(look: Look) -> dict[str, Globs]:
    return {key: Globs(each.each(pattern)) for key, each in look.entries("a label").items()}


def _expression(look: Look) -> Expression | None:
    text = look.text()
    try:
        return Expression(text) if text else None
    except ExpressionUnclear as unclear:
        look.fault(f"this is no CEL expression that can be judged: {unclear}")
        return None


# of the moment


def windows(look: Look) -> tuple[Window, ...]:
    return tuple(map(_window, look.items()))


def _window(look: Look) -> Window:
    """`{days: mon-fri, from: "09:00", to: "17:00", zone: Europe/Berlin}`"""
    keys = look.fields(("days", "from", "to", "zone"), required=("zone",))
    for one, other in (("from", "to"), ("to", "from")):
        if one in keys and other not in keys:
            keys[one].fault_at_key(f"`{one}` without `{other}`; say both, or leave both out for whole days")
    begins, ends = (given(keys, name, _clock, wall(0)) for name in ("from", "to"))
    if "from" in keys and "to" in keys and begins == ends and begins != wall(0):
        keys["to"].fault("this window begins where it ends; for whole days leave both out")
    days = given(
        keys, "days", lambda look: frozenset(day for each in look.items() for day in _days(each)), EVERY_DAY
    )
    return Window(zone=given(keys, "zone", _zone, "UTC"), days=days, begins=begins, ends=ends)


def _days(look: Look) -> tuple[int, ...]:
    """`mon`, `mon-fri`, `sat-mon`"""
    value = look.text()
    first, dash, last = value.partition("-")
    if first not in WEEK or (dash and last not in WEEK):
        if value:
            look.fault(f"`{value[:60]}` is no day; write mon, tue, wed, thu, fri, sat, sun, or mon-fri")
        return ()
    begin = WEEK.index(first)
    length = (WEEK.index(last) - begin) % 7 if dash else 0
    return tuple((begin + day) % 7 for day in range(length + 1))


def _clock(look: Look) -> wall:
    value = look.text()
    if value and not CLOCK.fullmatch(value):
        look.fault(f"`{value[:60]}` is no time of day; write hours and minutes, as in 09:30")
        return wall(0)
    return wall(0) if value in {"", "24:00"} else wall.fromisoformat(value)


def _zone(look: Look) -> str:
    value = look.text()
    known = _zones()
    if value and value not in known:
        cities = {name.rpartition("/")[2]: name for name in known}
        meant = cities.get(value)
        hint = f"; did you mean `{meant}`?" if meant else suggestion(value, known)
        look.fault(f"`{value[:60]}` is no time zone; write one as in Europe/Berlin or UTC{hint}"[:300])
        return "UTC"
    return ZoneInfo(value).key if value else "UTC"


@cache
def _zones() -> frozenset[str]:
    """Every zone there is; to list them takes longer than to read a policy."""
    return frozenset(available_timezones())


def _budget(look: Look) -> Budget:
    """`{commands: 100}`, `{rows: 5000, per: 1h}`"""
    keys = look.fields(("commands", "rows", "per"))
    if not keys.keys() & {"commands", "rows"} and isinstance(look.node, tree.Mapping):
        look.fault_at_key("say of what: `commands: 100`, `rows: 10000`, or both")
    per = given(keys, "per", Look.duration, HOUR)
    if per > LONGEST_BUDGET or per < 60:
        keys["per"].fault("a budget is counted over a minute at least and a day at most")
    return Budget(
        commands=given(keys, "commands", _amount, None), rows=given(keys, "rows", _amount, None), per=per
    )


def _amount(look: Look) -> int:
    return look.integer(least=1, most=MOST)


def _estimated_rows(look: Look) -> tuple[Comparison, ...]:
    """`{gt: 1000}`"""
    keys = look.fields(ORDERING)
    if not keys and isinstance(look.node, tree.Mapping):
        look.fault_at_key("say with what the estimate is compared, as in `{gt: 1000}`")
    return tuple(
        Comparison(operator=cast("Any", name), value=entry.integer(least=0, most=MOST))
        for name, entry in keys.items()
    )


# attributes


def _comparisons(look: Look) -> tuple[Comparison, ...]:
    """`{gt: 1, like: "/api/*"}`"""
    found: list[Comparison] = []
    for operator, entry in look.fields(OPERATORS).items():
        match entry.node:
            case tree.Scalar(value=bool() | int() | str() as value) if value != "":
                fits = {"like": isinstance(value, str), "ne": True}.get(
                    operator, isinstance(value, int) and not isinstance(value, bool)
                )
                if not fits:
                    entry.fault("`like` takes a text, gt, ge, lt and le a whole number; write one of these")
                found.append(Comparison(operator=cast("Any", operator), value=value))
            case _:
                entry.fault(
                    "an attribute is compared with a text, a whole number, true or false; write one of these"
                )
    return tuple(found)


def _attributes(
    look: Look, vocabulary: Vocabulary
) -> tuple[dict[str, tuple[AttributeValue, ...]], dict[str, tuple[Comparison, ...]]]:
    found: dict[str, tuple[AttributeValue, ...]] = {}
    compared: dict[str, tuple[Comparison, ...]] = {}
    for name, entry in look.pairs().items():
        if name not in vocabulary.attributes:
            entry.fault_at_key(f"`{name[:60]}` is not an attribute{suggestion(name, vocabulary.attributes)}")
        if isinstance(entry.node, tree.Mapping):
            compared[name] = _comparisons(entry)
            continue
        values: list[AttributeValue] = []
        for item in entry.items():
            match item.node:
                case tree.Scalar(value=bool() | int() | str() as value) if value != "":
                    values.append(value)
                case _:
                    item.fault(
                        "an attribute is compared with a text, a whole number, true or false; write one of these"
                    )
        if len({type(value) for value in values}) > 1:
            entry.fault(
                "these values are of different kinds; write only texts, only numbers, or only true and false"
            )
        found[name] = tuple(values)
    return found, compared
