# cython: annotation_typing=False
"""Walking over rows, text and binary: the loops that run once a packet and once a field.

The same source runs uncompiled, or compiled with the types of `rows.pxd`; both pass the same tests. `widths` says how
long the values of each column of binary rows are, 0 where a length goes before each; it is empty for text rows. Where
`framed` is 0 there is one row without a packet's header. What is decided about a column stands in one byte of `kinds`.
"""

from __future__ import annotations

from collections.abc import Callable

from cython import NULL, compiled

from gateway.wire import ProtocolViolation

if compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memcpy

SEARCH, SKIP, ALWAYS, WIDE_INT, WIDE_DOUBLE, DOUBLE_TEXT, NUMBERS, BYTES = 0, 1, 2, 3, 4, 5, 6, 7
PASS, CONSTANT, CALL = 0, 1, 2

_MALFORMED = "a row's fields do not fit its length or its columns"
_OUT_OF_TURN = "a packet's number is not the next one"


def put(target: bytearray, at: int, source: bytes, start: int, length: int) -> None:
    """Copy `source[start:start + length]` to `target[at:]`, which has room for it."""
    if compiled:
        memcpy(target + at, source + start, length)  # type: ignore[operator]  # pointers, once compiled
    else:
        target[at : at + length] = source[start : start + length]


def follow(data: bytes, pos: int, sequence: int, most: int, binary: int) -> tuple[int, int, int]:
    """Walk over packets that begin at `data[pos]` and are rows of less than `most` bytes each.

    Gives `(whole, reach, count)`: where the last whole one ends; where the last one whose beginning is here will end,
    perhaps beyond `data`; and how many there were. Where it stopped before the end of `data`, something else is there.
    """
    view = data
    end = len(data)
    whole = reach = pos
    count = 0
    while reach + 5 <= end:
        size = view[reach] | (view[reach + 1] << 8) | (view[reach + 2] << 16)
        first = view[reach + 4]
        if size >= most or size == 0 or first == 0xFF or (first == 0xFE and size < 9):
            break
        if view[reach + 3] != (sequence + count) & 0xFF:
            raise ProtocolViolation(_OUT_OF_TURN)
        if binary and first:
            raise ProtocolViolation(_MALFORMED)
        count += 1
        reach += 4 + size
        if reach <= end:
            whole = reach
    return whole, reach, count


def _head(first: int) -> int:
    """Bytes of a length that begins with this one."""
    if first < 0xFC:
        return 1
    if first == 0xFC:
        return 3
    return 4 if first == 0xFD else 9


def _length(source: bytes, pos: int, stop: int) -> int:
    """Of the value whose length stands at `pos`; it ends before `stop`."""
    if pos >= stop:
        raise ProtocolViolation(_MALFORMED)
    first = source[pos]
    if first < 0xFB:
        length = first
    elif first == 0xFB or first == 0xFF or stop - pos < _head(first):  # noqa: PLR1714  # as C has it
        raise ProtocolViolation(_MALFORMED)
    else:
        length = source[pos + 1] | (source[pos + 2] << 8)
        if first > 0xFC:
            length |= source[pos + 3] << 16
        if first == 0xFE:
            if source[pos + 5] | source[pos + 6] | source[pos + 7] | source[pos + 8]:
                raise ProtocolViolation(_MALFORMED)
            length += source[pos + 4] * 0x1000000
    if length > stop - pos - _head(first):
        raise ProtocolViolation(_MALFORMED)
    return length


def _stop(source: bytes, pos: int, end: int) -> int:
    """Where the packet ends whose header stands at `pos`."""
    if end - pos < 5:
        raise ProtocolViolation(_MALFORMED)
    size = source[pos] | (source[pos + 1] << 8) | (source[pos + 2] << 16)
    if size > end - pos - 4:
        raise ProtocolViolation(_MALFORMED)
    return pos + 4 + size


def written_otherwise(data: bytes, start: int, end: int) -> int:
    """Whether a whole number of twelve digits or more may be written there with zeros behind a point."""
    source = data
    at = data.find(b".0", start, end)
    if at < 0:
        return 0
    digits = at
    while digits > start and at - digits < 12 and 48 <= source[digits - 1] <= 57:
        digits -= 1
    return 1 if at - digits == 12 else 0


def gather(
    data: bytes, kinds: bytes, widths: bytes, framed: int
) -> tuple[int, list[tuple[int, int, int, int, int]], bytes, list[tuple[int, int]]]:
    """What has to be searched of `data`, whole rows: each field of kind `SEARCH`, `NUMBERS` or `BYTES`, ended by a zero.

    Gives the number of rows; as `(frame, column, field, start, end)` the fields that have to be looked at one by one,
    which are those of kind `ALWAYS`, numbers of eleven digits or more that are not written as such, and bytes with zeros
    among them; the text; and for every 64th row, where it begins in `data` and in the text.
    """
    source = data
    plan = kinds
    sizes = widths
    columns = len(kinds)
    binary = len(widths)
    end = len(data)
    apart: list[tuple[int, int, int, int, int]] = []
    marks: list[tuple[int, int]] = []
    if compiled:  # noqa: SIM108  # only one of the two has a type that compiles
        text = PyBytes_FromStringAndSize(NULL, end)
    else:
        text = bytearray(end)
    target = text
    filled = 0
    rows = 0
    pos = 0
    nulls = 0
    while pos < end:
        frame = pos
        if rows & 63 == 0:
            marks.append((pos, filled))
        stop = end
        if framed:
            stop = _stop(source, pos, end)
            pos += 4
        if binary:
            nulls = pos + 1
            pos = nulls + ((columns + 9) >> 3)
            if pos > stop or source[nulls - 1]:
                raise ProtocolViolation(_MALFORMED)
        for column in range(columns):
            field = pos
            if binary:
                if (source[nulls + ((column + 2) >> 3)] >> ((column + 2) & 7)) & 1:
                    continue
                length = sizes[column]
                if length == 0:
                    length = _length(source, pos, stop)
                    pos += _head(source[pos])
                elif length == 0xFF or length > stop - pos:
                    raise ProtocolViolation(_MALFORMED)
            else:
                if pos < stop and source[pos] == 0xFB:
                    pos += 1
                    continue
                length = _length(source, pos, stop)
                pos += _head(source[pos])
            kind = plan[column]
            if binary and sizes[column] and (kind == 0 or kind >= 6):
                kind = 2  # no length goes before it that would make room for a zero behind it
            if kind == 0 or kind >= 6:
                if kind == 7 and data.find(b"\0", pos, pos + length) >= 0:
                    apart.append((frame, column, field, pos, pos + length))
                else:
                    put(target, filled, source, pos, length)
                    filled += length
                    target[filled] = 0
                    filled += 1
                    if kind == 6 and length > 12 and written_otherwise(data, pos, pos + length):
                        apart.append((frame, column, field, pos, pos + length))
            elif kind == 2:
                apart.append((frame, column, field, pos, pos + length))
            elif kind == 3 and length == 8:
                # Eleven digits need more than 33 bits: the upper bytes say whether it is worth a look.
                wide = (
                    (source[pos + 7] << 24)
                    | (source[pos + 6] << 16)
                    | (source[pos + 5] << 8)
                    | source[pos + 4]
                )
                if wide >= 2 and wide < 0xFFFFFFFE:  # as C has it
                    apart.append((frame, column, field, pos, pos + length))
            elif kind == 4 and length == 8:
                # By the exponent: 2**33 to 2**64.
                wide = ((source[pos + 7] & 0x7F) << 4) | (source[pos + 6] >> 4)
                if wide >= 1056 and wide < 1087:
                    apart.append((frame, column, field, pos, pos + length))
            elif (
                kind == 5
                and length > 10
                # As `e15`, or whole: anything else has a fraction.
                and (data.find(b"e", pos, pos + length) >= 0 or data.find(b".", pos, pos + length) < 0)
            ):
                apart.append((frame, column, field, pos, pos + length))
            pos += length
        if pos != stop:
            raise ProtocolViolation(_MALFORMED)
        rows += 1
    return rows, apart, bytes(text[:filled]), marks


def locate(
    data: bytes, kinds: bytes, widths: bytes, framed: int, starts: list[int], marks: list[tuple[int, int]]
) -> list[tuple[int, int, int, int, int, int]]:
    """Where the places `starts` of the text that `gather` gave are: `(frame, column, field, start, end, at)` of each.

    `starts` is sorted; `at` is where the field's value begins in the text. All else is what `gather` had and gave.
    """
    source = data
    plan = kinds
    sizes = widths
    columns = len(kinds)
    binary = len(widths)
    end = len(data)
    found: list[tuple[int, int, int, int, int, int]] = []
    index = 0
    filled = 0
    pos = 0
    nulls = 0
    mark = 0
    wanted = starts[0] if starts else -1
    while index < len(starts) and pos < end:
        while mark < len(marks) and marks[mark][1] <= wanted:
            pos, filled = max((pos, filled), marks[mark])
            mark += 1
        frame = pos
        stop = end
        if framed:
            stop = _stop(source, pos, end)
            pos += 4
        if binary:
            nulls = pos + 1
            pos = nulls + ((columns + 9) >> 3)
        for column in range(columns):
            field = pos
            if binary:
                if (source[nulls + ((column + 2) >> 3)] >> ((column + 2) & 7)) & 1:
                    continue
                length = sizes[column]
                if length == 0:
                    length = _length(source, pos, stop)
                    pos += _head(source[pos])
            else:
                if source[pos] == 0xFB:
                    pos += 1
                    continue
                length = _length(source, pos, stop)
                pos += _head(source[pos])
            kind = plan[column]
            if binary and sizes[column]:
                kind = 2
            if kind in {0, 6} or (kind == 7 and data.find(b"\0", pos, pos + length) < 0):
                while wanted >= 0 and wanted < filled + length:
                    if wanted < filled:
                        raise ProtocolViolation(_MALFORMED)
                    found.append((frame, column, field, pos, pos + length, filled))
                    index += 1
                    wanted = starts[index] if index < len(starts) else -1
                filled += length + 1
            pos += length
    if index != len(starts):
        raise ProtocolViolation(_MALFORMED)
    return found


def sized(value: bytes) -> bytes:
    """A value behind its length."""
    length = len(value)
    if length < 0xFB:
        return bytes((length,)) + value
    if length < 0x10000:
        return b"\xfc" + length.to_bytes(2, "little") + value
    if length < 0x1000000:
        return b"\xfd" + length.to_bytes(3, "little") + value
    return b"\xfe" + length.to_bytes(8, "little") + value


def rewrite(
    data: bytes,
    kinds: bytes,
    widths: bytes,
    framed: int,
    constants: list[bytes | None],
    call: Callable[[int, bytes], bytes | None],
) -> tuple[bytes, list[int]]:
    """`data`, whole rows, with the fields of masked columns replaced; and how many per column.

    A field of kind `CONSTANT` becomes `constants[column]`, which has its length before it where it needs one; one of kind
    `CALL` the value that `call` gives. None is NULL in both, and NULL stays NULL.
    """
    source = data
    plan = kinds
    sizes = widths
    columns = len(kinds)
    binary = len(widths)
    end = len(data)
    out = bytearray()
    counts = [0] * columns
    pos = 0
    nulls = 0
    while pos < end:
        head = len(out)
        kept = pos
        stop = end
        if framed:
            stop = _stop(source, pos, end)
            pos += 4
        start = pos
        if binary:
            nulls = pos + 1
            pos = nulls + ((columns + 9) >> 3)
            if pos > stop or source[nulls - 1]:
                raise ProtocolViolation(_MALFORMED)
        for column in range(columns):
            field = pos
            if binary:
                if (source[nulls + ((column + 2) >> 3)] >> ((column + 2) & 7)) & 1:
                    continue
                length = sizes[column]
                if length == 0:
                    length = _length(source, pos, stop)
                    pos += _head(source[pos])
                elif length == 0xFF or length > stop - pos:
                    raise ProtocolViolation(_MALFORMED)
            else:
                if pos < stop and source[pos] == 0xFB:
                    pos += 1
                    continue
                length = _length(source, pos, stop)
                pos += _head(source[pos])
            kind = plan[column]
            if kind != 0:
                out += data[kept:field]
                if kind == 1:
                    value = constants[column]
                else:
                    value = call(column, data[pos : pos + length])
                    if value is not None and (not binary or sizes[column] == 0):
                        value = sized(value)
                if value is None:
                    if binary:
                        place = head + (nulls - start + 4 * framed) + ((column + 2) >> 3)
                        out[place] = out[place] | (1 << ((column + 2) & 7))
                    else:
                        out += b"\xfb"
                else:
                    out += value
                kept = pos + length
                counts[column] += 1
            pos += length
        if pos != stop:
            raise ProtocolViolation(_MALFORMED)
        out += data[kept:stop]
        if framed:
            grown = len(out) - head - 4
            if grown >= 0xFFFFFF:
                raise ProtocolViolation("a row grows beyond a packet where it is masked")
            out[head] = grown & 0xFF
            out[head + 1] = (grown >> 8) & 0xFF
            out[head + 2] = (grown >> 16) & 0xFF
    return bytes(out), counts
