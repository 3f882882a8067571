"""CSV that arrives in pieces, its columns masked by the names in its first row, its values searched.

RFC 4180: a field may be quoted, and a quoted one may hold delimiters, doubled quotes and line ends. A row goes out when
it has ended. What is put in place of a value is quoted if the value was.
"""

from __future__ import annotations

from gateway.masking.decoding import BodyUnreadable
from gateway.masking.engine import CompiledMask

LONGEST_ROW = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class CsvMask:
    """A table in UTF-8. `masked` counts hidden values by detector, and by `column NAME` for rules."""

    def __init__(self, mask: CompiledMask, *, delimiter: bytes = b",") -> None:
        self.masked: dict[str, int] = {}
        self._mask = mask
        self._delimiter = delimiter
        self._kept = b""
        self._quotes = 0
        """Of what is kept and has been looked at."""
        self._looked = 0
        self._strategies: list[tuple[str, str | None]] | None = None

    def feed(self, data: bytes) -> bytes:
        """The rows that have ended. Raises `BodyUnreadable`."""
        kept = self._kept + data
        out: list[bytes] = []
        start, at, quotes = 0, self._looked, self._quotes
        while (end := kept.find(b"\n", at) + 1) > 0:
            quotes += kept.count(b'"', at, end)
            at = end
            if quotes % 2 == 0:
                out.append(self._row(kept[start:end]))
                start, quotes = end, 0
        self._quotes = quotes + kept.count(b'"', at)
        self._kept = kept[start:]
        self._looked = len(self._kept)
        if len(self._kept) > LONGEST_ROW:
            raise BodyUnreadable(f"a row of a table is longer than {LONGEST_ROW} bytes")
        return b"".join(out)

    def close(self) -> bytes:
        """The last row, if nothing ended it. Raises `BodyUnreadable` within a quoted field."""
        if self._quotes % 2:
            raise BodyUnreadable("a table ends within a quoted field")
        kept, self._kept = self._kept, b""
        return self._row(kept) if kept else b""

    def _row(self, row: bytes) -> bytes:
        text = row.rstrip(b"\r\n")
        ending = row[len(text) :]
        if self._strategies is None:
            names = [_value(field)[0] for field in self._fields(text.removeprefix(_BOM))]
            self._strategies = [(name, self._strategy(name)) for name in names]
            return row
        if any(strategy for _, strategy in self._strategies):
            text = self._delimiter.join(
                self._hidden(place, field) for place, field in enumerate(self._fields(text))
            )
        hits = self._mask.find(text)
        for _, _, name in hits:
            self._count(name)
        return (self._mask.cover(text, hits) if hits else text) + ending

    def _strategy(self, name: str) -> str | None:
        return self._mask.rule([name], label=name)

    def _hidden(self, place: int, field: bytes) -> bytes:
        assert self._strategies is not None
        # A field too many belongs to no column, so to any.
        name, strategy = self._strategies[place] if place < len(self._strategies) else ("?", "redact")
        value, quoted = _value(field)
        if strategy is None or not value:
            return field
        self._count(f"column {name}")
        if strategy == "null":
            return b'""' if quoted else b""
        shown = self._mask.replace(value, strategy=strategy).encode("utf-8", "surrogateescape")
        return b'"' + shown + b'"' if quoted else shown

    def _count(self, name: str) -> None:
        self.masked[name] = self.masked.get(name, 0) + 1

    def _fields(self, row: bytes) -> list[bytes]:
        parts = row.split(self._delimiter)
        if b'"' not in row:
            return parts
        fields: list[bytes] = []
        opened: list[bytes] = []
        quotes = 0
        for part in parts:
            opened.append(part)
            quotes += part.count(b'"')
            if quotes % 2 == 0:
                fields.append(self._delimiter.join(opened))
                opened, quotes = [], 0
        return [*fields, self._delimiter.join(opened)] if opened else fields


def _value(field: bytes) -> tuple[str, bool]:
    """What a field holds, and whether it is quoted."""
    quoted = len(field) > 1 and field[:1] == field[-1:] == b'"'
    value = field[1:-1].replace(b'""', b'"') if quoted else field
    return value.decode("utf-8", "surrogateescape"), quoted
