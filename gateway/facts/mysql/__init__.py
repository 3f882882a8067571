"""What MySQL and MariaDB text would do, from the text and from what its session did before.

A text is cut into tokens as the server cuts it, once for each server that it may be meant for; where they read it
differently, all readings count and the command is in doubt. Queries and changes of rows are parsed by sqlglot; what that
does not know has a small grammar of its own. What neither knows is unknown.

Not seen, because only the target knows it: what triggers, column defaults and your own functions do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.facts.cache import Cache
from gateway.facts.mysql import bodies, settings
from gateway.facts.mysql.lexer import LexUnclear, Token, tokens
from gateway.facts.mysql.reading import Reading, Unreadable
from gateway.facts.mysql.servers import Server, Version, versions
from gateway.facts.mysql.state import State
from gateway.facts.mysql.statements import statement
from gateway.facts.schema import Schema
from gateway.model import Effect, Facts, Output

__all__ = ["ATTRIBUTES", "Context", "Server", "Texts", "follow", "read"]

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
_ROWLESS = frozenset({"call", "execute", "show", "explain", "analyze"})
"""Verbs that may return rows that the text does not describe."""
_EXECUTABLE = re.compile(r"/\*M?!")
_ONE_ANSWER = frozenset(
    {
        "select", "insert", "update", "delete", "replace", "set", "show", "use", "do", "explain", "describe", "begin",
        "start", "commit", "rollback", "savepoint", "release",
    }
)  # fmt: skip
"""Verbs of statements that are each answered once, by rows or by none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What decides how a session's next text reads: the server, and what went through before."""

    servers: tuple[Server, ...] = (Server.MYSQL, Server.MARIADB)
    state: State = field(default_factory=State)


PLAIN = Context()


class Texts:
    """Reads texts against what is known of one target, and remembers what they mean."""

    def __init__(self, schema: Schema | None = None) -> None:
        self._schema = schema
        self._facts: Cache[Facts] = Cache(entries=8_192, weight=24 * 1024 * 1024)

    def read(self, text: str, context: Context = PLAIN) -> Facts:
        """The facts of everything in `text`, judged as one command. Never raises, never waits, remembers."""
        key = text if context is PLAIN else f"{context.servers}{context.state.key()}\0{text}"
        found = self._facts.get(key)
        if found is None:
            found = _read(text, context.servers, context.state.copy(), self._schema, 0)
            if len(text) <= _CACHED_TEXT:
                weight = 1_024 + 3 * len(text)
                weight += 400 * (len(found.resources) + len(found.outputs or ()) + len(found.carried))
                self._facts.put(key, found, weight=weight)
        return found

    def read_each(self, text: str, context: Context = PLAIN) -> tuple[Facts, ...]:
        """The facts of each statement of `text`, in order; none where it cannot be told that each has one answer."""
        state = context.state.copy()
        each = versions(text, context.servers) if len(text) <= TEXT_MOST else ()
        unsure = state.unclear or (state.cuts_otherwise and not text.isascii())
        if len(each) != 1 or unsure or _EXECUTABLE.search(text) is not None:
            return ()
        return _apart(text, each[0], state, self._schema)


_unseen = Texts()
read = _unseen.read
"""`Texts.read` where nothing is known of the target."""


def follow(text: str, context: Context) -> Context:
    """The context behind `text`, which went through."""
    state = context.state.copy()
    facts = _read(text, context.servers, state, None, 0)
    if Effect.UNKNOWN in facts.effects and facts.attributes.get("sql.verbs") not in {"prepare", "set"}:
        state.forget_texts()
    return replace(context, state=state)


def _read(text: str, servers: Sequence[Server], state: State, schema: Schema | None, depth: int) -> Facts:
    """The facts; `state` is afterwards what the first of several readings leaves behind."""
    if len(text) > TEXT_MOST:
        return _unread("the text is too long")
    if state.unclear:
        return _unread(state.unclear)
    if state.cuts_otherwise and not text.isascii():
        return _unread("the session's character set cuts texts otherwise")
    each = versions(text, servers)
    if not each:
        return _unread("the text depends on too many versions of the server")
    states = [state, *(state.copy() for _ in each[1:])]
    readings = [_of(text, version, one, schema, depth) for version, one in zip(each, states, strict=True)]
    first = readings[0]
    if any(one.key() != state.key() for one in states[1:]):
        state.unclear = "the session's state depends on the version of the server"
    resources = tuple(dict.fromkeys(resource for facts in readings for resource in facts.resources))
    if all(_alike(first, other) for other in readings[1:]):
        return replace(first, resources=resources) if len(readings) > 1 else first
    return replace(
        first,
        effects=frozenset({Effect.UNKNOWN}).union(*(facts.effects for facts in readings)),
        resources=resources,
        attributes=dict(first.attributes) | {"sql.why_unknown": "servers read this differently"},
        complete=False,
        outputs=None,
        carried=tuple(dict.fromkeys(moved for facts in readings for moved in facts.carried)),
    )


def _alike(one: Facts, other: Facts) -> bool:
    """Whether it does not matter which server reads it."""
    same = (one.effects, one.complete, one.outputs) == (other.effects, other.complete, other.outputs)
    return same and one.carried == other.carried


def _of(text: str, version: Version, state: State, schema: Schema | None, depth: int) -> Facts:
    def inner(nested: str) -> Facts:
        if depth >= NESTED_MOST:
            return _unread("texts in texts nest too deep")
        return _read(nested, (version.server,), state, schema, depth + 1)

    reading = Reading(text=inner, state=state, schema=schema)
    try:
        found = _without_hints(reading, _complete(reading, text, version), version)
        if state.modes.pipes_as_concat and any(token.is_mark("||") for token in found):
            return _unread("the session's sql_mode gives || another meaning")
        each = bodies.cut(found)
        outputs = [_one(reading, part) for part in each]
    except Unreadable as unreadable:
        return _unread(str(unreadable))
    except RecursionError:
        return _unread("the text nests too deep")
    if not each and not reading.doubts:
        reading.does(Effect.SESSION)
    rows = [found for found in outputs if found is not None]
    told = len(each) == 1 or (len(rows) == 1 and not _ROWLESS & reading.verbs.keys())
    reading.outputs = rows[0] if rows and told else None
    return reading.facts(statements=len(each))


def _complete(reading: Reading, text: str, version: Version) -> Sequence[Token]:
    """The tokens up to the last semicolon before something that cannot be told, or all."""
    try:
        return tokens(text, version, reading.state.modes)
    except LexUnclear as unclear:
        reading.doubt(str(unclear))
        ends = [at for at, token in enumerate(unclear.before) if token.is_mark(";")]
        return unclear.before[: ends[-1]] if ends else ()


def _apart(text: str, version: Version, state: State, schema: Schema | None) -> tuple[Facts, ...]:
    def inner(nested: str) -> Facts:
        return _read(nested, (version.server,), state, schema, 1)

    found = []
    whole = Reading(text=inner, state=state, schema=schema)
    try:
        for part in bodies.cut(_without_hints(whole, _complete(whole, text, version), version)):
            reading = Reading(text=inner, state=state, schema=schema)
            reading.outputs = _one(reading, part)
            if bodies.is_program(part) or not reading.verbs.keys() <= _ONE_ANSWER:
                return ()
            found.append(reading.facts(statements=1))
    except (Unreadable, RecursionError):
        return ()
    return tuple(found) if not whole.doubts and all(facts.complete for facts in found) else ()


_SET_VAR = re.compile(r"\bSET_VAR\s*\(\s*(\w+)\s*=\s*(?:'([^']*)'|(\w+))", re.IGNORECASE)


def _without_hints(reading: Reading, found: Sequence[Token], version: Version) -> Sequence[Token]:
    """The tokens but for hints, which only say how, unless they set something for the statement."""
    if version.server is Server.MYSQL:
        for name, quoted, word in (
            each for t in found if t.kind == "hint" for each in _SET_VAR.findall(t.text)
        ):
            effects = settings.effects_of(name, "", quoted or word)
            reading.does(*effects - {Effect.UNKNOWN})
            reading.touches("setting", name, *effects - {Effect.UNKNOWN})
    return [token for token in found if token.kind != "hint"]


def _one(reading: Reading, part: Sequence[Token]) -> tuple[Output, ...] | None:
    reading.outputs = None
    statement(reading, part)
    return reading.outputs


def _unread(why: str) -> Facts:
    return Facts(
        effects=frozenset({Effect.UNKNOWN}),
        attributes={"sql.statements": 0, "sql.why_unknown": why},
        complete=False,
    )
