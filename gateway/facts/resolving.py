"""From what a target's catalogue says to a `Schema`: views and generated columns are followed to stored ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gateway.facts.schema import Function, Outputs, Schema, Table, anything, families, stored
from gateway.facts.sources import united
from gateway.model import Output

_DEEPEST = 32
"""Views upon views that are followed."""


class Language(Protocol):
    """How the target's own language is read here."""

    def used(self, query: str) -> Iterable[str] | None:
        """The tables and views that stand in a query; None where it cannot be read."""

    def outputs(self, query: str, known: Schema) -> Outputs | None:
        """Its result columns; None where they cannot be told."""

    def computed(self, expression: str, table: str) -> str:
        """The query of an expression over a table's rows."""


def resolved(
    language: Language,
    tables: Mapping[str, Table],
    functions: Mapping[str, tuple[Function, ...]],
    path: Sequence[str],
) -> Schema:
    """What cannot be followed counts as made of anything."""
    found: dict[str, Outputs] = {}
    known = Schema(path=(), relations=found)
    kin = families(tables)
    for name, table in tables.items():
        if not table.definition:
            found[name] = tuple(stored(name, tables, kin.get(name, ())))
    for name, table in tables.items():
        if table.generated:
            found[name] = tuple(_generated(language, name, table, output, known) for output in found[name])
    for name in tables:
        _settle(language, name, tables, found, depth=0)
    return Schema(path=tuple(path), relations=found, functions=functions)


def _settle(
    language: Language, name: str, tables: Mapping[str, Table], found: dict[str, Outputs], depth: int
) -> None:
    """Follow a view, those that it uses first."""
    if name in found:
        return
    table = tables[name]
    found[name] = anything(table.columns)
    used = language.used(table.definition)
    if depth > _DEEPEST or used is None:
        return
    for each in used:
        if each in tables:
            _settle(language, each, tables, found, depth + 1)
    outputs = language.outputs(table.definition, Schema(path=(), relations=found))
    if outputs is None or len(outputs) != len(table.columns) or any(o.name == "*" for o in outputs):
        return
    found[name] = tuple(
        # A mask may name what is stored, or the view's column.
        Output(name=column, sources=output.sources | {f"{name}.{column}"}, exact=output.exact)
        for column, output in zip(table.columns, outputs, strict=True)
    )


def _generated(language: Language, name: str, table: Table, output: Output, known: Schema) -> Output:
    expression = table.generated.get(output.name)
    if expression is None:
        return output
    made_of = language.outputs(language.computed(expression, name), known)
    sources = frozenset({"*"}) if made_of is None else united(made_of)
    return Output(name=output.name, sources=output.sources | sources, exact=False)
