"""What an SQL text for PostgreSQL would do, read with PostgreSQL's own grammar.

`read` judges everything that a text holds as one command; `read_each` gives the facts of every statement on its own,
for whoever has to match results with statements. What cannot be read is `unknown`: a text that does not parse, is
too large or too deep, calls a function whose body nobody can see, or executes a prepared statement. The last of
these a wire can settle, since it knows what was prepared: `combine`.

Not seen, because only the target knows it: what writing sets off (triggers, rules, column defaults), row security
policies and casts that happen unwritten; without its catalogue also what views, operators, casts and domains of its own
do, and whether `c.purge` is a column or a function. A mask's columns are followed as far as names in the text lead.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.cache import Cache
from gateway.facts.postgres import queries, statements
from gateway.facts.postgres.reading import ATTRIBUTES, EXECUTES, Reading
from gateway.facts.postgres.tree import Node, Unreadable, parse
from gateway.facts.schema import Schema
from gateway.facts.shapes import blanked
from gateway.model import Effect, Facts

__all__ = ["ATTRIBUTES", "Texts", "combine", "read", "read_each"]

_CACHED_TEXT = 4_096
"""Characters of a text up to which its facts are remembered."""
_SHAPED = frozenset({"SelectStmt", "InsertStmt"})
"""Statements that may be remembered by shape, where their reading did not have to look at an integer."""
_ROWLESS = frozenset({"fetch", "execute", "call"})
"""Verbs that may return rows that the text does not describe."""


class Texts:
    """Reads texts against what is known of one target, and remembers what they mean."""

    def __init__(self, schema: Schema | None = None) -> None:
        self._schema = schema
        self._texts: Cache[tuple[Facts, ...]] = Cache(entries=8_192, weight=24 * 1024 * 1024)
        self._shapes: Cache[tuple[Facts, ...]] = Cache(entries=4_096, weight=12 * 1024 * 1024)
        """By text with its integers blanked, where the facts cannot depend on them."""

    def read(self, text: str) -> Facts:
        """The facts of everything in `text`, judged as one command. Never raises, never waits, remembers."""
        return self._read(text)[0]

    def read_each(self, text: str) -> tuple[Facts, ...]:
        """The facts of each statement of `text`, in order; a text that cannot be read counts as one."""
        facts = self._read(text)
        return facts[1:] or facts

    def _read(self, text: str) -> tuple[Facts, ...]:
        """Facts of the whole, then those of each statement where there are several."""
        found = self._texts.get(text)
        if found is not None:
            return found
        shape = blanked(text) if len(text) <= _CACHED_TEXT else None
        if shape is not None:
            found = self._shapes.get(shape)
            if found is not None:
                return found
        found, counts_integers = _parsed(text, self._schema)
        if len(text) <= _CACHED_TEXT:
            weight = 1_024 + 2 * len(text)
            weight += sum(400 * (len(f.resources) + len(f.outputs or ()) + len(f.carried)) for f in found)
            if shape is None or counts_integers:
                self._texts.put(text, found, weight=weight)
            else:
                self._shapes.put(shape, found, weight=weight)
        return found


_unseen = Texts()
read = _unseen.read
"""`Texts.read` where nothing is known of the target."""
read_each = _unseen.read_each


def combine(facts: Facts, executed: Facts) -> Facts:
    """`facts` of a text whose `sql.execute` names a prepared statement, with what that statement does.

    `executed` is what `read` made of the prepared text, or of the PREPARE that holds it.
    """
    doubts = str(facts.attributes.get("sql.why_unknown", ""))
    settled = "sql.execute" in facts.attributes and doubts == EXECUTES
    attributes = {
        key: value for key, value in facts.attributes.items() if key != "sql.why_unknown" or not settled
    }
    for key in ("sql.has_where", "sql.where_restricts", "sql.why_unknown"):
        if key in executed.attributes:
            attributes.setdefault(key, executed.attributes[key])
    effects = facts.effects - {Effect.UNKNOWN} if settled else facts.effects
    return Facts(
        effects=effects | executed.effects,
        resources=tuple(dict.fromkeys([*facts.resources, *executed.resources])),
        attributes=attributes,
        complete=(facts.complete or settled) and executed.complete,
        outputs=executed.outputs if facts.attributes.get("sql.verbs") == "execute" else facts.outputs,
        carried=facts.carried + executed.carried,
    )


def _parsed(text: str, schema: Schema | None = None) -> tuple[tuple[Facts, ...], bool]:
    """The facts, and whether they hang on the value of an integer."""
    try:
        nodes = parse(text)
        readings = [_statement(node, schema) for node in nodes]
    except Unreadable as unreadable:
        return (_unread(str(unreadable)),), True
    except RecursionError:
        return (_unread("the text nests too deep"),), True
    each = tuple(reading.facts(statements=1) for reading in readings)
    plain = all(_SHAPED.issuperset(node) for node in nodes)
    counts_integers = not plain or any(reading.counts_integers for reading in readings)
    if not each:
        nothing = Facts(effects=frozenset({Effect.SESSION}), attributes={"sql.statements": 0})
        return (nothing,), counts_integers
    if len(each) == 1:
        return each, counts_integers
    return (_united(each), *each), counts_integers


def _statement(node: Node, schema: Schema | None) -> Reading:
    reading = Reading(query=queries.query, text=statements.text, schema=schema)
    reading.outputs = statements.statement(reading, node) or None
    return reading


def _unread(why: str) -> Facts:
    return Facts(
        effects=frozenset({Effect.UNKNOWN}),
        attributes={"sql.statements": 0, "sql.why_unknown": why},
        complete=False,
    )


def _united(each: Sequence[Facts]) -> Facts:
    """Several statements as one command."""
    attributes: dict[str, str | int | bool] = {}
    for facts in each:
        for key, value in facts.attributes.items():
            match key:
                case "sql.statements":
                    continue
                case "sql.has_where" | "sql.where_restricts":
                    attributes[key] = bool(attributes.get(key, True)) and bool(value)
                case "sql.verbs":
                    known = str(attributes.get(key, "")).split(", ") if key in attributes else []
                    attributes[key] = ", ".join(dict.fromkeys([*known, *str(value).split(", ")]))
                case "sql.why_unknown":
                    known = str(attributes.get(key, "")).split("; ") if key in attributes else []
                    attributes[key] = "; ".join(dict.fromkeys([*known, *str(value).split("; ")]))
                case _:
                    attributes[key] = value if attributes.get(key, value) == value else ""
    attributes["sql.statements"] = len(each)
    rows = [facts for facts in each if facts.outputs is not None]
    told = not any(_ROWLESS & set(str(facts.attributes.get("sql.verbs", "")).split(", ")) for facts in each)
    return Facts(
        effects=frozenset(effect for facts in each for effect in facts.effects),
        resources=tuple(dict.fromkeys(resource for facts in each for resource in facts.resources)),
        attributes={key: value for key, value in attributes.items() if value != ""},
        complete=all(facts.complete for facts in each),
        outputs=rows[0].outputs if len(rows) == 1 and told else None,
        carried=tuple(dict.fromkeys(moved for facts in each for moved in facts.carried)),
    )
