"""The rows of one result, masked.

`RowMask` replaces the columns that a rule names and searches the others: one scan over all text of a run of rows,
gathered without headers, lengths and columns that have no words, and only fields with a hit are built anew. A run
without a hit is handed on as the same object.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import groupby

from gateway.masking.colours import coloured
from gateway.model import Facts
from gateway.protocols.column_rules import ColumnRule, column_rules, columns_read
from gateway.protocols.mysql import charsets, values
from gateway.protocols.mysql import rows as walk
from gateway.protocols.mysql.columns import INTEGERS, WIDTHS, ZEROFILL, Column, Kind
from gateway.protocols.mysql.searching import cover, search
from gateway.protocols.searches import Search
from gateway.wire import Mask, ProtocolViolation

_NO_VALUE = 0xFF
"""The width, in binary rows, of a column that has no value but NULL."""
_SCANNED = frozenset({walk.SEARCH, walk.NUMBERS, walk.BYTES})
_REDACT_ALIKE = (
    frozenset(
        {Kind.TEXT, Kind.ENUM, Kind.SET, Kind.DECIMAL, Kind.FLOAT, Kind.DOUBLE, Kind.GEOMETRY, Kind.TIME}
    )
    | INTEGERS
)
"""Kinds of which every value is redacted to the same bytes."""
_CATALOGUE = "information_schema."
_WORDY = frozenset({Kind.TEXT, Kind.JSON, Kind.BYTES, Kind.ENUM, Kind.SET, Kind.OTHER})


class RowMask:
    """The rows of one result. `masked` counts hidden values by detector, and by `column NAME` for rules."""

    def __init__(
        self, columns: Sequence[Column], rules: Sequence[ColumnRule], mask: Mask, *, in_binary: bool
    ) -> None:
        self.masked: dict[str, int] = {}
        self._columns = tuple(columns)
        self._rules = tuple(rules)
        self._mask = mask
        self._in_binary = in_binary
        self._widths = bytes(map(_width, columns)) if in_binary else b""
        self._searches = bytes(
            search_kind(c, r, mask, in_binary=in_binary) for c, r in zip(columns, rules, strict=True)
        )
        self._searching = mask.detects and any(kind != walk.SKIP for kind in self._searches)
        self._one_by_one = bytes(walk.ALWAYS if kind in _SCANNED else kind for kind in self._searches)
        self._ascii_alone = any(
            kind in _SCANNED and column.charset.codec
            for kind, column in zip(self._searches, columns, strict=True)
        )
        """Some text is in an encoding of which detectors read ASCII alone."""
        self._rewrites = bytes(rewrite_kind(c, r) for c, r in zip(columns, rules, strict=True))
        self._rewriting = any(self._rewrites)
        self._constants = [
            self._constant(column, rule) if kind == walk.CONSTANT else None
            for kind, column, rule in zip(self._rewrites, columns, rules, strict=True)
        ]
        self._stand_ins: dict[tuple[int, bytes], bytes | None] = {}
        self.idle = not (self._searching or self._rewriting)
        """No column of it can hold what has to be hidden."""

    def afresh(self) -> RowMask:
        """The same mask for another result of the same shape; one that changes nothing counts nothing either."""
        if self.idle:
            return self
        other = copy(self)
        other.masked = {}
        return other

    def rows(self, data: bytes, *, framed: bool = True) -> bytes:
        """Whole rows, masked; the same object where nothing had to be. Without `framed`, one row without a header.

        Raises `ProtocolViolation` for rows that are not as their columns say.
        """
        if self._rewriting:
            self._stand_ins = {}
            data, counts = walk.rewrite(
                data, self._rewrites, self._widths, framed, self._constants, self._hidden
            )
            self._stand_ins = {}
            for column, rule, count in zip(self._columns, self._rules, counts, strict=True):
                if count and rule.strategy is not None:
                    self._add(f"column {column.name or '?'}", count)
        if self._searching:
            _, apart, text, marks = walk.gather(data, self._searches, self._widths, framed)
            places: list[tuple[int, int, int, int, int, int]] = []
            hits: list[tuple[int, int, str]] = []
            if self._reads_otherwise(text):
                _, apart, _, _ = walk.gather(data, self._one_by_one, self._widths, framed)
            elif hits := self._mask.find_in_fields(text):
                starts = [start for start, _, _ in hits]
                places = walk.locate(data, self._searches, self._widths, framed, starts, marks)
            if hits or apart:
                data = self._replaced(data, hits, places, apart, framed=framed)
        return data

    def _constant(self, column: Column, rule: ColumnRule) -> bytes | None:
        if becomes_null(column, rule):
            return None
        value = values.redacted(column, self._mask, in_binary=self._in_binary)
        return value if value is None else self._sized(value, column)

    def _sized(self, value: bytes, column: Column) -> bytes:
        """A value as it stands in a row."""
        return value if self._in_binary and column.kind in WIDTHS else walk.sized(value)

    def _reads_otherwise(self, text: bytes) -> bool:
        """Whether detectors could not read this text as it stands, so that each value has to be looked at by itself."""
        return (
            (self._ascii_alone and not text.isascii()) or (b"\\" in text and b"\\u" in text) or coloured(text)
        )

    def _hidden(self, place: int, value: bytes) -> bytes | None:
        """What stands for a value. A run's values come again and again in columns of names, states and countries."""
        if (place, value) in self._stand_ins:
            return self._stand_ins[place, value]
        column, rule = self._columns[place], self._rules[place]
        if rule.strategy is None:
            shown, count = values.hide_inside(value, column, rule.paths, self._mask, named=rule.named)
            if count:
                self._add(f"column {column.name or '?'}", count)
            return shown
        hidden = self._stand_ins[place, value] = values.hide(
            value, column, rule.strategy, self._mask, in_binary=self._in_binary
        )
        return hidden

    def _replaced(
        self,
        data: bytes,
        hits: list[tuple[int, int, str]],
        places: list[tuple[int, int, int, int, int, int]],
        apart: list[tuple[int, int, int, int, int]],
        *,
        framed: bool,
    ) -> bytes:
        by = Search(mask=self._mask, counts=self.masked)
        edits: list[tuple[int, int, int, bytes]] = []
        alone = {start for _, _, _, start, _ in apart}
        for (frame, place, field, start, end, at), group in groupby(
            zip(places, hits, strict=True), key=lambda pair: pair[0]
        ):
            if start in alone:
                continue
            inner = [(begin - at, finish - at, name) for _, (begin, finish, name) in group]
            column = self._columns[place]
            hidden = cover(data[start:end], inner, column, by)
            if column.kind is Kind.TEXT:
                hidden = values.fitted(hidden, column)
            edits.append((frame, field, end, self._sized(hidden, column)))
        for frame, place, field, start, end in apart:
            column = self._columns[place]
            value = data[start:end]
            hidden = search(value, column, by, in_binary=self._in_binary)
            if hidden is not value:
                edits.append((frame, field, end, self._sized(hidden, column)))
        return _edited(data, edits, framed=framed) if edits else data

    def _add(self, name: str, count: int) -> None:
        self.masked[name] = self.masked.get(name, 0) + count


def _edited(data: bytes, edits: list[tuple[int, int, int, bytes]], *, framed: bool) -> bytes:
    """`data` with these fields replaced, and the lengths of packets corrected."""
    edits.sort(key=lambda edit: edit[1])
    out: list[bytes] = []
    at = 0
    for frame, group in groupby(edits, key=lambda edit: edit[0]):
        fields = [(field, end, hidden) for _, field, end, hidden in group]
        grown = sum(len(hidden) - (end - field) for field, end, hidden in fields)
        if framed and grown:
            size = int.from_bytes(data[frame : frame + 3], "little") + grown
            if size >= 0xFFFFFF:
                raise ProtocolViolation("a row grows beyond a packet where it is masked")
            out += data[at:frame], size.to_bytes(3, "little")
            at = frame + 3
        for field, end, hidden in fields:
            out += data[at:field], hidden
            at = end
    out.append(data[at:])
    return b"".join(out)


def _width(column: Column) -> int:
    kind = column.kind
    if kind is Kind.OTHER:
        raise ProtocolViolation(f"binary rows have a type that is not known: {column.type}")
    return _NO_VALUE if kind is Kind.NULL else WIDTHS.get(kind, 0)


def becomes_null(column: Column, rule: ColumnRule) -> bool:
    """Whether nothing else can stand for its values: nobody knows the labels of an ENUM."""
    return rule.strategy is not None and (rule.strategy == "null" or column.kind in {Kind.ENUM, Kind.OTHER})


def rewrite_kind(column: Column, rule: ColumnRule) -> int:
    """How a column is replaced: not at all, by the same bytes always, or by a call for each value."""
    kind = column.kind
    if rule.strategy is None:
        inside = rule.paths and kind in {Kind.JSON, Kind.TEXT, Kind.BYTES}
        return walk.CALL if inside else walk.PASS
    same = becomes_null(column, rule) or (
        rule.strategy == "redact"
        and kind in _REDACT_ALIKE
        and not column.flags & ZEROFILL
        and not column.holds_documents
    )
    return walk.CONSTANT if same else walk.CALL


def search_kind(column: Column, rule: ColumnRule, mask: Mask, *, in_binary: bool) -> int:
    """How the scan treats a column that no rule has replaced already."""
    kind = column.kind
    if rule.strategy is not None or not rule.searched or not mask.detects:
        return walk.SKIP
    if kind in _WORDY:
        if column.charset.wide or column.charset is charsets.UNKNOWN:
            return walk.ALWAYS
        return walk.BYTES if kind is Kind.BYTES else walk.SEARCH
    match kind:
        case Kind.INT8:
            return walk.WIDE_INT if in_binary else walk.SEARCH
        case Kind.DECIMAL:
            return walk.NUMBERS
        case Kind.DOUBLE if in_binary:
            return walk.WIDE_DOUBLE
        case Kind.DOUBLE:
            return walk.ALWAYS if column.scale else walk.DOUBLE_TEXT
        case _:
            return walk.SKIP


def rules_for(columns: Sequence[Column], facts: Facts, mask: Mask) -> tuple[ColumnRule, ...]:
    """What the statement says of each column, and the mask, together.

    What the server calls a column may be an alias that the statement has made up, and a view's column is called as the
    view has it: so that is never a reason to show one, only one more to hide it. But SHOW names no column anew, and
    what it tells of tables is no column of theirs.
    """
    shows = facts.complete and facts.attributes.get("sql.verbs") == "show"
    found = column_rules(
        [column.name for column in columns],
        facts.outputs,
        mask,
        origins=[
            column.origin if shows and column.origin.startswith(_CATALOGUE) else None for column in columns
        ],
        read=columns_read(facts),
        complete=facts.complete,
    )
    return tuple(_with_origin(column, rule, mask) for column, rule in zip(columns, found, strict=True))


def _with_origin(column: Column, rule: ColumnRule, mask: Mask) -> ColumnRule:
    if not column.origin:
        return rule
    names = (column.origin,)
    strategies = {rule.strategy, mask.rule(names)} - {None}
    if len(strategies) < 2:
        strategy = next(iter(strategies), None)
    else:
        strategy = "null" if "null" in strategies else "redact"
    return ColumnRule(
        strategy=strategy,
        searched=rule.searched,
        paths=tuple(dict.fromkeys((*rule.paths, *mask.paths(names)))),
        named=rule.named or mask.opens(names),
    )
