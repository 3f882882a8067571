"""Whether a WHERE restricts anything: a condition that every row meets protects none.

A condition is tried on rows that are made up for it: keys are positive and never null, other columns hold nothing,
something negative, large or unlike anything, and whatever the condition itself speaks of, and what lies next to it.
It restricts if one of these rows does not meet it. What nobody can tell (a parameter, a subquery that does not look at
the row) is the same for all rows, so it may let every one through; compared with a column it will not.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from sqlglot import exp

from gateway.facts.mysql.itself import Itself, looks_at_a_row, plain_value
from gateway.facts.mysql.truth import (
    COMPARISONS,
    COMPUTATIONS,
    Bytes,
    Open,
    Row,
    Value,
    both,
    called,
    compared,
    computed,
    either,
    left_open,
    like,
    matches,
    number,
    opposite,
    text,
    true,
)

_KEYS = frozenset({"id", "uuid", "guid", "pk", "rowid", "_rowid", "_id"})
_FAR = 100_000_000.0
"""No key lies beyond."""
_LITERALS = (exp.Literal, exp.HexString, exp.BitString, exp.Boolean)
_ROWS = 160
_WORK = 60_000
"""Nodes evaluated for one condition; one that takes more is taken to restrict nothing."""
_BOUNDS: dict[type[exp.Expr], type[exp.Min | exp.Max]] = {exp.GTE: exp.Min, exp.LTE: exp.Max}
_CHANCE = (exp.Rand, exp.Uuid)
_COMPARING: tuple[type[exp.Expr], ...] = (*COMPARISONS, exp.Between, exp.In, exp.Like)
_WRITTEN = re.compile(r"\s*[-+.]?[0-9]")
"""A number or a time, in quotes."""


def restricts(where: exp.Expr | None, table: str, alias: str = "") -> bool:
    """Whether `where` keeps some rows of `table`, called `alias`, out whatever the data."""
    if where is None:
        return False
    trial = _Trial(where, table, alias)
    try:
        return any(trial.fails(row) for row in trial.rows())
    except _TooMuch:
        return False


class _TooMuch(Exception):
    pass


class _Trial:
    def __init__(self, where: exp.Expr, table: str, alias: str) -> None:
        self._where = where
        self._last = table.rpartition(".")[2].lower()
        self._names = {self._last, alias.lower()}
        self._columns = sorted({self._named(column) for column in where.find_all(exp.Column)})
        self._texts = self._compared_with_texts()
        self._itself = Itself(where, table, alias, restricts)
        self._work = 0

    def rows(self) -> Iterator[Row]:
        """Rows of one value each first: they are the ones that show it soonest."""
        values = [self._values(name) for name in self._columns]
        if not values:
            yield {}
            return
        longest = max(map(len, values))
        for at in range(longest):
            yield {name: each[at % len(each)] for name, each in zip(self._columns, values, strict=True)}
        if len(values) > 1:
            for mixed in itertools.islice(itertools.product(*(each[:6] for each in values)), _ROWS):
                yield dict(zip(self._columns, mixed, strict=True))

    def fails(self, row: Row) -> bool:
        """Whether this row is kept out; one that holds NULL only where it is kept out for certain."""
        found = true(self._value(self._where, row))
        if found is None:
            return None not in row.values()
        return found is False or found is Open.VARYING

    def _named(self, column: exp.Column) -> str:
        """A column of the table by its bare name, one of another table with that."""
        table = column.table.lower()
        return f"{table}.{column.name.lower()}" if table and table not in self._names else column.name.lower()

    def _values(self, name: str) -> list[Value]:
        spoken = [_literal(each) for each in itertools.islice(self._where.find_all(*_LITERALS), 40)]
        numbers = {
            sign * number(value) + step for value in spoken for step in (0.0, -1.0, 1.0) for sign in (1, -1)
        }
        if self._is_key(name):
            return [
                1.0,
                17.0,
                *sorted(value for value in numbers if 1 <= value <= _FAR and value == int(value)),
            ]
        texts = {value for value in spoken if isinstance(value, str)}
        if name in self._texts:
            return ["unlike", None, "", *sorted(texts)]
        return [3.5, "unlike", None, "", -1e15, 1e15, *sorted(numbers), *sorted(texts)]

    def _compared_with_texts(self) -> set[str]:
        """The columns that are compared with texts alone: none of their rows holds a number, which equals most texts."""
        found: dict[str, bool] = {}
        for comparison in self._where.find_all(*_COMPARING):
            sides = list(comparison.iter_expressions())
            columns = [self._named(side) for side in sides if isinstance(side, exp.Column)]
            texts = sum(map(_is_text, sides))
            for name in columns:
                found[name] = found.get(name, True) and texts > 0 and texts + 1 == len(sides)
        return {name for name, holds in found.items() if holds}

    def _is_key(self, name: str) -> bool:
        """A column that by its name is a key: never null, never negative."""
        name = name.rpartition(".")[2]
        return name in _KEYS or name in {f"{self._last}_id", f"{self._last.removesuffix('s')}_id"}

    def _value(self, node: exp.Expr | None, row: Row) -> Value:
        self._work += 1
        if self._work > _WORK:
            raise _TooMuch
        match node:
            case None:
                return Open.FIXED
            case exp.Introducer():
                return self._value(node.expression, row)
            case exp.Paren() | exp.Where() | exp.Collate() | exp.Cast():
                return self._value(node.this, row)
            case exp.Literal() | exp.HexString() | exp.BitString() | exp.National():
                return _literal(node)
            case exp.Boolean():
                return bool(node.this)
            case exp.Null():
                return None
            case exp.Column():
                return row.get(self._named(node), Open.VARYING)
            case exp.Neg():
                inner = self._value(node.this, row)
                return -number(inner) if isinstance(inner, float | str | bool) else inner
            case exp.BitwiseNot():
                inner = self._value(node.this, row)
                return computed(exp.BitwiseXor, inner, -1.0) if not isinstance(inner, Open) else inner
            case exp.Not():
                return opposite(self._value(node.this, row))
            case exp.And():
                return both(*(true(self._value(each, row)) for each in node.flatten()))
            case exp.Or():
                return either(*(true(self._value(each, row)) for each in node.flatten()))
            case exp.Xor():
                return self._unequal(node, row)
            case exp.Is():
                return self._is(node, row)
            case exp.PropertyEQ():
                return self._value(node.expression, row)
            case exp.Between():
                low, high = node.args["low"], node.args["high"]
                return both(
                    self._bounded(exp.GTE, node.this, low, row), self._bounded(exp.LTE, node.this, high, row)
                )
            case exp.In():
                return self._in(node, row)
            case exp.Exists():
                if plain_value(node.this) is not None:
                    return True
                return Open.VARYING if self._itself.is_looked_at(node) else Open.FIXED
            case exp.Case() | exp.If():
                return self._chosen(node, row)
            case exp.Tuple():
                return tuple(self._value(each, row) for each in node.expressions)
            case exp.Query():
                if (plain := plain_value(node)) is not None:
                    return self._value(plain, row)
                return Open.VARYING if self._itself.is_looked_at(node) else Open.FIXED
            case _ if isinstance(node, exp.Binary):
                return self._binary(node, row)
            case exp.Rand():
                return 0.5
            case exp.Func():
                return self._called(node, row)
            case _:
                return Open.VARYING if node.find(exp.Column) is not None else Open.FIXED

    def _binary(self, node: exp.Binary, row: Row) -> Value:
        kind = type(node)
        left, right = self._value(node.left, row), self._value(node.right, row)
        if node.left == node.right and node.find(*_CHANCE) is None and isinstance(left, Open):
            if kind in {exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ, exp.Like, exp.RegexpLike}:
                return True
            if kind in {exp.NEQ, exp.GT, exp.LT}:
                return False
        if kind in _BOUNDS and self._itself.is_bound(node.left, node.right, _BOUNDS[kind]):
            return True
        if (
            kind is exp.EQ
            and isinstance(node.right, exp.Any)
            and self._itself.brings_all(node.left, node.right)
        ):
            return True
        if (unclear := self._unclear(node, left, right)) is not None:
            zero = kind in {exp.Mul, exp.BitwiseAnd} and 0.0 in {left, right}
            return 0.0 if zero else unclear
        if kind in COMPARISONS:
            return compared(kind, left, right)
        if kind in COMPUTATIONS:
            return computed(kind, left, right)
        if kind is exp.Like:
            return like(left, right)
        if kind is exp.RegexpLike:
            return matches(left, right)
        return Open.VARYING if node.find(exp.Column) is not None else Open.FIXED

    def _unclear(self, node: exp.Expr, *values: Value) -> Open | None:
        """Something that nobody can tell, beside a column, differs from row to row."""
        found = left_open(*values)
        if found is Open.FIXED and looks_at_a_row(node):
            return Open.VARYING
        return found

    def _unequal(self, node: exp.Xor, row: Row) -> Value:
        left, right = true(self._value(node.left, row)), true(self._value(node.right, row))
        if (unclear := self._unclear(node, left, right)) is not None:
            return unclear
        return None if None in {left, right} else left != right

    def _is(self, node: exp.Is, row: Row) -> Value:
        inner = self._value(node.this, row)
        if isinstance(inner, Open):
            return inner
        match node.expression:
            case exp.Boolean() as wanted:
                return true(inner) is bool(wanted.this)
            case _:
                return inner is None

    def _in(self, node: exp.In, row: Row) -> Value:
        query = node.args.get("query")
        tested = self._value(node.this, row)
        if query is not None:
            if self._itself.brings_all(node.this, query):
                return True
            if (plain := plain_value(query)) is not None:
                return self._compared_open(node, tested, self._value(plain, row))
            return (
                Open.VARYING if looks_at_a_row(node.this) or self._itself.is_looked_at(query) else Open.FIXED
            )
        found = [
            True if each == node.this else self._compared_open(node, tested, self._value(each, row))
            for each in node.expressions
        ]
        return either(*found)

    def _bounded(self, kind: type[exp.GTE | exp.LTE], tested: exp.Expr, bound: exp.Expr, row: Row) -> Value:
        """One side of BETWEEN."""
        if self._itself.is_bound(tested, bound, _BOUNDS[kind]):
            return True
        left, right = self._value(tested, row), self._value(bound, row)
        unclear = left_open(left, right)
        if unclear is Open.FIXED and (looks_at_a_row(tested) or looks_at_a_row(bound)):
            return Open.VARYING
        return compared(kind, left, right) if unclear is None else unclear

    def _compared_open(self, node: exp.Expr, left: Value, right: Value) -> Value:
        unclear = self._unclear(node, left, right)
        return compared(exp.EQ, left, right) if unclear is None else unclear

    def _chosen(self, node: exp.Case | exp.If, row: Row) -> Value:
        branches = [node] if isinstance(node, exp.If) else node.args["ifs"]
        subject = node.this if isinstance(node, exp.Case) else None
        for branch in branches:
            held = self._value(branch.this, row)
            if subject is not None:
                held = self._compared_open(node, self._value(subject, row), held)
            held = true(held)
            if isinstance(held, Open):
                return Open.VARYING if looks_at_a_row(node) else Open.FIXED
            if held:
                return self._value(branch.args.get("true"), row)
        last = node.args.get("false" if isinstance(node, exp.If) else "default")
        return self._value(last, row) if last is not None else None

    def _called(self, node: exp.Func, row: Row) -> Value:
        name = (str(node.this) if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
        parts = list(node.expressions) if isinstance(node, exp.Anonymous) else list(node.iter_expressions())
        values = [self._value(each, row) for each in parts]
        decided = next((value for value in values if value is not None), None)
        if name in {"coalesce", "ifnull", "nvl"} and not isinstance(decided, Open):
            return decided
        if (unclear := self._unclear(node, *values)) is not None:
            return unclear
        found = called(_CALLED_ALIKE.get(name, name), values)
        return Open.VARYING if found is Open.FIXED and looks_at_a_row(node) else found


_CALLED_ALIKE = {"str_position": "instr", "ceil": "ceiling", "anonymous": ""}


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string) and not _WRITTEN.match(str(node.this))


def _literal(node: exp.Expr) -> Value:
    match node:
        case exp.HexString():
            digits = str(node.this)
            try:
                return Bytes(bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2)).decode("latin-1"))
            except ValueError:
                return Open.FIXED
        case exp.BitString():
            bits = int(str(node.this)[-64:] or "0", 2)
            return Bytes(bits.to_bytes(8, "big").lstrip(b"\0").decode("latin-1"))
        case exp.Boolean():
            return float(bool(node.this))
        case exp.Literal() if not node.is_string:
            try:
                return float(node.this)
            except ValueError:
                return Open.FIXED
        case _:
            return text(str(node.this))
