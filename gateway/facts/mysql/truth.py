"""Computing with values as MySQL does: what an expression gives for one row, as far as it can be told."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

from sqlglot import exp


class Open(Enum):
    """Values that nobody can tell: the same for every row (a parameter, a setting), or another for each."""

    FIXED = "fixed"
    VARYING = "varying"


Value: TypeAlias = float | str | bool | Open | tuple["Value", ...] | None
Row: TypeAlias = Mapping[str, Value]
"""Values by column name."""

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_WILDCARDS = re.compile(r"(?<!\\)%+")
_PIECES = re.compile(r"\\.|.", re.DOTALL)
_SIMPLE_PATTERN = re.compile(r"[\w .^$*+?|()\[\]-]{0,40}")
"""Regular expressions that are tried on short values, so that none can take long."""
_BITS = (1 << 64) - 1


class Bytes(str):
    """`0x31`, `b'1'`: a string that counts as a number by its bits."""

    __slots__ = ()

    def bits(self) -> float:
        return float(int.from_bytes(self.encode("latin-1")[-8:], "big"))


def number(value: Value) -> float:
    """A string counts as the number it begins with."""
    if isinstance(value, Bytes):
        return value.bits()
    if isinstance(value, str):
        match = _NUMBER.match(value)
        return float(match[0]) if match else 0.0
    return float(value) if isinstance(value, float | bool) else 0.0


def true(value: Value) -> Value:
    """As a condition: `True`, `False`, `None` for NULL, or open."""
    if value is None or isinstance(value, Open):
        return value
    return number(value) != 0.0


def text(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)


def either(*values: Value) -> Value:
    """OR: one that is true settles it, else one that is open leaves it open."""
    for settled in (True, Open.FIXED, Open.VARYING, None):
        if settled in values:
            return settled
    return False


def both(*values: Value) -> Value:
    for settled in (False, Open.VARYING, Open.FIXED, None):
        if settled in values:
            return settled
    return True


def opposite(value: Value) -> Value:
    value = true(value)
    return value if value is None or isinstance(value, Open) else not value


def left_open(*values: Value) -> Open | None:
    """What comes of values of which one is open."""
    flat = [inner for value in values for inner in (value if isinstance(value, tuple) else (value,))]
    if Open.VARYING in flat:
        return Open.VARYING
    return Open.FIXED if Open.FIXED in flat else None


def compared(kind: type[exp.Expr], left: Value, right: Value) -> Value:
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        if kind in {exp.EQ, exp.NullSafeEQ}:
            return both(*(compared(kind, one, other) for one, other in zip(left, right, strict=True)))
        return left_open(*left, *right) or None
    if isinstance(left, tuple) or isinstance(right, tuple):
        return Open.FIXED
    if kind is exp.NullSafeEQ and None in {left, right}:
        return left is right
    if left is None or right is None:
        return None
    if isinstance(left, str) and isinstance(right, str):
        one: float | str = left.lower().rstrip(" ")
        other: float | str = right.lower().rstrip(" ")
    else:
        one, other = number(left), number(right)
    return bool(_COMPARED[kind](one, other))


_COMPARED: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.EQ: operator.eq,
    exp.NullSafeEQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
}
COMPARISONS = tuple(_COMPARED)


def _divided(one: float, other: float) -> Value:
    return one / other if other else None


def _whole(one: float, other: float) -> Value:
    return float(math.trunc(one / other)) if other else None


def _rest(one: float, other: float) -> Value:
    return math.fmod(one, other) if other else None


def _power(one: float, other: float) -> Value:
    raised = one**other
    return None if isinstance(raised, complex) else float(raised)


def _bitwise(of: Callable[[int, int], int]) -> Callable[[float, float], Value]:
    return lambda one, other: float(of(_rounded(one) & _BITS, _rounded(other) & _BITS) & _BITS)


def _rounded(value: float) -> int:
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


_COMPUTED: dict[type[exp.Expr], Callable[[float, float], Value]] = {
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
    exp.Div: _divided,
    exp.IntDiv: _whole,
    exp.Mod: _rest,
    exp.Pow: _power,
    exp.BitwiseAnd: _bitwise(operator.and_),
    exp.BitwiseOr: _bitwise(operator.or_),
    exp.BitwiseXor: _bitwise(operator.xor),
    exp.BitwiseLeftShift: _bitwise(lambda one, other: one << min(other, 64)),
    exp.BitwiseRightShift: _bitwise(lambda one, other: one >> min(other, 64)),
}
COMPUTATIONS = tuple(_COMPUTED)


def computed(kind: type[exp.Expr], left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    try:
        return _COMPUTED[kind](number(left), number(right))
    except (OverflowError, ValueError, ZeroDivisionError, TypeError):
        return Open.FIXED


def like(value: Value, pattern: Value) -> Value:
    """Piece by piece between the `%`, each as early as it fits, so that no pattern takes long."""
    if value is None or pattern is None:
        return None
    against, at = text(value).lower(), 0
    pieces = _WILDCARDS.split(text(pattern).lower())
    for position, piece in enumerate(pieces):
        wanted = re.compile(
            "".join("." if each == "_" else re.escape(each[-1:]) for each in _PIECES.findall(piece)),
            re.DOTALL,
        )
        last = position == len(pieces) - 1
        if position and last:
            length = len(_PIECES.findall(piece))
            at = max(at, len(against) - length)
        found = wanted.match(against, at) if not position or last else wanted.search(against, at)
        if found is None or (last and found.end() != len(against)):
            return False
        at = found.end()
    return True


def matches(value: Value, pattern: Value) -> Value:
    if value is None or pattern is None:
        return None
    shape, against = text(pattern), text(value)
    if _SIMPLE_PATTERN.fullmatch(shape) is None:
        return Open.VARYING
    try:
        return re.search(shape, against[:3], re.IGNORECASE) is not None
    except (re.error, RecursionError):
        return Open.VARYING


def called(name: str, values: Sequence[Value]) -> Value:
    """A function that only computes; open where it is not known here."""
    match name, values:
        case "ifnull" | "coalesce" | "nvl", _:
            return next((value for value in values if value is not None), None)
        case "isnull", [value]:
            return value is None
        case "nullif", [one, other]:
            return None if compared(exp.EQ, one, other) is True else one
        case _ if None in values:
            return None
        case "length" | "char_length" | "character_length" | "octet_length" | "bit_length", [value]:
            return float(len(text(value)))
        case "abs", [value]:
            return abs(number(value))
        case "sign", [value]:
            return float((number(value) > 0) - (number(value) < 0))
        case "floor" | "ceil" | "ceiling" | "round", [value]:
            return float(round(number(value)))
        case "elt", [place, *rest]:
            at = int(number(place))
            return rest[at - 1] if 0 < at <= len(rest) else None
        case "concat", _:
            return "".join(map(text, values))
        case "lower" | "upper" | "lcase" | "ucase" | "trim" | "ltrim" | "rtrim", [value]:
            return text(value)
        case "greatest" | "least", [_, *_]:
            return (max if name == "greatest" else min)(map(number, values))
        case "strcmp", [one, other]:
            return float(not compared(exp.EQ, one, other))
        case "instr", [one, other]:
            return float(text(one).lower().find(text(other).lower()) + 1)
        case "locate" | "position", [one, other]:
            return float(text(other).lower().find(text(one).lower()) + 1)
        case "field", [one, *others]:
            return float(next((at for at, each in enumerate(others, 1) if compared(exp.EQ, one, each)), 0))
        case "row", _:
            return tuple(values)
        case _:
            return Open.FIXED
