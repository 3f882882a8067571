"""How many rows a held command would touch, as the target's own planner sees it.

EXPLAIN, never EXPLAIN ANALYZE: the statement is planned and not run, on a read-only connection of the gateway's own
that is closed at once. Only a single SELECT, INSERT, UPDATE, DELETE or MERGE that could be read completely is sent,
because planning evaluates functions. Whatever goes wrong becomes a note; a note holds nothing that the target said.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson

from gateway.contract import Estimate
from gateway.model import Command, Effect
from gateway.protocols.postgres.aside import connect
from gateway.wire import Login, Upstream

AT_ONCE = 4
"""Estimates that may be under way at a time; further ones wait within their own time-out."""
PLAN_LINES = 8
_EXPLAINED = frozenset({"select", "insert", "update", "delete", "merge"})
_ELEMENT = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^,{}"]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TOTAL = "SELECT c.reltuples::bigint FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)"
_turns = asyncio.Semaphore(AT_ONCE)


async def estimate(upstream: Upstream, login: Login, command: Command, timeout: float = 1.0) -> Estimate:
    """Rows that `command` would touch; answers within `timeout` seconds and never raises for what the target does."""
    refusal = _refusal(command)
    if refusal:
        return Estimate(note=refusal)
    try:
        async with asyncio.timeout(timeout), _turns:
            return await _measured(upstream, login, command, timeout)
    except TimeoutError:
        return Estimate(note=f"no estimate: the target did not answer within {timeout:g} s")
    except asyncpg.InsufficientPrivilegeError:
        return Estimate(note="no estimate: the gateway's credential may not read what the command touches")
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError):
        return Estimate(note="no estimate: the target refused the gateway's login")
    except asyncpg.PostgresError as error:
        return Estimate(note=f"no estimate: the target cannot plan the command (SQLSTATE {error.sqlstate})")
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError):
        return Estimate(note="no estimate: the target could not be asked")


def _refusal(command: Command) -> str:
    """Why `command` is not sent to the planner; "" if it may be."""
    facts = command.facts
    if not facts.complete or Effect.UNKNOWN in facts.effects:
        return "no estimate: the command could not be read completely"
    if facts.attributes.get("sql.statements") != 1 or facts.attributes.get("sql.verbs") not in _EXPLAINED:
        return "no estimate: only a single SELECT, INSERT, UPDATE, DELETE or MERGE is planned"
    if facts.effects - {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE, Effect.SESSION}:
        return "no estimate: the command does more than read and change rows"
    return ""


async def _measured(upstream: Upstream, login: Login, command: Command, timeout: float) -> Estimate:
    connection = await connect(upstream, login, application="countersign estimate", timeout=timeout)
    try:
        plan = await _plan(connection, command)
        target, rows = _touched(plan)
        total = await _total(connection, command, target)
    finally:
        connection.terminate()
    return Estimate(rows=rows, total=total, plan="\n".join(_lines(plan)[:PLAN_LINES]))


async def _plan(connection: Any, command: Command) -> Mapping[str, Any]:
    """The plan's root, with the parameters' values bound as text, since text is what they are known by."""
    text = "EXPLAIN (FORMAT JSON) " + command.text.rstrip().rstrip(";")
    if not command.parameters:
        return _root(await connection.fetch(text))
    types = (await connection.prepare(text)).get_parameters()
    if len(types) != len(command.parameters):
        raise ValueError("parameters do not match")
    for schema, name in {(kind.schema, kind.name.removesuffix("[]")) for kind in types}:
        await connection.set_type_codec(name, schema=schema, format="text", encoder=str, decoder=str)
    values = [
        _elements(value) if kind.kind == "array" and value is not None else value
        for kind, value in zip(types, command.parameters, strict=True)
    ]
    statement = await connection.prepare(text)
    return _root(await statement.fetch(*values))


def _elements(text: str) -> list[str | None]:
    """A one-dimensional array's text (`{a,"b c",NULL}`) as its elements; raises `ValueError` for others."""
    if not (text.startswith("{") and text.endswith("}")):
        raise ValueError("not an array of one dimension")
    found: list[str | None] = []
    for match in _ELEMENT.finditer(text[1:-1]):
        quoted, plain = match["quoted"], match["plain"]
        if quoted is not None:
            found.append(_ESCAPED.sub(r"\1", quoted))
        elif plain:
            found.append(None if plain.upper() == "NULL" else plain)
    return found


def _root(rows: Sequence[Any]) -> Mapping[str, Any]:
    document = orjson.loads(rows[0][0])
    root: Mapping[str, Any] = document[0]["Plan"]
    return root


def _touched(plan: Mapping[str, Any]) -> tuple[str, int | None]:
    """The table that would change, "" for none, and how many of its rows; for a SELECT how many come back.

    A plan that changes rows gives none itself: their number is what its input brings.
    """
    changes = _changing(plan)
    if not changes:
        return "", _rows(plan)
    first = changes[0]
    inputs = [child for child in first.get("Plans", ()) if child.get("Parent Relationship") == "Outer"]
    rows = sum(_rows(child) or 0 for child in inputs) if inputs else _rows(first)
    name = str(first.get("Relation Name", ""))
    schema = str(first.get("Schema", ""))
    return (f"{schema}.{name}" if schema else name), rows


def _changing(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes that change rows, the statement's own before those of its WITH."""
    found = [plan] if plan.get("Node Type") == "ModifyTable" else []
    for child in plan.get("Plans", ()):
        found += _changing(child)
    return found


def _rows(plan: Mapping[str, Any]) -> int | None:
    value = plan.get("Plan Rows")
    return int(value) if isinstance(value, int | float) else None


async def _total(connection: Any, command: Command, target: str) -> int | None:
    """Rows in the table that would change, as its statistics have it; `None` where nobody has counted."""
    named = [r.name for r in command.facts.resources if r.kind == "table" and r.effect is Effect.WRITE]
    name = next((n for n in named if n.rpartition(".")[2] == target.lower()), "") or target
    if not name:
        return None
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
    total = await connection.fetchval(_TOTAL, quoted)
    return int(total) if total is not None and int(total) >= 0 else None


def _lines(plan: Mapping[str, Any], depth: int = 0) -> list[str]:
    """The plan's shape, one node a line: kinds, tables and indexes, never conditions, which hold values."""
    operation = f" ({plan['Operation']})" if "Operation" in plan and depth == 0 else ""
    relation = f" on {plan['Relation Name']}" if "Relation Name" in plan else ""
    index = f" using {plan['Index Name']}" if "Index Name" in plan else ""
    lines = [
        f"{'  ' * depth}{plan.get('Node Type', '?')}{operation}{index}{relation}, {_rows(plan) or 0} rows"
    ]
    for child in plan.get("Plans", ()):
        lines += _lines(child, depth + 1)
    return lines
