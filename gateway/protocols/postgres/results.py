"""The rows of one result, masked.

`ResultMask` replaces the columns that a rule names and searches the others: one scan over all text of a chunk, gathered without frames, lengths and columns that have no words, and only fields with a hit are built
anew. A chunk without a hit is handed on as the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from itertools import groupby

from gateway.masking.colours import coloured
from gateway.model import Facts
from gateway.protocols.column_rules import ColumnRule, column_rules, columns_read
from gateway.protocols.postgres import rows as walk
from gateway.protocols.postgres import values
from gateway.protocols.postgres.encodings import codec_of
from gateway.protocols.postgres.kinds import BUILT_IN, XML, Kind, Types
from gateway.protocols.postgres.messages import Column, read_row_description
from gateway.protocols.postgres.searching import HEX, cover, search
from gateway.protocols.postgres.spellings import Search
from gateway.wire import Mask

Resolver = Callable[[int, int], str | None]
"""`(table OID, attribute number)` -> `schema.table.column`, if it is known."""


class ResultMask:
    """The rows of one result. `masked` counts hidden values by detector, and by `column NAME` for rules."""

    def __init__(
        self,
        columns: Sequence[Column],
        rules: Sequence[ColumnRule],
        mask: Mask,
        types: Types = BUILT_IN,
    ) -> None:
        self.masked: dict[str, int] = {}
        self.count = 0
        """Rows seen so far; only while something is masked."""
        self._columns = tuple(columns)
        self._rules = tuple(rules)
        self._mask = mask
        self._types = types
        self._searches = bytes(search_kind(c, r, mask, types) for c, r in zip(columns, rules, strict=True))
        self._searching = mask.detects and any(kind != walk.SKIP for kind in self._searches)
        self._one_by_one = one_by_one(self._searches)
        self._escapes = has_escapes(columns, self._searches, types)
        self._codec = ""
        self._stand_ins: dict[tuple[int, bytes], bytes | None] = {}
        self._rewrites = bytes(rewrite_kind(c, r, types) for c, r in zip(columns, rules, strict=True))
        self._rewriting = any(self._rewrites)
        self._constants = [
            walk.sized(
                values.redacted(
                    type_oid=column.type_oid,
                    written=column.format,
                    mask=mask,
                    modifier=column.modifier,
                    types=types,
                )
                if kind == walk.CONSTANT and rule.strategy != "null"
                else None
            )
            for kind, column, rule in zip(self._rewrites, columns, rules, strict=True)
        ]
        self.idle = not (self._searching or self._rewriting)
        """No column of it can hold what has to be hidden."""

    def afresh(self) -> ResultMask:
        """The same mask for another result of the same shape; one that changes nothing counts nothing either."""
        if self.idle:
            return self
        other = copy(self)
        other.masked, other.count = {}, 0
        return other

    def rows(self, data: bytes, encoding: str = "UTF8") -> bytes:
        """Whole DataRow messages in this encoding, masked; the same object where nothing had to be.

        Raises `ProtocolViolation` for rows that are not as their RowDescription says.
        """
        self._codec = codec_of(encoding)
        if self._rewriting:
            self._stand_ins = {}
            data, counts = walk.rewrite(data, self._rewrites, self._constants, self._hidden)
            self._stand_ins = {}
            for column, rule, count in zip(self._columns, self._rules, counts, strict=True):
                if count and rule.strategy is not None:
                    self._add(f"column {column.name}", count)
        if self._searching:
            count, apart, text, marks = walk.gather(data, self._searches)
            self.count += count
            hits: list[tuple[int, int, str]] = []
            if reads_otherwise(text, self._codec, escapes=self._escapes):
                _, apart, _, _ = walk.gather(data, self._one_by_one)
            else:
                hits = self._mask.find_in_fields(text)
            if hits or apart:
                data = self._replaced(data, hits, apart, marks)
        return data

    def _hidden(self, place: int, value: bytes) -> bytes | None:
        """What stands for a value. A chunk's values come again and again in columns of names, states and countries."""
        if (place, value) in self._stand_ins:
            return self._stand_ins[place, value]
        column, strategy = self._columns[place], self._rules[place].strategy
        if strategy is None:
            shown, count = values.hide_inside(
                value,
                type_oid=column.type_oid,
                written=column.format,
                paths=self._rules[place].paths,
                mask=self._mask,
                codec=self._codec,
                types=self._types,
            )
            if count:
                self._add(f"column {column.name}", count)
            return shown
        hidden = self._stand_ins[place, value] = values.hide(
            value,
            type_oid=column.type_oid,
            written=column.format,
            strategy=strategy,
            mask=self._mask,
            modifier=column.modifier,
            codec=self._codec,
            types=self._types,
        )
        return hidden

    def _replaced(
        self,
        data: bytes,
        hits: list[tuple[int, int, str]],
        apart: list[tuple[int, int, int, int]],
        marks: list[tuple[int, int]],
    ) -> bytes:
        places = walk.locate(data, self._searches, [start for start, _, _ in hits], marks)
        by = Search(mask=self._mask, counts=self.masked, types=self._types)
        edits: list[tuple[int, int, int, bytes | None]] = []
        alone = {start for _, _, start, _ in apart}
        for (frame, place, start, end, at), group in groupby(
            zip(places, hits, strict=True), key=lambda pair: pair[0]
        ):
            if start in alone:
                continue
            inner = [(begin - at, finish - at, name) for _, (begin, finish, name) in group]
            column = self._columns[place]
            value = data[start:end]
            if column.format == values.BINARY_FORMAT and column.type_oid == _JSONB:
                shifted = [(begin - 1, finish - 1, name) for begin, finish, name in inner]
                covered = cover(value[1:], shifted, type_oid=column.type_oid, by=by)
                hidden = None if covered is None else value[:1] + covered
            else:
                hidden = cover(value, inner, type_oid=column.type_oid, by=by, modifier=column.modifier)
            edits.append((frame, start, end, hidden))
        for frame, place, start, end in apart:
            column = self._columns[place]
            value = data[start:end]
            hidden = search(
                value,
                type_oid=column.type_oid,
                written=column.format,
                mask=self._mask,
                counts=self.masked,
                modifier=column.modifier,
                codec=self._codec,
                types=self._types,
            )
            if hidden is not value:
                edits.append((frame, start, end, hidden))
        return _edited(data, edits) if edits else data

    def _add(self, name: str, count: int) -> None:
        self.masked[name] = self.masked.get(name, 0) + count


def _edited(data: bytes, edits: list[tuple[int, int, int, bytes | None]]) -> bytes:
    """`data` with these fields replaced, None being NULL, and the lengths of fields and frames corrected."""
    edits.sort(key=lambda edit: edit[1])
    out: list[bytes] = []
    at = 0
    for frame, group in groupby(edits, key=lambda edit: edit[0]):
        fields = [(start, end, walk.sized(hidden)) for _, start, end, hidden in group]
        grown = sum(len(hidden) - 4 - (end - start) for start, end, hidden in fields)
        if grown:
            size = int.from_bytes(data[frame + 1 : frame + 5], "big") + grown
            out += data[at : frame + 1], size.to_bytes(4, "big")
            at = frame + 5
        for start, end, hidden in fields:
            out += data[at : start - 4], hidden
            at = end
    out.append(data[at:])
    return b"".join(out)


_JSONB = 3802


def one_by_one(kinds: bytes) -> bytes:
    """The same columns, searched value by value."""
    return bytes(walk.ALWAYS if kind in _SCANNED else kind for kind in kinds)


def has_escapes(columns: Sequence[Column], kinds: bytes, types: Types = BUILT_IN) -> bool:
    """Whether text is searched that may be escaped as JSON and XML are."""
    return any(
        kind in _SCANNED and (types.kind(column.type_oid) in _DOCUMENTS or column.type_oid == XML)
        for column, kind in zip(columns, kinds, strict=True)
    )


_SCANNED = frozenset({walk.SEARCH, walk.NUMBERS})


def reads_otherwise(text: bytes, codec: str, *, escapes: bool) -> bool:
    """Whether detectors could not read this text as it stands, so that each value has to be looked at by itself.

    One byte is looked for before two, which takes twenty times as long.
    """
    return (
        (codec != "" and not text.isascii())
        or (
            b"\\" in text
            and ((escapes and b"\\u" in text) or (b"\\x" in text and HEX.search(text) is not None))
        )
        or (escapes and b"&" in text and b"&#" in text)
        or coloured(text)
    )


def rewrite_kind(column: Column, rule: ColumnRule, types: Types = BUILT_IN) -> int:
    """How a column is replaced: not at all, by the same bytes always, or by a call for each value."""
    if rule.strategy is None:
        kind = types.kind(column.type_oid)
        inside = rule.paths and (kind in _DOCUMENTS or (rule.named and kind is Kind.TEXT))
        return walk.CALL if inside else walk.PASS
    same = rule.strategy == "null" or (
        rule.strategy == "redact" and types.kind(column.type_oid) in _REDACT_ALIKE
    )
    return walk.CONSTANT if same else walk.CALL


_DOCUMENTS = frozenset({Kind.JSON, Kind.JSONB})
_REDACT_ALIKE = frozenset(
    {
        Kind.TEXT, Kind.INT2, Kind.INT4, Kind.INT8, Kind.OID, Kind.FLOAT4, Kind.FLOAT8, Kind.NUMERIC, Kind.BOOL,
        Kind.MONEY, Kind.TIME, Kind.TIMETZ, Kind.INTERVAL,
    }
)  # fmt: skip
"""Kinds of which every value is redacted to the same bytes."""


def search_kind(column: Column, rule: ColumnRule, mask: Mask, types: Types = BUILT_IN) -> int:
    """How the scan treats a column that no rule has replaced already."""
    if rule.strategy is not None or not rule.searched or not mask.detects:
        return walk.SKIP
    if types.is_wordless(column.type_oid):
        return walk.SKIP
    kind = types.kind(column.type_oid)
    if column.format == values.TEXT_FORMAT:
        return _IN_TEXT.get(kind, walk.NUMBERS)
    match kind:
        case Kind.TEXT | Kind.JSON | Kind.JSONB:
            return walk.SEARCH
        case Kind.INT8:
            return walk.WIDE_INT8
        case Kind.NUMERIC:
            return walk.WIDE_NUMERIC
        case Kind.FLOAT8:
            return walk.WIDE_FLOAT8
        case _:
            return walk.ALWAYS


_IN_TEXT = {
    Kind.TEXT: walk.SEARCH,
    Kind.INT8: walk.SEARCH,
    Kind.BYTEA: walk.ALWAYS,
    Kind.FLOAT8: walk.FLOAT8_TEXT,
}
"""Of all else, numbers may be a part."""


def plan_rows(
    description: bytes,
    facts: Facts,
    mask: Mask,
    *,
    resolve: Resolver | None = None,
    types: Types = BUILT_IN,
) -> ResultMask:
    """From a whole RowDescription message that has the rows' own formats."""
    columns = read_row_description(description, 5, len(description))
    origins = [resolve(column.table_oid, column.attnum) if resolve else None for column in columns]
    names = [column.name for column in columns]
    rules = column_rules(
        names, facts.outputs, mask, origins=origins, read=columns_read(facts), complete=facts.complete
    )
    return ResultMask(columns, rules, mask, types)
