# cython: annotation_typing=False, cdivision=True
"""Laying a record out: bytes put one behind the other, for records that come by the thousand a second.

The same source runs uncompiled and, where a C compiler was at hand at install time, compiled with the types of
`lines.pxd`; both pass the same tests.
"""

from __future__ import annotations

from collections.abc import Sequence

import cython

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memcpy


def record(
    number: int,
    at: float,
    kind: bytes,
    prev: bytes,
    size: int,
    fields: bytes,
    known: bytes,
    payload: bytes,
) -> bytes:
    """A whole record. `prev` is the hash as its 32 bytes; `payload` is b"" where it comes apart.

    `fields` is the beginning of a JSON object of what not every record has, and `known` the rest of it.
    """
    here = len(payload)
    # To the microsecond: the shortest text that means the same float costs more to find.
    micros = int(at * 1e6 + 0.5)
    seconds = micros // 1_000_000
    total = 47 + len(kind) + 2 * len(prev) + len(fields) + len(known) + here + (here > 0)
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
    end = hexadecimal(target, end, prev, len(prev))
    end = put(target, end, b'","size":', 0, 9)
    end = digits(target, end, size, width(size))
    end = put(target, end, b",", 0, 1)
    end = put(target, end, fields, 1, len(fields) - 1)
    end = put(target, end, known, 0, len(known))
    end = put(target, end, b"\n", 0, 1)
    if here:
        end = put(target, end, payload, 0, here)
        end = put(target, end, b"\n", 0, 1)
    assert end == total, "compiled, nothing else keeps a record within its room"
    return text if cython.compiled else bytes(text)


def opening(command_id: str) -> bytes | None:
    """The beginning of the JSON object of a record about a command; None where that has to be escaped."""
    data = command_id.encode()
    return b"".join((b'{"command":"', data, b'"')) if plain(data, len(data)) else None


def asked(opened: bytes, text: str, parameters: Sequence[str | None]) -> bytes | None:
    """What `opening` gave, and behind it a command's text and parameters; None where one has to be escaped.

    Raises `UnicodeEncodeError` for what is not Unicode.
    """
    data = text.encode()
    if not plain(data, len(data)):
        return None
    if not parameters:
        return b"".join((opened, b',"text":"', data, b'","parameters":[]'))
    parts = [opened, b',"text":"', data, b'","parameters":[']
    for value in parameters:
        if value is None:
            parts.append(b"null,")
            continue
        shown = value.encode()
        if not plain(shown, len(shown)):
            return None
        parts += (b'"', shown, b'",')
    parts[-1] = parts[-1][:-1]
    parts.append(b"]")
    return b"".join(parts)


def plain(data: bytes, length: int) -> bool:
    """Whether UTF-8 stands in a JSON string as it is."""
    source = data
    for place in range(length):
        byte = source[place]
        if byte < 0x20 or byte == 0x22 or byte == 0x5C:  # noqa: PLR1714  # compiled, a set is slower
            return False
    return True


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


def hexadecimal(target: bytearray, at: int, source: bytes, length: int) -> int:
    """Write `source` to `target[at:]` in hexadecimal; where that ends."""
    read = source
    for place in range(length):
        high = read[place] >> 4
        low = read[place] & 15
        target[at + 2 * place] = 48 + high if high < 10 else 87 + high
        target[at + 2 * place + 1] = 48 + low if low < 10 else 87 + low
    return at + 2 * length
