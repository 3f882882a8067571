"""What is known of a target, as its sessions use it.

A function is believed to be what the catalogue said only as long as nobody may have defined it anew: after a session has
sent what defines, or what could not be read, functions are unknown to it for good, and to others until the catalogue has
been read twice more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from gateway.facts.postgres import Texts
from gateway.facts.schema import Cast, Function, Schema, Table
from gateway.model import Effect, Facts
from gateway.protocols.postgres.copy import plan_copy
from gateway.protocols.postgres.kinds import BUILT_IN, Made, Types
from gateway.protocols.postgres.plans import CopyPlan, Plan, Plans
from gateway.protocols.postgres.reading import Background
from gateway.protocols.postgres.results import plan_rows
from gateway.wire import Mask

NOTHING = Texts()
_DEFINING = frozenset({Effect.DDL, Effect.EXEC, Effect.UNKNOWN})
_TELLING: Final = _DEFINING | {Effect.PRIVILEGE}
_TEMPORARY = re.compile(r"\btemp(?:orary)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a catalogue said."""

    tables: Mapping[str, Table]
    functions: Mapping[str, tuple[Function, ...]]
    path: tuple[str, ...]
    places: Mapping[tuple[int, int], str]
    """`(table OID, attribute number)`, as answers name where a column comes from -> `schema.table.column`."""
    types: Mapping[int, Made] = field(default_factory=dict)
    """What types made in the database are, by OID."""
    operators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    casts: Mapping[str, Cast] = field(default_factory=dict)


class Known:
    """What is known of one target."""

    def __init__(self) -> None:
        self.told: Told | None = None
        """What it follows from."""
        self.schema: Schema | None = None
        self._believed = self.wary = NOTHING
        self._loosened: Texts | None = None
        self.types = BUILT_IN
        self.plans = Plans(partial(plan_rows, resolve=self._place))
        self._doubted = 0

    def _place(self, table: int, column: int) -> str | None:
        return self.told.places.get((table, column)) if self.told is not None else None

    @property
    def texts(self) -> Texts:
        return self.wary if self._doubted else self._believed

    @property
    def loosened(self) -> Texts:
        """For sessions that may have made names mean something else."""
        if self._loosened is None:
            self._loosened = Texts(self.schema.loosened()) if self.schema is not None else NOTHING
        return self._loosened

    def changed(self) -> None:
        """Somebody may have defined something: once it is done a reading that begins later will show it."""
        self._doubted = 2

    def renew(self, told: Told | None, schema: Schema | None) -> None:
        """The catalogue as it was read last, None where it could not be."""
        self._doubted = max(0, self._doubted - 1)
        if told == self.told:
            return
        self.told, self.schema = told, schema
        self.types = Types(told.types) if told is not None else BUILT_IN
        self.plans = Plans(partial(plan_rows, resolve=self._place, types=self.types))
        self._loosened = None
        self._believed = Texts(schema) if schema is not None else NOTHING
        self.wary = Texts(schema.wary()) if schema is not None else NOTHING


class Knowing(Background):
    """One session's view of what is known."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._defined = False
        self._renamed = False

    @property
    def era(self) -> Texts:
        if self._renamed:
            return self._known.loosened
        return self._known.wary if self._defined else self._known.texts

    def read(self, text: str) -> Facts:
        return self.era.read(text)

    def read_each(self, text: str) -> tuple[Facts, ...]:
        return self.era.read_each(text)

    def plan_rows(self, description: bytes, facts: Facts, mask: Mask) -> Plan:
        return self._known.plans.rows(description, facts, mask)

    def plan_copy(
        self,
        response: bytes,
        text: str,
        facts: Facts,
        mask: Mask,
        *,
        place: int,
        described: bytes,
        encoding: str,
    ) -> CopyPlan:
        return plan_copy(
            response,
            text,
            facts,
            mask,
            place=place,
            described=described,
            encoding=encoding,
            types=self._known.types,
        )

    def released(self, facts: Facts, text: str) -> None:
        """A command goes on. What it defines may take effect with any later one: with the COMMIT.

        What could not be read, or makes temporary tables, may also change what names mean to this session.
        """
        if not facts.effects.isdisjoint(_TELLING):
            self._tell(facts, text)
        if self._defined:
            self._known.changed()

    def _tell(self, facts: Facts, text: str) -> None:
        if any(r.kind == "setting" and r.name == "search_path" for r in facts.resources):
            self._renamed = True
        if not facts.effects.isdisjoint(_DEFINING):
            self._defined = True
            self._renamed = (
                self._renamed or Effect.DDL not in facts.effects or _TEMPORARY.search(text) is not None
            )
