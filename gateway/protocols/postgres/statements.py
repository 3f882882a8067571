"""The names of one session: prepared statements and portals, as the server knows them.

The protocol's Parse and SQL's PREPARE share one name space. A change is noted when its message is sent; if the
server then fails or skips that message, `undo` takes it back. A batch of messages begins only after the one
before it has settled, so what is undone is never something that others were built on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.facts.postgres.tree import UNPARSED
from gateway.model import Effect, Facts, measured
from gateway.protocols.postgres.messages import Bind, with_formats
from gateway.protocols.postgres.plans import Plan
from gateway.wire import Mask

LONGEST_NAME = 63
"""PostgreSQL looks at no more bytes of a name: longer ones could be mistaken for one another."""

_DEALLOCATE = re.compile(
    r"""\s*deallocate\s+(?:prepare\s+)?(?:(?P<plain>[a-z_][a-z0-9_$]*)|"(?P<quoted>(?:[^"]|"")+)")\s*;?\s*""",
    re.IGNORECASE | re.ASCII,
)
NOT_TEXT = "not UTF-8"
UNREAD = frozenset({UNPARSED, NOT_TEXT})
"""Doubts that the server may end by refusing the text."""
_T = TypeVar("_T")


PLAINLY = frozenset({Effect.READ, Effect.WRITE, Effect.DDL, Effect.DESTRUCTIVE})


def plainly(facts: Facts) -> bool:
    """A command that only reads and changes data: settings, transactions, names and cursors stay as they are."""
    if not (facts.complete and facts.effects and facts.effects <= PLAINLY):
        return False
    attributes = facts.attributes
    return "sql.prepare" not in attributes and (
        attributes.get("sql.statements") == 1 or "prepare" not in str(attributes.get("sql.verbs", "prepare"))
    )


class Traits:
    """What the wire asks of facts for every message, looked up once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        attributes = facts.attributes
        self.single = attributes.get("sql.statements") == 1
        """One SQL statement, and not several."""
        self.plain = plainly(facts)
        self.quiet = self.plain and Effect.DDL not in facts.effects
        """What later texts mean does not change by it either."""
        self.unread = attributes.get("sql.why_unknown") in UNREAD
        """Nobody here can read it: it may be no SQL at all."""
        self.copies = self.single and str(attributes.get("sql.verbs", "")).startswith("copy")


class Statement:
    """A prepared statement, or the text of a simple query."""

    description: bytes | None = None
    """Its RowDescription message; b"" where it returns no rows, `None` where nobody has asked yet."""

    def __init__(
        self,
        *,
        query: bytes,
        text: str,
        facts: Facts,
        types: tuple[int, ...] = (),
        era: object = None,
        traits: Traits | None = None,
    ) -> None:
        self.query = query
        self.text = text
        self.facts = facts
        self.types = types
        """Type OIDs of its parameters as far as they are known; 0 is unknown."""
        self.era = era
        """When it was read (`gateway.protocols.postgres.reading.Background`)."""
        self.traits = traits if traits is not None else Traits(facts)
        self._exact: tuple[tuple[int, ...], bytes] = ((), b"")
        self._shape: tuple[tuple[int, ...], bytes] = ((), b"")

    def exact(self) -> bytes:
        """What decides what a Bind of it would run, beside what is bound: its text, and the types that it is read with."""
        types, exact = self._exact
        if not exact or types is not self.types:
            types = self.types
            oids = b"".join([oid.to_bytes(4, "big") for oid in types])
            exact = measured(b"bound", self.query, oids)
            self._exact = (types, exact)
        return exact

    def shape(self, formats: tuple[int, ...]) -> bytes:
        """Its RowDescription with these result formats; b"" as far as nobody knows."""
        if not self.description:
            return b""
        known, shape = self._shape
        if not shape or known != formats:
            shape = with_formats(self.description, formats)
            self._shape = (formats, shape)
        return shape


class Portal:
    """A bound statement: what was let through when it was bound or executed."""

    command_id = ""
    """The command that its rows belong to, once it has been let through."""
    permitted = False
    """Let through when it was bound, and not executed yet."""
    suspended = False
    """Executed in part: more rows can be had without asking again."""
    described = False
    """The server has been asked to describe it."""
    description: bytes | None = None
    rows = 0

    def __init__(self, statement: Statement, bind: Bind) -> None:
        self.statement = statement
        self.bind = bind
        self.judged = statement
        """What was asked about: the statement, or with SQL's EXECUTE what that names."""
        # Set here and not above: mypyc leaves out a class's None where the type is a Protocol.
        self.mask: Mask | None = None
        self.plan: Plan | None = None

    def shape(self) -> bytes:
        """Its RowDescription with the formats that its rows really have; b"" as far as nobody knows."""
        return self.description if self.description is not None else self.statement.shape(self.bind.results)


@dataclass(slots=True)
class Statements:
    """Both maps, and what has to be taken back if a message of the running batch fails."""

    most: int = 10_000
    """Names that SQL may make before all are forgotten."""
    prepared: dict[bytes, Statement] = field(default_factory=dict)
    portals: dict[bytes, Portal] = field(default_factory=dict)
    cursors: dict[bytes, Statement] = field(default_factory=dict)
    """What SQL's DECLARE named. One that is closed stays: the server refuses to fetch from it."""
    _changes: list[
        tuple[int, dict[bytes, Statement] | dict[bytes, Portal], bytes, Statement | Portal | None]
    ] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.prepared) + len(self.portals) + len(self.cursors)

    @property
    def weight(self) -> int:
        """Bytes of text that are kept for prepared statements."""
        return sum(len(statement.query) for statement in self.prepared.values())

    def prepare(self, number: int, name: bytes, statement: Statement) -> None:
        """Message `number` defines a statement. If the name is taken the server fails, and this is undone."""
        self._changes.append((number, self.prepared, name, self.prepared.get(name)))
        self.prepared[name] = statement

    def close(self, number: int, name: bytes) -> None:
        self._remove(number, self.prepared, name)

    def bind(self, number: int, name: bytes, portal: Portal) -> None:
        self._changes.append((number, self.portals, name, self.portals.get(name)))
        self.portals[name] = portal

    def close_portal(self, number: int, name: bytes) -> None:
        self._remove(number, self.portals, name)

    def _remove(self, number: int, names: dict[bytes, _T], name: bytes) -> None:
        if name in names:
            self._changes.append((number, names, name, names.pop(name)))  # type: ignore[arg-type]

    def undo(self, number: int) -> None:
        """Message `number` of the batch failed, and the server skipped those behind it."""
        while self._changes and self._changes[-1][0] >= number:
            _, names, name, before = self._changes.pop()
            if before is None:
                names.pop(name, None)
            else:
                names[name] = before  # type: ignore[assignment]

    def settle(self) -> None:
        """The batch is over: what was not undone holds, and what was bound is asked about when it is executed."""
        if self._changes:
            self._changes.clear()
        for portal in self.portals.values():
            portal.permitted = False

    def run(self, number: int, statement: Statement) -> None:
        """A command that is sent as message `number` changes names by SQL: PREPARE, DEALLOCATE, DECLARE.

        Where it cannot be told which, every name is forgotten; what has no known name cannot be read, and so is
        never let through as something else. A name that stays behind though the server has dropped it does no
        harm: the server refuses it.
        """
        if len(self) >= self.most:
            self.cursors.clear()
            for known in list(self.prepared):
                self.close(number, known)
        facts = statement.facts
        verbs = str(facts.attributes.get("sql.verbs", "")).lower()
        name = facts.attributes.get("sql.prepare", "")
        if statement.traits.single and name:
            self.prepare(number, str(name).encode(), statement)
        elif statement.traits.single and (match := _DEALLOCATE.fullmatch(statement.text)):
            plain, quoted = match["plain"], match["quoted"]
            self.close(number, (plain.lower() if plain else quoted.replace('""', '"')).encode())
        elif (
            statement.traits.single
            and "declare" in verbs
            and (cursor := facts.attributes.get("sql.cursor", ""))
        ):
            key = str(cursor).encode()
            self._changes.append((number, self.cursors, key, self.cursors.get(key)))
            self.cursors[key] = statement
        elif {"prepare", "declare"} & set(
            re.findall(r"\w+", verbs if facts.complete else statement.text.lower())
        ):
            self.cursors.clear()
            for known in list(self.prepared):
                self.close(number, known)

    def executed(self, facts: Facts) -> Statement | None:
        """The statement that SQL's EXECUTE in these facts names, if it is known."""
        name = facts.attributes.get("sql.execute", "")
        return self.prepared.get(str(name).encode()) if name else None

    def fetched(self, facts: Facts) -> Statement | None:
        """The DECLARE of the cursor that SQL's FETCH in these facts reads from, if it is known."""
        name = facts.attributes.get("sql.cursor", "")
        return self.cursors.get(str(name).encode()) if name else None

    def forget_unnamed(self) -> None:
        """A simple query drops the unnamed statement and portal."""
        self.prepared.pop(b"", None)
        self.portals.pop(b"", None)
