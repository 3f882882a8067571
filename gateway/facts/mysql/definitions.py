"""Statements about schema, stored code, accounts and the server itself, read from their tokens."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.mysql.lexer import Token
from gateway.facts.mysql.reading import Reading
from gateway.model import Effect

_KINDS = frozenset(
    [
        "TABLE",
        "VIEW",
        "INDEX",
        "DATABASE",
        "SCHEMA",
        "PROCEDURE",
        "FUNCTION",
        "TRIGGER",
        "EVENT",
        "USER",
        "ROLE",
        "SERVER",
        "TABLESPACE",
        "LOGFILE",
        "SEQUENCE",
        "PACKAGE",
        "RESOURCE",
        "SPATIAL",
        "INSTANCE",
        "CATALOG",
    ]
)
_STORED = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"})
_ACCOUNTS = frozenset({"USER", "ROLE"})
_ELSEWHERE = frozenset({"FEDERATED", "FEDERATEDX", "CONNECT", "SPIDER", "S3", "CSV", "BLACKHOLE", "OQGRAPH"})
"""Engines that keep rows in other servers or in files, or lose them."""
_KEEPS = frozenset({"INDEX", "KEY", "FOREIGN", "PRIMARY", "CONSTRAINT", "CHECK", "DEFAULT"})
"""What ALTER TABLE may drop without losing rows."""

_FIXED: dict[str, frozenset[Effect]] = {
    "TRUNCATE": frozenset({Effect.WRITE, Effect.DESTRUCTIVE}),
    "GRANT": frozenset({Effect.PRIVILEGE}),
    "REVOKE": frozenset({Effect.PRIVILEGE}),
    "KILL": frozenset({Effect.DESTRUCTIVE}),
    "SHUTDOWN": frozenset({Effect.DESTRUCTIVE}),
    "RESTART": frozenset({Effect.DESTRUCTIVE}),
    "PURGE": frozenset({Effect.DESTRUCTIVE}),
    "INSTALL": frozenset({Effect.EXEC, Effect.PRIVILEGE}),
    "UNINSTALL": frozenset({Effect.EXEC, Effect.PRIVILEGE}),
    "CHANGE": frozenset({Effect.PRIVILEGE, Effect.EXFIL}),
    "STOP": frozenset({Effect.PRIVILEGE, Effect.DESTRUCTIVE}),
    "START": frozenset({Effect.PRIVILEGE}),
    "IMPORT": frozenset({Effect.DDL, Effect.WRITE, Effect.EXFIL}),
    "CLONE": frozenset({Effect.EXFIL, Effect.PRIVILEGE, Effect.DESTRUCTIVE}),
    "OPTIMIZE": frozenset({Effect.WRITE}),
    "REPAIR": frozenset({Effect.WRITE}),
    "BACKUP": frozenset({Effect.SESSION, Effect.DESTRUCTIVE}),
}


def define(reading: Reading, tokens: Sequence[Token]) -> bool:
    """Whether the statement is one of these, which is then read."""
    words = [token.upper for token in tokens]
    first, second = (*words, "", "")[:2]
    match first:
        case "CREATE" | "ALTER" | "DROP":
            _defined(reading, words, tokens)
        case "RENAME":
            reading.does(Effect.PRIVILEGE if second == "USER" else Effect.DDL)
        case "FLUSH":
            _flush(reading, words)
        case "RESET":
            reading.does(Effect.WRITE if second == "QUERY" else Effect.DESTRUCTIVE)
        case "BINLOG":
            reading.does(Effect.WRITE, Effect.PRIVILEGE)
            reading.doubt("what an event changes cannot be read")
        case _ if first in _FIXED:
            reading.does(*_FIXED[first])
        case _:
            return False
    name = _object(words, tokens)
    if name:
        reading.touches("table", name, *sorted(reading.effects - {Effect.UNKNOWN}))
    return True


def _flush(reading: Reading, words: Sequence[str]) -> None:
    if {"PRIVILEGES", "USER_RESOURCES"} & set(words):
        reading.does(Effect.PRIVILEGE)
    elif {"READ", "LOCK"} <= set(words) or "EXPORT" in words:
        reading.does(Effect.SESSION, Effect.DESTRUCTIVE)
    else:
        reading.does(Effect.WRITE)


def _defined(reading: Reading, words: Sequence[str], tokens: Sequence[Token]) -> None:
    first = words[0]
    kind = next((word for word in words[1:14] if word in _KINDS), "")
    every = set(words)
    if kind in _ACCOUNTS or words[1:2] == ["DEFAULT"]:
        reading.does(Effect.PRIVILEGE, *([Effect.DESTRUCTIVE] if first == "DROP" else []))
        return
    if kind in {"INSTANCE", "RESOURCE"}:
        reading.does(Effect.PRIVILEGE)
        return
    if not kind:
        reading.doubt("what is defined is not known here")
        return
    reading.does(Effect.DDL)
    if kind == "SERVER":
        reading.does(Effect.EXFIL)
    if first == "DROP" and kind != "INDEX":
        reading.does(Effect.DESTRUCTIVE)
    if (
        first == "CREATE"
        and words[1:3] == ["OR", "REPLACE"]
        and kind in {"TABLE", "DATABASE", "SCHEMA", "SEQUENCE"}
    ):
        reading.does(Effect.DESTRUCTIVE)
    if "DEFINER" in every:
        reading.does(Effect.PRIVILEGE)
    if "SONAME" in every:
        reading.does(Effect.EXEC, Effect.PRIVILEGE)
    if kind in {"EVENT", "TRIGGER"} and first != "DROP":
        reading.does(Effect.EXEC)
    if (
        kind in _STORED
        and first == "CREATE"
        and every & {"DROP", "TRUNCATE", "GRANT", "REVOKE", "SHUTDOWN", "KILL"}
    ):
        reading.does(Effect.DESTRUCTIVE)
    if kind in {"TABLE", "DATABASE", "SCHEMA"}:
        _table(reading, first, words, tokens)


def _table(reading: Reading, first: str, words: Sequence[str], tokens: Sequence[Token]) -> None:
    for at, token in enumerate(tokens):
        following = words[at + 1] if at + 1 < len(words) else ""
        word = words[at]
        if word in {"ENGINE", "TYPE"}:
            value = next((each for each in tokens[at + 1 : at + 3] if each.text != "="), None)
            if value is not None and value.text.upper() in _ELSEWHERE:
                reading.does(Effect.EXFIL)
        if word in {"CONNECTION", "DIRECTORY"} and token.kind == "word":
            reading.does(Effect.EXFIL)
        if first == "ALTER" and (
            (word == "DROP" and following not in _KEEPS)
            or (word == "TRUNCATE" and following == "PARTITION")
            or (word in {"DISCARD", "EXCHANGE", "COALESCE"})
            or (word == "REMOVE" and following == "PARTITIONING")
        ):
            reading.does(Effect.DESTRUCTIVE)


def _object(words: Sequence[str], tokens: Sequence[Token]) -> str:
    """The table, view or database that the statement names first."""
    skipped = {"IF", "EXISTS", "NOT", "IGNORE", "ONLINE", "LOCAL", "NO_WRITE_TO_BINLOG", "TABLES"}
    at = next(
        (at for at, word in enumerate(words) if word in {"TABLE", "VIEW", "DATABASE", "SCHEMA", "TRUNCATE"}),
        None,
    )
    if at is None:
        return ""
    at += 1
    while at < len(words) and (words[at] in skipped or words[at] == "TABLE"):
        at += 1
    parts: list[str] = []
    for place, token in enumerate(tokens[at:]):
        if place % 2 == 0 and token.kind in {"word", "name"}:
            parts.append(token.text)
        elif not (place % 2 == 1 and token.text == "."):
            break
    return ".".join(parts)
