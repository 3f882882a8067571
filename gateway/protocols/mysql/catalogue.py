"""What a target's own catalogue says of its tables and views: asked for now and then, read by every session.

Functions stay unknown: that one only computes is a claim which these servers do not check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

import aiomysql

from gateway.facts.mysql import Texts
from gateway.facts.mysql.resolving import resolved
from gateway.facts.schema import Schema, Table
from gateway.protocols.mysql.aside import connect, rows
from gateway.protocols.surveying import renewed
from gateway.wire import Login, Upstream

TABLES, COLUMNS = 5_000, 100_000
"""A target with more of these is read without its catalogue."""
_DEFINITION = 60_000
"""Characters of a view that is followed."""
NOTHING = Texts()
_HIDDEN = " "
"""The definition of a view that the gateway's account may not see: nothing can be read in it."""
_VERSION = "SELECT VERSION()"
_PLAIN = "SET SESSION sql_mode = ''"
"""Now definitions are quoted in one way."""
_BEGIN = "START TRANSACTION READ ONLY"
_OURS = "TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')"
_COLUMNS = f"""
    SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COALESCE(GENERATION_EXPRESSION, ''), EXTRA
    FROM information_schema.COLUMNS WHERE {_OURS}
    ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION LIMIT {COLUMNS + 1}"""  # noqa: S608  constants alone
_VIEWS = f"""
    SELECT TABLE_SCHEMA, TABLE_NAME,
        CASE WHEN CHAR_LENGTH(VIEW_DEFINITION) <= {_DEFINITION} THEN VIEW_DEFINITION ELSE '' END
    FROM information_schema.VIEWS WHERE {_OURS} LIMIT {TABLES + 1}"""  # noqa: S608  constants alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a catalogue said."""

    tables: Mapping[str, Table]
    path: tuple[str, ...]
    version: str = ""


class Killable(Protocol):
    """A session whose command somebody else of the same lineage may stop."""

    @property
    def cancel_key(self) -> bytes: ...
    @property
    def lineage(self) -> str: ...


class Known:
    """What is known of one target."""

    def __init__(self) -> None:
        self.told: Told | None = None
        """What it follows from."""
        self.schema: Schema | None = None
        self.texts = NOTHING
        """By which sessions read; what each has prepared, set and made temporarily is its own `Context`."""
        self.version = ""
        """What the server called itself when it was spoken to last."""
        self.sessions: WeakValueDictionary[int, Killable] = WeakValueDictionary()
        """Those of the gateway that are open there, by the numbers that their clients know them by."""

    def renew(self, told: Told | None, schema: Schema | None) -> None:
        """The catalogue as it was read last, None where it could not be."""
        if told == self.told:
            return
        self.told, self.schema = told, schema
        self.version = told.version if told is not None else self.version
        self.texts = Texts(schema) if schema is not None else NOTHING


async def survey(upstream: Upstream, login: Login, known: Known) -> str:
    """Read the target's catalogue into `known`; "" or why it could not be read. Never raises for what the target does."""
    return await renewed(
        known,
        _told(upstream, login),
        resolved=lambda told: resolved(told.tables, told.path),
        refusal=_refusal,
        most=f"{TABLES} tables or {COLUMNS} columns",
    )


def _refusal(error: Exception) -> str:
    if not isinstance(error, aiomysql.Error):
        return "the target could not be asked"
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    return f"the target refused or cannot be reached (error {number})"


async def _told(upstream: Upstream, login: Login) -> Told | None:
    """None where there is more than is read."""
    connection = await connect(upstream, login, application="countersign catalogue")
    try:
        version = await rows(connection, _VERSION)
        await connection.query(_PLAIN)
        await connection.query(_BEGIN)
        columns = await rows(connection, _COLUMNS)
        views = await rows(connection, _VIEWS)
    finally:
        connection.close()
    names = {row[:2] for row in columns}
    if len(columns) > COLUMNS or len(names) > TABLES or len(views) > TABLES:
        return None
    return Told(
        tables=_tables(columns, views),
        path=(login.database.lower(),) if login.database else (),
        version=version[0][0],
    )


def _tables(columns: Sequence[tuple[str, ...]], views: Sequence[tuple[str, ...]]) -> Mapping[str, Table]:
    """By lower-case name; left to doubt is what only case tells apart, has dots, or columns that `*` leaves out."""
    definitions = {(schema, name): definition or _HIDDEN for schema, name, definition in views}
    gathered: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for row in columns:
        gathered.setdefault((row[0], row[1]), []).append(row[2:])
    found: dict[str, Table] = {}
    doubted: set[str] = set()
    for (schema, name), each in gathered.items():
        full = f"{schema}.{name}".lower()
        if full in found or "." in schema or any("INVISIBLE" in extra.upper() for _, _, extra in each):
            doubted.add(full)
        if "." in name:
            doubted |= {full, name.lower()}
        found[full] = Table(
            columns=tuple(column.lower() for column, _, _ in each),
            definition=definitions.get((schema, name), ""),
            generated={column.lower(): expression for column, expression, _ in each if expression},
        )
    return {name: table for name, table in found.items() if name not in doubted}
