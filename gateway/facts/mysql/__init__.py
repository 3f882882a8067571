"""What MySQL and MariaDB text would do, from the text alone.

A text is cut into tokens as the server cuts it, once for each server that it may be meant for; where they read it
differently, both readings count and the command is in doubt. Queries and changes of rows are parsed by sqlglot; what that
does not know has a small grammar of its own. What neither knows is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.facts.cache import Cache
from gateway.facts.mysql.lexer import LexUnclear, Modes, Server, cut, tokens
from gateway.facts.mysql.reading import Reading
from gateway.facts.mysql.statements import statement
from gateway.model import Effect, Facts

__all__ = ["ATTRIBUTES", "Context", "Modes", "Server", "read"]

ATTRIBUTES = frozenset(
    {
        "sql.statements",
        "sql.verbs",
        "sql.has_where",
        "sql.where_restricts",
        "sql.execute",
        "sql.prepare",
        "sql.why_unknown",
    }
)
"""As for PostgreSQL; `docs/effects.md` says what each means."""
TEXT_MOST = 64 * 1024
NESTED_MOST = 4
"""How deep texts in strings of texts are read."""
_CACHED_TEXT = 4_096
_cache: Cache[Facts] = Cache(entries=8_192, weight=24 * 1024 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What of a session decides how its texts read."""

    servers: tuple[Server, ...] = (Server.MYSQL, Server.MARIADB)
    modes: Modes = field(default_factory=Modes)
    unclear: str = ""
    """Why no text of this session can be judged any more, or ""."""


PLAIN = Context()


def read(text: str, context: Context = PLAIN) -> Facts:
    """The facts of everything in `text`, judged as one command. Never raises, never waits, remembers."""
    key = f"{context.modes}{context.servers}{context.unclear}\0{text}" if context is not PLAIN else text
    found = _cache.get(key)
    if found is None:
        found = _read(text, context, 0)
        if len(text) <= _CACHED_TEXT:
            _cache.put(key, found, weight=1_024 + 3 * len(text) + 400 * len(found.resources))
    return found


def _read(text: str, context: Context, depth: int) -> Facts:
    if len(text) > TEXT_MOST:
        return _unread("the text is too long")
    if context.unclear:
        return _unread(context.unclear)
    readings = [_of(text, server, context.modes, depth) for server in context.servers]
    first = readings[0]
    if all(each.effects == first.effects and each.resources == first.resources for each in readings[1:]):
        return first
    why = "MySQL and MariaDB read this differently"
    return replace(
        first,
        effects=frozenset({Effect.UNKNOWN}).union(*(each.effects for each in readings)),
        resources=tuple(dict.fromkeys(resource for each in readings for resource in each.resources)),
        attributes=dict(first.attributes) | {"sql.why_unknown": why},
        complete=False,
        outputs=None,
    )


def _of(text: str, server: Server, modes: Modes, depth: int) -> Facts:
    def inner(nested: str) -> Facts:
        if depth >= NESTED_MOST:
            return _unread("texts in texts nest too deep")
        return _read(nested, Context(servers=(server,), modes=modes), depth + 1)

    reading = Reading()
    try:
        each = cut(tokens(text, server, modes))
        for found in each:
            statement(reading, found, inner)
    except LexUnclear as unclear:
        return _unread(str(unclear))
    except RecursionError:
        return _unread("the text nests too deep")
    if not each:
        reading.does(Effect.SESSION)
    if len(each) > 1:
        reading.outputs = (
            None if sum(1 for found in each if found[0].upper in {"SELECT", "WITH"}) > 1 else reading.outputs
        )
    return reading.facts(statements=len(each))


def _unread(why: str) -> Facts:
    return Facts(
        effects=frozenset({Effect.UNKNOWN}),
        attributes={"sql.statements": 0, "sql.why_unknown": why},
        complete=False,
    )
