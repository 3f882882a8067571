"""What a binary value of a type made in the database is made of: its own bytes say it, or nobody does.

Composites and arrays name the types of what they hold, and an hstore is pairs of texts. Each counts only where counts
and lengths account for every byte; nothing that is text fits, since their first byte is a zero.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from gateway.protocols.postgres.kinds import Kind

Pairs = list[tuple[bytes, bytes | None]]
_INT = struct.Struct(">i")
_NULL = -1
_ARRAY_FLAGS = (0, 1)
_PAIR = re.compile(rb'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SIGNS = re.compile(rb'(["\\])')
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def made_of(value: bytes) -> Kind | None:
    """`RECORD` or `ARRAY` if the whole value is one."""
    if len(value) >= 12:
        fields, first = _INT.unpack_from(value, 0)[0], _INT.unpack_from(value, 4)[0]
        if 0 < fields <= 1664 and _fields_end(value, 4, fields, typed=True) == len(value):
            return Kind.RECORD
        if 0 < fields <= 6 and first in _ARRAY_FLAGS and len(value) >= 12 + 8 * fields:
            items = 1
            for place in range(fields):
                items *= max(0, _INT.unpack_from(value, 12 + 8 * place)[0])
            if 0 < items <= len(value) and _fields_end(value, 12 + 8 * fields, items) == len(value):
                return Kind.ARRAY
    return None


def _fields_end(value: bytes, at: int, count: int, *, typed: bool = False) -> int:
    """Where `count` fields with their lengths, and their types in front, end; -1 where they do not."""
    for _ in range(count):
        if typed:
            if (
                at + 4 > len(value) or _INT.unpack_from(value, at)[0] in _ARRAY_FLAGS
            ):  # no type has that number
                return -1
            at += 4
        if at + 4 > len(value):
            return -1
        (size,) = _INT.unpack_from(value, at)
        at += 4 + max(size, 0)
        if size < _NULL or at > len(value):
            return -1
    return at


def pairs_of(value: bytes) -> Pairs | None:
    """The pairs of an hstore (`hstore_send`: a count, then each key and value with its length)."""
    if len(value) < 4:
        return None
    (count,) = _INT.unpack_from(value, 0)
    if not 0 < count <= len(value) // 8 or _fields_end(value, 4, 2 * count) != len(value):
        return None
    parts: list[bytes | None] = []
    at = 4
    for _ in range(2 * count):
        (size,) = _INT.unpack_from(value, at)
        parts.append(None if size < 0 else value[at + 4 : at + 4 + size])
        at += 4 + max(size, 0)
    keys = [key for key in parts[::2] if key is not None]
    return list(zip(keys, parts[1::2], strict=True)) if len(keys) == count else None


def map_pairs(pairs: Pairs, hidden: Callable[[bytes], bytes]) -> bytes | None:
    """An hstore of `pairs`, each hidden as the text that the server would write for it; None if none changes."""
    out = [_INT.pack(len(pairs))]
    changed = False
    for key, value in pairs:
        if value is None:
            out += _INT.pack(len(key)), key, _INT.pack(_NULL)
            continue
        said = b'"%s"=>"%s"' % (_SIGNS.sub(rb"\\\1", key), _SIGNS.sub(rb"\\\1", value))
        shown = hidden(said)
        read = (key, value)
        if shown is not said:
            changed = True
            match = _PAIR.fullmatch(shown)
            read = (_ESCAPED.sub(rb"\1", match[1]), _ESCAPED.sub(rb"\1", match[2])) if match else (b"*", b"*")
        out += _INT.pack(len(read[0])), read[0], _INT.pack(len(read[1])), read[1]
    return b"".join(out) if changed else None
