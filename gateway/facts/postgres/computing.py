"""The value of an expression for one row, as far as it can be computed without the server: unsure is no value."""

from __future__ import annotations

import hashlib
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from gateway.facts.postgres.likeness import columns
from gateway.facts.postgres.tree import Node, strings, typed


class Unsure:
    """What nobody can compute here."""


UNSURE = Unsure()
Value: TypeAlias = float | str | bool | datetime | timedelta | Unsure | None
Row: TypeAlias = Mapping[str, Value]

RANDOM = "random()"
"""The column of a row that stands for what random() gives."""
NOW = datetime(2026, 6, 15, 12)  # noqa: DTZ001  a day among others, compared with others
_FAR, _EARLY = datetime.max, datetime.min  # noqa: DTZ901
_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:[ T](\d\d):(\d\d))?")
_SPAN = re.compile(r"(-?\d+)\s*(year|month|week|day|hour|minute|second)s?", re.IGNORECASE)
_DAYS_OF = {"year": 365.0, "month": 30.0, "week": 7.0, "day": 1.0, "hour": 1 / 24, "minute": 1 / 1440}
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "%": math.fmod,
    "/": operator.truediv,
}
TEXT: Mapping[str, Callable[[str], Value]] = {
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "btrim": str.strip,
    "length": lambda text: float(len(text)),
    "char_length": lambda text: float(len(text)),
    "octet_length": lambda text: float(len(text.encode())),
    "reverse": lambda text: text[::-1],
    "md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
}
_NUMBER: Mapping[str, Callable[[float], Value]] = {
    "abs": abs,
    "sign": lambda number: math.copysign(1.0, number) if number else 0.0,
    "floor": lambda number: float(math.floor(number)),
    "ceil": lambda number: float(math.ceil(number)),
    "round": lambda number: float(round(number)),
}
_SEVERAL: Mapping[tuple[str, str], Callable[..., Value]] = {
    ("left", "tn"): lambda text, count: text[: int(count)],
    ("right", "tn"): lambda text, count: text[-int(count) :] if count else "",
    ("substr", "tnn"): lambda text, at, count: text[max(int(at) - 1, 0) : max(int(at + count) - 1, 0)],
    ("strpos", "tt"): lambda text, part: float(text.find(part) + 1),
    ("mod", "nn"): lambda left, right: math.fmod(left, right) if right else UNSURE,
    ("div", "nn"): lambda left, right: float(math.trunc(left / right)) if right else UNSURE,
    ("power", "nn"): lambda left, right: left**right if right in {0, 1, 2} else UNSURE,
}
"""Functions of several arguments, by these: texts and numbers."""
CALENDAR = frozenset({"extract", "date_part", "date_trunc"})
CLOCKS = frozenset({"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp"})


def literal(body: Node) -> float | str | bool | None:
    if "sval" in body:
        return str(body["sval"].get("sval", ""))
    if "boolval" in body:
        return bool(body["boolval"].get("boolval"))
    if "ival" in body:
        return float(body["ival"].get("ival", 0))
    if "fval" in body:
        return float(body["fval"].get("fval", "nan"))
    return None


def day(text: str) -> datetime | None:
    match = _DATE.match(text)
    if match is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None


def _span(text: str) -> Value:
    parts = _SPAN.findall(text)
    if not parts:
        return UNSURE
    days = sum(int(count) * _DAYS_OF.get(unit.lower(), 1 / 86_400) for count, unit in parts)
    return timedelta(days=max(min(days, 500_000), -500_000))


def value_of(node: Node, row: Row) -> Value:
    if not node:
        return UNSURE
    kind, body = typed(node)
    match kind:
        case "A_Const":
            return None if body.get("isnull") else literal(body)
        case "ColumnRef":
            return row.get((strings(body.get("fields")) or ["*"])[-1].lower(), UNSURE)
        case "TypeCast":
            return _cast(value_of(body.get("arg", {}), row), strings(body["typeName"].get("names"))[-1])
        case "CollateClause":
            return value_of(body.get("arg", {}), row)
        case "BoolExpr":
            return _joined(body.get("boolop", ""), [value_of(arg, row) for arg in body.get("args", ())])
        case "NullTest":
            value = value_of(body.get("arg", {}), row)
            wanted = body.get("nulltesttype") == "IS_NULL"
            return value if isinstance(value, Unsure) else (value is None) == wanted
        case "BooleanTest":
            return _is(body.get("booltesttype", ""), value_of(body.get("arg", {}), row))
        case "A_Expr":
            return _expression(body, row)
        case "CoalesceExpr":
            return next((v for arg in body.get("args", ()) if (v := value_of(arg, row)) is not None), None)
        case "CaseExpr":
            return _case(body, row)
        case "MinMaxExpr":
            return _extreme(body, [value_of(arg, row) for arg in body.get("args", ())])
        case "FuncCall":
            return _call(body, row)
        case "SQLValueFunction":
            return (
                NOW if "CURRENT_DATE" in body.get("op", "") or "TIMESTAMP" in body.get("op", "") else UNSURE
            )
        case _:
            return UNSURE


def _cast(value: Value, to: str) -> Value:
    if value is None or isinstance(value, Unsure):
        return value
    if to in {"text", "varchar", "bpchar"}:
        return f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else UNSURE
    if to == "interval":
        return _span(value) if isinstance(value, str) else value
    if to in {"date", "timestamp", "timestamptz"}:
        return (day(value) or UNSURE) if isinstance(value, str) else value
    if to in {"int2", "int4", "int8", "numeric", "float4", "float8"}:
        return _number(value)
    if to == "bool" and isinstance(value, str | float):
        return (
            bool(value)
            if isinstance(value, float)
            else {"t": True, "f": False}.get(value[:1].lower(), UNSURE)
        )
    return value


def _number(value: Value) -> Value:
    if isinstance(value, bool):
        return UNSURE
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return UNSURE
    return value


def _joined(how: str, values: Sequence[Value]) -> Value:
    if how == "NOT_EXPR":
        return not values[0] if isinstance(values[0], bool) else values[0]
    deciding = how == "OR_EXPR"
    if any(value is deciding for value in values):
        return deciding
    if any(not isinstance(value, bool) and value is not None for value in values):
        return UNSURE
    return None if None in values else not deciding


def _is(test: str, value: Value) -> Value:
    if value is not None and not isinstance(value, bool):
        return UNSURE
    wanted = {"TRUE": True, "FALSE": False, "UNKNOWN": None}[test.rpartition("_")[2]]
    return (value is wanted) != ("_NOT_" in test)


def _expression(body: Node, row: Row) -> Value:
    kind, name = body.get("kind", ""), (strings(body.get("name")) or [""])[-1]
    left = value_of(body.get("lexpr", {}), row) if "lexpr" in body else None
    right = body.get("rexpr", {})
    computed = any("ColumnRef" not in side and any(columns(side)) for side in (body.get("lexpr", {}), right))
    match kind:
        case "AEXPR_IN":
            found = _joined("OR_EXPR", [_compare("=", left, value_of(i, row)) for i in _items(right)])
            found = UNSURE if found is False and computed else found
            return _joined("NOT_EXPR", [found]) if name == "<>" else found
        case "AEXPR_BETWEEN" | "AEXPR_NOT_BETWEEN" | "AEXPR_BETWEEN_SYM" | "AEXPR_NOT_BETWEEN_SYM":
            low, high = [value_of(item, row) for item in _items(right)][:2]
            within = _within(left, low, high)
            if kind.endswith("SYM"):
                within = _joined("OR_EXPR", [within, _within(left, high, low)])
            return _joined("NOT_EXPR", [within]) if "NOT" in kind else within
        case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT":
            other = value_of(right, row)
            if isinstance(left, Unsure) or isinstance(other, Unsure):
                return UNSURE
            same = left is other if left is None or other is None else _compare("=", left, other)
            return same if kind == "AEXPR_NOT_DISTINCT" else _joined("NOT_EXPR", [same])
        case "AEXPR_NULLIF":
            other = value_of(right, row)
            same = None if left is None or other is None else _compare("=", left, other)
            return UNSURE if isinstance(same, Unsure) else None if same is True else left
        case "AEXPR_LIKE" | "AEXPR_ILIKE" | "AEXPR_SIMILAR":
            found = _like(left, _pattern(right, row), blind=kind == "AEXPR_ILIKE")
            return _joined("NOT_EXPR", [found]) if name.startswith("!") or name == "<>" else found
        case "AEXPR_OP":
            other = value_of(right, row)
            if "lexpr" not in body:
                return -other if name == "-" and isinstance(other, float) else UNSURE
            ours, theirs = body["lexpr"].get("RowExpr"), right.get("RowExpr")
            found = _ordered(name, ours, theirs, row) if ours and theirs else _operated(name, left, other)
            unproven = computed and (name, found) in {("<>", True), ("=", False)}
            return UNSURE if unproven else found
        case _:
            return UNSURE


def _ordered(name: str, one: Node, other: Node, row: Row) -> Value:
    """Rows that are compared: the first pair that differs decides."""
    pairs = [
        (value_of(a, row), value_of(b, row))
        for a, b in zip(one.get("args", ()), other.get("args", ()), strict=False)
    ]
    same = [_compare("=", a, b) for a, b in pairs]
    if name not in _ORDER:
        return _joined("AND_EXPR", same) if name == "=" else UNSURE
    for (a, b), equal in zip(pairs[:-1], same, strict=False):
        if equal is not True:
            return _compare(name[0], a, b) if equal is False else equal
    return _compare(name, *pairs[-1]) if pairs else UNSURE


def _items(node: Node) -> Iterable[Node]:
    found: list[Node] = node.get("List", {}).get("items", [])
    return found


def _within(value: Value, low: Value, high: Value) -> Value:
    return _joined("AND_EXPR", [_compare(">=", value, low), _compare("<=", value, high)])


def _operated(name: str, left: Value, right: Value) -> Value:
    if name in {"=", "<>", *_ORDER}:
        return _compare(name, left, right)
    if name in {"~", "~*", "!~", "!~*"}:
        found = _matches(left, right, blind="*" in name)
        return _joined("NOT_EXPR", [found]) if name.startswith("!") else found
    if left is None or right is None:
        return None
    if name == "||" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if name == "^@" and isinstance(left, str) and isinstance(right, str):
        return left.startswith(right)
    if isinstance(right, timedelta) and isinstance(left, datetime) and name in "+-":
        try:
            return left + right if name == "+" else left - right
        except OverflowError:
            return _FAR if (right > timedelta()) == (name == "+") else _EARLY
    if isinstance(left, float) and isinstance(right, float) and name in _ARITHMETIC:
        return _ARITHMETIC[name](left, right) if right or name not in "%/" else UNSURE
    return UNSURE


def _compare(name: str, left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    if isinstance(left, datetime) and isinstance(right, str):
        right = day(right) or {"infinity": _FAR, "-infinity": _EARLY}.get(right, UNSURE)
    if isinstance(left, float) and isinstance(right, str):
        right = _number(right)
    if isinstance(right, float | datetime) and isinstance(left, str):
        mirrored = name.translate(str.maketrans("<>", "><")) if name != "<>" else name
        return _compare(mirrored, right, left)
    if type(left) is not type(right) or isinstance(left, Unsure):
        return UNSURE
    if name in _ORDER:
        return _ORDER[name](left, right) if not isinstance(left, str) or not (left and right) else UNSURE
    return (left == right) == (name == "=")


def _pattern(node: Node, row: Row) -> Value:
    """What LIKE compares with; SIMILAR TO wraps it."""
    if "FuncCall" in node and strings(node["FuncCall"].get("funcname"))[-1:] == ["similar_to_escape"]:
        return value_of(node["FuncCall"]["args"][0], row)
    return value_of(node, row)


def _like(value: Value, pattern: Value, *, blind: bool) -> Value:
    if value is None or pattern is None:
        return None
    if not isinstance(value, str) or not isinstance(pattern, str) or "\\" in pattern:
        return UNSURE
    if not {"%", "_"} & set(pattern) and not blind:
        return value == pattern
    parts = [".*" if sign == "%" else "." if sign == "_" else re.escape(sign) for sign in pattern]
    if "%%%%%" in pattern or len(parts) > 200:
        return UNSURE
    return re.fullmatch("".join(parts), value, re.DOTALL | (re.IGNORECASE if blind else 0)) is not None


_SIMPLE = re.compile(r"\^?(?:(?:\[[\w-]+\]|\\[dws]|\.|\w)[*+?]?){0,6}\$?")


def _matches(value: Value, pattern: Value, *, blind: bool) -> Value:
    """A short expression without groups, which cannot take long; one that does not match might match another row."""
    if value is None or pattern is None:
        return None
    if not isinstance(value, str) or not isinstance(pattern, str) or not _SIMPLE.fullmatch(pattern):
        return UNSURE
    if re.search(pattern, value, re.ASCII | (re.IGNORECASE if blind else 0)):
        return True
    return UNSURE if _SPECIAL.search(pattern) else False


def _case(body: Node, row: Row) -> Value:
    subject = value_of(body["arg"], row) if "arg" in body else None
    for when in body.get("args", ()):
        tested = value_of(when["CaseWhen"].get("expr", {}), row)
        if "arg" in body:
            tested = _compare("=", subject, tested)
        if tested is not None and not isinstance(tested, bool):
            return UNSURE
        if tested is True:
            return value_of(when["CaseWhen"].get("result", {}), row)
    return value_of(body["defresult"], row) if "defresult" in body else None


def _extreme(body: Node, values: Sequence[Value]) -> Value:
    numbers = [value for value in values if isinstance(value, float)]
    if len(numbers) != len(values):
        return UNSURE
    return max(numbers) if body.get("op") == "IS_GREATEST" else min(numbers)


def _of_calendar(name: str, unit: Value, at: Value) -> Value:
    if not isinstance(at, datetime) or not isinstance(unit, str):
        return None if at is None else UNSURE
    if name != "date_trunc":
        return float(at.year) if unit.lower() == "year" else UNSURE
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit.lower():
        case "day":
            return midnight
        case "month":
            return midnight.replace(day=1)
        case "year":
            return midnight.replace(month=1, day=1)
        case _:
            return UNSURE


def _call(body: Node, row: Row) -> Value:
    name = (strings(body.get("funcname")) or [""])[-1]
    args = [value_of(arg, row) for arg in body.get("args", ())]
    if name in CLOCKS:
        return NOW
    if name == "random":
        return row.get(RANDOM, UNSURE) if not args else UNSURE
    if name == "concat" and all(isinstance(arg, str) for arg in args):
        return "".join(str(arg) for arg in args)
    if name == "starts_with" and len(args) == 2:
        return _operated("^@", *args)
    if name == "position" and len(args) == 2 and all(isinstance(arg, str) for arg in args):
        return float(str(args[0]).find(str(args[1])) + 1)
    if name in CALENDAR and len(args) == 2:
        return _of_calendar(name, *args)
    if len(args) != 1:
        given = "".join(
            "t" if isinstance(arg, str) else "n" if isinstance(arg, float) else "?" for arg in args
        )
        several = _SEVERAL.get(("substr" if name == "substring" else name, given))
        return several(*args) if several else UNSURE
    value = args[0]
    if value is None:
        return None
    if name in TEXT and isinstance(value, str):
        return TEXT[name](value)
    if name in _NUMBER and isinstance(value, float):
        return _NUMBER[name](value)
    return UNSURE
