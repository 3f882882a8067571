"""INSERT, REPLACE, UPDATE and DELETE, of one table or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from gateway.facts.mysql.conditions import restricts
from gateway.facts.mysql.queries import EXPRESSIONS, dotted, from_items, query, with_clause
from gateway.facts.mysql.reading import Reading
from gateway.facts.mysql.sources import Scope
from gateway.facts.sources import stored_in
from gateway.model import Effect, Output


def change(
    reading: Reading, node: exp.Expr, outer: Scope, returning: Sequence[exp.Expr]
) -> tuple[Output, ...]:
    """Reads one change of rows; its result columns, where it returns any."""
    scope = outer.inner()
    reading.does(Effect.WRITE)
    with_clause(reading, node, scope)
    match node:
        case exp.Insert():
            _insert(reading, node, scope)
        case exp.Update():
            _update(reading, node, scope)
        case exp.Delete():
            _delete(reading, node, scope)
        case _:
            reading.doubt("a change is of a kind that is not read here")
    if not returning:
        return ()
    reading.does(Effect.READ)
    return tuple(output for each in returning for output in EXPRESSIONS.values(reading, each, scope))


def assigned(reading: Reading, node: exp.Update, scope: Scope) -> None:
    """The assignments of INSERT ... SET, and of ON DUPLICATE KEY UPDATE, written as those of an UPDATE."""
    target = _target(reading, node.this)
    scope.relations.append(reading.relation(target, ""))
    _assignments(reading, node.expressions, scope, {}, target)


def _insert(reading: Reading, node: exp.Insert, scope: Scope) -> None:
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    name = _target(reading, target)
    if isinstance(node.this, exp.Schema):
        for column in node.this.expressions:
            reading.touches("column", f"{name}.{column.name}", Effect.WRITE)
    into = reading.relation(name, "")
    columns = [each.name for each in node.this.expressions] if isinstance(node.this, exp.Schema) else []
    columns = columns or list(into.known)
    match node.expression:
        case exp.Query() | exp.Table() | exp.Values() as source:
            before = Effect.READ in reading.effects
            stored(reading, name, columns, query(reading, source, scope), created=False)
            if isinstance(source, exp.Values) and not before and source.find(exp.Select) is None:
                reading.effects.discard(Effect.READ)
        case None:
            pass
        case _:
            reading.doubt("what is inserted is not read here")
    scope.relations.append(into)


def stored(
    reading: Reading, name: str, columns: Sequence[str], outputs: Sequence[Output], *, created: bool
) -> None:
    """The values of `outputs` go into a table's `columns`."""
    for each in stored_in(name, columns, outputs, created=created):
        reading.carries(each.name, each.sources, exact=each.exact)


def _target(reading: Reading, node: exp.Expr) -> str:
    if not isinstance(node, exp.Table):
        reading.doubt("what is changed is not a table that is written out")
        return ""
    name = dotted(node)
    reading.touches("table", name, Effect.WRITE)
    return name


def _update(reading: Reading, node: exp.Update, scope: Scope) -> None:
    reached = _reached(reading, [node.this], scope)
    named = {each.this.table.lower() for each in node.expressions if isinstance(each.this, exp.Column)}
    changed = [
        each for each in reached if "" in named or {each.alias_or_name.lower(), each.name.lower()} & named
    ]
    _bounded(reading, node, changed or reached, scope)
    last = dotted(changed[0]) if len(changed) == 1 else ""
    names = {each.alias_or_name.lower(): dotted(each) for each in reached}
    _assignments(reading, node.expressions, scope, names, last)


def _assignments(
    reading: Reading, nodes: Sequence[exp.Expr], scope: Scope, names: Mapping[str, str], name: str
) -> None:
    """`names` are the tables in reach by what they are called here, `name` the one that is meant without any."""
    for each in nodes:
        if isinstance(each, exp.EQ) and isinstance(each.this, exp.Column):
            target = names.get(each.this.table.lower(), name)
            reading.touches("column", f"{target}.{each.this.name}".lstrip("."), Effect.WRITE)
            column = f"{target}.{each.this.name}".lower() if target else ""
            reading.carries(column, EXPRESSIONS.gather(reading, each.expression, scope))
        else:
            EXPRESSIONS.gather(reading, each, scope)


def _delete(reading: Reading, node: exp.Delete, scope: Scope) -> None:
    using = node.args.get("using") or []
    listed = list(node.args.get("tables") or [])
    if using:
        listed = [node.this, *(join.this for join in node.this.args.get("joins") or ())]
    reached = _reached(reading, using or [node.this], scope)
    names = {each.name.lower() for each in listed}
    changed = [each for each in reached if {each.alias_or_name.lower(), each.name.lower()} & names]
    _bounded(reading, node, changed or reached, scope)


def _reached(reading: Reading, items: Sequence[exp.Expr], scope: Scope) -> list[exp.Table]:
    """The stored tables that a change joins; they stand in the scope from here on."""
    before, known = Effect.READ in reading.effects, set(reading.resources)
    from_items(reading, items, None, scope)
    found = [
        each
        for item in items
        for each in item.find_all(exp.Table)
        if isinstance(each.this, exp.Identifier) and each.find_ancestor(exp.Select) is None
    ]
    if len(found) == 1 and not before:
        # To find the rows that it changes is no reading of its own.
        reading.effects.discard(Effect.READ)
        for resource in reading.resources.keys() - known:
            del reading.resources[resource]
    return found


def _bounded(reading: Reading, node: exp.Expr, changed: Sequence[exp.Table], scope: Scope) -> None:
    where = node.args.get("where")
    EXPRESSIONS.condition(reading, where, scope)
    for key in ("order", "limit"):
        EXPRESSIONS.condition(reading, node.args.get(key), scope)
    condition = where.this if where is not None else None
    reading.both("sql.has_where", value=where is not None)
    for each in changed:
        name = dotted(each)
        reading.touches("table", name, Effect.WRITE)
        restricted = restricts(condition, name, each.alias)
        reading.both("sql.where_restricts", value=restricted)
        if not restricted:
            reading.does(Effect.DESTRUCTIVE)
            reading.touches("table", name, Effect.DESTRUCTIVE)
