"""One value masked so that it stays a value of its type, in text and in binary form.

`hide` is for a column that a rule names: the whole value goes. `search` is for a value in which a detector found
something, or in whose form a scan cannot look. NULL stays NULL (callers do not ask); a value whose type leaves no
way to hide it becomes NULL.
"""

from __future__ import annotations

import datetime as dt
import re
import struct
import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from gateway.masking.engine import number_for
from gateway.protocols.postgres import binary
from gateway.protocols.postgres.kinds import ELEMENTS, NUMBERS, Kind, kind_of
from gateway.wire import Mask

TEXT_FORMAT, BINARY_FORMAT = 0, 1

_WIDEST = {
    Kind.INT2: 4,
    Kind.INT4: 9,
    Kind.INT8: 18,
    Kind.OID: 9,
    Kind.NUMERIC: 30,
    Kind.FLOAT8: 15,
    Kind.FLOAT4: 6,
}
_NEUTRAL: Mapping[Kind, bytes] = {
    Kind.CHAR: b"*",
    Kind.BOOL: b"f",
    Kind.MONEY: b"$0.00",
    Kind.TIME: b"00:00:00",
    Kind.TIMETZ: b"00:00:00+00",
    Kind.INTERVAL: b"00:00:00",
    Kind.MACADDR: b"00:00:00:00:00:00",
    Kind.MACADDR8: b"00:00:00:00:00:00:00:00",
    Kind.RANGE: b"empty",
    Kind.MULTIRANGE: b"{}",
    Kind.VECTOR: b"",
}
"""Text forms that say nothing, whatever the strategy."""
_HSTORE = re.compile(rb'\s*"(?:[^"\\]|\\.)*"=>', re.DOTALL)
_YEAR = re.compile(rb"(\d{4})-\d\d-\d\d")
_DEEPEST = 64


class TooDeep(Exception):
    """A value nests deeper than anything real; it is not searched but hidden."""


def hide(value: bytes, *, type_oid: int, written: int, strategy: str, mask: Mask) -> bytes | None:
    """`value`, in text (`written` 0) or binary form, hidden whole; None is NULL."""
    if strategy == "null":
        return None
    kind = kind_of(type_oid)
    try:
        if written == TEXT_FORMAT:
            return _hide_text(value, kind, type_oid, strategy, mask)
        return _hide_binary(value, kind, type_oid, strategy, mask, 0)
    except (TooDeep, RecursionError, struct.error, binary.Unreadable):
        return None


def redacted(*, type_oid: int, written: int, mask: Mask) -> bytes | None:
    """What `redact` makes of every value of a type of which it makes always the same."""
    kind = kind_of(type_oid)
    text = _hide_text(b"0", kind, type_oid, "redact", mask)
    return text if written == TEXT_FORMAT or text is None else binary.from_text(text, kind)


def _hide_text(value: bytes, kind: Kind, type_oid: int, strategy: str, mask: Mask) -> bytes | None:
    if kind in _NEUTRAL:
        return _NEUTRAL[kind]
    match kind:
        case Kind.TEXT:
            return _text(value, strategy, mask)
        case Kind.JSON | Kind.JSONB:
            return _json(value, strategy, mask)
        case Kind.INT2 | Kind.INT4 | Kind.INT8 | Kind.OID | Kind.NUMERIC | Kind.FLOAT4 | Kind.FLOAT8:
            return _number(value, kind, strategy, mask)
        case Kind.DATE | Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return _moment(value, kind, strategy, mask)
        case Kind.UUID:
            return _uuid(value, strategy, mask)
        case Kind.INET | Kind.CIDR:
            return _address(value, kind, strategy)
        case Kind.BYTEA:
            return b"\\x" + (
                _keyed(value, mask, 12).hex().encode() if strategy in {"hash", "tokenise"} else b""
            )
        case Kind.BIT:
            return b"0" * len(value)
        case Kind.ARRAY:
            return _array(value, ELEMENTS[type_oid], strategy, mask)
        case Kind.MADE:
            return _made(value, strategy, mask)
        case _:
            return None


def _made(value: bytes, strategy: str, mask: Mask) -> bytes | None:
    """A type of the database's own: told apart by how its text looks; NULL or empty where that has a structure."""
    if value[:1] == b"{" and value[-1:] == b"}":
        return b"{}"
    if (value[:1] in b"([" and value[-1:] in b")]") or value == b"empty":
        return None
    if _HSTORE.match(value):
        return b""
    return _text(value, strategy, mask)


def _text(value: bytes, strategy: str, mask: Mask) -> bytes:
    said = value.decode("utf-8", "surrogateescape")
    return mask.replace(said, strategy=strategy).encode("utf-8", "surrogateescape")


def _keyed(value: bytes, mask: Mask, length: int) -> bytes:
    return mask.noise(value, length)


def _number(value: bytes, kind: Kind, strategy: str, mask: Mask) -> bytes:
    digits = bytes(byte for byte in value if 48 <= byte <= 57)
    if strategy == "partial":
        return number_for(digits, "payment_card") if len(digits) > 8 else b"0"
    if strategy in {"hash", "tokenise"}:
        width = max(1, min(len(digits), _WIDEST[kind]))
        noise = int.from_bytes(_keyed(value, mask, 16), "big")
        least = 10 ** (width - 1) if width > 1 else 0
        return b"%d" % (least + noise % (10**width - least))
    return b"0"


def _moment(value: bytes, kind: Kind, strategy: str, mask: Mask) -> bytes:
    day = b"2000-01-01"
    if strategy == "partial" and (match := _YEAR.match(value)) is not None and not value.endswith(b"BC"):
        day = match[1] + b"-01-01"
    elif strategy in {"hash", "tokenise"}:
        noise = int.from_bytes(_keyed(value, mask, 8), "big")
        day = (dt.date(1950, 1, 1) + dt.timedelta(days=noise % 27_000)).isoformat().encode()
    match kind:
        case Kind.DATE:
            return day
        case Kind.TIMESTAMP:
            return day + b" 00:00:00"
        case _:
            return day + b" 00:00:00+00"


def _uuid(value: bytes, strategy: str, mask: Mask) -> bytes:
    match strategy:
        case "hash" | "tokenise":
            return str(uuid.UUID(bytes=_keyed(value.lower(), mask, 16), version=4)).encode()
        case "partial":
            return b"00000000-0000-0000-0000-00000000" + value[-4:]
        case _:
            return b"00000000-0000-0000-0000-000000000000"


def _address(value: bytes, kind: Kind, strategy: str) -> bytes:
    host = value.partition(b"/")[0]
    wide = b":" in host
    if strategy != "partial":
        return b"::" if wide else b"0.0.0.0"
    if wide:
        return b"::"
    shown = b".".join(host.split(b".")[:2]) + b".0.0"
    return shown + b"/16" if kind is Kind.CIDR else shown


def _json(value: bytes, strategy: str, mask: Mask) -> bytes:
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        return b'"[redacted]"'

    def leaf(item: Any) -> Any:
        if isinstance(item, str):
            return mask.replace(item, strategy=strategy)
        if isinstance(item, bool):
            return False
        return 0 if isinstance(item, int | float) else None

    return orjson.dumps(_mapped(parsed, leaf, mask, 0))


def _mapped(item: Any, leaf: Any, mask: Mask, depth: int) -> Any:
    if depth > _DEEPEST:
        raise TooDeep
    if isinstance(item, dict):
        return {mask.text(name): _mapped(inner, leaf, mask, depth + 1) for name, inner in item.items()}
    if isinstance(item, list):
        return [_mapped(inner, leaf, mask, depth + 1) for inner in item]
    return leaf(item)


_ELEMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"|([^{},"]+)|([{},])', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def _array(value: bytes, element_oid: int, strategy: str, mask: Mask) -> bytes | None:
    """An array literal (PostgreSQL 8.15.6), each element hidden; the dimensions stay."""
    out: list[bytes] = []
    at = value.find(b"{")
    if at < 0:
        return None
    out.append(value[:at])
    while at < len(value):
        match = _ELEMENT.match(value, at)
        if match is None:
            return None
        at = match.end()
        if match[3] is not None or (match[2] is not None and match[2].strip().upper() == b"NULL"):
            out.append(match.group())
            continue
        item = match[2] if match[2] is not None else _ESCAPED.sub(rb"\1", match[1])
        hidden = _hide_text(item, kind_of(element_oid), element_oid, strategy, mask)
        out.append(b"NULL" if hidden is None else b'"' + re.sub(rb'(["\\])', rb"\\\1", hidden) + b'"')
    return b"".join(out)


def _hide_binary(
    value: bytes, kind: Kind, type_oid: int, strategy: str, mask: Mask, depth: int
) -> bytes | None:
    if depth > _DEEPEST:
        raise TooDeep
    match kind:
        case Kind.ARRAY:
            return binary.map_array(
                value, lambda oid, item: _hide_binary(item, kind_of(oid), oid, strategy, mask, depth + 1)
            )
        case Kind.RECORD:
            return binary.map_record(
                value, lambda oid, item: _hide_binary(item, kind_of(oid), oid, strategy, mask, depth + 1)
            )
        case Kind.JSONB:
            return b"\x01" + _json(value[1:], strategy, mask)
        case Kind.MADE | Kind.OTHER:
            return None
        case _:
            text = binary.to_text(value, kind)
            hidden = _hide_text(text, kind, type_oid, strategy, mask)
            return None if hidden is None else binary.from_text(hidden, kind)


def search(value: bytes, *, type_oid: int, written: int, mask: Mask, counts: dict[str, int]) -> bytes:
    """`value` with every hit in it hidden, still a value of its type; the same object where there is none."""
    kind = kind_of(type_oid)
    if kind is Kind.BYTEA and written == TEXT_FORMAT:
        return _search_hex(value, mask, counts)
    if kind in {Kind.INT8, Kind.NUMERIC} and written == BINARY_FORMAT:
        text = binary.to_text(value, kind)
        hits = mask.find(text)
        if not hits:
            return value
        _count(hits, counts)
        return binary.from_text(number_for(text, hits[0][2]), kind)
    if written == BINARY_FORMAT and kind not in {Kind.TEXT, Kind.JSON, Kind.JSONB, Kind.BYTEA}:
        return _search_opaque(value, mask, counts)
    hits = mask.find(value)
    return cover(value, hits, type_oid=type_oid, mask=mask, counts=counts) if hits else value


def cover(
    value: bytes, hits: list[tuple[int, int, str]], *, type_oid: int, mask: Mask, counts: dict[str, int]
) -> bytes:
    """`value`, in text form or of a type whose binary form is its text, with these hits hidden."""
    kind = kind_of(type_oid)
    _count(hits, counts)
    if kind is Kind.TEXT:
        return mask.cover(value, hits)
    if kind in NUMBERS:
        return number_for(value[hits[0][0] : hits[0][1]], hits[0][2])
    if kind is Kind.ARRAY and kind_of(ELEMENTS[type_oid]) in NUMBERS:
        return _splice(value, [(start, end, number_for(value[start:end], name)) for start, end, name in hits])
    if kind in {Kind.INET, Kind.CIDR}:
        return _address(value, kind, "partial")
    if kind is Kind.BYTEA:
        return _same_length(value, hits, mask)
    covered = mask.cover(value, hits)
    if kind in {Kind.JSON, Kind.JSONB} and not _is_json(covered[1:] if covered[:1] == b"\x01" else covered):
        return _search_json(value, mask)
    return covered


def _splice(value: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    out: list[bytes] = []
    at = 0
    for start, end, replacement in edits:
        out += value[at:start], replacement
        at = end
    return b"".join((*out, value[at:]))


def _count(hits: list[tuple[int, int, str]], counts: dict[str, int]) -> None:
    for _, _, name in hits:
        counts[name] = counts.get(name, 0) + 1


def _is_json(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


def _search_json(value: bytes, mask: Mask) -> bytes:
    """JSON whose text cannot be covered in place: leaf by leaf, numbers that are hits as zero."""
    version = value[:1] if value[:1] == b"\x01" else b""

    def leaf(item: Any) -> Any:
        if isinstance(item, str):
            return mask.text(item)
        return (
            0
            if isinstance(item, int | float) and not isinstance(item, bool) and mask.find(b"%d" % item)
            else item
        )

    try:
        return version + orjson.dumps(_mapped(orjson.loads(value[len(version) :]), leaf, mask, 0))
    except (orjson.JSONDecodeError, TooDeep, RecursionError):
        return version + b'"[redacted]"'


def _search_hex(value: bytes, mask: Mask, counts: dict[str, int]) -> bytes:
    """A bytea in hexadecimal (`bytea_output`), or with octal escapes, which leave ASCII as it is."""
    if value[:2] != b"\\x":
        hits = mask.find(value)
        if not hits:
            return value
        _count(hits, counts)
        return _same_length(value, hits, mask)
    try:
        raw = bytes.fromhex(value[2:].decode("ascii"))
    except ValueError:
        return b"\\x"
    hits = mask.find(raw)
    if not hits:
        return value
    _count(hits, counts)
    return b"\\x" + _same_length(raw, hits, mask).hex().encode()


_LENGTH_BEFORE = re.compile(rb"\x00[\x00-\xff]{3}")


def _search_opaque(value: bytes, mask: Mask, counts: dict[str, int]) -> bytes:
    """A structure in binary form: texts in it are found as they are and hidden without a change of length."""
    text = _LENGTH_BEFORE.sub(b"\0\0\0\0", value)
    hits = mask.find(text)
    if not hits:
        return value
    _count(hits, counts)
    return _same_length(value, hits, mask)


def _same_length(value: bytes, hits: list[tuple[int, int, str]], mask: Mask) -> bytes:
    out = bytearray(value)
    for start, end, name in hits:
        said = mask.replace(value[start:end].decode("utf-8", "surrogateescape"), detector=name)
        hidden = said.encode("utf-8", "surrogateescape")
        out[start:end] = hidden if len(hidden) == end - start else b"*" * (end - start)
    return bytes(out)
