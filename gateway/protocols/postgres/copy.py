"""The data of one COPY TO STDOUT, masked as the rows of a SELECT are.

As a rule the columns are known from a description of what is copied, and rows arrive one a message: then a chunk
without a hit costs one walk and one scan and is handed on as it came. A row cut across messages is put together
first. Where no description fits, the names are those of the column list or HEADER, and types are guessed from the
values; where a mask names columns and not even names are known, every column is hidden.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

import orjson

from gateway.facts.postgres.tree import Node
from gateway.masking.engine import number_for
from gateway.model import Facts, Output
from gateway.protocols.column_rules import column_rules, columns_read
from gateway.protocols.postgres import copy_rows as copied
from gateway.protocols.postgres import rows as walk
from gateway.protocols.postgres import values
from gateway.protocols.postgres.composites import looks_like
from gateway.protocols.postgres.copy_binary import LONGEST_ROW, BinaryCopyMask
from gateway.protocols.postgres.copy_format import CopyFormat, CopyUnreadable, copy_format
from gateway.protocols.postgres.copy_source import copied_out, listed
from gateway.protocols.postgres.encodings import from_utf8, to_utf8
from gateway.protocols.postgres.kinds import BUILT_IN, Types
from gateway.protocols.postgres.messages import Body, Column, frame, read_row_description
from gateway.protocols.postgres.results import (
    has_escapes,
    one_by_one,
    reads_otherwise,
    rewrite_kind,
    search_kind,
)
from gateway.protocols.postgres.searching import cover, search
from gateway.protocols.postgres.spellings import Search
from gateway.wire import Mask, ProtocolViolation

_TEXT, _JSON, _NUMBER = 25, 114, 1700


class CopyMask:
    """Rows in text or CSV. `masked` counts hidden values by detector, and by `column NAME` for rules.

    `columns` are what is copied as a description of it says, in order; None where nobody has one.
    """

    def __init__(
        self,
        count: int,
        outputs: Sequence[Output] | None,
        written: CopyFormat,
        mask: Mask,
        *,
        read: Collection[str] = (),
        complete: bool = True,
        columns: Sequence[Column] | None = None,
        types: Types = BUILT_IN,
    ) -> None:
        self.masked: dict[str, int] = {}
        self._count = count
        self._outputs = outputs
        self._read = read
        self._complete = complete
        self._types = types
        self._columns = columns
        self._written = written
        self._mask = mask
        csv = written.format == "csv"
        self._signs = (written.delimiter[0], written.quote[0] if csv else -1, written.escape[0])
        self._codec = "" if written.decoded else written.codec
        self._kept = b""
        self._header_due = written.header
        self._set_rules([None] * count if columns is None else [column.name for column in columns])

    def _set_rules(self, names: Sequence[str | None]) -> None:
        self._names = names
        mask = self._mask
        rules = self._rules = column_rules(
            names, self._outputs, mask, read=self._read, complete=self._complete
        )
        if self._columns is None:
            self._searches = bytes(
                walk.SKIP if rule.strategy is not None or not rule.searched else walk.SEARCH for rule in rules
            )
            self._rewrites = bytes(
                walk.PASS if rule.strategy is None and not rule.paths else walk.CALL for rule in rules
            )
        else:
            pairs = list(zip(self._columns, rules, strict=True))
            self._searches = bytes(search_kind(column, rule, mask, self._types) for column, rule in pairs)
            self._rewrites = bytes(rewrite_kind(column, rule, self._types) for column, rule in pairs)
        self._searching = mask.detects and any(kind != walk.SKIP for kind in self._searches)
        self._one_by_one = one_by_one(self._searches)
        self._escapes = self._columns is None or has_escapes(self._columns, self._searches, self._types)
        self._rewriting = any(self._rewrites)
        self._constants = [self._constant(place, kind) for place, kind in enumerate(self._rewrites)]

    def _constant(self, place: int, kind: int) -> tuple[bytes, bytes]:
        """What stands for every value of a column, unquoted and quoted."""
        if kind != walk.CONSTANT or self._columns is None:
            return b"", b""
        hidden = None
        if self._rules[place].strategy != "null":
            column = self._columns[place]
            hidden = values.redacted(
                type_oid=column.type_oid,
                written=values.TEXT_FORMAT,
                mask=self._mask,
                modifier=column.modifier,
                types=self._types,
            )
        write = self._written.write
        return write(hidden, like=b""), write(hidden, like=self._written.quote)

    def data(self, data: bytes) -> bytes:
        """Whole CopyData messages, masked; a row that is not yet whole is kept. The same object if nothing changed."""
        if not (self._kept or self._header_due or self._written.decoded):
            masked = self._whole(data)
            if masked is not None:
                return masked
        return self._rows(copied.contents(data))

    def end(self) -> bytes:
        """What was kept when the data ended."""
        kept, self._kept = self._kept, b""
        if not kept:
            return b""
        masked = self._whole_rows([kept + b"\n"])
        return frame(b"d", masked[0][:-1])

    def _whole(self, data: bytes) -> bytes | None:
        """Messages of one whole row each, masked; None where they are not."""
        delimiter, quote, escape = self._signs
        null = self._written.null
        counts: list[int] = []
        if self._rewriting:
            data, counts = copied.rewrite(
                data, self._rewrites, self._constants, delimiter, quote, escape, null, self._hidden
            )
            if not counts:
                return None
        if self._searching:
            rows, apart, text, marks = copied.gather(data, self._searches, delimiter, quote, escape, null)
            if rows < 0:
                return None
            hits: list[tuple[int, int, str]] = []
            if reads_otherwise(text, self._codec, escapes=self._escapes):
                _, apart, _, _ = copied.gather(data, self._one_by_one, delimiter, quote, escape, null)
            else:
                hits = self._mask.find_in_fields(text)
            if hits or apart:
                data = self._replaced(data, hits, apart, marks)
        for place, count in enumerate(counts):
            if count and self._rules[place].strategy is not None:
                self._add(place, count)
        return data

    def _add(self, place: int, count: int) -> None:
        name = f"column {self._names[place] or self._label(place)}"
        self.masked[name] = self.masked.get(name, 0) + count

    def _replaced(
        self,
        data: bytes,
        hits: list[tuple[int, int, str]],
        apart: list[tuple[int, int, int, int]],
        marks: list[tuple[int, int]],
    ) -> bytes:
        delimiter, quote, escape = self._signs
        null = self._written.null
        starts = [start for start, _, _ in hits]
        places = copied.locate(data, self._searches, starts, marks, delimiter, quote, escape, null)
        edits: list[tuple[int, int, int, bytes]] = []
        alone = {start for _, _, start, _ in apart}
        for (begin, column, start, end, at), group in groupby(
            zip(places, hits, strict=True), key=lambda pair: pair[0]
        ):
            if start in alone:
                continue
            inner = [(first - at, last - at, name) for _, (first, last, name) in group]
            edits.append((begin, start, end, self._covered(column, data[start:end], inner)))
        for begin, column, start, end in apart:
            field = data[start:end]
            value = self._written.read(field)
            if value is None:
                continue
            hidden = search(
                value,
                type_oid=self._type_of(column, value),
                written=values.TEXT_FORMAT,
                mask=self._mask,
                counts=self.masked,
                modifier=-1 if self._columns is None else self._columns[column].modifier,
                codec=self._codec,
                types=self._types,
            )
            if hidden is not value:
                edits.append((begin, start, end, self._written.write(hidden, like=field)))
        return _edited(data, edits) if edits else data

    def _covered(self, column: int, field: bytes, hits: list[tuple[int, int, str]]) -> bytes:
        """A field as it is written, with these hits in its value hidden."""
        value = self._written.read(field)
        assert value is not None, "a hit in a NULL"
        assert hits[-1][1] <= len(value), "a hit goes beyond its field"
        oid = self._type_of(column, value)
        by = Search(mask=self._mask, counts=self.masked, types=self._types)
        if (
            self._columns is None and oid == _NUMBER
        ):  # in a table of numbers: as long as it was, and still one
            by.count(hits)
            number = number_for(value, hits[0][2]).rjust(len(value), b"0")
            return self._written.write(number, like=field)
        modifier = -1 if self._columns is None else self._columns[column].modifier
        return self._written.write(cover(value, hits, type_oid=oid, by=by, modifier=modifier), like=field)

    def _type_of(self, column: int, value: bytes) -> int:
        """The type of a value that is searched; where nobody says it, what it looks like."""
        if self._columns is not None:
            return self._columns[column].type_oid
        if value.isdigit():
            return _NUMBER
        return _JSON if value[:1] in {b"{", b"["} and _is_json(value) else _TEXT

    def _hidden(self, place: int, field: bytes) -> bytes:
        """What takes the place of a field of a column that a rule names."""
        strategy = self._rules[place].strategy
        value = self._written.read(field)
        assert value is not None, "a NULL stays NULL"
        if strategy is None:
            shown, count = values.hide_inside(
                value,
                type_oid=self._type_of(place, value),
                written=values.TEXT_FORMAT,
                paths=self._rules[place].paths,
                mask=self._mask,
                codec=self._codec,
                types=self._types,
            )
            if not count:
                return field
            self._add(place, count)
            return self._written.write(shown, like=field)
        hidden = values.hide(
            value,
            type_oid=_guess(value) if self._columns is None else self._columns[place].type_oid,
            written=values.TEXT_FORMAT,
            strategy=strategy,
            mask=self._mask,
            modifier=-1 if self._columns is None else self._columns[place].modifier,
            codec=self._codec,
            types=self._types,
        )
        return self._written.write(hidden, like=field)

    def _rows(self, parts: list[bytes]) -> bytes:
        """Whatever the messages hold, row by row; what remains is kept."""
        kept = b"".join((self._kept, *parts))
        rows: list[bytes] = []
        out: list[bytes] = []
        at = 0
        while (end := self._written.ends(kept, at)) > 0:
            row = kept[at:end]
            at = end
            if self._header_due:
                self._header_due = False
                self._read_header(row)
                out.append(row)
            else:
                rows.append(row)
        self._kept = kept[at:]
        if len(self._kept) > LONGEST_ROW:
            raise ProtocolViolation(f"a COPY's row is longer than the {LONGEST_ROW} bytes that can be masked")
        out += self._whole_rows(rows)
        return b"".join(frame(b"d", row) for row in out)

    def _whole_rows(self, rows: list[bytes]) -> list[bytes]:
        """Whole rows in the encoding of the COPY, masked."""
        if not rows:
            return rows
        codec = self._written.codec if self._written.decoded else ""
        if codec:
            rows = [to_utf8(row, codec)[0] for row in rows]
        masked = self._whole(b"".join(frame(b"d", row) for row in rows))
        if masked is None:
            raise ProtocolViolation("where the rows of a COPY end cannot be told")
        rows = copied.contents(masked)
        return [from_utf8(row, codec) for row in rows] if codec else rows

    def _read_header(self, row: bytes) -> None:
        names = [self._written.read(field) for field in self._written.split(row.rstrip(b"\r\n"))]
        if len(names) != self._count:
            raise ProtocolViolation("a COPY's header has not as many names as the COPY has columns")
        if self._columns is None:
            self._set_rules([(name or b"").decode("utf-8", "surrogateescape") for name in names])

    def _label(self, place: int) -> str:
        if self._outputs is not None and len(self._outputs) == self._count:
            return self._outputs[place].name
        return str(place + 1)


def _edited(data: bytes, edits: list[tuple[int, int, int, bytes]]) -> bytes:
    """`data` with these fields replaced and the lengths of their messages corrected."""
    edits.sort()
    out: list[bytes] = []
    at = 0
    for begin, group in groupby(edits, key=lambda edit: edit[0]):
        fields = list(group)
        grown = sum(len(hidden) - (end - start) for _, start, end, hidden in fields)
        size = int.from_bytes(data[begin + 1 : begin + 5], "big") + grown
        out += data[at : begin + 1], size.to_bytes(4, "big")
        at = begin + 5
        for _, start, end, hidden in fields:
            out += data[at:start], hidden
            at = end
    out.append(data[at:])
    return b"".join(out)


def _guess(value: bytes) -> int:
    """The type that a value looks like, since a COPY does not say: what is put in its place has that type too."""
    return _JSON if value[:1] in {b"{", b"["} and _is_json(value) else looks_like(value)


def _is_json(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


def plan_copy(
    response: bytes,
    text: str,
    facts: Facts,
    mask: Mask,
    *,
    place: int = 0,
    described: bytes = b"",
    encoding: str = "",
    types: Types = BUILT_IN,
) -> CopyMask | BinaryCopyMask:
    """How the rows of a COPY are masked; as `plans.PlanCopy`.

    Raises `CopyUnreadable` where the rows could not be told apart.
    """
    body = Body(response, 5)
    binary = body.byte() == b"\x01"
    count = len(body.shorts())
    body.end()
    copy = copied_out(text, place)
    columns = _columns(copy, described, count)
    read = columns_read(facts)
    if binary:
        return BinaryCopyMask(
            count,
            facts.outputs,
            mask,
            read=read,
            complete=facts.complete,
            columns=columns,
            encoding=encoding,
            types=types,
        )
    if copy is None:
        raise CopyUnreadable("which COPY these rows belong to cannot be told; send one COPY at a time")
    written = copy_format(copy, encoding=encoding)
    return CopyMask(
        count,
        facts.outputs,
        written,
        mask,
        read=read,
        complete=facts.complete,
        columns=columns,
        types=types,
    )


def _columns(copy: Node | None, described: bytes, count: int) -> Sequence[Column] | None:
    """The columns that are copied, of those that are described; None where they are not all known.

    A COPY without a column list leaves generated columns out, and nothing says which: then none is known.
    """
    if copy is None or not described:
        return None
    columns = read_row_description(described, 5, len(described))
    if names := listed(copy):
        by_name = {column.name: column for column in columns}
        columns = tuple(by_name[name] for name in names if name in by_name)
    return columns if len(columns) == count else None
