"""The scopes of `gateway.facts.postgres.sources`, in which a bare name is never a whole row."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.facts.postgres import sources
from gateway.facts.postgres.sources import (
    NOTHING,
    Relation,
    Sources,
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

    def resolve(self, name: str) -> Output:
        """An unqualified name: every column it may be."""
        candidates: list[Output] = []
        scope: sources.Scope | None = self
        while scope is not None:
            settled = [relation.known[name] for relation in scope.relations if name in relation.known]
            possible = (relation.column(name) for relation in scope.relations)
            candidates += settled or [found for found in possible if found is not None]
            if settled:
                break
            scope = scope.outer
        if not candidates:
            return Output(name=name, sources=frozenset({name}))
        return Output(name=name, sources=united(candidates), exact=all(each.exact for each in candidates))
