"""A condition tried on rows that were made to fail it: one that holds for all of them restricts nothing.

Where folding sees that the condition looks at the row, this asks whether that makes a difference: `id::text ~ '[0-9]'`,
`total > -1 OR total < 5`, `sign(id) IN (-1, 0, 1)`. Columns take the values in the condition and those around them,
small, large, empty and, where it asks for them, nulls. What cannot be computed is unsure and proves nothing; nor does a
condition of so many columns that not all of their values can be tried together.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from gateway.facts.postgres.computing import CALENDAR, CLOCKS, RANDOM, TEXT, Value, day, literal, value_of
from gateway.facts.postgres.likeness import columns
from gateway.facts.postgres.tree import Node, children, strings

_WORK = 40_000
"""Nodes computed for one condition."""
_NODES = 300
_DAY = timedelta(days=1)
_DAYS = tuple(datetime(year, 5, 6) for year in (1900, 1970, 2000, 2026, 2100))  # noqa: DTZ001
_NUMBERS = (-1e12, -7.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 1e12)
_WORDS = ("", "a", "Zz 9", "7", "\u00e4~", "x" * 500)
_KEYS = tuple(map(float, range(1, 24)))
_LARGEST_KEY = 2.0**31
_LONGEST = 2_000


def always(where: Node, *, is_key: Callable[[str], bool], is_own: Callable[[Node], bool]) -> bool:
    """Whether `where` holds for every row tried; `is_own` tells of a reference whether it is to the row's own column."""
    if _pins(where):
        return False
    nodes = list(itertools.islice(_walk(where), _NODES + 1))
    references = [node for node in nodes if "ColumnRef" in node]
    if len(nodes) > _NODES or not all(is_own(reference) for reference in references):
        return False
    names = sorted(set(columns(where)))
    samples = [_samples(name, nodes, is_key=is_key(name)) for name in names]
    if any("random" in _called(node) for node in nodes):
        names, samples = [*names, RANDOM], [*samples, [0.0, 0.5, 0.999999]]
    if not names or "*" in names or math.prod(map(len, samples)) * len(nodes) > _WORK:
        return False
    rows = itertools.product(*samples)
    return all(value_of(where, dict(zip(names, row, strict=True))) is True for row in rows)


def _pins(where: Node) -> bool:
    """`id = 7`, alone or beside other conditions: most statements, and settled without trying."""
    if "BoolExpr" in where and where["BoolExpr"].get("boolop") == "AND_EXPR":
        return any(_pins(arg) for arg in where["BoolExpr"].get("args", ()))
    body = where.get("A_Expr", {})
    sides = (body.get("lexpr", {}), body.get("rexpr", {}))
    one_value = any("A_Const" in side or "ParamRef" in side for side in sides)
    return strings(body.get("name")) == ["="] and one_value and any("ColumnRef" in side for side in sides)


def _walk(value: object) -> Iterator[Node]:
    if isinstance(value, dict):
        yield value
    for inner in children(value):
        yield from _walk(inner)


def _samples(name: str, nodes: Sequence[Node], *, is_key: bool) -> list[Value]:
    """Values that the column may have, chosen by what the condition speaks of."""
    literals = [literal(node["A_Const"]) for node in nodes if "A_Const" in node]
    words = [text for text in literals if isinstance(text, str)]
    numbers = [number for number in literals if isinstance(number, float)]
    numbers += [float(text) for text in words if re.fullmatch(r"-?\d{1,15}", text)]
    around = [number + step for number in numbers if math.isfinite(number) for step in (-1.0, 0.0, 1.0)]
    lengths = ["x" * int(number) for number in around if 0 <= number < _LONGEST]
    if is_key:
        return list(dict.fromkeys([*(n for n in around if 1 <= n < _LARGEST_KEY), *_KEYS]))
    days = [at for text in words if (at := day(text)) is not None]
    found: list[Value]
    measured = any(_called(node) & TEXT.keys() for node in nodes)
    if _wanted_true(name, nodes):
        found = [True, False]
    elif days or any(_called(node) & (CLOCKS | CALENDAR) or "SQLValueFunction" in node for node in nodes):
        near = [at + _DAY * step for at in days if 1900 <= at.year <= 2100 for step in (-1, 0, 1)]
        found = [*near, *_DAYS]
    elif numbers and not measured and all(re.fullmatch(r"-?\d+|-?infinity", word) for word in words):
        found = [*around, *_NUMBERS]
    else:
        plain = [word.replace("%", "").replace("_", "a") for word in words]
        found = [*words, *plain, *(f"x{word}x" for word in plain), *lengths, *_WORDS]
    if any(node.keys() & {"NullTest", "BooleanTest", "CoalesceExpr"} or _distinct(node) for node in nodes):
        found.append(None)
    return list(dict.fromkeys(found))


def _distinct(node: Node) -> bool:
    return str(node.get("A_Expr", {}).get("kind", "")).endswith("DISTINCT")


def _called(node: Node) -> set[str]:
    return set(strings(node.get("FuncCall", {}).get("funcname"))[-1:])


def _wanted_true(name: str, nodes: Sequence[Node]) -> bool:
    """Whether the column itself stands where a truth is wanted."""
    tested = [nodes[0]]
    for node in nodes:
        tested += node.get("BoolExpr", {}).get("args", ())
        tested.append(node.get("BooleanTest", {}).get("arg", {}))
        tested += [node.get("CaseWhen", {}).get(part, {}) for part in ("expr", "result")]
        tested.append(node.get("CaseExpr", {}).get("defresult", {}))
    return any("ColumnRef" in node and name in columns(node) for node in tested)
