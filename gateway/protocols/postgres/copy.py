"""The data of one COPY TO STDOUT, masked.

Rows arrive as a rule one a message, and then a chunk without a hit costs one scan and is handed on as it came. A row
cut across messages is put together first. Which columns a rule means is known by their place in the COPY's column
list or by its HEADER; where a mask names columns and the places are not known, every column is hidden: name the
columns in the COPY. Binary rows say nothing of their types, so that a masked column is NULL in them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import groupby

import orjson

from gateway.masking.engine import number_for
from gateway.model import Facts, Output
from gateway.protocols.postgres import rows as walk
from gateway.protocols.postgres import values
from gateway.protocols.postgres.copy_format import CopyFormat, copy_format
from gateway.protocols.postgres.messages import Body, Column, frame
from gateway.protocols.postgres.results import ColumnRule, ResultMask, column_rules, columns_read
from gateway.wire import Mask, ProtocolViolation

LONGEST_ROW = 64 * 1024 * 1024
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_TEXT, _JSON, _NUMBER, _DATE, _MOMENT, _MOMENT_TZ, _UUID, _BOOL, _BYTEA, _MADE = (
    25, 114, 1700, 1082, 1114, 1184, 2950, 16, 17, 16384,
)  # fmt: skip


class CopyMask:
    """Rows in text or CSV. `masked` counts hidden values by detector, and by `column NAME` for rules."""

    def __init__(
        self,
        columns: int,
        outputs: Sequence[Output] | None,
        written: CopyFormat,
        mask: Mask,
        *,
        read: Collection[str] = (),
    ) -> None:
        self.masked: dict[str, int] = {}
        self._columns = columns
        self._outputs = outputs
        self._read = read
        self._written = written
        self._mask = mask
        self._quote = written.quote[0] if written.format == "csv" else -1
        self._doubled = (
            written.quote * 2 if written.format == "csv" and written.quote == written.escape else b""
        )
        self._kept = b""
        self._slow = bool(written.codec) or (written.format == "csv" and written.escape != written.quote)
        """Where a message's end says too little about a row's end, or its bytes about its signs."""
        self._header_due = written.header
        self._set_rules([None] * columns)

    def _set_rules(self, names: Sequence[str | None]) -> None:
        self._names = names
        self._rules: Sequence[ColumnRule] = column_rules(names, self._outputs, self._mask, read=self._read)
        self._ruled = any(rule.strategy is not None for rule in self._rules)

    def data(self, data: bytes) -> bytes:
        """Whole CopyData messages, masked; a row that is not yet whole is kept. The same object if nothing changed."""
        copy = bytearray(data)
        starts, whole = walk.blank_copies(data, self._quote, copy)
        if self._kept or not whole or self._header_due or self._slow:
            return self._rows(data, starts)
        if self._ruled:
            return b"".join(
                frame(b"d", self._message(data[start + 5 : stop]))
                for start, stop in _spans(starts, len(data))
            )
        hits = self._mask.find(self._readable(bytes(copy))) if self._mask.detects else []
        return self._with_hits(data, starts, hits) if hits else data

    def end(self) -> bytes:
        """What was kept when the data ended."""
        kept, self._kept = self._kept, b""
        if not kept:
            return b""
        return frame(b"d", self._row(kept))

    def _readable(self, data: bytes) -> bytes:
        """CSV doubles its quotes, which would hide what JSON in it looks like."""
        return data.replace(self._doubled, self._written.quote + b" ") if self._doubled else data

    def _with_hits(self, data: bytes, starts: list[int], hits: list[tuple[int, int, str]]) -> bytes:
        places = [*starts, len(data)]
        out: list[bytes] = []
        at = 0
        for index, group in groupby(hits, key=lambda hit: bisect_right(starts, hit[0]) - 1):
            start, stop = places[index], places[index + 1]
            inner = [(begin - start - 5, end - start - 5) for begin, end, _ in group]
            out += data[at:start], frame(b"d", self._message(data[start + 5 : stop], hits=inner))
            at = stop
        return b"".join((*out, data[at:]))

    def _rows(self, data: bytes, starts: list[int]) -> bytes:
        """Whatever the messages hold, row by row; what remains is kept."""
        kept = b"".join([self._kept, *(data[start + 5 : stop] for start, stop in _spans(starts, len(data)))])
        codec = self._written.codec
        out: list[bytes] = []
        at = 0
        while (end := self._written.ends(kept, at)) > 0:
            row = kept[at:end]
            at = end
            if self._header_due:
                self._header_due = False
                self._read_header(row)
            elif codec:
                row = self._row(row.decode(codec).encode()).decode().encode(codec)
            else:
                row = self._row(row)
            out.append(frame(b"d", row))
        self._kept = kept[at:]
        if len(self._kept) > LONGEST_ROW:
            raise ProtocolViolation(f"a COPY's row is longer than the {LONGEST_ROW} bytes that can be masked")
        return b"".join(out)

    def _read_header(self, row: bytes) -> None:
        names = [self._written.read(field) for field in self._written.split(row.rstrip(b"\r\n"))]
        if len(names) != self._columns:
            raise ProtocolViolation("a COPY's header has not as many names as the COPY has columns")
        self._set_rules([(name or b"").decode("utf-8", "surrogateescape") for name in names])

    def _row(self, row: bytes, *, hits: list[tuple[int, int]] | None = None) -> bytes:
        """One whole row, with or without its newline. `hits` is where a scan of the row as it stands found
        something: elsewhere nothing is searched again.
        """
        body = row.rstrip(b"\n")
        ending = row[len(body) :]
        if body == b"\\.":
            return row
        written = self._written
        fields = written.split(body)
        if len(fields) != self._columns and not (self._columns == 0 and fields == [b""]):
            raise ProtocolViolation("a COPY's row has not as many fields as the COPY has columns")
        changed = False
        behind = 0
        for place, field in enumerate(fields):
            begin, behind = behind, behind + len(field) + 1
            if hits is not None and not any(start < behind and end > begin for start, end in hits):
                continue
            value = written.read(field)
            if value is None:
                continue
            hidden = self._hidden(place, value)
            if hidden is not value:
                fields[place] = written.write(hidden, like=field)
                changed = True
        return written.delimiter.join(fields) + ending if changed else row

    def _hidden(self, place: int, value: bytes) -> bytes | None:
        """What takes the place of a field's value; the same object if nothing does."""
        rule = self._rules[place]
        if rule.strategy is not None:
            name = f"column {self._names[place] or self._label(place)}"
            self.masked[name] = self.masked.get(name, 0) + 1
            return values.hide(
                value,
                type_oid=_guess(value),
                written=values.TEXT_FORMAT,
                strategy=rule.strategy,
                mask=self._mask,
            )
        return self._searched(value) if rule.searched and self._mask.detects else value

    def _message(self, payload: bytes, *, hits: list[tuple[int, int]] | None = None) -> bytes:
        """What one message holds: as a rule one row."""
        if self._written.ends(payload, 0) == len(payload):
            return self._row(payload, hits=hits)
        out: list[bytes] = []
        at = 0
        while (end := self._written.ends(payload, at)) > 0:
            out.append(self._row(payload[at:end]))
            at = end
        if at < len(payload):
            out.append(self._row(payload[at:]))
        return b"".join(out)

    def _label(self, place: int) -> str:
        if self._outputs is not None and len(self._outputs) == self._columns:
            return self._outputs[place].name
        return str(place + 1)

    def _searched(self, value: bytes) -> bytes:
        hits = self._mask.find(value)
        if not hits:
            return value
        for _, _, name in hits:
            self.masked[name] = self.masked.get(name, 0) + 1
        if value.isdigit():  # a number in a table of numbers: as long as it was, and still one
            return number_for(value, hits[0][2]).rjust(len(value), b"0")
        covered: dict[str, int] = {}
        oid = _JSON if value[:1] in b"{[" and _is_json(value) else _TEXT
        return values.cover(value, hits, type_oid=oid, mask=self._mask, counts=covered)


def _spans(starts: list[int], end: int) -> zip[tuple[int, int]]:
    return zip(starts, [*starts[1:], end], strict=True)


_LOOKS = tuple(
    (re.compile(pattern), oid)
    for pattern, oid in (
        (rb"-?\d+(?:\.\d+)?", _NUMBER),
        (rb"[tf]", _BOOL),
        (rb"\d{4,}-\d\d-\d\d(?: BC)?", _DATE),
        (rb"\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?", _MOMENT),
        (rb"\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d(?::\d\d){0,2}", _MOMENT_TZ),
        (rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", _UUID),
        (rb"\\x(?:[0-9a-f]{2})*", _BYTEA),
    )
)


def _guess(value: bytes) -> int:
    """The type that a value looks like, since a COPY does not say: what is put in its place has that type too."""
    for pattern, oid in _LOOKS:
        if pattern.fullmatch(value):
            return oid
    if value[:1] in {b"{", b"[", b"("}:
        return _JSON if value[:1] != b"(" and _is_json(value) else _MADE
    return _TEXT


def _is_json(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


class BinaryCopyMask:
    """Rows in binary: a signature, then tuples as in DataRow, then a count of -1."""

    def __init__(
        self, columns: int, outputs: Sequence[Output] | None, mask: Mask, *, read: Collection[str] = ()
    ) -> None:
        rules = column_rules([None] * columns, outputs, mask, read=read)
        self._columns = columns
        unknown = [Column(str(place + 1), 0, 0, 0, values.BINARY_FORMAT) for place in range(columns)]
        self._result = ResultMask(unknown, rules, mask)
        self._kept = b""
        self._begun = False
        self._ended = False

    @property
    def masked(self) -> dict[str, int]:
        return self._result.masked

    def data(self, data: bytes) -> bytes:
        """Whole CopyData messages, masked; a tuple that is not yet whole is kept."""
        starts, _ = walk.blank_copies(data, -1, bytearray(data))
        kept = b"".join([self._kept, *(data[start + 5 : stop] for start, stop in _spans(starts, len(data)))])
        at = 0
        out: list[bytes] = []
        if not self._begun:
            at = self._head(kept)
            if at == 0:
                self._kept = kept
                return b""
            out.append(frame(b"d", kept[:at]))
        while not self._ended and (end := self._tuple(kept, at)) > 0:
            if end - at == 2:
                self._ended = True
                out.append(frame(b"d", kept[at:end]))
            else:
                row = self._result.rows(frame(b"D", kept[at:end]))
                out.append(b"d" + row[1:])
            at = end
        self._kept = kept[at:]
        if self._ended and self._kept:
            raise ProtocolViolation("a binary COPY goes on behind its end")
        if len(self._kept) > LONGEST_ROW:
            raise ProtocolViolation(f"a COPY's row is longer than the {LONGEST_ROW} bytes that can be masked")
        return b"".join(out)

    def end(self) -> bytes:
        """Nothing: what is not a whole tuple when the data ends is a violation."""
        if self._kept:
            raise ProtocolViolation("a binary COPY ends within a row")
        return b""

    def _head(self, data: bytes) -> int:
        """The length of signature, flags and extension; 0 if they are not here yet."""
        if data[: len(_SIGNATURE)] != _SIGNATURE[: len(data)]:
            raise ProtocolViolation("a binary COPY does not begin with its signature")
        if len(data) < 19:
            return 0
        length = 19 + int.from_bytes(data[15:19], "big")
        if length > LONGEST_ROW:
            raise ProtocolViolation("a binary COPY's header is too long")
        self._begun = len(data) >= length
        return length if self._begun else 0

    def _tuple(self, data: bytes, at: int) -> int:
        """Where the tuple that begins at `at` ends; -1 if that is not here yet."""
        if len(data) - at < 2:
            return -1
        count = int.from_bytes(data[at : at + 2], "big", signed=True)
        if count == -1:
            return at + 2
        if count != self._columns:
            raise ProtocolViolation("a COPY's row has not as many fields as the COPY has columns")
        at += 2
        for _ in range(count):
            if len(data) - at < 4:
                return -1
            size = int.from_bytes(data[at : at + 4], "big", signed=True)
            if size < -1:
                raise ProtocolViolation("a field of a binary COPY has an impossible length")
            at += 4 + max(size, 0)
            if at > len(data):
                return -1
        return at


def plan_copy(response: bytes, text: str, facts: Facts, mask: Mask) -> CopyMask | BinaryCopyMask:
    """From a whole CopyOutResponse message, the text of the command that it answers, its facts, and the mask.

    Raises `CopyUnreadable` where the rows could not be told apart.
    """
    body = Body(response, 5)
    binary = body.byte() == b"\x01"
    columns = len(body.shorts())
    body.end()
    if binary:
        return BinaryCopyMask(columns, facts.outputs, mask, read=columns_read(facts))
    return CopyMask(columns, facts.outputs, copy_format(text, binary=False), mask, read=columns_read(facts))
