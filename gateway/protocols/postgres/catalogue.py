"""What a target's own catalogue says of its tables, views and functions: asked for now and then, for `knowing`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from gateway.facts.postgres.resolving import resolved
from gateway.facts.schema import Cast, Function, Table
from gateway.protocols.postgres.aside import connect
from gateway.protocols.postgres.kinds import FIRST_MADE, Kind, Made
from gateway.protocols.postgres.knowing import Known, Told
from gateway.protocols.surveying import WITHIN, renewed
from gateway.wire import Login, Upstream

RELATIONS, COLUMNS, FUNCTIONS, TYPES = 5_000, 100_000, 5_000, 20_000
"""A target with more of these is read without its catalogue."""
_BODY = 8_192
_OURS = """nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE 'pg\\_temp\\_%'
    AND nspname NOT LIKE 'pg\\_toast\\_temp\\_%'"""
_PATH = "SELECT pg_catalog.current_schemas(false)::text[]"
_BARE = "SELECT pg_catalog.set_config('search_path', '', false)"
"""Now definitions come with every schema written out."""
_IN_EXTENSION = """EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
    AND d.classid = 'pg_catalog.{catalogue}'::pg_catalog.regclass AND d.objid = {oid})"""
_TABLES = f"""
    SELECT n.nspname || '.' || c.relname AS name, c.oid::int8 AS oid, c.relkind IN ('v', 'm') AS viewed,
        c.relkind = 'm' OR {_IN_EXTENSION.format(catalogue="pg_class", oid="c.oid")} AS believed,
        pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) AS columns,
        pg_catalog.array_agg(a.attnum::int4 ORDER BY a.attnum) AS numbers,
        CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) ELSE '' END AS definition
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OURS}
    GROUP BY c.oid, n.nspname, c.relname, c.relkind LIMIT {RELATIONS + 1}"""  # noqa: S608  constants alone
_GENERATED = f"""
    SELECT n.nspname || '.' || c.relname AS name, a.attname::text AS column,
        pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attgenerated <> '' AND {_OURS} LIMIT {COLUMNS}"""  # noqa: S608  constants alone
_PARENTS = f"""
    SELECT n.nspname || '.' || c.relname AS name, pn.nspname || '.' || p.relname AS parent
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') LIMIT {RELATIONS}"""  # noqa: S608  constants alone
_FUNCTIONS = f"""
    SELECT n.nspname || '.' || p.proname AS name, l.lanname::text AS language, p.provolatile = 'i' AS immutable,
        p.prosecdef OR p.proconfig IS NOT NULL OR p.prokind <> 'f' AS apart,
        {_IN_EXTENSION.format(catalogue="pg_proc", oid="p.oid")} AS extension,
        CASE WHEN l.lanname IN ('sql', 'plpgsql') AND pg_catalog.length(p.prosrc) <= {_BODY} THEN p.prosrc ELSE '' END AS body,
        CASE WHEN l.lanname = 'sql' AND p.prosrc = '' THEN pg_catalog.pg_get_function_sqlbody(p.oid) ELSE '' END AS parsed,
        COALESCE(pg_catalog.pg_get_expr(p.proargdefaults, 0), '') AS defaults
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE {_OURS} LIMIT {FUNCTIONS + 1}"""  # noqa: S608  constants alone
_FUNCTIONS_BEFORE = _FUNCTIONS.replace("pg_catalog.pg_get_function_sqlbody(p.oid)", "''")
"""For servers that keep every body as text."""
_OPERATORS = f"""
    SELECT n.nspname || '.' || o.oprname AS name, pn.nspname || '.' || p.proname AS calls,
        {_IN_EXTENSION.format(catalogue="pg_operator", oid="o.oid")} AS extension
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
    WHERE {_OURS.replace("nspname", "n.nspname")} LIMIT {FUNCTIONS + 1}"""  # noqa: S608  constants alone
_CASTS = f"""
    SELECT c.casttarget::int8 AS type, tn.nspname || '.' || t.typname AS name, pn.nspname || '.' || p.proname AS calls
    FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_type t ON t.oid = c.casttarget
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
    WHERE c.oid >= {FIRST_MADE} AND NOT {_IN_EXTENSION.format(catalogue="pg_cast", oid="c.oid")} LIMIT {TYPES + 1}"""  # noqa: S608  constants alone
_CHECKS = f"""
    SELECT c.contypid::int8 AS type, pg_catalog.pg_get_expr(c.conbin, 0) AS expression
    FROM pg_catalog.pg_constraint c WHERE c.contypid >= {FIRST_MADE} AND c.conbin IS NOT NULL LIMIT {TYPES + 1}"""  # noqa: S608  constants alone
_TYPES = f"""
    SELECT t.oid::int8 AS oid, n.nspname || '.' || t.typname AS name, t.typtype::text AS sort, t.typcategory::text AS category,
        (CASE t.typtype WHEN 'd' THEN t.typbasetype WHEN 'r' THEN r.rngsubtype WHEN 'm' THEN m.rngtypid
            ELSE t.typelem END)::int8 AS of,
        t.typtypmod AS modifier,
        ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
        ARRAY(SELECT a.atttypid::int8 FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
            AND NOT a.attisdropped ORDER BY a.attnum) AS fields,
        ARRAY(SELECT a.atttypmod FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
            AND NOT a.attisdropped ORDER BY a.attnum) AS modifiers
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid
    WHERE t.oid >= {FIRST_MADE} AND t.typtype IN ('b', 'c', 'd', 'e', 'm', 'r') LIMIT {TYPES + 1}"""  # noqa: S608  constants alone
_PARSED_BODIES = 14
"""The version of PostgreSQL that has multiranges, and functions whose bodies are kept parsed."""
_TYPES_BEFORE = _TYPES.replace("m.rngtypid", "0").replace("m.rngmultitypid", "0")
"""For servers that have no multiranges yet."""
_SORTS = {"c": Kind.RECORD, "d": Kind.MADE, "e": Kind.ENUM, "m": Kind.MULTIRANGE, "r": Kind.RANGE}


async def survey(upstream: Upstream, login: Login, known: Known) -> str:
    """Read the target's catalogue into `known`; "" or why it could not be read. Never raises for what the target does."""
    return await renewed(
        known,
        _told(upstream, login),
        resolved=lambda told: resolved(
            told.tables, told.functions, told.path, operators=told.operators, types=told.casts
        ),
        refusal=_refusal,
        most=f"{RELATIONS} tables, {COLUMNS} columns or {FUNCTIONS} functions",
    )


def _refusal(error: Exception) -> str:
    if isinstance(error, asyncpg.PostgresError):
        return f"the target refused (SQLSTATE {error.sqlstate})"
    return "the target could not be asked"


async def _told(upstream: Upstream, login: Login) -> Told | None:
    """None where there is more than is read."""
    connection = await connect(upstream, login, application="countersign catalogue", timeout=WITHIN / 2)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            path = await connection.fetchval(_PATH)
            await connection.execute(_BARE)
            tables = await connection.fetch(_TABLES)
            generated = await connection.fetch(_GENERATED)
            parents = await connection.fetch(_PARENTS)
            newer = connection.get_server_version().major >= _PARSED_BODIES
            functions = await connection.fetch(_FUNCTIONS if newer else _FUNCTIONS_BEFORE)
            types = await connection.fetch(_TYPES if newer else _TYPES_BEFORE)
            operators = await connection.fetch(_OPERATORS)
            casts = await connection.fetch(_CASTS)
            checks = await connection.fetch(_CHECKS)
    finally:
        connection.terminate()
    many = len(tables) > RELATIONS or max(len(functions), len(operators)) > FUNCTIONS
    many = many or max(len(casts), len(checks)) > TYPES
    if many or sum(len(row["columns"]) for row in tables) > COLUMNS:
        return None
    return Told(
        tables=_tables(tables, generated, parents),
        functions=_functions(functions),
        path=("pg_catalog", *path),
        places={
            (row["oid"], number): f"{row['name']}.{column}".lower()
            for row in tables
            if not row["viewed"]
            for number, column in zip(row["numbers"], row["columns"], strict=True)
        },
        types=_types(types),
        operators=_operators(operators),
        casts=_casts(types, casts, checks),
    )


def _types(rows: Sequence[Any]) -> Mapping[int, Made]:
    """Nothing where there are more than are read: then values are told apart by how they look."""
    if len(rows) > TYPES:
        return {}
    return {row["oid"]: made for row in rows if (made := _made(row)) is not None}


def _made(row: Any) -> Made | None:
    if row["sort"] != "b":
        kind = _SORTS[row["sort"]]
    elif row["category"] == "A":
        kind = Kind.ARRAY
    elif row["category"] == "S":  # citext and its like are text in both forms
        kind = Kind.TEXT
    else:
        return None
    return Made(
        kind=kind,
        of=row["of"],
        domain=row["sort"] == "d",
        modifier=row["modifier"],
        labels=tuple(row["labels"]),
        fields=tuple(zip(row["fields"], row["modifiers"], strict=True)),
    )


def _tables(tables: Sequence[Any], generated: Sequence[Any], parents: Sequence[Any]) -> Mapping[str, Table]:
    """By lower-case name; tables that only case tells apart are left to doubt."""
    expressions: dict[str, dict[str, str]] = {}
    for row in generated:
        expressions.setdefault(row["name"].lower(), {})[row["column"].lower()] = row["expression"]
    above: dict[str, list[str]] = {}
    for row in parents:
        above.setdefault(row["name"].lower(), []).append(row["parent"].lower())
    found: dict[str, Table] = {}
    ambiguous: set[str] = set()
    for row in tables:
        name = row["name"].lower()
        if name in found:
            ambiguous.add(name)
        found[name] = Table(
            columns=tuple(column.lower() for column in row["columns"]),
            definition=row["definition"],
            believed=row["believed"],
            generated=expressions.get(name, {}),
            parents=tuple(above.get(name, ())),
        )
    return {name: table for name, table in found.items() if name not in ambiguous}


def _functions(rows: Sequence[Any]) -> Mapping[str, tuple[Function, ...]]:
    """What runs as somebody else, under settings of its own, or is no plain function, is not believed anything."""
    found: dict[str, list[Function]] = {}
    for row in rows:
        found.setdefault(row["name"].lower(), []).append(
            Function(
                language="" if row["apart"] else row["language"],
                immutable=row["immutable"],
                body="" if row["apart"] else _body(row),
                extension=row["extension"],
                defaults=row["defaults"],
            )
        )
    return {name: tuple(functions) for name, functions in found.items()}


def _body(row: Any) -> str:
    """A function's text; one that the server keeps parsed is `RETURN expression` or `BEGIN ATOMIC statements END`."""
    parsed = (row["parsed"] or "").strip()
    if not parsed or len(parsed) > _BODY:
        return str(row["body"])
    if parsed.startswith("RETURN "):
        return "SELECT " + parsed.removeprefix("RETURN ")
    return str(parsed.removeprefix("BEGIN ATOMIC").removesuffix("END"))


def _operators(rows: Sequence[Any]) -> Mapping[str, tuple[str, ...]]:
    """What they call; those that came with an extension are believed."""
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        calls = () if row["extension"] else (row["calls"].lower(),)
        found[row["name"].lower()] = found.get(row["name"].lower(), ()) + calls
    return found


def _casts(types: Sequence[Any], casts: Sequence[Any], checks: Sequence[Any]) -> Mapping[str, Cast]:
    """By the type's name: what is run for it and for the types that it is made of. Of too many types, for itself alone."""
    calls: dict[int, list[str]] = {}
    tests: dict[int, list[str]] = {}
    names: dict[int, str] = {row["type"]: row["name"] for row in casts}
    for row in casts:
        calls.setdefault(row["type"], []).append(row["calls"].lower())
    for row in checks:
        tests.setdefault(row["type"], []).append(row["expression"])
    names |= {row["oid"]: row["name"] for row in types}
    parts = {row["oid"]: (row["of"], *row["fields"]) for row in types}
    found: dict[str, Cast] = {}
    if not calls and not tests:
        return found
    for oid, name in names.items():
        inside: dict[int, None] = {}
        ahead = [oid]
        while ahead:
            each = ahead.pop()
            if each not in inside:
                inside[each] = None
                ahead += parts.get(each, ())
        run = Cast(
            calls=tuple(call for each in inside for call in calls.get(each, ())),
            checks=tuple(test for each in inside for test in tests.get(each, ())),
        )
        if run.calls or run.checks:
            found[name.lower()] = run
    return found
