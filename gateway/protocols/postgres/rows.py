# cython: annotation_typing=False
"""Walking over the fields of DataRow messages: the loops that run once a field.

The same source runs uncompiled, or compiled with the types of `rows.pxd`; both pass the same tests. What is decided
about a column stands in one byte of `kinds`; everything else about masking is in `results`.
"""

from __future__ import annotations

from collections.abc import Callable

from cython import NULL, compiled

from gateway.wire import ProtocolViolation

if compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memcpy

SEARCH, SKIP, ALWAYS, WIDE_INT8, WIDE_NUMERIC, WIDE_FLOAT8, FLOAT8_TEXT, NUMBERS = 0, 1, 2, 3, 4, 5, 6, 7
PASS, CONSTANT, CALL = 0, 1, 2

_NULL = 0xFFFFFFFF
_MALFORMED = "a DataRow's fields do not fit its length or its RowDescription"


def put(target: bytearray, at: int, source: bytes, start: int, length: int) -> None:
    """Copy `source[start:start + length]` to `target[at:]`, which has room for it."""
    if compiled:
        memcpy(target + at, source + start, length)  # type: ignore[operator]  # pointers, once compiled
    else:
        target[at : at + length] = source[start : start + length]


def written_otherwise(data: bytes, start: int, end: int) -> int:
    """Whether a whole number of twelve digits or more may be written there as `4.1e+15`, or with zeros behind a point."""
    source = data
    at = data.find(b".0", start, end)
    while at >= 0:
        digits = at
        while digits > start and at - digits < 12 and 48 <= source[digits - 1] <= 57:
            digits -= 1
        if at - digits == 12:
            return 1
        at = data.find(b".0", at + 1, end)
    return 1 if data.find(b"e+1", start, end) >= 0 else 0


def gather(
    data: bytes, kinds: bytes
) -> tuple[int, list[tuple[int, int, int, int]], bytes, list[tuple[int, int]]]:
    """What has to be searched of `data`, whole DataRow messages: each field of kind `SEARCH` or `NUMBERS`, ended by a zero.

    Gives the number of rows; as `(frame, column, start, end)` the fields that have to be looked at one by one, which are
    those of kind `ALWAYS` and binary numbers of eleven digits or more, doubles in text too, and those of kind `NUMBERS` in which
    a number may be whole and not look so; the text; and for every 64th row, where it begins in `data` and in the text.
    """
    source = data
    plan = kinds
    columns = len(kinds)
    end = len(data)
    apart: list[tuple[int, int, int, int]] = []
    marks: list[tuple[int, int]] = []
    if compiled:  # noqa: SIM108  # only one of the two has a type that compiles
        text = PyBytes_FromStringAndSize(NULL, end)
    else:
        text = bytearray(end)
    target = text
    filled = 0
    rows = 0
    pos = 0
    while pos < end:
        frame = pos
        if rows & 63 == 0:
            marks.append((pos, filled))
        if end - pos < 7 or source[pos] != 68:
            raise ProtocolViolation(_MALFORMED)
        size = (source[pos + 1] << 24) | (source[pos + 2] << 16) | (source[pos + 3] << 8) | source[pos + 4]
        if size < 6 or size > end - pos - 1 or ((source[pos + 5] << 8) | source[pos + 6]) != columns:
            raise ProtocolViolation(_MALFORMED)
        stop = pos + 1 + size
        pos += 7
        for column in range(columns):
            if stop - pos < 4:
                raise ProtocolViolation(_MALFORMED)
            size = (source[pos] << 24) | (source[pos + 1] << 16) | (source[pos + 2] << 8) | source[pos + 3]
            pos += 4
            if size == _NULL:
                continue
            length = size
            if length > stop - pos:
                raise ProtocolViolation(_MALFORMED)
            kind = plan[column]
            if kind == 0 or kind == 7:  # noqa: PLR1714  # as C has it
                put(target, filled, source, pos, length)
                filled += length
                target[filled] = 0
                filled += 1
                if kind == 7 and length >= 5 and written_otherwise(data, pos, pos + length):
                    apart.append((frame, column, pos, pos + length))
            elif kind == 2:
                apart.append((frame, column, pos, pos + length))
            elif kind == 3 and length == 8:
                # Eleven digits need more than 33 bits: the upper bytes say whether it is worth a look.
                wide = (source[pos] << 16) | (source[pos + 1] << 8) | source[pos + 2]
                if 0 < wide < 0x800000 or (wide == 0 and source[pos + 3] >= 2):
                    apart.append((frame, column, pos, pos + length))
            elif kind == 4 and length >= 8:
                wide = (source[pos + 2] << 8) | source[pos + 3]
                if 2 <= wide < 0x8000:
                    apart.append((frame, column, pos, pos + length))
            elif kind == 5 and length == 8:
                # By the exponent: 2**33 to 2**64.
                wide = ((source[pos] & 0x7F) << 4) | (source[pos + 1] >> 4)
                if 1056 <= wide < 1087:
                    apart.append((frame, column, pos, pos + length))
            elif (
                kind == 6
                and length > 10
                # As `e+15`, or whole: anything else has a fraction.
                and (data.find(b"e", pos, pos + length) >= 0 or data.find(b".", pos, pos + length) < 0)
            ):
                apart.append((frame, column, pos, pos + length))
            pos += length
        if pos != stop:
            raise ProtocolViolation(_MALFORMED)
        rows += 1
    return rows, apart, bytes(text[:filled]), marks


def locate(
    data: bytes, kinds: bytes, starts: list[int], marks: list[tuple[int, int]]
) -> list[tuple[int, int, int, int, int]]:
    """Where the places `starts` of the text that `gather` gave are: `(frame, column, start, end, at)` of the field of each.

    `starts` is sorted; `at` is where the field begins in the text. `data` and `marks` are those of `gather`.
    """
    source = data
    plan = kinds
    columns = len(kinds)
    end = len(data)
    found: list[tuple[int, int, int, int, int]] = []
    index = 0
    filled = 0
    pos = 0
    mark = 0
    wanted = starts[0] if starts else -1
    while index < len(starts) and pos < end:
        while mark < len(marks) and marks[mark][1] <= wanted:
            pos, filled = max((pos, filled), marks[mark])
            mark += 1
        frame = pos
        pos += 7
        for column in range(columns):
            size = (source[pos] << 24) | (source[pos + 1] << 16) | (source[pos + 2] << 8) | source[pos + 3]
            pos += 4
            if size == _NULL:
                continue
            length = size
            if plan[column] == 0 or plan[column] == 7:
                while 0 <= wanted < filled + length:
                    if wanted < filled:
                        raise ProtocolViolation(_MALFORMED)
                    found.append((frame, column, pos, pos + length, filled))
                    index += 1
                    wanted = starts[index] if index < len(starts) else -1
                filled += length + 1
            pos += length
    if index != len(starts):
        raise ProtocolViolation(_MALFORMED)
    return found


def sized(value: bytes | None) -> bytes:
    """A field as it stands in a row: its length and itself, or the length -1 for NULL."""
    return b"\xff\xff\xff\xff" if value is None else len(value).to_bytes(4, "big") + value


def rewrite(
    data: bytes,
    kinds: bytes,
    constants: list[bytes],
    call: Callable[[int, bytes], bytes | None],
) -> tuple[bytes, list[int]]:
    """`data`, whole DataRow messages, with the fields of masked columns replaced; and how many per column.

    A field of kind `CONSTANT` becomes `constants[column]`, which begins with its own length; one of kind `CALL` what
    `call` gives, where None is NULL. NULL stays NULL.
    """
    source = data
    plan = kinds
    columns = len(kinds)
    end = len(data)
    out = bytearray()
    counts = [0] * columns
    pos = 0
    while pos < end:
        if end - pos < 7 or source[pos] != 68:
            raise ProtocolViolation(_MALFORMED)
        size = (source[pos + 1] << 24) | (source[pos + 2] << 16) | (source[pos + 3] << 8) | source[pos + 4]
        if size < 6 or size > end - pos - 1 or ((source[pos + 5] << 8) | source[pos + 6]) != columns:
            raise ProtocolViolation(_MALFORMED)
        stop = pos + 1 + size
        head = len(out)
        kept = pos
        pos += 7
        hidden = 0
        for column in range(columns):
            if stop - pos < 4:
                raise ProtocolViolation(_MALFORMED)
            size = (source[pos] << 24) | (source[pos + 1] << 16) | (source[pos + 2] << 8) | source[pos + 3]
            pos += 4
            if size == _NULL:
                continue
            length = size
            if length > stop - pos:
                raise ProtocolViolation(_MALFORMED)
            kind = plan[column]
            if kind != 0:
                out += data[kept : pos - 4]
                if kind == 1:
                    out += constants[column]
                else:
                    value = call(column, data[pos : pos + length])
                    out += sized(value)
                kept = pos + length
                counts[column] += 1
                hidden += 1
            pos += length
        if pos != stop:
            raise ProtocolViolation(_MALFORMED)
        out += data[kept:stop]
        if hidden:
            grown = len(out) - head - 1
            out[head + 1] = (grown >> 24) & 0xFF
            out[head + 2] = (grown >> 16) & 0xFF
            out[head + 3] = (grown >> 8) & 0xFF
            out[head + 4] = grown & 0xFF
    return bytes(out), counts
