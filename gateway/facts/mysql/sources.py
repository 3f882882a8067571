"""The scopes of `gateway.facts.sources`, in which a bare name is never a whole row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.facts import sources
from gateway.facts.sources import (
    NOTHING,
    Relation,
    Sources,
    based,
    derived,
    renamed_table,
    side_by_side,
    table,
    united,
)
from gateway.model import Output

__all__ = [
    "NOTHING",
    "Relation",
    "Scope",
    "Sources",
    "based",
    "derived",
    "renamed_table",
    "side_by_side",
    "table",
    "united",
]


@dataclass(slots=True, kw_only=True)
class Scope(sources.Scope):
    def inner(self) -> Scope:
        return Scope(outer=self)

    joined: Sequence[Output] | None = None
    """What `*` is over a NATURAL JOIN or USING, where that is known."""

    def called(self, name: str, schema: str) -> list[Relation]:
        """What `name` may mean before a column: aliases go with their table's database, and are unique in it alone."""
        scope: sources.Scope | None = self
        while scope is not None:
            named = [relation for relation in scope.relations if relation.alias == name]
            if found := [r for r in named if not schema or r.schema in {schema, ""}]:
                return found
            scope = scope.outer
        return []

    def star(self) -> list[Output]:
        return sources.Scope.star(self) if self.joined is None else list(self.joined)

    def resolve(self, name: str) -> Output:
        """An unqualified name: every column it may be."""
        candidates: list[Output] = []
        scope: sources.Scope | None = self
        while scope is not None:
            settled = scope.having(name)
            possible = (relation.column(name) for relation in scope.relations)
            candidates += settled or [found for found in possible if found is not None]
            if settled:
                break
            scope = scope.outer
        if not candidates:
            return Output(name=name, sources=frozenset({name}))
        return Output(name=name, sources=united(candidates), exact=all(each.exact for each in candidates))
