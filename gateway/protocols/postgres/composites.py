"""Composites in text (PostgreSQL 8.16.6): `(a,"b, c",)`, taken apart into their fields and put together again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.protocols.postgres.kinds import Types

_FIELD = re.compile(rb'((?:[^"\\(),]|\\.|"(?:[^"\\]|\\.|"")*")*)([,)])', re.DOTALL)
_PART = re.compile(rb'\\(.)|"((?:[^"\\]|\\.|"")*)"', re.DOTALL)
_WITHIN = re.compile(rb'\\(.)|""', re.DOTALL)
_QUOTED = re.compile(rb'["\\(),\s]')
_TEXT, _NUMERIC, _DATE, _TIMESTAMP, _TIMESTAMPTZ, _UUID, _BOOL, _BYTEA, _MADE = (
    25, 1700, 1082, 1114, 1184, 2950, 16, 17, 16384,
)  # fmt: skip
_LOOKS = tuple(
    (re.compile(pattern), oid)
    for pattern, oid in (
        (rb"-?\d+(?:\.\d+)?", _NUMERIC),
        (rb"[tf]", _BOOL),
        (rb"\d{4,}-\d\d-\d\d(?: BC)?", _DATE),
        (rb"\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?", _TIMESTAMP),
        (rb"\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d(?::\d\d){0,2}", _TIMESTAMPTZ),
        (rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", _UUID),
        (rb"\\x(?:[0-9a-f]{2})*", _BYTEA),
    )
)


def looks_like(value: bytes) -> int:
    """The type that a value looks like, where nobody says it: what is put in its place has that type too."""
    for pattern, oid in _LOOKS:
        if pattern.fullmatch(value):
            return oid
    return _MADE if value[:1] in {b"{", b"[", b"("} else _TEXT


def fields_of(value: bytes) -> list[bytes | None] | None:
    """The fields of a composite, None for those that are NULL; None if it is none."""
    if value[:1] != b"(" or value[-1:] != b")":
        return None
    if value == b"()":
        return []
    found: list[bytes | None] = []
    at = 1
    while (match := _FIELD.match(value, at)) is not None:
        at = match.end()
        found.append(_PART.sub(_read, match[1]) if match[1] else None)
        if match[2] == b")":
            return found if at == len(value) else None
    return None


def _read(part: re.Match[bytes]) -> bytes:
    """What an escaped sign, or a stretch between quotes, says."""
    return part[1] or _WITHIN.sub(lambda sign: sign[1] or b'"', part[2])


def put_together(fields: Sequence[bytes | None]) -> bytes:
    return b"(" + b",".join(b"" if field is None else _written(field) for field in fields) + b")"


def _written(field: bytes) -> bytes:
    if field and not _QUOTED.search(field):
        return field
    return b'"' + field.replace(b"\\", b"\\\\").replace(b'"', b'""') + b'"'


def typed(value: bytes, type_oid: int, types: Types) -> list[tuple[bytes | None, int, int]] | None:
    """Each field of a composite with its type and modifier, as the catalogue has them, or as it looks; None if it is none."""
    fields = fields_of(value)
    if fields is None:
        return None
    said = types.fields(type_oid)
    if len(said) != len(fields):
        said = tuple((looks_like(field or b""), -1) for field in fields)
    return [(field, *kind) for field, kind in zip(fields, said, strict=True)]
