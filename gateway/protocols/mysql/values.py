"""One value of a column that a rule names: it goes whole, and what takes its place is a value of its type.

As it stands in text rows, in the column's own encoding, and no longer than its column says. NULL stays NULL (callers do
not ask); a value whose type leaves no way to hide it becomes NULL. What binary rows have goes through `binary`.
"""

from __future__ import annotations

import datetime as dt
import re
import struct
from collections.abc import Mapping, Sequence

import orjson

from gateway.masking.documents import hide_json, hide_paths, permuted
from gateway.masking.engine import number_for
from gateway.masking.paths import JsonPath, TooDeep
from gateway.protocols.mysql import binary
from gateway.protocols.mysql.charsets import back
from gateway.protocols.mysql.columns import INTEGERS, UNSIGNED, ZEROFILL, Column, Kind
from gateway.wire import Mask

_KEYED = frozenset({"hash", "tokenise"})
_MOST: Mapping[Kind, int] = {
    Kind.INT1: 2**7 - 1, Kind.INT2: 2**15 - 1, Kind.INT3: 2**23 - 1, Kind.INT4: 2**31 - 1, Kind.INT8: 2**63 - 1,
}  # fmt: skip
_WIDEST: Mapping[Kind, int] = {
    Kind.INT1: 2, Kind.INT2: 4, Kind.INT3: 6, Kind.INT4: 9, Kind.INT8: 18, Kind.DECIMAL: 30, Kind.FLOAT: 6,
    Kind.DOUBLE: 15,
}  # fmt: skip
_NOWHERE = struct.pack("<IBIdd", 0, 1, 1, 0.0, 0.0)
"""POINT(0 0), of no system of reference."""
_FILLED = re.compile(rb"^0+(?=[0-9])")
_PLAIN = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?")
_YEAR = re.compile(rb"((?:19|20)\d\d)-\d\d-\d\d")
_OPENING = (b"{", b"[")
_DOCUMENTS = (b"{", b"[", b'"')
_DEEP = 1_000


def hide(value: bytes, column: Column, strategy: str, mask: Mask, *, in_binary: bool = False) -> bytes | None:
    """`value`, as it stands in a row, hidden whole; None is NULL."""
    if strategy == "null":
        return None
    try:
        if in_binary:
            hidden = _hide(binary.to_text(value, column), column, strategy, mask)
            return None if hidden is None else binary.from_text(hidden, column)
        return _hide(value, column, strategy, mask)
    except (TooDeep, RecursionError):
        return None


def hide_inside(
    value: bytes, column: Column, paths: Sequence[tuple[JsonPath, str]], mask: Mask, *, named: bool
) -> tuple[bytes, int]:
    """A JSON document with what these paths lead to hidden, and how many leaves; text that is none stays as it is.

    MariaDB does not say which columns are JSON. Text that begins as a document does and is none is hidden whole where a
    rule names the column.
    """
    document, codec = column.charset.read(value)
    if column.kind is not Kind.JSON and not document.lstrip().startswith(_OPENING):
        return value, 0
    if column.kind is not Kind.JSON and not named and not is_json(document):
        return value, 0
    hidden, count = hide_paths(document, paths, mask)
    return (back(hidden, codec), count) if count else (value, 0)


def is_json(document: bytes) -> bool:
    """Whether it is JSON, or so deep that nobody can tell."""
    try:
        orjson.loads(document)
    except orjson.JSONDecodeError:
        return document.count(b"[") + document.count(b"{") >= _DEEP
    return True


def redacted(column: Column, mask: Mask, *, in_binary: bool) -> bytes | None:
    """What `redact` makes of every value of a type of which it makes always the same."""
    hidden = _hide(b"0", column, "redact", mask)
    return binary.from_text(hidden, column) if in_binary and hidden is not None else hidden


def _hide(value: bytes, column: Column, strategy: str, mask: Mask) -> bytes | None:
    kind = column.kind
    match kind:
        case Kind.TEXT:
            read, codec = column.charset.read(value)
            if column.holds_documents and read.lstrip()[:1] in _DOCUMENTS and is_json(read):
                return back(hide_json(read, strategy, mask), codec)
            return fitted(back(_text(read, strategy, mask), codec or column.charset.codec), column)
        case Kind.BYTES:
            return _bytes(value, column, strategy, mask)
        case Kind.JSON:
            return hide_json(value, strategy, mask)
        case Kind.SET:
            return b""
        case Kind.YEAR:
            return _year(value, strategy, mask)
        case Kind.DECIMAL | Kind.FLOAT | Kind.DOUBLE:
            return _number(value, column, strategy, mask)
        case Kind.DATE | Kind.DATETIME | Kind.TIMESTAMP:
            return _moment(value, column, strategy, mask)
        case Kind.TIME:
            return b"00:00:00" + _zeros(column)
        case Kind.BIT:
            return _bits(value, column, mask) if strategy in _KEYED else bytes(len(value))
        case Kind.GEOMETRY:
            return _NOWHERE
        case _ if kind in INTEGERS:
            return _number(value, column, strategy, mask)
        case _:
            return None


def fitted(text: bytes, column: Column) -> bytes:
    """`text`, in the encoding of the column, as long as a value of it may be."""
    if not column.length or len(text) <= column.length // column.charset.widest:
        return text
    most = column.length // column.charset.widest
    if column.kind is Kind.BYTES:
        return text[:most]
    codec = column.charset.codec or "utf-8"
    return text.decode(codec, "surrogateescape" if codec == "utf-8" else "replace")[:most].encode(
        codec, "surrogateescape" if codec == "utf-8" else "replace"
    )


def _text(value: bytes, strategy: str, mask: Mask) -> bytes:
    said = value.decode("utf-8", "surrogateescape")
    return mask.replace(said, strategy=strategy).encode("utf-8", "surrogateescape")


def _bytes(value: bytes, column: Column, strategy: str, mask: Mask) -> bytes:
    """Text that was cast is hidden as text; of other bytes nothing is shown."""
    try:
        readable = value.decode().isprintable()
    except UnicodeDecodeError:
        readable = False
    if readable:
        return fitted(_text(value, strategy, mask), column)
    if strategy in _KEYED:
        return fitted(mask.noise(value, 12).hex().encode(), column)
    return fitted(_text(b"", "redact", mask), column)


def _number(written: bytes, column: Column, strategy: str, mask: Mask) -> bytes:
    kind = column.kind
    value = _FILLED.sub(b"", written)
    digits = bytes(byte for byte in value if 48 <= byte <= 57)
    most = _MOST.get(kind, 0)
    if most and column.unsigned:
        most = 2 * most + 1
    match strategy:
        case "partial" if len(digits) > 8:
            return formed(int(number_for(digits, "payment_card")), written, column)
        case "tokenise" if _PLAIN.fullmatch(value) and (not most or abs(int(value)) <= most):
            return _padded(permuted(value.decode(), mask, most=most or None).encode(), written, column)
        case "hash" | "tokenise":
            width = max(1, min(len(digits), _WIDEST[kind]))
            noise = int.from_bytes(mask.noise(value, 16), "big")
            least = 10 ** (width - 1) if width > 1 else 0
            return formed(least + noise % (10**width - least), written, column)
        case _:
            return formed(0, written, column)


def formed(whole: int, value: bytes, column: Column) -> bytes:
    """A whole number in place of `value`: with as many digits in front of the point and behind it as the column has."""
    scale = column.scale if column.kind not in INTEGERS else 0
    if column.kind is Kind.DECIMAL and column.length:
        signs = (scale > 0) + (not column.flags & UNSIGNED)
        whole %= 10 ** max(column.length - scale - signs, 0)
    text = b"%d" % whole
    return _padded(text + b"." + b"0" * scale if scale else text, value, column)


def _padded(text: bytes, value: bytes, column: Column) -> bytes:
    """Where the column fills numbers up with zeros, so does what stands for one."""
    return text.rjust(len(value), b"0") if column.flags & ZEROFILL else text


def _year(value: bytes, strategy: str, mask: Mask) -> bytes:
    if strategy in _KEYED:
        return b"%d" % (1950 + int.from_bytes(mask.noise(value, 8), "big") % 74)
    return b"0000"


def _moment(value: bytes, column: Column, strategy: str, mask: Mask) -> bytes:
    day = b"2000-01-01"
    if strategy == "partial" and (match := _YEAR.match(value)) is not None:
        day = match[1] + b"-01-01"
        if column.kind is Kind.TIMESTAMP and not b"1971" <= match[1] <= b"2037":
            day = b"2000-01-01"
    elif strategy in _KEYED:
        noise = int.from_bytes(mask.noise(value, 8), "big")
        # A TIMESTAMP begins in 1970.
        first, days = (1971, 20_000) if column.kind is Kind.TIMESTAMP else (1950, 27_000)
        day = (dt.date(first, 1, 1) + dt.timedelta(days=noise % days)).isoformat().encode()
    return day if column.kind is Kind.DATE else day + b" 00:00:00" + _zeros(column)


def _zeros(column: Column) -> bytes:
    return b"." + b"0" * column.scale if column.scale else b""


def _bits(value: bytes, column: Column, mask: Mask) -> bytes:
    """As many bits as the column has."""
    noise = int.from_bytes(mask.noise(value, len(value)), "big")
    return (noise & ((1 << min(column.length or 8, 8 * len(value))) - 1)).to_bytes(len(value), "big")
