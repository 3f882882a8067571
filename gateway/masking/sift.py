# cython: annotation_typing=False
"""Reading the table of a sieve: the loop that runs once a byte.

The same source runs uncompiled, or compiled with the types of `sift.pxd`; both pass the same tests. Four stretches of a
text are read at once, since a step waits for the one before it and not for those of others.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from cython import compiled

COMPILED = bool(compiled)
LOOK = 0x40000000
"""In an entry: a candidate may have begun as many bytes ago as are looked at."""
UNKNOWN = 0x7FFFFFFF
NONE = 0x3FFFFFFF
"""In an entry of `openings`: nothing begins so."""
_SHORT = 256


def places(
    data: bytes,
    start: int,
    depth: int,
    table: array[int],
    columns: bytes,
    edges: array[int],
    entry: Callable[[int, int], int],
    most: int,
) -> list[int] | None:
    """Where in `data`, from `start` on, candidates may begin; None where there are more than `most`, or it is not known.

    An entry of `table` is the row that follows; `entry(row, column)` works it out where it is `UNKNOWN`. `columns` has for each
    byte its column, and `edges` the row in which a text is begun behind it; at its beginning that is the first row.
    """
    found: list[int] = []
    source = data
    column = columns
    if compiled:  # noqa: SIM108  # only one of the two has a type that compiles
        edge = edges.data.as_uints  # type: ignore[attr-defined]
    else:
        edge = edges
    end = len(data)
    part = (end - start) // 4
    first = edge[source[start - 1]] if start else 0
    if part < _SHORT:
        return (
            found
            if read(data, start, end + depth - 1, first, end, depth, table, columns, entry, found, most)
            else None
        )
    if compiled:  # noqa: SIM108  # as above
        rows = table.data.as_uints  # type: ignore[attr-defined]
    else:
        rows = table
    second_at = start + part
    third_at = second_at + part
    fourth_at = third_at + part
    second, third, fourth = (
        edge[source[second_at - 1]],
        edge[source[third_at - 1]],
        edge[source[fourth_at - 1]],
    )
    stretches = source + start if compiled else data[start:]  # type: ignore[operator]  # a pointer, once compiled
    at = 0
    while True:
        at, first, second, third, fourth = stepped(
            stretches, part, column, rows, at, first, second, third, fourth
        )
        if at == part:
            break
        one = rows[first + column[source[start + at]]]
        two = rows[second + column[source[second_at + at]]]
        three = rows[third + column[source[third_at + at]]]
        four = rows[fourth + column[source[fourth_at + at]]]
        begun = at + 1 - depth
        first = looked(one, first, column[source[start + at]], start + begun, entry, found)
        second = looked(two, second, column[source[second_at + at]], second_at + begun, entry, found)
        third = looked(three, third, column[source[third_at + at]], third_at + begun, entry, found)
        fourth = looked(four, fourth, column[source[fourth_at + at]], fourth_at + begun, entry, found)
        if (first | second | third | fourth) & 0x40000000 or len(found) > most:
            return None
        if compiled:
            rows = table.data.as_uints  # type: ignore[attr-defined]
        at += 1
    behind = fourth_at + part
    if (
        read(
            data,
            second_at,
            second_at + depth - 1,
            first,
            second_at,
            depth,
            table,
            columns,
            entry,
            found,
            most,
        )
        and read(
            data, third_at, third_at + depth - 1, second, third_at, depth, table, columns, entry, found, most
        )
        and read(
            data,
            fourth_at,
            fourth_at + depth - 1,
            third,
            fourth_at,
            depth,
            table,
            columns,
            entry,
            found,
            most,
        )
        and read(data, behind, end + depth - 1, fourth, end, depth, table, columns, entry, found, most)
    ):
        found.sort()
        return found
    return None


def stepped(
    source: bytes,
    part: int,
    column: bytes,
    rows: array[int],
    at: int,
    first: int,
    second: int,
    third: int,
    fourth: int,
) -> tuple[int, int, int, int, int]:
    """Go on in four stretches of `part` bytes, from `at` in each, up to where an entry of one says more than a row.

    Gives that place, or `part`, and the row of each there. A function of its own: so everything stays in registers.
    """
    while at < part:
        one = rows[first + column[source[at]]]
        two = rows[second + column[source[part + at]]]
        three = rows[third + column[source[2 * part + at]]]
        four = rows[fourth + column[source[3 * part + at]]]
        if (one | two | three | four) & 0x40000000:
            break
        first, second, third, fourth = one, two, three, four
        at += 1
    return at, first, second, third, fourth


def clear(data: bytes, depth: int, table: array[int], columns: bytes) -> int:
    """1 where nothing begins in `data`, 0 where a candidate may, -1 where an entry that says so is not worked out yet.

    Works nothing out, so nothing else happens meanwhile.
    """
    source = data
    column = columns
    if compiled:  # noqa: SIM108  # as above
        rows = table.data.as_uints  # type: ignore[attr-defined]
    else:
        rows = table
    end = len(data)
    row = 0
    for at in range(end):
        row = rows[row + column[source[at]]]
        if row & 0x40000000:
            return -1 if row == 0x7FFFFFFF else 0
    kind = column[0]
    for _ in range(depth - 1):
        row = rows[row + kind]
        if row & 0x40000000:
            return -1 if row == 0x7FFFFFFF else 0
    return 1


def looked(
    value: int, row: int, column: int, place: int, entry: Callable[[int, int], int], found: list[int]
) -> int:
    """The row that an entry means, once what it says is noted; `UNKNOWN` where that cannot be worked out."""
    if value & 0x40000000 == 0:
        return value
    if value == 0x7FFFFFFF:
        value = entry(row, column)
        if value == 0x7FFFFFFF:
            return value
    if value & 0x40000000:
        found.append(place)
    return value & 0x3FFFFFFF


def read(
    data: bytes,
    at: int,
    stop: int,
    row: int,
    before: int,
    depth: int,
    table: array[int],
    columns: bytes,
    entry: Callable[[int, int], int],
    found: list[int],
    most: int,
) -> int:
    """Go through `data[at:stop]`, zeros behind its end, and note what begins before `before`; 0 where that cannot be done."""
    source = data
    column = columns
    end = len(data)
    if compiled:  # noqa: SIM108  # as above
        rows = table.data.as_uints  # type: ignore[attr-defined]
    else:
        rows = table
    while at < stop:
        kind = column[source[at]] if at < end else column[0]
        value = rows[row + kind]
        if value & 0x40000000:
            count = len(found)
            value = looked(value, row, kind, at + 1 - depth, entry, found)
            if value == 0x7FFFFFFF or count > most:
                return 0
            if len(found) > count and at + 1 - depth >= before:
                found.pop()
            if compiled:
                rows = table.data.as_uints  # type: ignore[attr-defined]
        row = value
        at += 1
    return 1


def openings(
    data: bytes,
    start: int,
    depth: int,
    columns: bytes,
    words: bytes,
    pairs: array[int],
    masks: bytes,
    table: array[int],
    inside: int,
    at_edge: int,
    entry: Callable[[int, int], int],
    most: int,
) -> list[int] | None:
    """Where in `data`, from `start` on, candidates may begin; None where there are more than `most`.

    `words` says of a column whether it is of words. `pairs` has for each two columns, those inside a word first, a number, and
    `masks` for each number which third columns go on, and then which fourth. `table` is followed from the rows `inside` and `at_edge`, as by `begins`.
    """
    found: list[int] = []
    source = data
    column = columns
    of_word = words
    goes_on = masks
    kinds = len(words)
    if compiled:  # noqa: SIM108  # as above
        number = pairs.data.as_ushorts  # type: ignore[attr-defined]
    else:
        number = pairs
    end = len(data)
    if start >= end:
        return found
    before = of_word[column[source[start - 1]]] if start else 0
    one = column[source[start]]
    two = column[source[start + 1]] if start + 1 < end else column[0]
    at = start
    while at < end:
        three = column[source[at + 2]] if at + 2 < end else column[0]
        here = of_word[one]
        edge = here ^ before
        which = number[(edge * kinds + one) * kinds + two] * 2 * kinds
        if (
            goes_on[which + three]
            and goes_on[which + kinds + (column[source[at + 3]] if at + 3 < end else column[0])]
            and begins(data, at, depth, columns, table, at_edge if edge else inside, entry)
        ):
            found.append(at)
            if len(found) > most:
                return None
        before, one, two = here, two, three
        at += 1
    return found


def begins(
    data: bytes,
    at: int,
    depth: int,
    columns: bytes,
    table: array[int],
    row: int,
    entry: Callable[[int, int], int],
) -> int:
    """Whether a candidate may begin there, by its first `depth` bytes, zeros behind the end of `data`."""
    source = data
    column = columns
    end = len(data)
    if compiled:  # noqa: SIM108  # as above
        rows = table.data.as_uints  # type: ignore[attr-defined]
    else:
        rows = table
    stop = at + depth
    while at < stop:
        kind = column[source[at]] if at < end else column[0]
        value = rows[row + kind]
        if value == 0x7FFFFFFF:
            value = entry(row, kind)
            if compiled:
                rows = table.data.as_uints  # type: ignore[attr-defined]
        if value == 0x3FFFFFFF:
            return 0
        if value == 0x40000000:
            return 1
        row = value
        at += 1
    return 1
