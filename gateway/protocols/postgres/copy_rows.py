# cython: annotation_typing=False
"""Walking over the fields of copied rows, in text or CSV: the loops that run once a byte.

The same source runs uncompiled, or compiled with the types of `copy_rows.pxd`; both pass the same tests. Every message
must hold one whole row, as a server sends them; where one does not, that is said, and the caller puts rows together.
`quote` is -1 in text format. `kinds` are those of `rows`: of the search, or of the rewriting.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.wire import ProtocolViolation

_MESSAGE = "a CopyData message is not as long as it says"
_FIELDS = "a COPY's row has not as many fields as the COPY has columns"


def field_end(source: bytes, pos: int, last: int, delimiter: int, quote: int, escape: int) -> int:
    """Where the field that begins at `pos` ends, in a row whose newline is at `last`.

    -1: the row goes on behind `last`, or ends before it; -2: no field is written so.
    """
    if quote < 0:
        while pos < last:
            sign = source[pos]
            if sign == delimiter:
                return pos
            if sign == 10:
                return -1
            pos += 1
            if sign == 92:
                pos += 1
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
    while pos < last and source[pos] != delimiter:
        if source[pos] == 10:
            return -1
        if source[pos] == quote:
            return -2
        pos += 1
    return pos


def plain(source: bytes, start: int, end: int, target: bytearray, quote: int, escape: int) -> int:
    """Make of `target[start:end]`, which equals the field `source[start:end]`, its value; where that ends."""
    put = start
    pos = start
    if quote < 0:
        while pos < end and source[pos] != 92:
            pos += 1
        put = pos
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
                    value = sign - 48
                    count = 1
                    while count < 3 and pos < end and 48 <= source[pos] <= 55:
                        value = value * 8 + source[pos] - 48
                        pos += 1
                        count += 1
                    sign = value & 0xFF
                elif sign == 120:
                    value = 0
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
                        value = value * 16 + digit
                        pos += 1
                        count += 1
                    if count:
                        sign = value
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


def blank(
    data: bytes, kinds: bytes, delimiter: int, quote: int, escape: int, null: bytes, copy: bytearray
) -> tuple[int, list[tuple[int, int, int, int]]]:
    """Make of `copy`, which equals `data`, the values that are to be searched, each where its field begins, and zeros.

    Gives the number of rows, -1 where a message does not hold one whole row; and as `(frame, column, start, end)` the
    fields that have to be looked at one by one: those of kind `ALWAYS`.
    """
    source = data
    target = copy
    plan = kinds
    nothing = null
    columns = len(kinds)
    length = len(null)
    end = len(data)
    apart: list[tuple[int, int, int, int]] = []
    rows = 0
    pos = 0
    while pos < end:
        frame = pos
        if end - pos < 5 or source[pos] != 100:
            raise ProtocolViolation(_MESSAGE)
        size = (source[pos + 1] << 24) | (source[pos + 2] << 16) | (source[pos + 3] << 8) | source[pos + 4]
        if size < 4 or size > end - pos - 1:
            raise ProtocolViolation(_MESSAGE)
        stop = pos + 1 + size
        if size == 4 or source[stop - 1] != 10:
            return -1, apart
        for at in range(pos, pos + 5):
            target[at] = 0
        pos += 5
        last = stop - 1
        target[last] = 0
        column = 0
        while True:
            reach = field_end(source, pos, last, delimiter, quote, escape)
            if reach == -1:
                return -1, apart
            if reach < 0 or (column >= columns and (columns or reach > pos)):
                raise ProtocolViolation(_FIELDS)
            at = pos
            if columns and not is_null(source, pos, reach, nothing, length):
                if plan[column] == 0:
                    at = plain(source, pos, reach, target, quote, escape)
                elif plan[column] == 2:
                    apart.append((frame, column, pos, reach))
            while at < reach:
                target[at] = 0
                at += 1
            column += 1
            pos = reach
            if pos >= last:
                break
            target[pos] = 0
            pos += 1
        if column != columns and columns:
            raise ProtocolViolation(_FIELDS)
        rows += 1
        pos = stop
    return rows, apart


def locate(
    data: bytes, starts: list[int], delimiter: int, quote: int, escape: int
) -> list[tuple[int, int, int, int]]:
    """For each of `starts`, which is sorted, the `(frame, column, start, end)` of the field it lies in.

    `data` has been accepted by `blank`.
    """
    source = data
    end = len(data)
    found: list[tuple[int, int, int, int]] = []
    index = 0
    pos = 0
    while index < len(starts) and pos < end:
        wanted = starts[index]
        size = (source[pos + 1] << 24) | (source[pos + 2] << 16) | (source[pos + 3] << 8) | source[pos + 4]
        stop = pos + 1 + size
        if wanted >= stop:
            pos = stop
            continue
        frame = pos
        pos += 5
        column = 0
        while pos < stop:
            reach = field_end(source, pos, stop - 1, delimiter, quote, escape)
            if reach < 0:
                raise ProtocolViolation(_FIELDS)
            while index < len(starts) and pos <= starts[index] < reach:
                found.append((frame, column, pos, reach))
                index += 1
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
            reach = field_end(source, pos, last, delimiter, quote, escape)
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
