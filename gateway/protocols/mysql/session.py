"""What one session's texts mean: its server, its modes and character set, and what went through before."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import Final

from gateway.facts.mysql import Context, Server, Texts, follow
from gateway.facts.mysql.lexer import cuts_alike
from gateway.facts.mysql.settings import modes_of
from gateway.facts.mysql.state import State, Variable
from gateway.facts.mysql.statements import GRANTED
from gateway.model import Effect, Facts, measured
from gateway.protocols.mysql.catalogue import Known
from gateway.protocols.mysql.upstream_login import Modes

_LATIN1: Final = frozenset({5, 8, 15, 31, 47, 48, 49, 94})
_UTF8: Final = frozenset({11, 33, 45, 46, 63, 65, 76, 83, *range(192, 248), *range(255, 324)})
"""Collations of UTF-8 and of what is part of it, by number."""
_QUIET: Final = frozenset(
    {"select", "insert", "update", "delete", "replace", "show", "begin", "start", "commit", "rollback"}
)
"""Verbs that leave nothing behind by which a later text reads otherwise, unless they name a variable or a table."""
_LEAVES: Final = frozenset({Effect.DDL, Effect.EXEC, Effect.UNKNOWN})
_CLIENTS = re.compile(
    r"\bset\b.*(?:names|charset|character\s+set|character_set_client)", re.IGNORECASE | re.DOTALL
)
_SETS_CHARSET = re.compile(r"\bset\b.*(?:names|charset|character[\s_]+set)", re.IGNORECASE | re.DOTALL)
_NAMES = re.compile(
    r"\s*(?:/\*!\d*)?\s*set\s+(?:names|character\s+set|charset|character_set_client\s*=)\s*['\"]?(\w+)['\"]?"
    r"(?:\s+collate\s+['\"]?\w+['\"]?)?\s*(?:\*/)?\s*;?\s*",
    re.IGNORECASE,
)
_CHARSETS: Final = {
    "utf8": "utf-8",
    "utf8mb3": "utf-8",
    "utf8mb4": "utf-8",
    "ascii": "utf-8",
    "binary": "utf-8",
    "latin1": "cp1252",
}
_MOST_SETTINGS = 200
_MOST_TEXTS, _SHORT = 256, 4_096
_OTHERWISE = "the session's character set may read this text otherwise"


def codec_of(collation: int) -> str:
    """In what the texts of a client are written that names this collation; "" for what is not read here."""
    return "utf-8" if collation in _UTF8 else "cp1252" if collation in _LATIN1 else ""


class Reading:
    """Reads the texts of one session."""

    def __init__(self, known: Known, *, codec: str, database: str, account: str) -> None:
        """`account` is whom the target knows: with the name space it decides what would run."""
        self._known = known
        self._codec = codec
        self._account = account
        self.labels = "utf8mb4"
        """The character set that names of columns come in, "" where nobody knows it."""
        self.context = Context(state=State(database=database.lower()))
        self._set: dict[str, str] = {}
        """By setting, the text that set it last: it may decide what a later text does."""
        self._named: tuple[Context, bytes] | None = None
        """The name space of a context, as long as nothing else has changed: most texts change nothing."""
        self._read: tuple[Context, Texts, dict[str, Facts]] | None = None
        """What short texts were read to do in a context, by what is known."""

    def begin(self, version: str, modes: Modes) -> None:
        """The target has said what it is and how it reads."""
        server = Server.MARIADB if "mariadb" in version.lower() else Server.MYSQL
        self.context = Context(servers=(server,), state=self.context.state.copy())
        self.reset(modes)

    def reset(self, modes: Modes) -> None:
        """A session begins, or begins anew: only its database stays."""
        found, unclear = modes_of(modes.sql_mode)
        self._codec = _CHARSETS.get(modes.character_set.lower(), "")
        self.labels = modes.character_set.lower()
        state = State(
            modes=found,
            unclear=unclear,
            cuts_otherwise=not cuts_alike(modes.character_set),
            database=self.context.state.database,
        )
        self.context = replace(self.context, state=state)
        self._set.clear()
        self._named = None

    def text(self, data: bytes) -> str:
        """As people read it. What is not of the character set stands there as escapes, and outside of quotes is no token."""
        return data.decode(self._codec or "utf-8", "backslashreplace")

    def reads(self, data: bytes) -> bool:
        """Whether a text is written in a character set that is read here."""
        return bool(self._codec) or data.isascii()

    def facts(self, text: str, context: Context, *, read: bool) -> Facts:
        """`read` is whether the bytes were of a character set that is read here."""
        found = self._found(text, context)
        if read:
            return found
        return replace(
            found,
            complete=False,
            outputs=None,
            attributes={**found.attributes, "sql.why_unknown": _OTHERWISE},
        )

    def _found(self, text: str, context: Context) -> Facts:
        texts = self._known.texts
        if self._read is None or self._read[0] is not context or self._read[1] is not texts:
            self._read = (context, texts, {})
        remembered = self._read[2]
        found = remembered.get(text)
        if found is None:
            found = texts.read(text, context)
            if Server.MARIADB in context.servers and any(each.name == GRANTED for each in found.resources):
                # It tells the hash of the gateway's own password.
                found = replace(found, effects=found.effects | {Effect.EXFIL})
            if len(text) <= _SHORT:
                if len(remembered) >= _MOST_TEXTS:
                    remembered.clear()
                remembered[text] = found
        return found

    def each(self, text: str, facts: Facts, context: Context) -> tuple[Facts, ...]:
        """Those of each statement of a text with several, if each of them is answered once; `facts` are of all together."""
        several = facts.complete and facts.attributes.get("sql.statements", 0) not in {0, 1}
        return self._known.texts.read_each(text, context) if several else ()

    def namespace(self, context: Context) -> bytes:
        """What else decides what a text does."""
        if self._named is not None and self._named[0] is context:
            return self._named[1]
        key = context.state.key().encode("utf-8", "backslashreplace")
        names = [context.state.database.encode(), self._account.encode(), self._codec.encode(), key]
        settings = [
            part.encode("utf-8", "backslashreplace") for pair in sorted(self._set.items()) for part in pair
        ]
        named = measured(b"mysql", *names, *settings)
        self._named = (context, named)
        return named

    def prepared_in(self, then: Context) -> Context:
        """The context in which a text runs that was prepared `then`: cut as it was, with what names mean now."""
        if then is self.context:
            return then
        state = self.context.state.copy()
        state.modes = then.state.modes
        state.cuts_otherwise = then.state.cuts_otherwise
        state.database = then.state.database
        state.unclear = state.unclear or then.state.unclear
        return replace(self.context, state=state)

    # What went through.

    def ran(self, text: str, facts: Facts, context: Context, *, failed: bool) -> None:
        """`text` was read in `context`, ran, and is over."""
        if _quiet(text, facts):
            return
        self._named = None
        self._remember(text, facts)
        before, after = context.state, follow(text, context).state
        state = self.context.state.copy()
        if failed:
            _doubt(state, before, after, several=facts.attributes.get("sql.statements") != 1)
        else:
            # What it changed counts; what a prepared text was cut by is its own.
            for name in ("modes", "cuts_otherwise", "database"):
                if getattr(after, name) != getattr(before, name):
                    setattr(state, name, getattr(after, name))
            state.unclear = state.unclear or after.unclear
            state.shadowed, state.unseen = after.shadowed, after.unseen
            state.variables, state.prepared = dict(after.variables), dict(after.prepared)
        self.context = replace(self.context, state=state)
        if _SETS_CHARSET.search(text):
            self._charset_set(text, failed=failed)

    def _remember(self, text: str, facts: Facts) -> None:
        names = {each.name for each in facts.resources if each.kind == "setting"}
        if not names and "set" in str(facts.attributes.get("sql.verbs", "")).split(", "):
            names = {""}
        if len(self._set) > _MOST_SETTINGS:
            self._set = {"": sha256(repr(self._set).encode("utf-8", "backslashreplace")).hexdigest()}
        self._set |= dict.fromkeys(names, text)

    def _charset_set(self, text: str, *, failed: bool) -> None:
        named = _NAMES.fullmatch(text)
        if named is None:
            if _CLIENTS.search(text):
                self._codec = ""
            self.labels = ""
        elif not failed:
            self._codec = _CHARSETS.get(named[1].lower(), "")
            self.labels = named[1].lower()

    def used(self, database: str) -> None:
        state = self.context.state.copy()
        state.database = database.lower()
        self.context = replace(self.context, state=state)


def _quiet(text: str, facts: Facts) -> bool:
    verbs = {verb for verb in str(facts.attributes.get("sql.verbs", "")).split(", ") if verb}
    return bool(verbs) and verbs <= _QUIET and "@" not in text and facts.effects.isdisjoint(_LEAVES)


def _doubt(state: State, before: State, after: State, *, several: bool) -> None:
    """A text failed that would have changed something: perhaps it did, before it failed."""
    if several and after.database != before.database:
        state.unclear = (
            state.unclear or "a text that changes the database has failed behind that or before it"
        )
    if after.modes != before.modes or after.cuts_otherwise != before.cuts_otherwise:
        state.unclear = state.unclear or "a change of what decides how texts read has failed"
    for name in after.variables.keys() | before.variables.keys():
        new, old = after.variable(name), before.variable(name)
        if new != old:
            state.assign(name, Variable(sources=new.sources | old.sources))
    for name in [*state.prepared]:
        if after.prepared.get(name) != before.prepared.get(name):
            del state.prepared[name]
    state.shadowed |= after.shadowed
    state.unseen = state.unseen or after.unseen
    state.unclear = state.unclear or after.unclear


__all__ = ["Reading", "codec_of"]
