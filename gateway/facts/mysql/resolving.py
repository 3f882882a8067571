"""From what the target's catalogue says to a `Schema`, as MySQL and MariaDB write their views down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gateway.facts import resolving
from gateway.facts.mysql import Texts
from gateway.facts.schema import Schema, Table, Viewed

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def resolved(tables: Mapping[str, Table], path: Sequence[str]) -> Schema:
    """`path` holds the database in which bare names are looked up, where one is chosen."""
    return resolving.resolved(_Language(), tables, {}, path)


class _Language:
    def __init__(self) -> None:
        self._unseen = Texts()

    def used(self, query: str) -> Iterable[str] | None:
        facts = self._unseen.read(query)
        if facts.outputs is None:
            return None
        return [resource.name for resource in facts.resources if resource.kind == "table"]

    def viewed(self, query: str, known: Schema) -> Viewed | None:
        outputs = Texts(known).read(query).outputs
        return None if outputs is None else Viewed(outputs=outputs)

    def computed(self, expression: str, table: str) -> str:
        quoted = ".".join("`" + part.replace("`", "``") + "`" for part in table.split("."))
        query = f"SELECT {expression} FROM {quoted}"  # noqa: S608  read here, and sent nowhere
        if self._unseen.read(query).outputs is None:
            # MySQL tells an expression as if it stood inside a string.
            plain = _ESCAPED.sub(r"\1", expression)
            query = f"SELECT {plain} FROM {quoted}"  # noqa: S608  as above
        return query
