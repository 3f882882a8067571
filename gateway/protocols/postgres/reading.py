"""From the bytes of a client's text to what it would do, under the settings that the server reads it with.

Where server and gateway might read a text differently, its facts become incomplete: `unknown`, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gateway.facts.sources import stored_in
from gateway.model import Effect, Facts, measured
from gateway.protocols.postgres.exchange import Exchange
from gateway.protocols.postgres.statements import NOT_TEXT, Portal, Statement, Traits

Read = Callable[[str], Facts]

KEPT = 512
_QUERY = measured(b"query")
EXECUTES: Final = "a prepared statement is executed whose text stands elsewhere"
"""The one doubt about SQL's EXECUTE that knowing the statement's text removes; `gateway.facts.postgres` says it."""
_NOTHING_KNOWN = Facts(
    effects=frozenset({Effect.UNKNOWN}),
    complete=False,
    attributes={"sql.why_unknown": "nobody knows this name"},
)
_TEMPORARY = re.compile(r"\btemp(?:orary)?\b", re.IGNORECASE)
_TRANSACTION = re.compile(
    r"\s*(?:begin|start|commit|end|rollback|abort|savepoint|release|declare|fetch|move|close|show|explain|listen|notify)\b",
    re.IGNORECASE,
)
"""Session commands that leave alone what names mean."""
_CODECS = {
    "LATIN1": "iso8859-1",
    "LATIN9": "iso8859-15",
    "WIN1252": "cp1252",
    "WIN1251": "cp1251",
    "WIN1250": "cp1250",
    "KOI8R": "koi8-r",
    "EUC_JP": "euc_jp",
    "EUC_KR": "euc_kr",
    "SJIS": "shift_jis",
    "GBK": "gbk",
    "BIG5": "big5",
    "GB18030": "gb18030",
}
"""Encodings whose texts can at least be shown."""
_SINGLE_BYTES = frozenset({"LATIN1", "LATIN9", "WIN1250", "WIN1251", "WIN1252", "KOI8R"})
"""Encodings whose bytes are one character each, ASCII where it is ASCII: read by their codec a text is what the server reads."""


class Background:
    """What texts are read against: here, nothing but the text."""

    @property
    def era(self) -> object:
        """Another object where texts may read otherwise than before."""
        return None

    def released(self, facts: Facts, text: str) -> None:
        """A command was let through."""


class Reader:
    """Reads texts for one session."""

    def __init__(self, exchange: Exchange, read: Read, background: Background | None = None) -> None:
        self._exchange = exchange
        self._read = read
        self._background = background if background is not None else Background()
        self._known: dict[int, Traits] = {}
        self._doubted: dict[int, tuple[Facts, Facts]] = {}
        self._joined: dict[tuple[int, int], tuple[Facts, Facts, Facts]] = {}
        self.unsettled = False
        """Something that may change settings was executed in this batch, and has not been reported yet."""

    def statement(self, query: bytes, types: tuple[int, ...] = ()) -> Statement:
        """The statement (or, of a simple query, statements) that a text is."""
        exchange = self._exchange
        if exchange.plain and not self.unsettled:
            try:
                text = query.decode()
            except UnicodeDecodeError:
                return self._unreadable(query, types)
            facts = self._read(text)
            return Statement(
                query=query,
                text=text,
                facts=facts,
                types=types,
                era=self._background.era,
                traits=self._traits(facts),
            )
        try:
            text = query.decode(_CODECS.get(exchange.encoding, "utf-8"))
        except UnicodeDecodeError:
            return self._unreadable(query, types)
        facts = self._read(text)
        told_apart = exchange.encoding_plain or exchange.encoding in _SINGLE_BYTES
        bytes_differ = not query.isascii() and (self.unsettled or not told_apart)
        strings_differ = b"\\" in query and (self.unsettled or not exchange.strings_conform)
        if bytes_differ or strings_differ:
            why = "client_encoding" if bytes_differ else "standard_conforming_strings"
            facts = self._doubt(facts, f"{why} may make the server read this text differently")
        return Statement(query=query, text=text, facts=facts, types=types, era=self._background.era)

    def _traits(self, facts: Facts) -> Traits:
        known = self._known.get(id(facts))
        if known is None:
            if len(self._known) > KEPT:
                self._known.clear()
            known = self._known[id(facts)] = Traits(facts)
        return known

    def _unreadable(self, query: bytes, types: tuple[int, ...]) -> Statement:
        facts = Facts(
            effects=frozenset({Effect.UNKNOWN}), complete=False, attributes={"sql.why_unknown": NOT_TEXT}
        )
        return Statement(
            query=query, text=query.decode("utf-8", "backslashreplace"), facts=facts, types=types
        )

    def unknown(self, text: str) -> Statement:
        """What a name stands for that nobody here has heard of."""
        return Statement(query=text.encode(), text=text, facts=_NOTHING_KNOWN)

    def released(self, statement: Statement) -> None:
        """A command was let through: remember it where it may change what the names in later texts mean."""
        self._background.released(statement.facts, statement.text)
        traits = statement.traits
        if traits.quiet:
            return
        if traits.plain:
            changes = _TEMPORARY.search(statement.text) is not None
        else:
            changes = not (traits.single and _TRANSACTION.match(statement.text))
        if changes:
            self._exchange.changed_by(statement.text)

    def _doubt(self, facts: Facts, why: str) -> Facts:
        """The same facts, and that they are not complete; one object for one object, so that verdicts stay cached."""
        known = self._doubted.get(id(facts))
        if known is not None:
            return known[1]
        doubted = replace(
            facts, complete=False, attributes={**facts.attributes, "sql.why_unknown": why}, outputs=None
        )
        if len(self._doubted) > KEPT:
            self._doubted.clear()
        self._doubted[id(facts)] = (facts, doubted)
        return doubted

    def judged(self, statement: Statement) -> tuple[Statement, Statement | None]:
        """A statement as it is to be judged: SQL's EXECUTE and FETCH together with what they name, if it is known."""
        statement = self._fresh(statement)
        if statement.traits.plain:
            return statement, None
        facts = statement.facts
        attributes = facts.attributes
        names = self._exchange.names
        if attributes.get("sql.verbs") == "fetch":
            named = names.fetched(facts)
            if named is None:
                doubted = self._doubt(facts, "nobody here knows what this cursor reads")
                return Statement(query=statement.query, text=statement.text, facts=doubted), None
            introduced = "declared before as"
        elif not facts.complete and attributes.get("sql.why_unknown") == EXECUTES and statement.traits.single:
            named = names.executed(facts)
            if named is None:
                return statement, None
            named = self._fresh(named)
            introduced = "prepared before as"
        else:
            return statement, None
        text = f"{statement.text}\n\n-- {introduced}:\n{named.text}"
        return Statement(query=statement.query, text=text, facts=self._join(facts, named.facts)), named

    def _fresh(self, statement: Statement) -> Statement:
        """A statement that was prepared when other things were known is read again."""
        if statement.era is None or statement.era is self._background.era:
            return statement
        return self.statement(statement.query, statement.types)

    def _join(self, facts: Facts, named: Facts) -> Facts:
        key = (id(facts), id(named))
        known = self._joined.get(key)
        if known is not None:
            return known[2]
        joined = combined(facts, named)
        if len(self._joined) > KEPT:
            self._joined.clear()
        self._joined[key] = (facts, named, joined)
        return joined

    @property
    def namespace(self) -> bytes:
        """What names mean just now."""
        return self._exchange.namespace

    def exact(
        self, statement: Statement, named: Statement | None, portal: Portal | None
    ) -> tuple[bytes, ...]:
        """Everything that decides what would run: texts, bound values with their types and formats, name space."""
        namespace = self.namespace
        if portal is None:
            query = statement.query
            exact = (_QUERY, len(query).to_bytes(8, "big"), query, namespace)
        else:
            bound = portal.bind.exact
            exact = (portal.statement.exact(), len(bound).to_bytes(8, "big"), bound, namespace)
        return exact if named is None else (*exact, measured(named.query))


def combined(facts: Facts, named: Facts) -> Facts:
    """Facts of an EXECUTE or FETCH together with those of what it names."""
    attributes = {**named.attributes, **facts.attributes}
    attributes.pop("sql.why_unknown", None)
    if not named.complete:
        attributes["sql.why_unknown"] = named.attributes.get("sql.why_unknown", "")
    passed_on = facts.attributes.get("sql.verbs") in {"execute", "fetch"}
    carried = facts.carried + named.carried
    if "create table as" in str(facts.attributes.get("sql.verbs", "")):
        made = [r.name for r in facts.resources if r.kind == "table" and r.effect is Effect.DDL]
        carried += tuple(
            each for name in made for each in stored_in(name, (), named.outputs or (), created=True)
        )
    return Facts(
        effects=(facts.effects - {Effect.UNKNOWN}) | named.effects,
        resources=tuple(dict.fromkeys((*facts.resources, *named.resources))),
        attributes=attributes,
        complete=named.complete,
        outputs=named.outputs if passed_on else facts.outputs,
        carried=carried,
    )
