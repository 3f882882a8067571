"""Which columns a mask names.

A pattern is dotted, with globs in its parts: `ssn`, `*.ssn`, `customers.name`, `crm.customers.*`. It is compared with
a column's name from the right, as far as both go: who knows a column only as `ssn` cannot rule out that it is
`customers.ssn`, so it is treated as if it were. An exception must be certain: there every part has to be known.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable


class ColumnPattern:
    def __init__(self, pattern: str) -> None:
        self._parts = [re.compile(fnmatch.translate(part)) for part in reversed(pattern.lower().split("."))]
        named = pattern.lower().split(".")
        while len(named) > 1 and named[0] == "*":
            named.pop(0)
        self._needed = len(named)
        self._table_free = self._needed == 1

    def may_be(self, name: str) -> bool:
        """Whether the column could be one of these. `customers.*` is a whole row and `*` anything."""
        known = name.lower().split(".")[::-1]
        return all(
            part == "*" or pattern.match(part) is not None
            for pattern, part in zip(self._parts, known, strict=False)
        )

    def surely_is(self, name: str) -> bool:
        """Whether the column is one of these, whatever is not said of it."""
        known = name.lower().split(".")[::-1]
        return len(known) >= self._needed and all(
            pattern.match(part) is not None for pattern, part in zip(self._parts, known, strict=False)
        )

    def is_label(self, label: str) -> bool:
        """Whether a column that an answer calls so is meant: only where the pattern leaves the table open."""
        return self._table_free and self._parts[0].match(label.lower()) is not None


def all_surely(patterns: Iterable[ColumnPattern], names: Iterable[str]) -> bool:
    """Whether every one of `names`, of which there is at least one, is surely named by a pattern."""
    patterns = tuple(patterns)
    known = tuple(names)
    return bool(known) and all(any(pattern.surely_is(name) for pattern in patterns) for name in known)
