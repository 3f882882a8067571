"""From what a target's catalogue says to a `Schema`: views and generated columns are followed to stored ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from gateway.facts.schema import (
    NO_MORE,
    Cast,
    Does,
    Function,
    Outputs,
    Schema,
    Table,
    Viewed,
    anything,
    families,
    stored,
)
from gateway.facts.sources import united
from gateway.model import Effect, Output

_UNREAD = Does(effects=frozenset({Effect.UNKNOWN}), doubts=("a view whose query cannot be read",))
_DEEPEST = 32
"""Views upon views that are followed."""


class Language(Protocol):
    """How the target's own language is read here."""

    def used(self, query: str) -> Iterable[str] | None:
        """The tables and views that stand in a query; None where it cannot be read."""

    def viewed(self, query: str, known: Schema) -> Viewed | None:
        """Its result columns, and what running it does; None where they cannot be told."""

    def computed(self, expression: str, table: str) -> str:
        """The query of an expression over a table's rows."""


def resolved(
    language: Language,
    tables: Mapping[str, Table],
    functions: Mapping[str, tuple[Function, ...]],
    path: Sequence[str],
    *,
    operators: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    types: Mapping[str, Cast] = MappingProxyType({}),
) -> Schema:
    """What cannot be followed counts as made of anything."""
    found: dict[str, Outputs] = {}
    does: dict[str, Does] = {}
    known = Schema(
        path=tuple(path),
        relations=found,
        functions=functions,
        does=does,
        operators=operators,
        types=types,
    )
    kin = families(tables)
    for name, table in tables.items():
        if not table.definition:
            found[name] = tuple(stored(name, tables, kin.get(name, ())))
    for name, table in tables.items():
        if table.generated:
            found[name] = tuple(_generated(language, name, table, output, known) for output in found[name])
    for name in tables:
        _settle(language, name, tables, known, found, does, depth=0)
    for name in [name for name, more in does.items() if more.own]:
        # A function may have read a view that was not followed yet.
        _view(language, name, tables[name], known, found, does)
    return known


def _settle(
    language: Language,
    name: str,
    tables: Mapping[str, Table],
    known: Schema,
    found: dict[str, Outputs],
    does: dict[str, Does],
    depth: int,
) -> None:
    """Follow a view, those that it uses first."""
    if name in found:
        return
    table = tables[name]
    found[name] = anything(table.columns)
    used = language.used(table.definition)
    if depth > _DEEPEST or used is None:
        _unread(name, table, does)
        return
    for each in used:
        if each in tables:
            _settle(language, each, tables, known, found, does, depth + 1)
    _view(language, name, table, known, found, does)


def _unread(name: str, table: Table, does: dict[str, Does]) -> None:
    if not table.believed:
        does[name] = _UNREAD


def _view(
    language: Language,
    name: str,
    table: Table,
    known: Schema,
    found: dict[str, Outputs],
    does: dict[str, Does],
) -> None:
    viewed = language.viewed(table.definition, known)
    if viewed is None:
        _unread(name, table, does)
        return
    if viewed.does != NO_MORE and not table.believed:
        does[name] = viewed.does
    outputs = viewed.outputs
    if len(outputs) != len(table.columns) or any(o.name == "*" for o in outputs):
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
    made_of = language.viewed(language.computed(expression, name), known)
    sources = frozenset({"*"}) if made_of is None else united(made_of.outputs)
    return Output(name=output.name, sources=output.sources | sources, exact=False)
