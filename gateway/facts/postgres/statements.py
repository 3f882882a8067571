"""Statements by their kind: what each does, and where a statement hides inside another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.facts.postgres import blocks, queries, settings
from gateway.facts.postgres.definitions import DEFINITIONS, define, mention
from gateway.facts.postgres.expressions import condition, gather
from gateway.facts.postgres.reading import EXECUTES, Reading
from gateway.facts.postgres.tree import Node, Unreadable, constant, dotted, parse, strings, typed
from gateway.facts.sources import NOTHING, Scope, Sources, united
from gateway.model import Effect, Output

Outputs = tuple[Output, ...]

_NESTED_TEXTS = 3
"""How deep SQL in strings of SQL is followed."""


def statement(reading: Reading, node: Node) -> Outputs:
    """Read one statement; gives its result columns, `()` where it has none or nobody can tell."""
    reading.step()
    kind, body = typed(node)
    if kind in _QUERIES:
        reading.verbs[_QUERIES[kind]] = None
        return queries.query(reading, node, Scope())
    if kind in _READERS:
        verb, reader = _READERS[kind]
        reading.verbs[verb] = None
        return reader(reading, body)
    if kind in DEFINITIONS:
        define(reading, kind, body)
        for element in body.get("schemaElts", ()):
            statement(reading, element)
        return ()
    reading.doubt("a statement of a kind that is not known")
    return ()


def text(reading: Reading, sql: str) -> Sources:
    """Read SQL that stands in a string and is run as part of `reading`; gives what its results are made of."""
    if reading.inside >= _NESTED_TEXTS:
        reading.doubt("SQL in strings nests too deep")
        return NOTHING
    reading.inside += 1
    found = NOTHING
    try:
        for node in parse(sql):
            found |= united(statement(reading, node))
    except Unreadable:
        reading.doubt("a string that is run as SQL cannot be read")
    finally:
        reading.inside -= 1
    return found


def _explain(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.READ)
    analyzes = False
    for option in body.get("options", ()):
        element = option["DefElem"]
        if element.get("defname", "").lower() == "analyze":
            analyzes = _switch(element.get("arg"))
    if analyzes:
        statement(reading, body["query"])
        return _plan(reading)
    # Planned, not run: rows stay as they are, but planning evaluates functions that claim to be stable.
    planned = Reading(query=reading.query, text=reading.text, schema=reading.schema, inside=reading.inside)
    statement(planned, body["query"])
    for resource in planned.resources:
        if resource.kind in {"table", "column", "condition"}:
            reading.touches(resource.kind, resource.name, Effect.READ)
    for doubt in planned.doubts:
        reading.doubt(doubt)
    reading.attributes.update({k: v for k, v in planned.attributes.items() if k == "sql.execute"})
    return _plan(planned)


def _plan(read: Reading) -> Outputs:
    """Planning computes what is immutable: a plan may show what functions of the target's own bring."""
    return (Output(name="QUERY PLAN", sources=frozenset(read.brought), exact=False),)


def _switch(arg: Node | None) -> bool:
    """A utility option's value as PostgreSQL reads it (define.c, defGetBoolean); what is not known is on."""
    if not arg:
        return True
    kind, body = typed(arg)
    if kind == "Integer":
        return bool(body.get("ival", 0))
    value = next((str(v).lower() for v in body.values()), "")
    return value not in {"off", "false", "0", "no"}


def _prepare(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.SESSION)
    reading.one("sql.prepare", body.get("name", ""))
    return statement(reading, body["query"])


def _execute(reading: Reading, body: Node) -> Outputs:
    reading.carries("", gather(reading, body.get("params"), Scope()))
    reading.one("sql.execute", body.get("name", ""))
    reading.doubt(EXECUTES)
    return ()


def _declare(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.SESSION)
    reading.one("sql.cursor", body.get("portalname", ""))
    return statement(reading, body["query"])


def _fetch(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.SESSION)
    if body.get("ismove"):
        del reading.verbs["fetch"]
        reading.verbs["move"] = None
    else:
        reading.does(Effect.READ)
    reading.one("sql.cursor", body.get("portalname", ""))
    return ()


def _session(reading: Reading, body: Node) -> Outputs:
    del body
    reading.does(Effect.SESSION)
    return ()


def _transaction(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.SESSION)
    kind = body.get("kind", "").removeprefix("TRANS_STMT_")
    reading.verbs.pop("transaction", None)
    reading.verbs[kind.lower().replace("_", " ") + (" transaction" if kind == "PREPARE" else "")] = None
    if kind in {"PREPARE", "COMMIT_PREPARED", "ROLLBACK_PREPARED"}:
        # A prepared transaction outlives its session, locks and all.
        reading.does(Effect.WRITE)
    return ()


def _set(reading: Reading, body: Node) -> Outputs:
    kind, name = body.get("kind", ""), body.get("name", "").lower()
    if kind in {"VAR_SET_MULTI", "VAR_RESET_ALL"}:
        reading.does(Effect.SESSION)
        return ()
    if kind in {"VAR_RESET", "VAR_SET_DEFAULT"}:
        effects = settings.effects_of_reset(name)
    else:
        values = [constant(arg) for arg in body.get("args", ())]
        known = None if None in values or not values else [value for value in values if value is not None]
        effects = settings.effects_of(name, known)
    reading.sets(name, effects)
    return ()


def _show(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.READ)
    name = body.get("name", "").lower()
    reading.touches("setting", name, Effect.READ)
    if name == "all":
        return tuple(Output(name=n, sources=NOTHING, exact=False) for n in ("name", "setting", "description"))
    return (Output(name=name, sources=NOTHING, exact=False),)


def _copy(reading: Reading, body: Node) -> Outputs:
    elsewhere = "filename" in body or body.get("is_program")
    if elsewhere:
        reading.does(Effect.EXEC if body.get("is_program") else Effect.EXFIL)
    scope = Scope()
    if body.get("query"):
        outputs = statement(reading, body["query"])
    else:
        name = dotted(body["relation"])
        relation = reading.relation(name, "")
        columns = [column.lower() for column in strings(body.get("attlist"))]
        outputs = tuple(o for c in columns if (o := relation.column(c))) or tuple(relation.star())
        scope.relations.append(relation)
        if body.get("is_from"):
            reading.does(Effect.WRITE)
            reading.touches("table", name, Effect.WRITE)
            for column in columns:
                reading.touches("column", f"{name}.{column}", Effect.WRITE)
            condition(reading, body.get("whereClause"), scope)
            if queries.is_catalogue(name):
                reading.does(Effect.PRIVILEGE)
            return ()
        reading.touches("table", name, Effect.READ)
        reading.columns(united(outputs))
    reading.does(Effect.READ)
    if elsewhere:
        reading.does(Effect.EXFIL)
        if not body.get("is_program"):
            reading.does(Effect.WRITE)
    return outputs


def _call(reading: Reading, body: Node) -> Outputs:
    call = body["funccall"]
    gather(reading, call.get("args"), Scope())
    name = ".".join(strings(call.get("funcname"))).lower()
    reading.does(Effect.EXEC)
    reading.touches("procedure", name, Effect.EXEC)
    reading.doubt(f"procedure {name} has a body that cannot be seen")
    return ()


def _do(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.EXEC)
    reading.doubt("a DO block runs code of its own")
    options = {
        option["DefElem"].get("defname"): option["DefElem"].get("arg", {}) for option in body.get("args", ())
    }
    block, *language = (
        options.get(name, {}).get("String", {}).get("sval", "") for name in ("as", "language")
    )
    if language[0].lower() in {"", "plpgsql"}:
        verbs = dict(reading.verbs)
        for sql in blocks.statements(block):
            text(reading, sql)
        reading.verbs = verbs
    return ()


def _create_as(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.DDL, Effect.WRITE)
    name = dotted(body["into"]["rel"])
    reading.touches("table", name, Effect.DDL)
    queries.stored(reading, name, strings(body["into"].get("colNames")), statement(reading, body["query"]))
    return ()


def _notify(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.WRITE)
    reading.touches("channel", body.get("conditionname", ""), Effect.WRITE)
    return ()


def _listen(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.SESSION)
    reading.touches("channel", body.get("conditionname", "*"), Effect.SESSION)
    return ()


def _lock(reading: Reading, body: Node) -> Outputs:
    reading.does(Effect.SESSION)
    mention(reading, body, Effect.SESSION)
    return ()


_QUERIES: Mapping[str, str] = {
    "SelectStmt": "select",
    "InsertStmt": "insert",
    "UpdateStmt": "update",
    "DeleteStmt": "delete",
    "MergeStmt": "merge",
}
_READERS: Mapping[str, tuple[str, Callable[[Reading, Node], Outputs]]] = {
    "ExplainStmt": ("explain", _explain),
    "PrepareStmt": ("prepare", _prepare),
    "ExecuteStmt": ("execute", _execute),
    "DeallocateStmt": ("deallocate", _session),
    "DeclareCursorStmt": ("declare", _declare),
    "FetchStmt": ("fetch", _fetch),
    "ClosePortalStmt": ("close", _session),
    "TransactionStmt": ("transaction", _transaction),
    "VariableSetStmt": ("set", _set),
    "VariableShowStmt": ("show", _show),
    "DiscardStmt": ("discard", _session),
    "ConstraintsSetStmt": ("set constraints", _session),
    "CopyStmt": ("copy", _copy),
    "CallStmt": ("call", _call),
    "DoStmt": ("do", _do),
    "CreateTableAsStmt": ("create table as", _create_as),
    "NotifyStmt": ("notify", _notify),
    "ListenStmt": ("listen", _listen),
    "UnlistenStmt": ("unlisten", _listen),
    "LockStmt": ("lock", _lock),
}
