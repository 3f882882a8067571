"""What stands in FROM: tables, subqueries, joins of them, and rows that functions make."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.postgres import functions
from gateway.facts.postgres.expressions import condition
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.tree import Node, dotted, strings, typed
from gateway.facts.sources import Relation, Scope, derived, renamed_table, united
from gateway.model import Effect, Output

_SAMPLING = frozenset({"bernoulli", "system", "system_rows", "system_time"})


def from_item(reading: Reading, node: Node, scope: Scope) -> None:
    """One item of FROM joins the scope's relations."""
    reading.step()
    kind, body = typed(node)
    alias = body.get("alias", {}).get("aliasname", "").lower()
    renamed = [name.lower() for name in strings(body.get("alias", {}).get("colnames"))]
    match kind:
        case "RangeVar":
            scope.relations.append(_range_var(reading, body, alias, renamed, scope))
        case "RangeSubselect":
            around = scope if body.get("lateral") else Scope(outer=scope.outer, ctes=scope.ctes)
            scope.relations.append(derived(alias, reading.query(reading, body["subquery"], around), renamed))
        case "JoinExpr":
            _join(reading, body, alias, renamed, scope)
        case "RangeTableSample":
            from_item(reading, body["relation"], scope)
            condition(reading, [body.get("args"), body.get("repeatable")], scope)
            if strings(body.get("method"))[-1] not in _SAMPLING:
                reading.doubt("a sampling method that is not known")
        case "RangeFunction" | "RangeTableFunc" | "JsonTable":
            scope.relations.append(_computed(reading, body, alias, renamed, scope))
        case _:
            reading.doubt("something in FROM that is not known")


def _range_var(reading: Reading, body: Node, alias: str, renamed: Sequence[str], scope: Scope) -> Relation:
    name = dotted(body)
    if "schemaname" not in body and (outputs := scope.cte(name)) is not None:
        return derived(alias or name, outputs, renamed)
    reading.does(Effect.READ)
    reading.touches("table", name, Effect.READ)
    return renamed_table(reading.relation(name, alias), renamed)


def _join(reading: Reading, body: Node, alias: str, renamed: Sequence[str], scope: Scope) -> None:
    first = len(scope.relations)
    from_item(reading, body["larg"], scope)
    from_item(reading, body["rarg"], scope)
    condition(reading, body.get("quals"), scope)
    using = [name.lower() for name in strings(body.get("usingClause"))]
    scope.shared.update(using)
    for name in using:
        reading.columns(scope.resolve(name).sources, kind="condition")
    if body.get("isNatural"):
        scope.natural = True
        _natural(reading, scope.relations[first:])
    if body.get("isNatural") or using:
        scope.merged = True
    if alias:
        sides = scope.relations[first:]
        joined = Scope(relations=sides, shared=scope.shared, natural=scope.natural)
        outputs = [
            joined.resolve(output.name)
            if output.name in joined.shared or (joined.natural and output.name != "*")
            else output
            for relation in sides
            for output in relation.star()
        ]
        scope.relations[first:] = [derived(alias, outputs, renamed)]
    elif "join_using_alias" in body:
        named = body["join_using_alias"].get("aliasname", "").lower()
        scope.aside.append(derived(named, [scope.resolve(name) for name in using]))


def _natural(reading: Reading, sides: Sequence[Relation]) -> None:
    """Columns of one name are compared; where a side's columns are not known, any may be."""
    for relation in sides:
        others = [other for other in sides if other is not relation]
        if any(other.rest is not None for other in others):
            compared = relation.whole
        else:
            names = {name for other in others for name in other.known}
            compared = united(found for name in names if (found := relation.column(name)))
        reading.columns(compared, kind="condition")


def _computed(reading: Reading, body: Node, alias: str, renamed: Sequence[str], scope: Scope) -> Relation:
    """Rows that a function makes: each column may be made of everything that went in."""
    sources = condition(reading, {key: value for key, value in body.items() if key != "alias"}, scope)
    calls = [item["List"]["items"][0] for item in body.get("functions", ()) if "List" in item]
    names = strings(calls[0]["FuncCall"].get("funcname")) if calls and "FuncCall" in calls[0] else []
    called = names[-1].lower() if names else ""
    alias = alias or called
    columns = (
        functions.COLUMNS.get(called) if len(calls) == 1 and names[:-1] in ([], ["pg_catalog"]) else None
    )
    if columns is None or "coldeflist" in body:
        known = {name: Output(name=name, sources=sources, exact=False) for name in renamed}
        rest = Output(name="*", sources=sources, exact=False)
        return Relation(alias=alias, known=known, rest=rest, made=True)
    given = [name or alias for name in columns] + (["ordinality"] if body.get("ordinality") else [])
    given[: len(renamed)] = renamed
    made_of = {name: Output(name=name, sources=sources, exact=False) for name in given}
    return Relation(alias=alias, known=made_of, made=True)
