"""What a target's own catalogue says of its tables, views and functions: asked for now and then, read by every session.

Loading is bounded, and closed where it fails: what is not known is read as doubt. A function is believed to be what
the catalogue said only as long as nobody may have defined it anew: after a session has sent what defines, or what could
not be read, functions are unknown to it for good, and to others until the catalogue has been read twice more.

Beside `estimate`, the one module under `protocols/` that speaks to a network by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import asyncpg

from gateway.facts.postgres import Texts
from gateway.facts.postgres.resolving import resolved
from gateway.facts.schema import Function, Schema, Table
from gateway.model import Effect, Facts
from gateway.protocols.postgres.aside import connect
from gateway.protocols.postgres.plans import Plan, Plans
from gateway.protocols.postgres.reading import Background
from gateway.protocols.postgres.results import plan_rows
from gateway.wire import Login, Mask, Upstream

WITHIN = 20.0
"""Seconds that one reading of the catalogue may take."""
RELATIONS, COLUMNS, FUNCTIONS = 5_000, 100_000, 5_000
"""A target with more of these is read without its catalogue."""
_BODY = 8_192
NOTHING = Texts()
_DEFINING = frozenset({Effect.DDL, Effect.EXEC, Effect.UNKNOWN})
_TEMPORARY = re.compile(r"\btemp(?:orary)?\b", re.IGNORECASE)
_OURS = """nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE 'pg\\_temp\\_%'
    AND nspname NOT LIKE 'pg\\_toast\\_temp\\_%'"""
_PATH = "SELECT pg_catalog.current_schemas(false)::text[]"
_BARE = "SELECT pg_catalog.set_config('search_path', '', false)"
"""Now definitions come with every schema written out."""
_TABLES = f"""
    SELECT n.nspname || '.' || c.relname AS name, c.oid::int8 AS oid, c.relkind IN ('v', 'm') AS viewed,
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
        CASE WHEN l.lanname IN ('sql', 'plpgsql') AND pg_catalog.length(p.prosrc) <= {_BODY} THEN p.prosrc ELSE '' END AS body
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE {_OURS} LIMIT {FUNCTIONS + 1}"""  # noqa: S608  constants alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a catalogue said."""

    tables: Mapping[str, Table]
    functions: Mapping[str, tuple[Function, ...]]
    path: tuple[str, ...]
    places: Mapping[tuple[int, int], str]
    """`(table OID, attribute number)`, as answers name where a column comes from -> `schema.table.column`."""


class Known:
    """What is known of one target."""

    def __init__(self) -> None:
        self.told: Told | None = None
        """What it follows from."""
        self.schema: Schema | None = None
        self._believed = self.wary = NOTHING
        self.plans = Plans(partial(plan_rows, resolve=self._place))
        self._doubted = 0

    def _place(self, table: int, column: int) -> str | None:
        return self.told.places.get((table, column)) if self.told is not None else None

    @property
    def texts(self) -> Texts:
        return self.wary if self._doubted else self._believed

    def changed(self) -> None:
        """Somebody may have defined something: once it is done a reading that begins later will show it."""
        self._doubted = 2

    def renew(self, told: Told | None, schema: Schema | None) -> None:
        """The catalogue as it was read last, None where it could not be."""
        self._doubted = max(0, self._doubted - 1)
        if told == self.told:
            return
        self.told, self.schema = told, schema
        self.plans = Plans(partial(plan_rows, resolve=self._place))
        self._believed = Texts(schema) if schema is not None else NOTHING
        self.wary = Texts(replace(schema, functions={})) if schema is not None else NOTHING


class Knowing(Background):
    """One session's view of what is known."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._defined = False
        self._renamed = False

    @property
    def era(self) -> Texts:
        if self._renamed:
            return NOTHING
        return self._known.wary if self._defined else self._known.texts

    def read(self, text: str) -> Facts:
        return self.era.read(text)

    def read_each(self, text: str) -> tuple[Facts, ...]:
        return self.era.read_each(text)

    def plan_rows(self, description: bytes, facts: Facts, mask: Mask) -> Plan:
        return self._known.plans.rows(description, facts, mask)

    def released(self, facts: Facts, text: str) -> None:
        """A command goes on. What it defines may take effect with any later one: with the COMMIT.

        What could not be read, or makes temporary tables, may also change what names mean to this session.
        """
        if not facts.effects.isdisjoint(_DEFINING):
            self._defined = True
            self._renamed = (
                self._renamed or Effect.DDL not in facts.effects or _TEMPORARY.search(text) is not None
            )
        if self._defined:
            self._known.changed()


async def survey(upstream: Upstream, login: Login, known: Known) -> str:
    """Read the target's catalogue into `known`; "" or why it could not be read. Never raises for what the target does."""
    told, note = None, ""
    try:
        async with asyncio.timeout(WITHIN):
            told = await _told(upstream, login)
    except TimeoutError:
        note = f"the target did not answer within {WITHIN:g} s"
    except asyncpg.PostgresError as error:
        note = f"the target refused (SQLSTATE {error.sqlstate})"
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError):
        note = "the target could not be asked"
    else:
        if told is None:
            note = f"there are more than {RELATIONS} tables, {COLUMNS} columns or {FUNCTIONS} functions"
    if told is None or told == known.told:
        known.renew(told, None)
    else:
        # Views are parsed here, thousands at worst: beside the loop that carries sessions.
        known.renew(told, await asyncio.to_thread(resolved, told.tables, told.functions, told.path))
    return note


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
            functions = await connection.fetch(_FUNCTIONS)
    finally:
        connection.terminate()
    many = len(tables) > RELATIONS or len(functions) > FUNCTIONS
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
                body="" if row["apart"] else row["body"],
            )
        )
    return {name: tuple(functions) for name, functions in found.items()}
