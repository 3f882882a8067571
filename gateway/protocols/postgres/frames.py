# cython: annotation_typing=False
"""Following messages in a byte stream: bulk answers are runs of one tag, and cost no Python per row.

The same source runs uncompiled and, where a C compiler was at hand at install time, compiled with the types of
`frames.pxd`; both pass the same tests.
"""

from __future__ import annotations

from gateway.wire import ProtocolViolation


def follow(data: bytes, pos: int, tag: int) -> tuple[int, int, int]:
    """Walk over messages of one `tag` that begin at `data[pos]`.

    Gives `(whole, reach, count)`: where the last whole message ends; where the last one whose header is here
    will end, perhaps beyond `data`; and how many headers there were. Raises `ProtocolViolation` for a length
    below its own four bytes or above PostgreSQL's limit of 1 GiB.
    """
    end = len(data)
    whole = reach = pos
    count = 0
    view = data
    while reach + 5 <= end and view[reach] == tag:
        size = (view[reach + 1] << 24) | (view[reach + 2] << 16) | (view[reach + 3] << 8) | view[reach + 4]
        if size < 4 or size > 0x40000000:
            raise ProtocolViolation("a message's length is impossible")
        count += 1
        reach += 1 + size
        if reach <= end:
            whole = reach
    return whole, reach, count


def bind(
    data: bytes, start: int, end: int
) -> tuple[bytes, bytes, tuple[int, ...], tuple[bytes | None, ...], tuple[int, ...], int]:
    """The fields of a Bind's body, `data[start:end]`, and where what is bound begins behind both names."""
    view = data
    if end > len(data):
        raise ProtocolViolation("a Bind is shorter than its fields say")
    named = start
    while named < end and view[named]:
        named += 1
    prepared = named + 1
    while prepared < end and view[prepared]:
        prepared += 1
    pos = prepared + 1
    formats = _codes(data, pos, end)
    pos += 2 + 2 * len(formats)
    if pos + 2 > end:
        raise ProtocolViolation("a Bind is shorter than its fields say")
    count = (view[pos] << 8) | view[pos + 1]
    pos += 2
    values: list[bytes | None] = []
    for _ in range(count):
        if pos + 4 > end:
            raise ProtocolViolation("a Bind is shorter than its fields say")
        size = (view[pos] << 24) | (view[pos + 1] << 16) | (view[pos + 2] << 8) | view[pos + 3]
        pos += 4
        if size == 0xFFFFFFFF:
            values.append(None)
        elif size > 0x7FFFFFFF:
            raise ProtocolViolation("a parameter's length is negative")
        elif pos + size > end:
            raise ProtocolViolation("a Bind is shorter than its fields say")
        else:
            values.append(data[pos : pos + size])
            pos += size
    results = _codes(data, pos, end)
    if pos + 2 + 2 * len(results) != end:
        raise ProtocolViolation("a Bind has another length than its fields say")
    if len(formats) > 1 and len(formats) != count:
        raise ProtocolViolation("a Bind has as many formats as fit none of its parameters")
    return data[start:named], data[named + 1 : prepared], formats, tuple(values), results, prepared + 1


def _codes(data: bytes, pos: int, end: int) -> tuple[int, ...]:
    """Format codes behind their count."""
    view = data
    if pos + 2 > end:
        raise ProtocolViolation("a Bind is shorter than its fields say")
    count = (view[pos] << 8) | view[pos + 1]
    if count == 0:
        return ()
    if pos + 2 + 2 * count > end:
        raise ProtocolViolation("a Bind is shorter than its fields say")
    codes: list[int] = []
    for place in range(count):
        code = (view[pos + 2 + 2 * place] << 8) | view[pos + 3 + 2 * place]
        if code > 1:
            raise ProtocolViolation("a Bind asks for a format that does not exist")
        codes.append(code)
    return tuple(codes)


def whole_answer(data: bytes, pos: int) -> tuple[int, int, int, int] | None:
    """Where the parts of a whole answer to one statement are, where `data[pos:]` is just that.

    `(described, rows, over, count)`: where the description of its rows begins (where `rows` does if there is
    none), its DataRows, and its CommandComplete or EmptyQueryResponse, behind which ReadyForQuery is the last message; and how many rows there
    are. `None` for everything else: an error, a notice, a part of an answer, more than one.
    """
    view = data
    end = len(data)
    described = pos
    if pos + 5 <= end and (view[pos] == 0x54 or view[pos] == 0x6E):  # T, n
        size = (view[pos + 1] << 24) | (view[pos + 2] << 16) | (view[pos + 3] << 8) | view[pos + 4]
        if size < 4 or size > 0x40000000:
            return None
        pos += 1 + size
    rows = pos
    count = 0
    while pos + 5 <= end and view[pos] == 0x44:  # D
        size = (view[pos + 1] << 24) | (view[pos + 2] << 16) | (view[pos + 3] << 8) | view[pos + 4]
        if size < 4 or size > 0x40000000:
            return None
        pos += 1 + size
        count += 1
    over = pos
    if pos + 5 > end or (view[pos] != 0x43 and view[pos] != 0x49):  # C, I
        return None
    size = (view[pos + 1] << 24) | (view[pos + 2] << 16) | (view[pos + 3] << 8) | view[pos + 4]
    if size < 4 or over + size + 7 != end:
        return None
    if view[end - 6] != 0x5A or view[end - 5] or view[end - 4] or view[end - 3] or view[end - 2] != 5:  # Z
        return None
    return described, rows, over, count
