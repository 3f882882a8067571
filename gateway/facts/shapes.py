# cython: annotation_typing=False
"""Texts that differ only in their integers, as one: clients that bind nothing send another text each time.

The same source runs uncompiled and, where a C compiler was at hand at install time, compiled with the types of
`shapes.pxd`; both pass the same tests.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize


def blanked(text: str) -> str | None:
    """An SQL text with each of its integers as a zero byte; `None` where that might make two meanings the same.

    A digit is an integer literal's only where no quote, dollar, backslash or comment can take it for its own, and
    no letter or point stands beside the number.
    """
    if not text.isascii():
        return None
    data = text.encode("ascii")
    view = data
    end = len(data)
    if cython.compiled:  # noqa: SIM108  # only one of the two has a type that compiles
        copy = PyBytes_FromStringAndSize(cython.NULL, end)
    else:
        copy = bytearray(data)
    out = copy
    pos = kept = 0
    before = 0x20
    while pos < end:
        byte = view[pos]
        if 0x30 <= byte <= 0x39:
            begin = pos
            while pos < end and 0x30 <= view[pos] <= 0x39:
                pos += 1
            behind = view[pos] if pos < end else 0x20
            if _beside(before) or _beside(behind):
                while begin < pos:
                    out[kept] = view[begin]
                    kept += 1
                    begin += 1
            else:
                out[kept] = 0
                kept += 1
            before = 0x30
            continue
        if byte == 0x27 or byte == 0x22 or byte == 0x24 or byte == 0x5C or byte == 0:  # noqa: PLR1714  # ' " $ \
            return None
        if pos + 1 < end and (
            (byte == 0x2D and view[pos + 1] == 0x2D) or (byte == 0x2F and view[pos + 1] == 0x2A)  # -- /*
        ):
            return None
        out[kept] = byte
        kept += 1
        pos += 1
        before = byte
    shape: str = out[:kept].decode("ascii")
    return shape


def _beside(byte: int) -> bool:
    """Whether it makes digits next to it more than an integer."""
    return 0x61 <= byte <= 0x7A or 0x41 <= byte <= 0x5A or 0x30 <= byte <= 0x39 or byte in {0x5F, 0x2E}
