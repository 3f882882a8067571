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
