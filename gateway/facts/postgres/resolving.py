"""From what the target's catalogue says to a `Schema`: views and generated columns are followed to stored ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.facts.postgres import queries, statements
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.schema import Function, Outputs, Schema, Table, anything, families, stored
from gateway.facts.postgres.sources import Scope, united
from gateway.facts.postgres.tree import Unreadable, children, dotted, parse
from gateway.model import Output

_DEEPEST = 32
"""Views upon views that are followed."""


def resolved(
    tables: Mapping[str, Table], functions: Mapping[str, tuple[Function, ...]], path: Sequence[str]
) -> Schema:
    """What cannot be followed counts as made of anything."""
    found: dict[str, Outputs] = {}
    kin = families(tables)
    for name, table in tables.items():
        if not table.definition:
            found[name] = tuple(stored(name, tables, kin.get(name, ())))
    for name, table in tables.items():
        if table.generated:
            found[name] = tuple(_generated(name, table, output, found) for output in found[name])
    for name in tables:
        _settle(name, tables, found, depth=0)
    return Schema(path=tuple(path), relations=found, functions=functions)


def _settle(name: str, tables: Mapping[str, Table], found: dict[str, Outputs], depth: int) -> None:
    """Follow a view, those that it uses first."""
    if name in found:
        return
    table = tables[name]
    found[name] = anything(table.columns)
    if depth > _DEEPEST:
        return
    try:
        for used in _relations(parse(table.definition)):
            if used in tables:
                _settle(used, tables, found, depth + 1)
        outputs = _outputs(table.definition, found)
    except (Unreadable, RecursionError):
        return
    if len(outputs) == len(table.columns) and not any(output.name == "*" for output in outputs):
        found[name] = tuple(
            Output(name=column, sources=output.sources, exact=output.exact)
            for column, output in zip(table.columns, outputs, strict=True)
        )


def _generated(name: str, table: Table, output: Output, found: Mapping[str, Outputs]) -> Output:
    expression = table.generated.get(output.name)
    if expression is None:
        return output
    try:
        sql = f"SELECT {expression} FROM {_quoted(name)}"  # noqa: S608  read here, and sent nowhere
        sources = united(_outputs(sql, found))
    except (Unreadable, RecursionError):
        sources = frozenset({"*"})
    return Output(name=output.name, sources=output.sources | sources, exact=False)


def _quoted(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _outputs(sql: str, found: Mapping[str, Outputs]) -> Outputs:
    reading = Reading(query=queries.query, text=statements.text, schema=Schema(path=(), relations=found))
    nodes = parse(sql)
    if len(nodes) != 1:
        raise Unreadable("a view is one query")
    return queries.query(reading, nodes[0], Scope())


def _relations(value: object) -> Iterator[str]:
    if isinstance(value, dict) and "relname" in value:
        yield dotted(value)
        return
    for inner in children(value):
        yield from _relations(inner)
