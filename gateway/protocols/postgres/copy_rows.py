# cython: annotation_typing=False
"""Walking over the fields of copied rows, in text or CSV: the loops that run once a byte.

The same source runs uncompiled, or compiled with the types of `copy_rows.pxd`; both pass the same tests. Every message
must hold one whole row, as a server sends them; where one does not, that is said, and the caller puts rows together.
`quote` is -1 in text format. `kinds` are those of `rows`: of the search, or of the rewriting.
"""

from __future__ import annotations

from collections.abc import Callable

from cython import NULL, cast, compiled

from gateway.protocols.postgres.rows import written_otherwise
from gateway.wire import ProtocolViolation

if compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memchr, memcpy

_MESSAGE = "a CopyData message is not as long as it says"
_FIELDS = "a COPY's row has not as many fields as the COPY has columns"


def field_end(
    source: bytes, pos: int, last: int, stops: bytes, delimiter: int, quote: int, escape: int
) -> int:
    """Where the field that begins at `pos` ends, in a row whose newline is at `last`.

    -1: the row goes on behind `last`, or ends before it; -2: no field is written so. `stops` are those of `stopping`.
    """
    if quote < 0:
        while pos < last:
            while pos < last and stops[source[pos]] == 0:
                pos += 1
            if pos >= last:
                break
            sign = source[pos]
            if sign == delimiter:
                return pos
            if sign == 10:
                return -1
            pos += 2
        return pos if pos == last else -1
    if pos < last and source[pos] == quote:
        pos += 1
        while pos < last:
            sign = source[pos]
            if sign == escape and pos + 1 < last and (source[pos + 1] == quote or source[pos + 1] == escape):
                pos += 2
                continue
            if sign == quote:
                pos += 1
                return pos if pos == last or source[pos] == delimiter else -2
            pos += 1
        return -1
    while pos < last and stops[source[pos]] == 0:
        pos += 1
    if pos < last and source[pos] != delimiter:
        return -1 if source[pos] == 10 else -2
    return pos


def is_plain(source: bytes, pos: int, last: int, quote: int) -> int:
    """Whether every byte of this row is what it looks like: no escape or quote in it, and no newline before its own."""
    sign = 92 if quote < 0 else quote
    if compiled:
        if memchr(source + pos, sign, last - pos):  # type: ignore[operator]
            return 0
        return 0 if memchr(source + pos, 10, last - pos) else 1  # type: ignore[operator]
    return source.find(sign, pos, last) < 0 and source.find(10, pos, last) < 0


def plain_end(source: bytes, pos: int, last: int, delimiter: int) -> int:
    """Where the field that begins at `pos` ends, in such a row."""
    reach = pos
    if compiled:
        while reach < last and reach - pos < 8 and source[reach] != delimiter:
            reach += 1
        if reach == last or source[reach] == delimiter:
            return reach
        found = cast("const unsigned char *", memchr(source + reach, delimiter, last - reach))  # type: ignore[operator]
        return found - source if found else last
    reach = source.find(delimiter, pos, last)
    return last if reach < 0 else reach


def copied(source: bytes, start: int, end: int, target: bytearray, at: int) -> int:
    """Copy `source[start:end]` to `target[at:]`; where it ends there."""
    if compiled:
        memcpy(target + at, source + start, end - start)  # type: ignore[operator]
    else:
        target[at : at + end - start] = source[start:end]
    return at + end - start


def stopping(delimiter: int, quote: int) -> bytes:
    """For each byte whether it can end a field, or be another than it looks."""
    stops = bytearray(256)
    stops[delimiter] = stops[10] = 1
    stops[92 if quote < 0 else quote] = 1
    return bytes(stops)


def as_written(source: bytes, start: int, end: int, target: bytearray, at: int, quote: int) -> int:
    """Copy the field `source[start:end]` to `target[at:]` if that is its value already; where it ends there, else -1."""
    sign = 92 if quote < 0 else quote
    if compiled:
        if start == end or not memchr(source + start, sign, end - start):  # type: ignore[operator]
            memcpy(target + at, source + start, end - start)  # type: ignore[operator]
            return at + end - start
        return -1
    if source.find(sign, start, end) >= 0:
        return -1
    target[at : at + end - start] = source[start:end]
    return at + end - start


def value(source: bytes, start: int, end: int, target: bytearray, at: int, quote: int, escape: int) -> int:
    """Write the value of the field `source[start:end]` to `target[at:]`; where it ends there."""
    put = as_written(source, start, end, target, at, quote)
    if put >= 0:
        return put
    put = at
    pos = start
    if quote < 0:
        while pos < end:
            sign = source[pos]
            pos += 1
            if sign == 92 and pos < end:
                sign = source[pos]
                pos += 1
                if sign == 98:
                    sign = 8
                elif sign == 102:
                    sign = 12
                elif sign == 110:
                    sign = 10
                elif sign == 114:
                    sign = 13
                elif sign == 116:
                    sign = 9
                elif sign == 118:
                    sign = 11
                elif 48 <= sign <= 55:
                    octal = sign - 48
                    count = 1
                    while count < 3 and pos < end and 48 <= source[pos] <= 55:
                        octal = octal * 8 + source[pos] - 48
                        pos += 1
                        count += 1
                    sign = octal & 0xFF
                elif sign == 120:
                    hexadecimal = 0
                    count = 0
                    while count < 2 and pos < end:
                        digit = source[pos]
                        if 48 <= digit <= 57:
                            digit -= 48
                        elif 65 <= digit <= 70:
                            digit -= 55
                        elif 97 <= digit <= 102:
                            digit -= 87
                        else:
                            break
                        hexadecimal = hexadecimal * 16 + digit
                        pos += 1
                        count += 1
                    if count:
                        sign = hexadecimal
            target[put] = sign
            put += 1
        return put
    quoted = start < end and source[start] == quote
    if quoted:
        pos += 1
        end -= 1
    while pos < end:
        sign = source[pos]
        if (
            quoted
            and sign == escape
            and pos + 1 < end
            and (source[pos + 1] == quote or source[pos + 1] == escape)
        ):
            pos += 1
            sign = source[pos]
        target[put] = sign
        put += 1
        pos += 1
    return put


def is_null(source: bytes, start: int, end: int, null: bytes, length: int) -> int:
    """Whether the field as it is written is the sign for NULL."""
    if end - start != length:
        return 0
    at = 0
    while at < length:
        if source[start + at] != null[at]:
            return 0
        at += 1
    return 1


def gather(
    data: bytes, kinds: bytes, delimiter: int, quote: int, escape: int, null: bytes
) -> tuple[int, list[tuple[int, int, int, int]], bytes, list[tuple[int, int]]]:
    """What has to be searched of `data`: the value of each field of kind `SEARCH` or `NUMBERS`, ended by a zero.

    Gives the number of rows, -1 where a message does not hold one whole row; as `(frame, column, start, end)` the fields
    that have to be looked at one by one, those of kind `ALWAYS` and those with numbers that may be whole and not look so; the text; and
    for every 64th row, where it begins in `data` and in the text.
    """
    source = data
    plan = kinds
    nothing = null
    columns = len(kinds)
    length = len(null)
    end = len(data)
    table = stopping(delimiter, quote)
    stops = table
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
        if end - pos < 5 or source[pos] != 100:
            raise ProtocolViolation(_MESSAGE)
        size = (source[pos + 1] << 24) | (source[pos + 2] << 16) | (source[pos + 3] << 8) | source[pos + 4]
        if size < 4 or size > end - pos - 1:
            raise ProtocolViolation(_MESSAGE)
        stop = pos + 1 + size
        if size == 4 or source[stop - 1] != 10:
            return -1, apart, b"", marks
        pos += 5
        last = stop - 1
        column = 0
        plain = is_plain(source, pos, last, quote)
        while True:
            if plain:
                reach = plain_end(source, pos, last, delimiter)
            else:
                reach = field_end(source, pos, last, stops, delimiter, quote, escape)
            if reach == -1:
                return -1, apart, b"", marks
            if reach < 0 or (column >= columns and (columns or reach > pos)):
                raise ProtocolViolation(_FIELDS)
            if columns and plan[column] != 1 and not is_null(source, pos, reach, nothing, length):
                if plan[column] == 0 or plan[column] == 7:
                    start = filled
                    if plain:
                        filled = copied(source, pos, reach, target, filled)
                    else:
                        filled = value(source, pos, reach, target, filled, quote, escape)
                    target[filled] = 0
                    filled += 1
                    if plan[column] == 7 and filled - start > 5 and written_otherwise(data, pos, reach):
                        apart.append((frame, column, pos, reach))
                elif plan[column] == 2 or (
                    plan[column] == 6
                    and reach - pos > 10
                    # As `e+15`, or whole: anything else has a fraction.
                    and (data.find(b"e", pos, reach) >= 0 or data.find(b".", pos, reach) < 0)
                ):
                    apart.append((frame, column, pos, reach))
            column += 1
            pos = reach
            if pos >= last:
                break
            pos += 1
        if column != columns and columns:
            raise ProtocolViolation(_FIELDS)
        rows += 1
        pos = stop
    return rows, apart, bytes(text[:filled]), marks


def locate(
    data: bytes,
    kinds: bytes,
    starts: list[int],
    marks: list[tuple[int, int]],
    delimiter: int,
    quote: int,
    escape: int,
    null: bytes,
) -> list[tuple[int, int, int, int, int]]:
    """Where the places `starts` of the text that `gather` gave are: `(frame, column, start, end, at)` of the field of each.

    `starts` is sorted; `at` is where the field's value begins in the text. `data` and `marks` are those of `gather`.
    """
    source = data
    plan = kinds
    nothing = null
    length = len(null)
    end = len(data)
    table = stopping(delimiter, quote)
    stops = table
    text = bytearray(end)
    target = text
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
        size = (source[pos + 1] << 24) | (source[pos + 2] << 16) | (source[pos + 3] << 8) | source[pos + 4]
        stop = pos + 1 + size
        frame = pos
        pos += 5
        column = 0
        while pos < stop:
            reach = field_end(source, pos, stop - 1, stops, delimiter, quote, escape)
            if reach < 0:
                raise ProtocolViolation(_FIELDS)
            kind = plan[column]
            searched = kind == 0 or kind == 7  # noqa: PLR1714  # as C has it
            if searched and not is_null(source, pos, reach, nothing, length):
                behind = value(source, pos, reach, target, filled, quote, escape)
                while filled <= wanted < behind:
                    found.append((frame, column, pos, reach, filled))
                    index += 1
                    wanted = starts[index] if index < len(starts) else -1
                filled = behind + 1
            pos = reach + 1
            column += 1
    if index != len(starts):
        raise ProtocolViolation(_FIELDS)
    return found


def rewrite(
    data: bytes,
    kinds: bytes,
    constants: list[tuple[bytes, bytes]],
    delimiter: int,
    quote: int,
    escape: int,
    null: bytes,
    call: Callable[[int, bytes], bytes],
) -> tuple[bytes, list[int]]:
    """`data` with the fields of masked columns replaced, and how many per column; no counts where a row is not whole.

    A field of kind `CONSTANT` becomes the first of `constants[column]`, a quoted one the second; one of kind `CALL`
    what `call` makes of the field as it is written. NULL stays NULL.
    """
    source = data
    plan = kinds
    nothing = null
    columns = len(kinds)
    length = len(null)
    end = len(data)
    table = stopping(delimiter, quote)
    stops = table
    out = bytearray()
    counts = [0] * columns
    pos = 0
    while pos < end:
        if end - pos < 5 or source[pos] != 100:
            raise ProtocolViolation(_MESSAGE)
        size = (source[pos + 1] << 24) | (source[pos + 2] << 16) | (source[pos + 3] << 8) | source[pos + 4]
        if size < 4 or size > end - pos - 1:
            raise ProtocolViolation(_MESSAGE)
        stop = pos + 1 + size
        if size == 4 or source[stop - 1] != 10:
            return data, []
        head = len(out)
        kept = pos
        pos += 5
        last = stop - 1
        column = 0
        while True:
            reach = field_end(source, pos, last, stops, delimiter, quote, escape)
            if reach == -1:
                return data, []
            if reach < 0 or column >= columns:
                raise ProtocolViolation(_FIELDS)
            kind = plan[column]
            if kind != 0 and not is_null(source, pos, reach, nothing, length):
                out += data[kept:pos]
                if kind == 1:
                    constant = constants[column]
                    out += constant[1] if quote >= 0 and reach > pos and source[pos] == quote else constant[0]
                else:
                    out += call(column, data[pos:reach])
                kept = reach
                counts[column] += 1
            column += 1
            pos = reach
            if pos >= last:
                break
            pos += 1
        if column != columns:
            raise ProtocolViolation(_FIELDS)
        out += data[kept:stop]
        grown = len(out) - head - 1
        out[head + 1] = (grown >> 24) & 0xFF
        out[head + 2] = (grown >> 16) & 0xFF
        out[head + 3] = (grown >> 8) & 0xFF
        out[head + 4] = grown & 0xFF
        pos = stop
    return bytes(out), counts


def contents(data: bytes) -> list[bytes]:
    """What these whole CopyData messages hold."""
    source = data
    end = len(data)
    found: list[bytes] = []
    pos = 0
    while pos < end:
        if end - pos < 5 or source[pos] != 100:
            raise ProtocolViolation(_MESSAGE)
        size = (source[pos + 1] << 24) | (source[pos + 2] << 16) | (source[pos + 3] << 8) | source[pos + 4]
        if size < 4 or size > end - pos - 1:
            raise ProtocolViolation(_MESSAGE)
        found.append(data[pos + 5 : pos + 1 + size])
        pos += 1 + size
    return found
