"""Queries, read from sqlglot's tree: tables, result columns with their sources, conditions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlglot import exp

from gateway.facts.mysql.expressions import Expressions
from gateway.facts.mysql.reading import Reading
from gateway.facts.mysql.sources import (
    Relation,
    Scope,
    derived,
    renamed_table,
    side_by_side,
    united,
)
from gateway.facts.sources import recursive
from gateway.model import Effect, Output

Outputs = tuple[Output, ...]

_LABELLED = ("group", "having", "order")
"""Clauses in which a bare name is first a result column's label, and a number its place."""


def query(reading: Reading, node: exp.Expr, outer: Scope) -> Outputs:
    """Reads a query; its result columns."""
    reading.step()
    reading.does(Effect.READ)
    match node:
        case exp.Subquery() if node.args.get("with_") is None and not isinstance(node.this, exp.Table):
            return query(reading, node.this, outer)
        case exp.Select():
            return _select(reading, node, outer)
        case exp.SetOperation():
            return _set_operation(reading, node, outer)
        case exp.Subquery():
            scope = outer.inner()
            with_clause(reading, node, scope)
            return query(reading, node.this, scope)
        case exp.Values():
            return _values(reading, node, outer)
        case exp.Table():
            scope = outer.inner()
            from_item(reading, node, scope)
            return tuple(scope.star())
        case _:
            reading.doubt("a query is of a kind that is not read here")
            return ()


EXPRESSIONS = Expressions(query)


def _select(reading: Reading, node: exp.Select, outer: Scope) -> Outputs:
    scope = outer.inner()
    with_clause(reading, node, scope)
    source = node.args.get("from_")
    from_items(reading, [source.this] if source is not None else [], node.args.get("joins"), scope)
    for lateral in node.args.get("laterals") or ():
        from_item(reading, lateral, scope)
    outputs = tuple(
        output for each in node.expressions for output in EXPRESSIONS.values(reading, each, scope)
    )
    if node.args.get("distinct") is not None:
        # How many rows are left tells of what was made of a column.
        reading.columns(united(output for output in outputs if not output.exact), kind="condition")
    for key in ("where", "windows", "qualify"):
        EXPRESSIONS.condition(reading, node.args.get(key), scope)
    _labelled(reading, node, outputs, scope)
    EXPRESSIONS.gather(reading, [each for key in ("limit", "offset") if (each := node.args.get(key))], scope)
    return outputs


def _labelled(reading: Reading, node: exp.Expr, outputs: Outputs, scope: Scope) -> None:
    starred = any(output.name == "*" for output in outputs)
    for key in _LABELLED:
        clause = node.args.get(key)
        if clause is None:
            continue
        EXPRESSIONS.condition(reading, clause, scope)
        names = {column.name.lower() for column in clause.find_all(exp.Column) if not column.table}
        reading.columns(united(o for o in outputs if o.name in names), kind="condition")
        for each in clause.expressions:
            place = each.this if isinstance(each, exp.Ordered) else each
            if isinstance(place, exp.Literal) and not place.is_string and place.this.isdigit():
                at = int(place.this)
                meant = outputs if starred else outputs[max(at - 1, 0) : at]
                reading.columns(united(meant), kind="condition")


def _set_operation(reading: Reading, node: exp.SetOperation, outer: Scope) -> Outputs:
    """UNION, INTERSECT, EXCEPT; long chains lean to the left and are followed in a loop."""
    scope = outer.inner()
    chain: list[exp.SetOperation] = []
    left: exp.Expr = node
    while isinstance(left, exp.SetOperation):
        with_clause(reading, left, scope)
        chain.append(left)
        left = left.this
    outputs = query(reading, left, scope)
    for each in reversed(chain):
        outputs = side_by_side(outputs, query(reading, each.expression, scope))
        if each.args.get("distinct") is not False or not isinstance(each, exp.Union):
            reading.columns(united(outputs), kind="condition")
        inner = scope.inner()
        inner.relations.append(derived("", outputs))
        _labelled(reading, each, outputs, inner)
    return outputs


def _values(reading: Reading, node: exp.Values, scope: Scope) -> Outputs:
    rows = [_row(each) for each in node.expressions]
    width = max(map(len, rows), default=0)
    sources = [
        [EXPRESSIONS.gather(reading, row[at], scope) for row in rows if at < len(row)] for at in range(width)
    ]
    return tuple(
        Output(name=f"column_{at}", sources=frozenset[str]().union(*each), exact=False)
        for at, each in enumerate(sources)
    )


def _row(node: exp.Expr) -> list[exp.Expr]:
    """The values of `(1, 2)` or `ROW(1, 2)`."""
    while len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Anonymous | exp.Tuple):
        node = node.expressions[0]
    return list(node.expressions) or [node]


def with_clause(reading: Reading, node: exp.Expr, scope: Scope) -> None:
    clause = node.args.get("with_")
    if clause is None:
        return
    entries = [(entry.alias.lower(), partial(_cte, reading, entry, scope)) for entry in clause.expressions]
    if not clause.args.get("recursive"):
        for name, read in entries:
            scope.ctes[name] = read()
        return
    reading.recursions += 1
    recursive(scope, entries, nested=reading.recursions > 1)
    reading.recursions -= 1


def _cte(reading: Reading, entry: exp.CTE, scope: Scope) -> Outputs:
    relation = derived("", query(reading, entry.this, scope), _renamed(entry))
    return tuple(relation.known.values()) + ((relation.rest,) if relation.rest else ())


def _renamed(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    return [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []


def from_items(
    reading: Reading, items: Sequence[exp.Expr], joins: Sequence[exp.Join] | None, scope: Scope
) -> None:
    for item in items:
        from_item(reading, item, scope)
    for join in joins or ():
        from_item(reading, join.this, scope)
        EXPRESSIONS.condition(reading, join.args.get("on"), scope)
        using = [name.name.lower() for name in join.args.get("using") or ()]
        scope.shared.update(using)
        for name in using:
            reading.columns(scope.resolve(name).sources, kind="condition")
        if join.args.get("method"):
            scope.natural = True
            reading.columns(_shared(scope.relations), kind="condition")
        if using or join.args.get("method"):
            scope.merged = True
            if len(scope.relations) == len(joins or ()) + len(items) == 2:
                scope.joined = _merged(join, *scope.relations)


def _merged(join: exp.Join, left: Relation, right: Relation) -> Outputs | None:
    """The columns of `*`: those that both sides share stand first, once, as in the side that keeps all its rows."""
    if left.rest is not None or right.rest is not None:
        return None
    first, second = (right, left) if join.side == "RIGHT" else (left, right)
    using = {name.name.lower() for name in join.args.get("using") or ()}
    shared = [name for name in first.known if name in second.known and (not using or name in using)]
    both = [(first.known[name], second.known[name]) for name in shared]
    return (
        *(Output(name=a.name, sources=united((a, b)), exact=a.exact and b.exact) for a, b in both),
        *(output for side in (first, second) for name, output in side.known.items() if name not in shared),
    )


def _shared(relations: Sequence[Relation]) -> frozenset[str]:
    """What NATURAL JOIN compares: the names that the last relation has in common with those before it."""
    *before, last = relations
    if last.rest is not None and any(each.rest is not None for each in before):
        return frozenset(source for each in relations for source in each.whole)
    known = last.known if last.rest is None else {name: None for each in before for name in each.known}
    both = [name for name in known if last.column(name) and any(each.column(name) for each in before)]
    return frozenset(
        source
        for name in both
        for each in relations
        if (found := each.column(name)) is not None
        for source in found.sources
    )


def from_item(reading: Reading, node: exp.Expr, scope: Scope) -> None:
    """One item of FROM joins the scope's relations."""
    reading.step()
    match node:
        case exp.Table() if isinstance(node.this, exp.Identifier):
            scope.relations.append(_stored(reading, node, scope))
        case exp.Subquery() if isinstance(node.this, exp.Table):
            from_item(reading, node.this, scope)
        case exp.Lateral():
            outputs = query(reading, node.this, scope)
            scope.relations.append(derived(node.alias.lower(), outputs, _renamed(node)))
        case exp.Query():
            if not isinstance(node, exp.Subquery):
                reading.doubt("a query stands in FROM without parentheses")
            around = Scope(outer=scope.outer, ctes=scope.ctes)
            scope.relations.append(derived(node.alias.lower(), query(reading, node, around), _renamed(node)))
        case exp.Values():
            scope.relations.append(derived(node.alias.lower(), _values(reading, node, scope), _renamed(node)))
        case _:
            # JSON_TABLE and its like: each column may be made of everything that went in.
            sources = EXPRESSIONS.condition(reading, node.this, scope)
            rest = Output(name="*", sources=sources, exact=False)
            scope.relations.append(Relation(alias=node.alias.lower(), rest=rest))
    from_items(reading, (), node.args.get("joins"), scope)


def _stored(reading: Reading, node: exp.Table, scope: Scope) -> Relation:
    name, alias = dotted(node), node.alias.lower()
    if not node.db and (outputs := scope.cte(name)) is not None:
        return derived(alias or name, outputs, _renamed(node))
    if name == "dual":
        return Relation(alias=alias or name)
    reading.does(Effect.READ)
    reading.touches("table", name, Effect.READ)
    return renamed_table(reading.relation(name, alias), _renamed(node))


def dotted(node: exp.Table) -> str:
    return ".".join(part for part in (node.db, node.name) if part).lower()
