# cython: annotation_typing=False, cdivision=True
"""Laying a record out: bytes put one behind the other, for records that come by the thousand a second.

The same source runs uncompiled and, where a C compiler was at hand at install time, compiled with the types of
`lines.pxd`; both pass the same tests.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memcpy


def record(
    number: int, at: float, kind: bytes, prev: bytes, size: int, fields: bytes, payload: bytes
) -> bytes:
    """A whole record. `fields` is a JSON object of what not every record has; `payload` is b"" where it comes apart."""
    here = len(payload)
    # To the microsecond: the shortest text that means the same float costs more to find.
    micros = int(at * 1e6 + 0.5)
    seconds = micros // 1_000_000
    total = 47 + len(kind) + len(prev) + len(fields) + here + (here > 0)
    total += width(number) + width(seconds) + width(size)
    if cython.compiled:  # noqa: SIM108  # only one of the two has a type that compiles
        text = PyBytes_FromStringAndSize(cython.NULL, total)
    else:
        text = bytearray(total)
    target = text
    end = put(target, 0, b'{"n":', 0, 5)
    end = digits(target, end, number, width(number))
    end = put(target, end, b',"at":', 0, 6)
    end = digits(target, end, seconds, width(seconds))
    end = put(target, end, b".", 0, 1)
    end = digits(target, end, micros % 1_000_000, 6)
    end = put(target, end, b',"kind":"', 0, 9)
    end = put(target, end, kind, 0, len(kind))
    end = put(target, end, b'","prev":"', 0, 10)
    end = put(target, end, prev, 0, len(prev))
    end = put(target, end, b'","size":', 0, 9)
    end = digits(target, end, size, width(size))
    end = put(target, end, b",", 0, 1)
    end = put(target, end, fields, 1, len(fields) - 1)
    end = put(target, end, b"\n", 0, 1)
    if here:
        end = put(target, end, payload, 0, here)
        end = put(target, end, b"\n", 0, 1)
    return bytes(text)


def put(target: bytearray, at: int, source: bytes, start: int, length: int) -> int:
    """Copy `source[start:start + length]` to `target[at:]`, which has room for it; where that ends."""
    if cython.compiled:
        memcpy(target + at, source + start, length)  # type: ignore[operator]  # pointers, once compiled
    else:
        target[at : at + length] = source[start : start + length]
    return at + length


def width(value: int) -> int:
    """How many digits it has."""
    count = 1
    while value >= 10:
        value //= 10
        count += 1
    return count


def digits(target: bytearray, at: int, value: int, count: int) -> int:
    """Write `value` to `target[at:]` as so many digits; where they end."""
    place = at + count
    while place > at:
        place -= 1
        target[place] = 48 + value % 10
        value //= 10
    return at + count
