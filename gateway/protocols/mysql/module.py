"""What the gateway needs of MySQL and MariaDB (`gateway.protocols.CommandReader`)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.facts.mysql import ATTRIBUTES, Context, Modes, Server, read
from gateway.model import Effect, Facts

SCHEMES: Mapping[str, int] = {"mysql": 3306, "mariadb": 3306}

_MODE = re.compile(r"\bsql_mode\s*(?::=|=)\s*(?:'([^']*)'|\"([^\"]*)\"|(\w+))", re.IGNORECASE)
_NAMES = re.compile(r"\bset\s+(?:names|character\s+set|charset)\s+['\"]?(\w+)", re.IGNORECASE)
_CLIENT = re.compile(r"\bcharacter_set_(?:client|connection)\s*(?::=|=)\s*['\"]?(\w+)", re.IGNORECASE)
_PREPARE = re.compile(r"\s*prepare\s+`?(\w+)`?\s+from\s", re.IGNORECASE)
_CUT_ALIKE = frozenset({"utf8", "utf8mb3", "utf8mb4", "latin1", "ascii", "binary", "default"})


def read_facts(row: Mapping[str, Any]) -> Facts:
    """The facts of `command`, or of the bytes in `command_b64`, as a session would read them.

    `dialect` says for which server; without it, for both. `session_before` counts: modes, character sets, what was
    prepared. Raises `ValueError` for a row without a command.
    """
    data = _command(row)
    context = _context(row)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _unread("the text is not UTF-8")
    if "\0" in text:
        return _unread("the text holds a NUL")
    facts = read(text, context)
    if "sql.execute" in facts.attributes:
        return _executed(facts, row, context)
    return facts


def _context(row: Mapping[str, Any]) -> Context:
    dialect = str(row.get("dialect", "")).lower()
    context = Context() if dialect not in {"mysql", "mariadb"} else Context(servers=(Server(dialect),))
    for before in map(str, row.get("session_before", ())):
        for match in _MODE.finditer(before):
            modes = {mode.strip().upper() for mode in (match[1] or match[2] or match[3] or "").split(",")}
            context = replace(
                context,
                modes=Modes(
                    ansi_quotes=bool(
                        modes & {"ANSI", "ANSI_QUOTES", "ORACLE", "MSSQL", "DB2", "MAXDB", "POSTGRESQL"}
                    ),
                    no_backslash_escapes="NO_BACKSLASH_ESCAPES" in modes,
                ),
            )
        for match in (*_NAMES.finditer(before), *_CLIENT.finditer(before)):
            cut = match[1].lower() in _CUT_ALIKE
            context = replace(
                context, unclear="" if cut else "the session's character set cuts texts otherwise"
            )
    return context


def _executed(facts: Facts, row: Mapping[str, Any], context: Context) -> Facts:
    """An EXECUTE with what the session prepared under that name."""
    wanted = str(facts.attributes["sql.execute"])
    for before in reversed([str(each) for each in row.get("session_before", ())]):
        match = _PREPARE.match(before)
        if match is None or match[1].lower() != wanted:
            continue
        prepared = read(before, context)
        effects = (facts.effects - {Effect.UNKNOWN}) | prepared.effects
        attributes = {**prepared.attributes, **facts.attributes}
        if prepared.complete:
            attributes.pop("sql.why_unknown", None)
        return replace(
            prepared,
            effects=effects,
            resources=tuple(dict.fromkeys((*facts.resources, *prepared.resources))),
            attributes=attributes,
        )
    return facts


def _command(row: Mapping[str, Any]) -> bytes:
    if "command_b64" in row:
        try:
            return base64.b64decode(str(row["command_b64"]), validate=True)
        except binascii.Error:
            raise ValueError("command_b64 is not base64") from None
    if isinstance(row.get("command"), str):
        return str(row["command"]).encode("utf-8", "surrogatepass")
    raise ValueError("the row has neither command nor command_b64")


def _unread(why: str) -> Facts:
    return Facts(
        effects=frozenset({Effect.UNKNOWN}),
        attributes={"sql.statements": 0, "sql.why_unknown": why},
        complete=False,
    )


__all__ = ["ATTRIBUTES", "SCHEMES", "read_facts"]
