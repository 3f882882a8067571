"""Packets as a server writes them: result sets of whatever columns and rows."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from gateway.protocols.mysql.packets import frame, string

TINY, SHORT, LONG, FLOAT, DOUBLE, NULL, TIMESTAMP, LONGLONG, INT24, DATE, TIME, DATETIME, YEAR = range(1, 14)
BIT, JSON, DECIMAL, BLOB, VARCHAR, CHAR, GEOMETRY = 16, 245, 246, 252, 253, 254, 255
UTF8, BINARY, LATIN1, UTF16 = 45, 63, 8, 54
FIXED = {TINY: 1, SHORT: 2, YEAR: 2, INT24: 4, LONG: 4, FLOAT: 4, LONGLONG: 8, DOUBLE: 8}


def definition(
    name: str = "c",
    kind: int = VARCHAR,
    *,
    charset: int = UTF8,
    length: int = 0,
    flags: int = 0,
    decimals: int = 0,
    origin: tuple[str, str, str] = ("", "", ""),
) -> bytes:
    schema, table, column = (part.encode() for part in origin)
    names = (b"def", schema, table, table, name.encode(), column)
    behind = struct.pack("<HIBHBH", charset, length, kind, flags, decimals, 0)
    return b"".join(map(string, names)) + string(behind)


def text_row(*values: bytes | None) -> bytes:
    return b"".join(b"\xfb" if value is None else string(value) for value in values)


def binary_row(kinds: Sequence[int], *values: bytes | None) -> bytes:
    nulls = bytearray((len(kinds) + 9) // 8)
    out = b""
    for place, (kind, value) in enumerate(zip(kinds, values, strict=True)):
        if value is None:
            nulls[(place + 2) // 8] |= 1 << (place + 2) % 8
        else:
            out += value if kind in FIXED else string(value)
    return b"\0" + bytes(nulls) + out


def eof(status: int = 2) -> bytes:
    return b"\xfe\0\0" + status.to_bytes(2, "little")


def framed(*payloads: bytes, first: int = 1) -> bytes:
    out, sequence = b"", first
    for payload in payloads:
        out += frame(payload, sequence)
        sequence += len(payload) // 0xFFFFFF + 1
    return out


def result(definitions: Sequence[bytes], rows: Sequence[bytes], *, status: int = 2, first: int = 1) -> bytes:
    return framed(bytes((len(definitions),)), *definitions, eof(), *rows, eof(status), first=first)


def payloads(data: bytes, first: int = 1) -> list[bytes]:
    """The whole payloads in `data`, whose packets have to be numbered in order."""
    found, pos, parts = [], 0, b""
    while pos < len(data):
        size = int.from_bytes(data[pos : pos + 3], "little")
        assert data[pos + 3] == first & 0xFF
        assert pos + 4 + size <= len(data)
        parts += data[pos + 4 : pos + 4 + size]
        pos, first = pos + 4 + size, first + 1
        if size < 0xFFFFFF:
            found.append(parts)
            parts = b""
    assert not parts
    return found


def read_length(row: bytes, pos: int) -> tuple[int, int]:
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(row[pos], 0)
    if not size:
        return row[pos], pos + 1
    return int.from_bytes(row[pos + 1 : pos + 1 + size], "little"), pos + 1 + size


def text_values(row: bytes) -> list[bytes | None]:
    found: list[bytes | None] = []
    pos = 0
    while pos < len(row):
        if row[pos] == 0xFB:
            found.append(None)
            pos += 1
            continue
        size, pos = read_length(row, pos)
        assert pos + size <= len(row)
        found.append(row[pos : pos + size])
        pos += size
    return found


def binary_values(kinds: Sequence[int], row: bytes) -> list[bytes | None]:
    assert row[:1] == b"\0"
    pos = 1 + (len(kinds) + 9) // 8
    found: list[bytes | None] = []
    for place, kind in enumerate(kinds):
        if row[1 + (place + 2) // 8] >> (place + 2) % 8 & 1:
            found.append(None)
            continue
        size, pos = (FIXED[kind], pos) if kind in FIXED else read_length(row, pos)
        assert pos + size <= len(row)
        found.append(row[pos : pos + size])
        pos += size
    assert pos == len(row)
    return found
