"""From what the target's catalogue says to a `Schema`, by PostgreSQL's grammar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from gateway.facts import resolving
from gateway.facts.postgres import queries, statements
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.tree import Unreadable, children, dotted, parse
from gateway.facts.schema import Cast, Does, Function, Schema, Table, Viewed
from gateway.facts.sources import Scope
from gateway.model import Effect


def resolved(
    tables: Mapping[str, Table],
    functions: Mapping[str, tuple[Function, ...]],
    path: Sequence[str],
    *,
    operators: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    types: Mapping[str, Cast] = MappingProxyType({}),
) -> Schema:
    return resolving.resolved(_Language(), tables, functions, path, operators=operators, types=types)


class _Language:
    def used(self, query: str) -> Iterable[str] | None:
        try:
            return list(_relations(parse(query)))
        except (Unreadable, RecursionError):
            return None

    def viewed(self, query: str, known: Schema) -> Viewed | None:
        try:
            nodes = parse(query)
            if len(nodes) != 1:
                return None
            reading = Reading(query=queries.query, text=statements.text, schema=known, bound=True)
            outputs = queries.query(reading, nodes[0], Scope())
            more = Does(
                effects=frozenset(reading.effects - {Effect.READ}),
                doubts=tuple(reading.doubts),
                brought=frozenset(reading.brought),
                own=reading.own,
            )
            return Viewed(outputs=outputs, does=more)
        except (Unreadable, RecursionError):
            return None

    def computed(self, expression: str, table: str) -> str:
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))
        return f"SELECT {expression} FROM {quoted}"  # noqa: S608  read here, and sent nowhere


def _relations(value: object) -> Iterator[str]:
    if isinstance(value, dict) and "relname" in value:
        yield dotted(value)
        return
    for inner in children(value):
        yield from _relations(inner)
