"""What expressions are made of: the stored columns behind them, the variables and queries in them."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from gateway.facts.mysql.functions import TELLING
from gateway.facts.mysql.reading import Reading
from gateway.facts.mysql.sources import NOTHING, Scope, Sources, united
from gateway.facts.mysql.state import Variable
from gateway.model import Output

Query = Callable[[Reading, exp.Expr, Scope], tuple[Output, ...]]
"""Reads a query that stands inside an expression."""


class Expressions:
    """Reads expressions; queries in them by `query`."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def gather(self, reading: Reading, node: object, scope: Scope) -> Sources:
        """The stored columns that a value is made of; every column it looks at is noted."""
        reading.step()
        match node:
            case list():
                return frozenset[str]().union(*(self.gather(reading, each, scope) for each in node))
            case exp.Column():
                found = united(columns(node, scope))
                reading.columns(found)
                return found
            case exp.Query():
                return united(self._query(reading, node, scope))
            case exp.Parameter():
                return reading.state.variable(node.name).sources
            case exp.PropertyEQ() if isinstance(node.this, exp.Parameter):
                found = self.gather(reading, node.expression, scope)
                reading.state.assign(node.this.name, Variable(sources=found))
                return found
            case exp.In() if node.args.get("query") is not None:
                reading.columns(united(self._query(reading, node.args["query"], scope)), kind="condition")
                return self.gather(reading, node.this, scope)
            case exp.Window():
                over = [node.args.get("partition_by"), node.args.get("order")]
                self.condition(reading, [each for each in over if each], scope)
                return self.gather(reading, node.this, scope)
            case exp.Is() if not isinstance(node.expression, exp.Boolean):
                return self._told(reading, node.this, scope)
            case exp.Count() | exp.Exists():
                return self._told(reading, node.this, scope)
            case exp.Case():
                # Which branch is computed shows, if one of them fails or takes its time.
                whens = node.args.get("ifs", ())
                decides = self.condition(reading, [node.this, *(each.this for each in whens)], scope)
                branches = [*(each.args.get("true") for each in whens), node.args.get("default")]
                return decides | self.gather(reading, branches, scope)
            case exp.If():
                branches = [node.args.get("true"), node.args.get("false")]
                return self.condition(reading, node.this, scope) | self.gather(reading, branches, scope)
            case exp.And() | exp.Or():
                return self.condition(reading, list(node.iter_expressions()), scope)
            case exp.Add() | exp.Sub() | exp.Mul() | exp.IntDiv() | exp.Pow():
                return self._weighed(reading, node, scope)
            case exp.Func():
                parts = list(node.iter_expressions())
                asked = any(map(_asks, parts))  # it may fail for what was compared
                found = (self.condition if asked else self.gather)(reading, parts, scope)
                if _name(node) in TELLING:
                    reading.carries("", found)
                return found
            case exp.Expr():
                return self.gather(reading, list(node.iter_expressions()), scope)
            case _:
                return NOTHING

    def _told(self, reading: Reading, node: exp.Expr, scope: Scope) -> Sources:
        """How many, and whether any: nothing of the values, unless it was computed from them."""
        counted = node.expressions if isinstance(node, exp.Distinct) else [node]
        plain = all(_as_stored(each, scope) for each in counted)
        (self.gather if plain else self.condition)(reading, node, scope)
        return NOTHING

    def _weighed(self, reading: Reading, node: exp.Binary, scope: Scope) -> Sources:
        """What fails where its result is out of range, which a number beside the column decides."""
        left = self.gather(reading, node.this, scope)
        right = self.gather(reading, node.expression, scope)
        if bool(left) != bool(right) and not isinstance(node.expression, exp.Interval):
            reading.columns(left | right, kind="condition")
        return left | right

    def condition(self, reading: Reading, node: object, scope: Scope) -> Sources:
        """Read what decides which rows or groups come back, and in which order."""
        found = self.gather(reading, node, scope)
        reading.columns(found, kind="condition")
        return found

    def values(self, reading: Reading, node: exp.Expr, scope: Scope) -> list[Output]:
        """The result column, or the columns of a star, that an item of a select list gives."""
        label = node.alias if isinstance(node, exp.Alias) else ""
        inner = node.this if isinstance(node, exp.Alias) else node
        while isinstance(inner, exp.Paren):
            inner = inner.this
        match inner:
            case exp.Star():
                found = scope.star()
                reading.columns(united(found))
            case exp.Column():
                found = columns(inner, scope)
                reading.columns(united(found))
            case exp.Query():
                found = list(self._query(reading, inner, scope))
                if len(found) != 1 or found[0].name == "*":
                    found = [Output(name="", sources=united(found), exact=False)]
            case _:
                made_of = self.gather(reading, inner, scope)
                if any(_name(each) in TELLING for each in inner.find_all(exp.Func)):
                    reading.carries("", made_of)  # it may run for some values alone
                found = [Output(name="", sources=made_of, exact=False)]
        starred = isinstance(inner, exp.Star) or (isinstance(inner, exp.Column) and inner.name == "*")
        if len(found) == 1 and not starred:
            # Without a label the server takes the expression as it is written.
            name = label or (
                found[0].name if isinstance(inner, exp.Column) else inner.sql(dialect="mysql")[:64]
            )
            found = [Output(name=name.lower(), sources=found[0].sources, exact=found[0].exact)]
        return found


_COMPARING = (exp.Predicate, exp.Nullif, exp.Greatest, exp.Least, exp.StrPosition)
_COMPARING_BY_NAME = frozenset({"elt", "field", "find_in_set", "strcmp"})


def _asks(node: exp.Expr) -> bool:
    """Whether a value may have been picked by comparing it with a chosen one."""
    while isinstance(node, exp.Paren | exp.Not):
        node = node.this
    if isinstance(node, exp.Anonymous):
        return _name(node) in _COMPARING_BY_NAME
    return isinstance(node, _COMPARING) and not isinstance(node, exp.Is | exp.SubqueryPredicate)


def _as_stored(node: exp.Expr, scope: Scope) -> bool:
    """Whether nothing stands there that was computed, but a column, rows, or a query that counts for itself."""
    if isinstance(node, exp.Column):
        return all(output.exact for output in columns(node, scope))
    return isinstance(node, exp.Star | exp.Query)


def _name(node: exp.Func) -> str:
    return (str(node.this) if isinstance(node, exp.Anonymous) else node.sql_name()).lower()


def columns(node: exp.Column, scope: Scope) -> list[Output]:
    name, table, schema = node.name.lower(), node.table.lower(), node.db.lower()
    if not table:
        return [scope.resolve(name)]
    relations = scope.called(table, schema)
    if not relations:
        outside = f"{schema}.{table}" if schema else table
        return [Output(name=name, sources=frozenset({f"{outside}.{name}"}))]
    if name == "*":
        return [output for relation in relations for output in relation.star()]
    found = [output for relation in relations if (output := relation.column(name)) is not None]
    if not found:
        return [Output(name=name, sources=united(o for r in relations for o in r.star()), exact=False)]
    return [Output(name=name, sources=united(found), exact=all(output.exact for output in found))]
