"""Recorded rows laid out for a person: aligned columns, and nothing that a terminal obeys."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

WIDEST = 60
"""Characters of a value that a table shows."""
MOST_ROWS = 1_000
"""Rows of one result that are laid out; of those behind them only the number is told."""

_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\"}


def visible(text: str) -> str:
    """Control, format and private characters as escapes, so that nothing is hidden or obeyed."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _NAMES.get(character) or _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


class Table:
    """The rows of one result. What is not `wanted` any more is counted, and nobody has to read it."""

    def __init__(self, names: Sequence[str] | None) -> None:
        """`names`: what the columns are called, None where nobody said."""
        self._names = names
        self._rows: list[Sequence[str]] = []
        self._count = 0

    @property
    def wanted(self) -> bool:
        return self._count < MOST_ROWS

    def add(self, row: Sequence[str] = ()) -> None:
        if self.wanted:
            self._rows.append(row)
        self._count += 1

    def lines(self) -> list[str]:
        names = [visible(name) for name in self._names or ()]
        if not self._rows:
            return [] if self._names is None else [" | ".join(names), "(0 rows)"]
        width = max(map(len, self._rows))
        head = names + [f"column {place + 1}" for place in range(len(names), width)]
        table = [head, *([_cut(value) for value in row] for row in self._rows)]
        widths = [max(_width(row[place]) for row in table if place < len(row)) for place in range(len(head))]
        more = f", the first {MOST_ROWS} are shown" if self._count > MOST_ROWS else ""
        return [
            _line(head, widths),
            "-+-".join("-" * width for width in widths),
            *(_line(row, widths) for row in table[1:]),
            f"({self._count} row{'s' * (self._count != 1)}{more})",
        ]


def _cut(value: str) -> str:
    return value if len(value) <= WIDEST else f"{value[: WIDEST - 1]}…"


def _width(text: str) -> int:
    """Columns of a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _line(row: Sequence[str], widths: list[int]) -> str:
    cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
    return " | ".join(cells).rstrip()
