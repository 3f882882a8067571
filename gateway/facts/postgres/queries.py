"""Queries and changes of rows: SELECT, VALUES, INSERT, UPDATE, DELETE, MERGE, and what stands in their WITH."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from gateway.facts.postgres import conditions
from gateway.facts.postgres.expressions import condition, gather, values
from gateway.facts.postgres.joining import from_item
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.tree import Node, dotted, strings, typed
from gateway.facts.sources import (
    Relation,
    Scope,
    derived,
    recursive,
    side_by_side,
    stored_in,
    united,
)
from gateway.model import Effect, Output

Outputs = tuple[Output, ...]
_SETTINGS = frozenset({"pg_settings", "pg_catalog.pg_settings"})
"""A view whose rows are settings: an UPDATE of it is SET."""


def query(reading: Reading, node: Node, scope: Scope) -> Outputs:
    """Read one statement that has rows as its subject; gives its result columns, `()` where it has none."""
    reading.step()
    kind, body = typed(node)
    match kind:
        case "SelectStmt":
            return _select(reading, body, scope)
        case "InsertStmt":
            return _insert(reading, body, scope)
        case "UpdateStmt":
            return _update(reading, body, scope)
        case "DeleteStmt":
            return _delete(reading, body, scope)
        case "MergeStmt":
            return _merge(reading, body, scope)
        case _:
            reading.doubt("a query of a kind that is not known")
            return ()


def _select(reading: Reading, body: Node, outer: Scope) -> Outputs:
    scope = outer.inner()
    reading.does(Effect.READ)
    _with(reading, body.get("withClause"), scope)
    if body.get("larg"):
        outputs = _set_operation(reading, body, scope)
        scope.relations.append(derived("", outputs))
    elif body.get("valuesLists"):
        outputs = _values(reading, body["valuesLists"], scope)
    else:
        for item in body.get("fromClause", ()):
            from_item(reading, item, scope)
        outputs = tuple(o for target in body.get("targetList", ()) for o in values(reading, target, scope))
    for clause in ("whereClause", "havingClause", "windowClause"):
        condition(reading, body.get(clause), scope)
    if body.get("distinctClause"):
        # How many rows are left tells of what was made of a column.
        reading.columns(united(output for output in outputs if not output.exact), kind="condition")
    ordering = [body.get(clause, ()) for clause in ("distinctClause", "groupClause", "sortClause")]
    _order(reading, [item for clause in ordering for item in clause if item], outputs, scope)
    condition(reading, [body.get("limitCount"), body.get("limitOffset")], scope)
    if body.get("lockingClause"):
        reading.does(Effect.SESSION)
    if body.get("intoClause"):
        reading.does(Effect.DDL, Effect.WRITE)
        name = dotted(body["intoClause"]["rel"])
        reading.touches("table", name, Effect.DDL)
        stored(reading, name, strings(body["intoClause"].get("colNames")), outputs)
        return ()
    return outputs


def _set_operation(reading: Reading, body: Node, scope: Scope) -> Outputs:
    """UNION, INTERSECT, EXCEPT; long chains lean to the left and are followed in a loop."""
    operations: list[Node] = []
    left = body
    while left.get("larg") and (left is body or not _has_clauses(left)):
        operations.append(left)
        left = left["larg"]
    outputs = _select(reading, left, scope)
    for operation in reversed(operations):
        others = _select(reading, operation["rarg"], scope)
        together = side_by_side(outputs, others)
        if not operation.get("all") or operation.get("op") != "SETOP_UNION":
            _set_compared(reading, operation, (outputs, others), together)
        outputs = together
    return outputs


def _set_compared(reading: Reading, operation: Node, sides: Sequence[Outputs], together: Outputs) -> None:
    """Which rows are left tells what is equal on both sides; of a UNION that says little but to one who guesses."""
    guessed = any(not (output.sources and output.exact) for side in sides for output in side)
    if operation.get("op") != "SETOP_UNION" or guessed:
        reading.columns(united(together), kind="condition")


def _has_clauses(body: Node) -> bool:
    return bool({"withClause", "sortClause", "limitCount", "limitOffset", "lockingClause"} & body.keys())


def _values(reading: Reading, rows: Sequence[Node], scope: Scope) -> Outputs:
    columns: list[Output] = []
    for row in rows:
        for position, item in enumerate(row["List"].get("items", ())):
            sources = gather(reading, item, scope)
            if position == len(columns):
                columns.append(Output(name=f"column{position + 1}", sources=sources, exact=False))
            elif sources:
                known = columns[position]
                columns[position] = Output(name=known.name, sources=known.sources | sources, exact=False)
    return tuple(columns)


def _order(reading: Reading, items: Iterable[Node], outputs: Outputs, scope: Scope) -> None:
    """GROUP BY and ORDER BY: a number is a result column's place, a bare name is first a result column's label."""
    for item in items:
        node = item["SortBy"].get("node", {}) if "SortBy" in item else item
        gather(reading, {"useOp": item.get("SortBy", {}).get("useOp")}, scope)
        place = node.get("A_Const", {}).get("ival")
        names = strings(node.get("ColumnRef", {}).get("fields"))
        labelled = [o for o in outputs if len(names) == 1 and o.name == names[0].lower()]
        if place is not None:
            reading.counts_integers = True
            starred = any(output.name == "*" for output in outputs)
            position = place.get("ival", 0)
            meant = outputs if starred else outputs[max(position - 1, 0) : max(position, 0)]
            reading.columns(united(meant), kind="condition")
        elif labelled:
            reading.columns(united(labelled), kind="condition")
        else:
            condition(reading, item, scope)


def _with(reading: Reading, clause: Node | None, scope: Scope) -> None:
    if not clause:
        return
    entries = [
        (entry["ctename"].lower(), partial(_cte, reading, entry, scope))
        for entry in (each["CommonTableExpr"] for each in clause.get("ctes", ()))
    ]
    if not clause.get("recursive"):
        for name, read in entries:
            scope.ctes[name] = read()
        return
    reading.recursions += 1
    recursive(scope, entries, nested=reading.recursions > 1)
    reading.recursions -= 1


def _cte(reading: Reading, entry: Node, scope: Scope) -> Outputs:
    outputs = list(query(reading, entry["ctequery"], scope))
    names = [name.lower() for name in strings(entry.get("aliascolnames"))]
    search, cycle = entry.get("search_clause"), entry.get("cycle_clause")
    for added in (search, cycle):
        for key in ("search_seq_column", "cycle_mark_column", "cycle_path_column"):
            if added and key in added:
                outputs.append(Output(name=added[key].lower(), sources=united(outputs), exact=False))
    relation = derived("", outputs, names)
    return tuple(relation.known.values()) + ((relation.rest,) if relation.rest else ())


def _target(reading: Reading, relation: Node, scope: Scope) -> str:
    """The table whose rows change; its name."""
    name = dotted(relation)
    reading.does(Effect.WRITE)
    reading.touches("table", name, Effect.WRITE)
    if is_catalogue(name):
        reading.does(Effect.PRIVILEGE)
    alias = relation.get("alias", {}).get("aliasname", "").lower()
    scope.relations.append(reading.relation(name, alias))
    return name


def is_catalogue(name: str) -> bool:
    """Whether the table holds the server's own state: who may do what, and what the code is."""
    return name.startswith("pg_catalog.") or ("." not in name and name.startswith("pg_"))


def _assigned(reading: Reading, name: str, targets: Iterable[Node] | None, scope: Scope) -> None:
    """The columns that a target list writes, and what with."""
    for target in targets or ():
        body = target.get("ResTarget", {})
        column = f"{name}.{body.get('name', '*')}".lower()
        if "name" in body:
            reading.touches("column", column, Effect.WRITE)
        reading.carries(column, gather(reading, [body.get("indirection"), body.get("val")], scope))


def stored(
    reading: Reading, name: str, columns: Sequence[str], outputs: Outputs, *, created: bool = True
) -> None:
    """The values of `outputs` go into a table's `columns`."""
    for each in stored_in(name, columns, outputs, created=created):
        reading.carries(each.name, each.sources, exact=each.exact)


def _returning(reading: Reading, body: Node, scope: Scope) -> Outputs:
    clause = body.get("returningClause")
    if not clause:
        return ()
    reading.does(Effect.READ)
    target = scope.relations[0]
    names = ["old", "new"]
    names += [option["ReturningOption"].get("value", "").lower() for option in clause.get("options", ())]
    scope.aside += [Relation(alias=name, known=target.known, rest=target.rest) for name in names]
    return tuple(output for item in clause.get("exprs", ()) for output in values(reading, item, scope))


def _insert(reading: Reading, body: Node, outer: Scope) -> Outputs:
    scope = outer.inner()
    _with(reading, body.get("withClause"), scope)
    source = body.get("selectStmt", {}).get("SelectStmt", {})
    rows: Outputs = ()
    if source.get("valuesLists") and not {"withClause", "sortClause", "larg"} & source.keys():
        rows = _values(reading, source["valuesLists"], scope)
    elif source:
        rows = query(reading, body["selectStmt"], scope)
    name = _target(reading, body["relation"], scope)
    _assigned(reading, name, body.get("cols"), scope)
    columns = [item["ResTarget"].get("name", "") for item in body.get("cols", ()) if "ResTarget" in item]
    target = scope.relations[-1]
    columns = columns or ([] if target.loose else list(target.known))
    stored(reading, name, columns, rows, created=False)
    conflict = body.get("onConflictClause", {})
    if conflict:
        scope.aside.append(Relation(alias="excluded", known=target.known, rest=target.rest))
        _assigned(reading, name, conflict.get("targetList"), scope)
        gather(reading, conflict.get("infer"), scope)
        condition(reading, conflict.get("whereClause"), scope)
    return _returning(reading, body, scope)


def _update(reading: Reading, body: Node, outer: Scope) -> Outputs:
    scope = outer.inner()
    _with(reading, body.get("withClause"), scope)
    name = _target(reading, body["relation"], scope)
    if name in _SETTINGS:
        reading.doubt("settings may change what the names in later texts mean")
    for item in body.get("fromClause", ()):
        from_item(reading, item, scope)
    _assigned(reading, name, body.get("targetList"), scope)
    _where(reading, body, name, scope, body.get("fromClause", ()))
    return _returning(reading, body, scope)


def _delete(reading: Reading, body: Node, outer: Scope) -> Outputs:
    scope = outer.inner()
    _with(reading, body.get("withClause"), scope)
    name = _target(reading, body["relation"], scope)
    for item in body.get("usingClause", ()):
        from_item(reading, item, scope)
    _where(reading, body, name, scope, body.get("usingClause", ()))
    return _returning(reading, body, scope)


def _where(reading: Reading, body: Node, name: str, scope: Scope, joined: Sequence[Node]) -> None:
    clause = body.get("whereClause")
    condition(reading, clause, scope)
    alias = scope.relations[0].alias
    restricts = conditions.restricts(clause, name, alias, joined=joined, ctes=_ctes(body))
    reading.both("sql.has_where", value=clause is not None)
    _restricted(reading, name, restricts=restricts)


def _ctes(body: Node) -> dict[str, Node]:
    entries = [entry["CommonTableExpr"] for entry in body.get("withClause", {}).get("ctes", ())]
    return {entry["ctename"].lower(): entry for entry in entries}


def _restricted(reading: Reading, name: str, *, restricts: bool) -> None:
    reading.counts_integers = True  # `1 = 1` restricts nothing, `1 = 2` everything
    reading.both("sql.where_restricts", value=restricts)
    if not restricts:
        reading.does(Effect.DESTRUCTIVE)
        reading.touches("table", name, Effect.DESTRUCTIVE)


def _merge(reading: Reading, body: Node, outer: Scope) -> Outputs:
    scope = outer.inner()
    _with(reading, body.get("withClause"), scope)
    name = _target(reading, body["relation"], scope)
    alias = scope.relations[0].alias
    from_item(reading, body["sourceRelation"], scope)
    joins = conditions.restricts(
        body.get("joinCondition"), name, alias, joined=[body["sourceRelation"]], ctes=_ctes(body)
    )
    condition(reading, body.get("joinCondition"), scope)
    for when in body.get("mergeWhenClauses", ()):
        clause = when["MergeWhenClause"]
        condition(reading, clause.get("condition"), scope)
        _assigned(reading, name, clause.get("targetList"), scope)
        reading.carries(f"{name}.*", gather(reading, clause.get("values"), scope))
        if clause.get("commandType") in {"CMD_UPDATE", "CMD_DELETE"}:
            matched = clause.get("matchKind") != "MERGE_WHEN_NOT_MATCHED_BY_SOURCE"
            own = conditions.restricts(clause.get("condition"), name, alias)
            _restricted(reading, name, restricts=own or (matched and joins))
    return _returning(reading, body, scope)
