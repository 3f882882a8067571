"""Queries and changes of rows, read from sqlglot's tree: tables, result columns with their sources, conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from gateway.facts.mysql.conditions import restricts
from gateway.facts.mysql.reading import Reading
from gateway.model import Effect, Output

_CONDITIONS = ("where", "having", "group", "order", "qualify")


@dataclass(frozen=True, slots=True)
class Relation:
    """Something in FROM: a stored table by name, or a query's outputs."""

    alias: str
    table: str = ""
    outputs: tuple[Output, ...] = ()


Ctes = Mapping[str, tuple[Output, ...]]


def query(reading: Reading, node: exp.Expr, ctes: Ctes | None = None) -> tuple[Output, ...]:
    """Reads a query; its result columns."""
    known: dict[str, tuple[Output, ...]] = dict(ctes or {})
    clause = node.args.get("with_") or node.args.get("with")
    if clause is not None:
        for each in clause.expressions:
            known[each.alias.lower()] = ()
            found = _any(reading, each.this, known)
            columns = [
                column.name for column in (each.args["alias"].columns if each.args.get("alias") else [])
            ]
            known[each.alias.lower()] = _renamed(found, columns)
    match node:
        case exp.Subquery() | exp.Paren():
            return query(reading, node.this, known)
        case exp.SetOperation():
            left, right = query(reading, node.left, known), query(reading, node.right, known)
            return _side_by_side(left, right)
        case exp.Select():
            return _select(reading, node, known)
        case exp.Values():
            reading.does(Effect.READ)
            return ()
        case exp.Table():
            relation = _table(reading, node, known)
            return (Output(name="*", sources=frozenset({f"{relation.table}.*"})),)
        case _:
            reading.doubt("a query is of a kind that is not read here")
            return ()


def _any(reading: Reading, node: exp.Expr, ctes: Ctes) -> tuple[Output, ...]:
    if isinstance(node, exp.DML):
        change(reading, node)
        return ()
    return query(reading, node, ctes)


def _select(reading: Reading, node: exp.Select, ctes: Ctes) -> tuple[Output, ...]:
    reading.does(Effect.READ)
    relations = _from(reading, node, ctes)
    outputs: list[Output] = []
    for each in node.expressions:
        outputs += _projected(reading, each, relations, ctes)
    for name in _CONDITIONS:
        clause = node.args.get(name)
        if clause is not None:
            reading.columns(_sources(reading, clause, relations, ctes), "condition")
    for output in outputs:
        reading.columns(output.sources, "column")
    return tuple(outputs)


def _from(reading: Reading, node: exp.Expr, ctes: Ctes) -> list[Relation]:
    relations: list[Relation] = []
    source = node.args.get("from_") or node.args.get("from")
    parts = [source.this] if source is not None else []
    joins = list(node.args.get("joins") or [])
    for part in (*parts, *(join.this for join in joins)):
        relations += _relation(reading, part, ctes)
    for join in joins:
        for key in ("on",):
            if join.args.get(key) is not None:
                reading.columns(_sources(reading, join.args[key], relations, ctes), "condition")
    for lateral in node.args.get("laterals") or []:
        relations += _relation(reading, lateral, ctes)
    return relations


def _relation(reading: Reading, part: exp.Expr, ctes: Ctes) -> list[Relation]:
    found: list[Relation]
    match part:
        case exp.Table() if isinstance(part.this, exp.Identifier):
            found = [_table(reading, part, ctes)]
        case exp.Subquery() | exp.Lateral():
            outputs = query(reading, part.this, ctes)
            columns = [each.name for each in (part.args["alias"].columns if part.args.get("alias") else [])]
            found = [Relation(part.alias.lower(), outputs=_renamed(outputs, columns))]
        case exp.Paren():
            found = _relation(reading, part.this, ctes)
        case _:
            # JSON_TABLE and the like: made of whatever stands in it.
            found = [Relation(part.alias.lower(), outputs=())]
    for join in part.args.get("joins") or []:
        found += _relation(reading, join.this, ctes)
    return found


def _table(reading: Reading, node: exp.Table, ctes: Ctes) -> Relation:
    name = ".".join(part for part in (node.db, node.name) if part)
    alias = (node.alias or node.name).lower()
    if not node.db and name.lower() in ctes:
        return Relation(alias, outputs=ctes[name.lower()])
    reading.does(Effect.READ)
    if name.lower() != "dual":
        reading.touches("table", name, Effect.READ)
    return Relation(alias, table=name.lower())


def _projected(reading: Reading, node: exp.Expr, relations: Sequence[Relation], ctes: Ctes) -> list[Output]:
    if isinstance(node, exp.Star):
        return [output for relation in relations for output in _whole(relation)]
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        named = [relation for relation in relations if relation.alias == node.table.lower()]
        return [output for relation in named for output in _whole(relation)] or [
            Output(name="*", sources=frozenset({f"{node.table.lower()}.*"}))
        ]
    inner = node.this if isinstance(node, exp.Alias) else node
    sources = _sources(reading, inner, relations, ctes)
    name = node.alias_or_name or node.sql(dialect="mysql")[:64]
    return [Output(name=name.lower(), sources=frozenset(sources), exact=isinstance(inner, exp.Column))]


def _whole(relation: Relation) -> list[Output]:
    if relation.table:
        return [Output(name="*", sources=frozenset({f"{relation.table}.*"}))]
    return list(relation.outputs)


def _sources(reading: Reading, node: exp.Expr, relations: Sequence[Relation], ctes: Ctes) -> set[str]:
    """The stored columns that an expression is made of; queries inside are read as well."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, exp.Query):
            for output in query(reading, each, ctes):
                found |= output.sources
            for column in each.find_all(exp.Column):
                if column.table and any(relation.alias == column.table.lower() for relation in relations):
                    found |= _resolved(column, relations)
            continue
        if isinstance(each, exp.Column) and not isinstance(each.this, exp.Star):
            found |= _resolved(each, relations)
            continue
        waiting += list(each.iter_expressions())
    return found


def _resolved(column: exp.Column, relations: Sequence[Relation]) -> set[str]:
    name, table = column.name.lower(), column.table.lower()
    if table:
        named = [relation for relation in relations if relation.alias == table]
        if not named:
            return {f"{table}.{name}"}
        return set().union(*(_of(relation, name) for relation in named))
    if not relations:
        return {name}
    return set().union(*(_of(relation, name) for relation in relations))


def _of(relation: Relation, name: str) -> set[str]:
    if relation.table:
        return {f"{relation.table}.{name}"}
    found: set[str] = set()
    for output in relation.outputs:
        if output.name == name:
            found |= output.sources
        elif output.name == "*":
            found |= {
                f"{source.removesuffix('.*')}.{name}" if source.endswith(".*") else source
                for source in output.sources
            }
    return found


def _renamed(outputs: tuple[Output, ...], names: Sequence[str]) -> tuple[Output, ...]:
    if not names:
        return outputs
    if any(output.name == "*" for output in outputs) or len(names) != len(outputs):
        whole = frozenset[str]().union(*(output.sources for output in outputs)) if outputs else frozenset()
        return tuple(Output(name=name.lower(), sources=whole, exact=False) for name in names)
    return tuple(
        Output(name=name.lower(), sources=output.sources, exact=output.exact)
        for name, output in zip(names, outputs, strict=True)
    )


def _side_by_side(left: tuple[Output, ...], right: tuple[Output, ...]) -> tuple[Output, ...]:
    """Rows of either: a column is made of what stands in its place in both."""
    if len(left) == len(right) and not any(output.name == "*" for output in (*left, *right)):
        return tuple(
            Output(name=one.name, sources=one.sources | other.sources, exact=one.exact and other.exact)
            for one, other in zip(left, right, strict=True)
        )
    whole = frozenset[str]().union(*(output.sources for output in (*left, *right)))
    return tuple(Output(name=output.name, sources=whole, exact=False) for output in left)


def change(reading: Reading, node: exp.Expr) -> None:
    """INSERT, UPDATE or DELETE."""
    clause = node.args.get("with_") or node.args.get("with")
    ctes: dict[str, tuple[Output, ...]] = {}
    if clause is not None:
        for each in clause.expressions:
            ctes[each.alias.lower()] = _any(reading, each.this, ctes)
    reading.does(Effect.WRITE)
    if isinstance(node, exp.Insert):
        _insert(reading, node, ctes)
        return
    target = node.this
    names = [_name(each) for each in (node.args.get("tables") or []) if isinstance(each, exp.Table)]
    main = _name(target) if isinstance(target, exp.Table) else ""
    for name in dict.fromkeys([main, *names]):
        if name:
            reading.touches("table", name, Effect.WRITE)
    relations = [Relation((target.alias or target.name).lower(), table=main)] if main else []
    before = set(reading.effects)
    for join in [*(node.args.get("joins") or []), *((target.args.get("joins") or []) if target else [])]:
        relations += _relation(reading, join.this, ctes)
    reading.effects.intersection_update(before | reading.effects - {Effect.READ})
    where = node.args.get("where")
    for part in (where, *(each for each in node.expressions)):
        if part is not None:
            reading.columns(_sources(reading, part, relations, ctes), "condition")
    restricted = restricts(where.this if where is not None else None, main)
    reading.both("sql.has_where", value=where is not None)
    reading.both("sql.where_restricts", value=restricted)
    if not restricted:
        reading.does(Effect.DESTRUCTIVE)
        reading.touches("table", main, Effect.DESTRUCTIVE)


def _insert(reading: Reading, node: exp.Insert, ctes: Ctes) -> None:
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    if isinstance(target, exp.Table):
        reading.touches("table", _name(target), Effect.WRITE)
    source = node.expression
    if isinstance(source, exp.Query) and not isinstance(source, exp.Values):
        query(reading, source, ctes)


def _name(table: exp.Table) -> str:
    return ".".join(part for part in (table.db, table.name) if part).lower()
