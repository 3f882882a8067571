"""Statements about schema, stored code, accounts and the server itself, read from their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from gateway.facts.mysql.grammar import dotted, split
from gateway.facts.mysql.lexer import Token
from gateway.facts.mysql.reading import Reading
from gateway.model import Effect, Effects

_OBJECTS = """
TABLE VIEW INDEX DATABASE PROCEDURE FUNCTION TRIGGER EVENT USER ROLE SERVER TABLESPACE LOGFILE SEQUENCE PACKAGE RESOURCE
INSTANCE CATALOG
"""
_KINDS = {word: word.lower() for word in _OBJECTS.split()} | {
    "SCHEMA": "database",
    "TABLES": "table",
    "TRUNCATE": "table",
}
_ELSEWHERE = frozenset({"FEDERATED", "FEDERATEDX", "CONNECT", "SPIDER", "S3", "CSV", "OQGRAPH", "MROONGA"})
"""Engines that keep rows in other servers, or in files that others read and write."""
_KEEPS = frozenset({"INDEX", "KEY", "FOREIGN", "PRIMARY", "CONSTRAINT", "CHECK", "DEFAULT"})
"""What ALTER TABLE may drop without losing rows."""
_LOSES = frozenset({"DISCARD", "EXCHANGE", "COALESCE"})
_BETWEEN = frozenset(
    {"IF", "EXISTS", "NOT", "IGNORE", "ONLINE", "LOCAL", "NO_WRITE_TO_BINLOG", "TABLE", "TABLES"}
)
"""Words between a kind and the name."""
_KIND_WITHIN = 14
"""The kind stands among the first words of CREATE, ALTER and DROP, behind OR REPLACE, ALGORITHM, DEFINER and the like."""

_FIXED: dict[str, Effects] = {
    word: frozenset(effects)
    for words, effects in {
        "GRANT REVOKE START": {Effect.PRIVILEGE},
        "KILL SHUTDOWN RESTART PURGE": {Effect.DESTRUCTIVE},
        "TRUNCATE": {Effect.WRITE, Effect.DESTRUCTIVE},
        "STOP": {Effect.PRIVILEGE, Effect.DESTRUCTIVE},
        "INSTALL UNINSTALL": {Effect.EXEC, Effect.PRIVILEGE},
        "CHANGE": {Effect.PRIVILEGE, Effect.EXFIL},
        "IMPORT": {Effect.DDL, Effect.WRITE, Effect.EXFIL},
        "CLONE": {Effect.EXFIL, Effect.PRIVILEGE, Effect.DESTRUCTIVE},
        "OPTIMIZE REPAIR": {Effect.WRITE},
        "BACKUP": {Effect.SESSION, Effect.DESTRUCTIVE},
        "BINLOG": {Effect.WRITE, Effect.PRIVILEGE, Effect.UNKNOWN},
    }.items()
    for word in words.split()
}


def kind_at(words: Sequence[str]) -> int:
    """Where CREATE, ALTER or DROP says of which kind the thing is; 0 if nowhere."""
    return next((at for at, word in enumerate(words[:_KIND_WITHIN]) if word in _KINDS and at), 0)


def define(reading: Reading, tokens: Sequence[Token]) -> bool:
    """Whether the statement is one of these, which is then read."""
    words = [token.upper for token in tokens]
    first, second = (*words, "", "")[:2]
    match first:
        case "CREATE" | "ALTER" | "DROP":
            effects = _defined(words, tokens)
        case "RENAME":
            effects = frozenset({Effect.PRIVILEGE if second == "USER" else Effect.DDL})
        case "FLUSH":
            effects = _flushed(words)
        case "RESET":
            effects = frozenset({Effect.WRITE if second == "QUERY" else Effect.DESTRUCTIVE})
        case _ if first in _FIXED:
            effects = _FIXED[first]
        case _:
            return False
    reading.does(*effects)
    if Effect.UNKNOWN in effects:
        reading.doubt("what is defined or replayed cannot be read")
    _renamed(reading, words, tokens)
    for kind, name in _named(words, tokens):
        reading.touches(kind, name, *sorted(effects - {Effect.UNKNOWN}))
    return True


def shadow(reading: Reading, tokens: Sequence[Token]) -> None:
    """From here on what is defined may be another thing than the target's catalogue tells, if only to this session."""
    for kind, name in _named([token.upper for token in tokens], tokens):
        if kind in {"table", "view"}:
            reading.state.shadow(name)


def _flushed(words: Sequence[str]) -> Effects:
    if {"PRIVILEGES", "USER_RESOURCES"} & set(words):
        return frozenset({Effect.PRIVILEGE})
    if "EXPORT" in words or {"READ", "LOCK"} <= set(words):
        return frozenset({Effect.SESSION, Effect.DESTRUCTIVE})
    return frozenset({Effect.WRITE})


def _defined(words: Sequence[str], tokens: Sequence[Token]) -> Effects:
    first = words[0]
    at = kind_at(words)
    kind = words[at]
    if kind in {"USER", "ROLE", "INSTANCE", "RESOURCE"} or words[1:2] == ["DEFAULT"]:
        return frozenset({Effect.PRIVILEGE, *([Effect.DESTRUCTIVE] if first == "DROP" else [])})
    if not at:
        return frozenset({Effect.UNKNOWN})
    effects = {Effect.DDL}
    if kind == "SERVER":
        effects.add(Effect.EXFIL)
    temporary = "TEMPORARY" in words[:at]
    if first == "DROP" and kind != "INDEX" and not temporary:
        effects.add(Effect.DESTRUCTIVE)
    if first == "CREATE" and "REPLACE" in words[:at] and kind in {"TABLE", "DATABASE", "SCHEMA", "SEQUENCE"}:
        effects.update(() if temporary else (Effect.DESTRUCTIVE,))
    if "DEFINER" in words[:at] or _follow(words, "SECURITY", "DEFINER"):
        effects.add(Effect.PRIVILEGE)
    if kind == "FUNCTION" and "SONAME" in words:
        effects.update((Effect.EXEC, Effect.PRIVILEGE))
    if kind in {"EVENT", "TRIGGER"} and first != "DROP":
        effects.add(Effect.EXEC)
    if kind in {"TABLE", "DATABASE", "SCHEMA", "TABLESPACE"}:
        effects |= _options(first, words, tokens)
    return frozenset(effects)


def _follow(words: Sequence[str], one: str, other: str) -> bool:
    return any(pair == (one, other) for pair in pairwise(words))


def _options(first: str, words: Sequence[str], tokens: Sequence[Token]) -> set[Effect]:
    """What the options of a table and the steps of ALTER TABLE do beside changing the schema."""
    effects: set[Effect] = set()
    depth = 0
    for at, word in enumerate(words):
        depth += tokens[at].is_mark("(") - tokens[at].is_mark(")")
        following = words[at + 1] if at + 1 < len(words) else ""
        if depth == 0 and word in {"ENGINE", "TYPE"}:
            value = next((each.text.upper() for each in tokens[at + 1 : at + 3] if not each.is_mark("=")), "")
            effects |= {Effect.EXFIL} if value in _ELSEWHERE else set()
            effects |= {Effect.DESTRUCTIVE} if value == "BLACKHOLE" and first == "ALTER" else set()
        # Partitions name directories too, inside parentheses.
        if word == "DIRECTORY" or (depth == 0 and word == "CONNECTION"):
            effects.add(Effect.EXFIL)
        if first == "ALTER" and depth == 0:
            lost = (word == "DROP" and following not in _KEEPS) or word in _LOSES
            lost = lost or (word, following) in {("TRUNCATE", "PARTITION"), ("REMOVE", "PARTITIONING")}
            effects |= {Effect.DESTRUCTIVE} if lost else set()
    return effects


def _named(words: Sequence[str], tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """What the statement names: all that DROP, TRUNCATE and RENAME list, else the first."""
    at = next((at for at, word in enumerate(words[:_KIND_WITHIN]) if word in _KINDS), None)
    if at is None or words[0] in {"GRANT", "REVOKE", "FLUSH", "START", "STOP", "CHANGE", "PURGE", "KILL"}:
        return []
    kind = _KINDS[words[at]]
    at += 1
    while at < len(words) and words[at] in _BETWEEN:
        at += 1
    parts = (
        split(tokens[at:]) if words[0] in {"DROP", "RENAME", "OPTIMIZE", "REPAIR"} else [list(tokens[at:])]
    )
    names = [(kind, name) for part in parts if (name := dotted(part))]
    if kind == "index" and (on := next((at for at, word in enumerate(words) if word == "ON"), None)):
        names.append(("table", dotted(tokens[on + 1 :])))
    return names


def _moved(reading: Reading, name: str, to: str) -> None:
    relation = reading.relation(name, "")
    reading.carries(f"{to}.*", relation.whole, exact=all(output.exact for output in relation.star()))
    reading.state.shadow(to)


def _renamed(reading: Reading, words: Sequence[str], tokens: Sequence[Token]) -> None:
    """Values that are stored already go on under another name."""
    if words[0] == "RENAME":
        for part in split(tokens[2:]):
            to = next((at for at, token in enumerate(part) if token.upper == "TO"), len(part))
            _moved(reading, dotted(part), dotted(part[to + 1 :]))
    if words[:1] != ["ALTER"] or "TABLE" not in words[:_KIND_WITHIN]:
        return
    name = next((name for kind, name in _named(words, tokens) if kind == "table"), "")
    for part in split(tokens[words.index("TABLE") + 1 :]):
        each = [token.upper for token in part]
        if "RENAME" in each:
            behind = part[each.index("RENAME") + 1 :]
            to = next((at for at, token in enumerate(behind) if token.upper in {"TO", "AS"}), -1)
            if behind[:1] and behind[0].upper == "COLUMN" and to > 1:
                reading.carries(
                    f"{name}.{dotted(behind[to + 1 :])}", {f"{name}.{dotted(behind[1:])}"}, exact=True
                )
            elif behind[:1] and behind[0].upper not in {"INDEX", "KEY"}:
                _moved(reading, name, dotted(behind[to + 1 :]))
        if "CHANGE" in each:
            behind = [
                t for t in part[each.index("CHANGE") + 1 :] if t.upper not in {"COLUMN", "IF", "EXISTS"}
            ]
            if len(behind) > 1:
                reading.carries(f"{name}.{dotted(behind[1:])}", {f"{name}.{dotted(behind)}"}, exact=True)
        if "EXCHANGE" in each and "TABLE" in each:
            other = dotted(part[each.index("TABLE") + 1 :])
            reading.carries(f"{other}.*", {f"{name}.*"}, exact=True)
        if "AS" in each and ({"ADD", "MODIFY", "CHANGE"} & set(each[:12])):
            made_of = {
                f"{name}.{t.text.lower()}" for t in part[each.index("AS") :] if t.kind in {"word", "name"}
            }
            reading.carries(f"{name}.*", made_of)
