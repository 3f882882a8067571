"""One value of a column that a rule names: it goes whole, and what takes its place is a value of its type.

In text and in binary form, as long as a `varchar(n)` may be and as wide as a `numeric(p, s)`. NULL stays NULL (callers
do not ask); a value whose type leaves no way to hide it becomes NULL.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.masking.documents import hide_json, hide_paths, permuted
from gateway.masking.engine import number_for
from gateway.masking.paths import JsonPath, TooDeep
from gateway.protocols.postgres import binary, composites
from gateway.protocols.postgres.encodings import from_utf8, to_utf8
from gateway.protocols.postgres.kinds import BUILT_IN, XML, Kind, Types
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
    Kind.RANGE: b"empty",
    Kind.MULTIRANGE: b"{}",
    Kind.VECTOR: b"",
}
"""Text forms that say nothing, whatever the strategy."""
_HSTORE = re.compile(rb'\s*"(?:[^"\\]|\\.)*"=>', re.DOTALL)
_KEYED = frozenset({"hash", "tokenise"})
_YEAR = re.compile(rb"(\d{4})-\d\d-\d\d")
DEEPEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the values of a column are hidden."""

    strategy: str
    mask: Mask
    modifier: int = -1
    """Of the column's type."""
    codec: str = ""
    """Python's name of the encoding of text; "" for UTF-8."""
    types: Types = BUILT_IN


def hide(
    value: bytes,
    *,
    type_oid: int,
    written: int,
    strategy: str,
    mask: Mask,
    modifier: int = -1,
    codec: str = "",
    types: Types = BUILT_IN,
) -> bytes | None:
    """`value`, in text (`written` 0) or binary form, hidden whole; None is NULL."""
    if strategy == "null":
        return None
    way = Way(strategy=strategy, mask=mask, modifier=modifier, codec=codec, types=types)
    try:
        if written == BINARY_FORMAT:
            return _hide_binary(value, type_oid, way, 0)
        hidden = _hide_text(to_utf8(value, codec)[0] if codec else value, type_oid, way)
        return from_utf8(hidden, codec) if codec and hidden is not None else hidden
    except (TooDeep, RecursionError, struct.error, binary.Unreadable):
        return None


def hide_inside(
    value: bytes,
    *,
    type_oid: int,
    written: int,
    paths: Sequence[tuple[JsonPath, str]],
    mask: Mask,
    codec: str = "",
    types: Types = BUILT_IN,
) -> tuple[bytes, int]:
    """A JSON document with what these paths lead to hidden, and how many leaves; text that is none stays as it is."""
    kind = types.kind(type_oid)
    version = value[:1] if kind is Kind.JSONB and written == BINARY_FORMAT else b""
    document = value[len(version) :]
    if kind not in {Kind.JSON, Kind.JSONB} and document.lstrip()[:1] not in {b"{", b"["}:
        return value, 0
    if codec and not document.isascii():
        document, codec = to_utf8(document, codec)
        hidden, count = hide_paths(document, paths, mask)
        return (version + from_utf8(hidden, codec), count) if count else (value, 0)
    hidden, count = hide_paths(document, paths, mask)
    return (version + hidden, count) if count else (value, 0)


def redacted(
    *, type_oid: int, written: int, mask: Mask, modifier: int = -1, types: Types = BUILT_IN
) -> bytes | None:
    """What `redact` makes of every value of a type of which it makes always the same."""
    kind = types.kind(type_oid)
    text = _hide_text(b"0", type_oid, Way(strategy="redact", mask=mask, modifier=modifier, types=types))
    return text if written == TEXT_FORMAT or text is None else binary.from_text(text, kind)


def _hide_text(value: bytes, type_oid: int, way: Way, depth: int = 0) -> bytes | None:
    """In UTF-8. What takes the place of a value is ASCII, whatever the encoding, but for labels of enums."""
    if depth > DEEPEST:
        raise TooDeep
    strategy, mask = way.strategy, way.mask
    kind = way.types.kind(type_oid)
    if kind in _NEUTRAL:
        return _NEUTRAL[kind]
    match kind:
        case Kind.TEXT if type_oid == XML:
            return _text(value, strategy, mask).replace(b"&", b"-")
        case Kind.TEXT:
            return fitted(_text(value, strategy, mask), type_oid, way.modifier)
        case Kind.JSON | Kind.JSONB:
            return hide_json(value, strategy, mask)
        case Kind.INT2 | Kind.INT4 | Kind.INT8 | Kind.OID | Kind.NUMERIC | Kind.FLOAT4 | Kind.FLOAT8:
            return _number(value, kind, way)
        case Kind.DATE | Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return _moment(value, kind, strategy, mask)
        case Kind.UUID:
            return _uuid(value, strategy, mask)
        case Kind.INET | Kind.CIDR:
            return _keyed_address(value, mask) if strategy in _KEYED else address(value, kind, strategy)
        case Kind.MACADDR | Kind.MACADDR8:
            octets = value.count(b":") + 1
            return (_keyed(value, mask, octets) if strategy in _KEYED else bytes(octets)).hex(":").encode()
        case Kind.BYTEA:
            return b"\\x" + (_keyed(value, mask, 12).hex().encode() if strategy in _KEYED else b"")
        case Kind.BIT if strategy in _KEYED:
            return bytes(48 + byte % 2 for byte in _keyed(value, mask, len(value)))
        case Kind.BIT:
            return b"0" * len(value)
        case Kind.ARRAY:
            return _array(value, way.types.element(type_oid), way, depth)
        case Kind.ENUM:
            return _label(value, way.types.labels(type_oid), way)
        case Kind.RECORD | Kind.MADE if (hidden := _composite(value, type_oid, way, depth)) is not None:
            return hidden
        case Kind.MADE:
            return made(value, strategy, mask)
        case _:
            return None


def _label(value: bytes, labels: tuple[str, ...], way: Way) -> bytes | None:
    """Another label of the enum, the same for the same one, where that is asked; else the first, whatever the value."""
    if not labels:
        return None
    said = value.decode("utf-8", "surrogateescape")
    if way.strategy in _KEYED and said in labels:
        drawn = sorted(labels, key=lambda label: _keyed(label.encode(), way.mask, 8))
        return drawn[labels.index(said)].encode()
    return labels[0].encode()


def _composite(value: bytes, type_oid: int, way: Way, depth: int) -> bytes | None:
    """A composite whose fields are hidden each as a value of its own; None if it is none. NULL stays NULL."""
    fields = composites.typed(value, type_oid, way.types)
    if fields is None:
        return None
    return composites.put_together(
        [
            None if field is None else _hide_text(field, oid, replace(way, modifier=modifier), depth + 1)
            for field, oid, modifier in fields
        ]
    )


def fitted(text: bytes, type_oid: int, modifier: int) -> bytes:
    """`text` in UTF-8, as long as a value of this type may be."""
    if type_oid in _LIMITED and modifier >= _HEADER:
        most = modifier - _HEADER
        if len(text) > most:
            text = text.decode("utf-8", "surrogateescape")[:most].encode("utf-8", "surrogateescape")
        if type_oid == _BPCHAR:
            text += b" " * (most - len(text.decode("utf-8", "surrogateescape")))
    return text


_BPCHAR = 1042
_LIMITED = frozenset({_BPCHAR, 1043})
_HEADER = 4
"""What `atttypmod` counts with a length, a precision and scale."""


def made(value: bytes, strategy: str, mask: Mask) -> bytes | None:
    """A type of the database's own that is no composite: told apart by how its text looks; NULL or empty where that has a structure."""
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


def _number(value: bytes, kind: Kind, way: Way) -> bytes:
    digits = bytes(byte for byte in value if 48 <= byte <= 57)
    match way.strategy:
        case "partial" if len(digits) > 8:
            return _narrowed(int(number_for(digits, "payment_card")), way.modifier)
        case "tokenise" if _PLAIN.fullmatch(value):
            return permuted(value.decode(), way.mask, most=_MOST.get(kind)).encode()
        case "hash" | "tokenise":
            width = max(1, min(len(digits), _WIDEST[kind]))
            noise = int.from_bytes(_keyed(value, way.mask, 16), "big")
            least = 10 ** (width - 1) if width > 1 else 0
            return _narrowed(
                least + noise % (10**width - least), way.modifier if kind is Kind.NUMERIC else -1
            )
        case _:
            return b"0"


_PLAIN = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?")
_MOST = {Kind.INT2: 2**15 - 1, Kind.INT4: 2**31 - 1, Kind.INT8: 2**63 - 1, Kind.OID: 2**32 - 1}


def _narrowed(number: int, modifier: int) -> bytes:
    """As many digits of it as a `numeric(precision, scale)` has in front of its point."""
    if modifier < _HEADER:
        return b"%d" % number
    precision, scale = (modifier - _HEADER) >> 16 & 0xFFFF, (modifier - _HEADER) & 0x7FF
    scale = scale - 0x800 if scale & 0x400 else scale
    return b"%d" % (number % 10 ** max(precision - scale, 0))


def _moment(value: bytes, kind: Kind, strategy: str, mask: Mask) -> bytes:
    day = b"2000-01-01"
    if strategy == "partial" and (match := _YEAR.match(value)) is not None and not value.endswith(b"BC"):
        day = match[1] + b"-01-01"
    elif strategy in _KEYED:
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


def _keyed_address(value: bytes, mask: Mask) -> bytes:
    """Of the same family, whatever the width of its network."""
    host = value.partition(b"/")[0]
    packed = _keyed(host, mask, 16 if b":" in host else 4)
    return ipaddress.ip_address(packed).compressed.encode()


def address(value: bytes, kind: Kind, strategy: str) -> bytes:
    """Of `value`, none, or its first two groups."""
    host = value.partition(b"/")[0]
    wide = b":" in host
    if strategy != "partial":
        return b"::" if wide else b"0.0.0.0"
    if wide:
        groups = ipaddress.IPv6Address(host.decode()).exploded.split(":")[:2]
        shown = ipaddress.IPv6Address(":".join(groups) + "::").compressed.encode()
        return shown + b"/32" if kind is Kind.CIDR else shown
    shown = b".".join(host.split(b".")[:2]) + b".0.0"
    return shown + b"/16" if kind is Kind.CIDR else shown


_ELEMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"|([^{},"]+)|([{},])', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def _array(value: bytes, element_oid: int, way: Way, depth: int) -> bytes | None:
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
        hidden = _hide_text(item, element_oid, way, depth + 1)
        out.append(b"NULL" if hidden is None else b'"' + re.sub(rb'(["\\])', rb"\\\1", hidden) + b'"')
    return b"".join(out)


def elements(value: bytes) -> list[tuple[int, int]]:
    """Where the elements of an array literal are, with their quotes."""
    at = max(0, value.find(b"{"))
    found = []
    while (match := _ELEMENT.match(value, at)) is not None:
        at = match.end()
        if match[3] is None:
            found.append(match.span())
    return found


def _hide_binary(value: bytes, type_oid: int, way: Way, depth: int) -> bytes | None:
    if depth > DEEPEST:
        raise TooDeep
    type_oid, modifier = way.types.under(type_oid, way.modifier)
    kind = way.types.kind(type_oid)

    def inner(oid: int, item: bytes) -> bytes | None:
        return _hide_binary(item, oid, way, depth + 1)

    match kind:
        case Kind.ARRAY:
            return binary.map_array(value, inner)
        case Kind.RECORD:
            return binary.map_record(value, inner)
        case Kind.JSONB:
            read = to_utf8(value[1:], way.codec)[0] if way.codec else value[1:]
            document = hide_json(read, way.strategy, way.mask)
            return b"\x01" + (from_utf8(document, way.codec) if way.codec else document)
        case Kind.MADE | Kind.OTHER:
            return None
        case _:
            text = binary.to_text(value, kind)
            if way.codec and kind in _READ:
                text = to_utf8(text, way.codec)[0]
            hidden = _hide_text(text, type_oid, replace(way, modifier=modifier))
            if hidden is None:
                return None
            return binary.from_text(from_utf8(hidden, way.codec) if way.codec else hidden, kind)


_READ = frozenset({Kind.TEXT, Kind.JSON, Kind.ENUM})
"""Kinds whose binary form is text in the client's encoding."""
