"""CSV and its like (RFC 4180) as they come: columns that rules name are hidden, and every other byte stays as it was.

The first record names the columns. What cannot be told apart by it raises `TableUnreadable`: quotes that do not match, another
number of fields, line ends of which nobody knows whether they end a record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.masking.documents import hide_paths, leaf
from gateway.protocols.http.naming import Found, Names
from gateway.protocols.http.texts import Texts
from gateway.wire import Mask

_SEPARATORS = b",;\t|"
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_QUOTE = b'"'
_QUOTED = rb'"[^"]*(?:""[^"]*)*"'


def heads_a_table(line: bytes, names: Names) -> bool:
    """Whether a line of text names columns, and one that a rule hides."""
    cells = re.split(rb"[,;\t|]", line)
    known = (names.column(names.top, cell.strip(b" \"'").decode("utf-8", "replace")) for cell in cells)
    return len(cells) > 1 and any(each is not None for each in known)


class TableUnreadable(Exception):
    """Text of which nobody can tell which column is which."""


@dataclass(frozen=True, slots=True)
class _Column:
    found: Found

    @property
    def plain(self) -> bool:
        return self.found.strategy is None and not self.found.inside


class TableText:
    def __init__(self, names: Names, mask: Mask, texts: Texts, *, longest: int) -> None:
        """`longest`: bytes of a record that may be kept until it is whole."""
        self._names = names
        self._mask = mask
        self._texts = texts
        self._longest = longest
        self._buffer = bytearray()
        self._seen = 0
        """Up to where no line ends that a record ends with."""
        self._open = False
        """A quote is open there."""
        self._by_cr: bool | None = None
        self._separator = b","
        self._fields: re.Pattern[bytes] | None = None
        self._columns: list[_Column] = []

    @property
    def between(self) -> bool:
        return not self._buffer

    def feed(self, data: bytes) -> bytes:
        """The records that are whole now, as they may be shown. Raises `TableUnreadable`."""
        self._buffer += data
        out = self._records(final=False)
        if len(self._buffer) > self._longest:
            raise TableUnreadable
        return out

    def close(self) -> bytes:
        out = self._records(final=True)
        if self._open:
            raise TableUnreadable
        rest = bytes(self._buffer)
        self._buffer.clear()
        return out + self._record(rest) if rest else out

    def _records(self, *, final: bool) -> bytes:
        out: list[bytes] = []
        start = 0
        while (end := self._line_end(final=final)) is not None:
            if not self._open:
                out.append(self._record(bytes(self._buffer[start : end[0]])))
                out.append(self._ended(bytes(self._buffer[end[0] : end[1]])))
                start = end[1]
        del self._buffer[:start]
        self._seen -= start
        return b"".join(out)

    def _line_end(self, *, final: bool) -> tuple[int, int] | None:
        """The next one; whether a quote is open there is known then."""
        match = _LINE_END.search(self._buffer, self._seen)
        if match is None and final and self._buffer.endswith(b"\r", self._seen):
            place = (len(self._buffer) - 1, len(self._buffer))
        elif match is None:
            # A CR at the very end may be half of a line's end: it is looked at again.
            upto = len(self._buffer) - self._buffer.endswith(b"\r", self._seen)
            self._count_quotes(upto)
            return None
        else:
            place = match.span()
        self._count_quotes(place[0])
        self._seen = place[1]
        return place

    def _ended(self, line_end: bytes) -> bytes:
        """A CR alone ends records where all end so, and else stands within one."""
        by_cr = line_end == b"\r"
        if self._by_cr is None:
            self._by_cr = by_cr
        if by_cr is not self._by_cr:
            raise TableUnreadable
        return line_end

    def _count_quotes(self, upto: int) -> None:
        self._open ^= self._buffer.count(_QUOTE, self._seen, upto) % 2 == 1
        self._seen = upto

    def _record(self, record: bytes) -> bytes:
        if self._fields is None:
            self._begin(record)
            return record
        if not record:
            return record
        fields = self._cut(record)
        if len(fields) != len(self._columns):
            raise TableUnreadable
        shown = [
            field if column.plain else self._hidden(field, column.found)
            for field, column in zip(fields, self._columns, strict=True)
        ]
        return self._separator.join(shown)

    def _begin(self, record: bytes) -> None:
        outside = re.sub(_QUOTED, b"", record)
        self._separator = max((bytes([each]) for each in _SEPARATORS), key=outside.count)
        sign = re.escape(self._separator)
        self._fields = re.compile(
            rb"(" + _QUOTED + rb'|[^"' + sign + rb"][^" + sign + rb"]*|)(?:" + sign + rb"|\Z)"
        )
        for field in self._cut(record):
            self._columns.append(_Column(self._names.member(self._names.top, _said(field).strip())))

    def _cut(self, record: bytes) -> list[bytes]:
        """The fields of a record, in their quotes."""
        if _QUOTE not in record:
            return record.split(self._separator)
        assert self._fields is not None
        fields, at = [], 0
        while at <= len(record):
            match = self._fields.match(record, at)
            if match is None:
                raise TableUnreadable
            fields.append(match[1])
            at = match.end() + (match.end() == match.end(1))  # behind the last one there is no separator
        return fields

    def _hidden(self, field: bytes, found: Found) -> bytes:
        said = _said(field)
        if not said:
            return field
        if found.strategy is None:
            document = said.encode("utf-8", "surrogateescape")
            shown, count = hide_paths(document, found.inside, self._mask)
            if shown is document:
                return field
            self._texts.count(found.inside[0][1], count)
            return _QUOTE + shown.replace(_QUOTE, _QUOTE * 2) + _QUOTE
        self._texts.count(found.strategy, 1)
        number = _NUMBER.fullmatch(said)
        item = said if number is None else float(said) if number[1] else int(said)
        hidden = leaf(found.strategy, self._mask)(item)
        text = "" if hidden is None else str(hidden)
        shown = text.encode("utf-8", "surrogateescape")
        plain = _QUOTE not in field and not any(
            sign in shown for sign in (_QUOTE, self._separator, b"\n", b"\r")
        )
        return shown if plain else _QUOTE + shown.replace(_QUOTE, _QUOTE * 2) + _QUOTE


def _said(field: bytes) -> str:
    if field.startswith(_QUOTE):
        field = field[1:-1].replace(_QUOTE * 2, _QUOTE)
    return field.decode("utf-8", "surrogateescape")
