"""Binary forms of values (`src/backend/utils/adt/*send*`), to and from their text, and through their structures."""

from __future__ import annotations

import datetime as dt
import ipaddress
import struct
import uuid
from collections.abc import Callable

from gateway.protocols.postgres.kinds import Kind


class Unreadable(Exception):
    """A binary value is not what its type says."""


_INTEGERS = {
    Kind.INT2: ">h",
    Kind.INT4: ">i",
    Kind.INT8: ">q",
    Kind.OID: ">I",
    Kind.FLOAT4: ">f",
    Kind.FLOAT8: ">d",
}
_EPOCH = dt.date(2000, 1, 1)
_DAY = 86_400_000_000
_EMPTY = {
    Kind.BOOL: b"\0",
    Kind.MONEY: bytes(8),
    Kind.TIME: bytes(8),
    Kind.TIMETZ: bytes(12),
    Kind.INTERVAL: bytes(16),
    Kind.RANGE: b"\x01",
    Kind.MULTIRANGE: bytes(4),
    Kind.VECTOR: bytes(4),
    Kind.CHAR: b"*",
}
"""The binary form of what masks put in place of such a value whatever it was."""


def to_text(value: bytes, kind: Kind) -> bytes:
    """The text form, where masking depends on the value; b"" where it does not."""
    match kind:
        case Kind.TEXT | Kind.JSON | Kind.ENUM:
            return value
        case Kind.INT2 | Kind.INT4 | Kind.INT8 | Kind.OID:
            return b"%d" % struct.unpack(_INTEGERS[kind], value)[0]
        case Kind.FLOAT4 | Kind.FLOAT8:
            return repr(struct.unpack(_INTEGERS[kind], value)[0]).encode()
        case Kind.NUMERIC:
            return _numeric_text(value)
        case Kind.DATE:
            return _day_text(struct.unpack(">i", value)[0])
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return _moment_text(struct.unpack(">q", value)[0], kind)
        case Kind.UUID:
            if len(value) != 16:
                raise Unreadable
            return str(uuid.UUID(bytes=value)).encode()
        case Kind.INET | Kind.CIDR:
            return str(ipaddress.ip_address(value[4:])).encode() if len(value) in {8, 20} else _unreadable()
        case Kind.BYTEA:
            return b"\\x" + value.hex().encode()
        case Kind.BIT:
            return _bits(value)
        case Kind.MACADDR | Kind.MACADDR8:
            return value.hex(":").encode() if len(value) in {6, 8} else _unreadable()
        case _:
            return b""


def from_text(text: bytes, kind: Kind) -> bytes:
    """The binary form of a text that masking made."""
    if kind in _EMPTY:
        return _EMPTY[kind]
    match kind:
        case Kind.TEXT | Kind.JSON | Kind.ENUM:
            return text
        case Kind.INT2 | Kind.INT4 | Kind.INT8 | Kind.OID:
            return struct.pack(_INTEGERS[kind], int(text))
        case Kind.FLOAT4 | Kind.FLOAT8:
            return struct.pack(_INTEGERS[kind], float(text))
        case Kind.NUMERIC:
            return _numeric(text)
        case Kind.DATE:
            return struct.pack(">i", _days(text))
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return struct.pack(">q", _days(text[:10]) * _DAY)
        case Kind.UUID:
            return uuid.UUID(text.decode()).bytes
        case Kind.INET | Kind.CIDR:
            return _inet(text, kind)
        case Kind.BYTEA:
            return bytes.fromhex(text[2:].decode())
        case Kind.BIT:
            size = (len(text) + 7) // 8
            return struct.pack(">i", len(text)) + int(text.ljust(8 * size, b"0") or b"0", 2).to_bytes(
                size, "big"
            )
        case Kind.MACADDR | Kind.MACADDR8:
            return bytes.fromhex(text.replace(b":", b"").decode())
        case _:
            return _unreadable()


def _unreadable() -> bytes:
    raise Unreadable


def _days(text: bytes) -> int:
    return (dt.date.fromisoformat(text.decode()) - _EPOCH).days


def _day_text(days: int) -> bytes:
    try:
        return (_EPOCH + dt.timedelta(days=days)).isoformat().encode()
    except OverflowError:  # infinity, or a year that Python's calendar does not have
        return b"%d" % days


def _moment_text(moment: int, kind: Kind) -> bytes:
    """As the server writes it, so that a fingerprint is the same in both forms."""
    days, rest = divmod(moment, _DAY)
    seconds, micro = divmod(rest, 1_000_000)
    clock = b" %02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
    if micro:
        clock += (b".%06d" % micro).rstrip(b"0")
    return _day_text(days) + clock + (b"+00" if kind is Kind.TIMESTAMPTZ else b"")


def _numeric_text(value: bytes) -> bytes:
    """`numeric_send`: base-10000 digits, `weight` of the first, sign, digits behind the point."""
    count, weight, sign, scale = struct.unpack(">HhHH", value[:8])
    if sign & 0xC000 == 0xC000:
        return b"NaN"
    if len(value) != 8 + 2 * count or weight > 4096:
        raise Unreadable
    digits = "".join(f"{digit:04d}" for digit in struct.unpack(f">{count}H", value[8:]))
    point = 4 * (weight + 1)
    whole: str = digits[: max(point, 0)].ljust(max(point, 0), "0").lstrip("0") or "0"
    if not scale:
        return (("-" if sign else "") + whole).encode()
    fraction: str = ("0" * max(-point, 0) + digits[max(point, 0) :])[:scale].ljust(scale, "0")
    return (("-" if sign else "") + whole + "." + fraction).encode()


def _numeric(text: bytes) -> bytes:
    """`numeric_recv`'s form of a number without an exponent; no group at either end is zero."""
    whole, _, fraction = text.lstrip(b"-").partition(b".")
    padded = whole.rjust(-(-len(whole) // 4) * 4, b"0") + fraction.ljust(-(-len(fraction) // 4) * 4, b"0")
    groups = [int(padded[at : at + 4]) for at in range(0, len(padded), 4)]
    weight = -(-len(whole) // 4) - 1
    while groups and not groups[-1]:
        groups.pop()
    while groups and not groups[0]:
        groups.pop(0)
        weight -= 1
    sign = 0x4000 if groups and text.startswith(b"-") else 0
    return struct.pack(
        f">HhHH{len(groups)}H", len(groups), weight if groups else 0, sign, len(fraction), *groups
    )


def _bits(value: bytes) -> bytes:
    """`bit_send`: how many there are, then they, filled up to whole bytes."""
    (length,) = struct.unpack(">i", value[:4])
    if not 0 <= length <= 8 * (len(value) - 4) < 1 << 30:
        raise Unreadable
    return f"{int.from_bytes(value[4:], 'big'):0{8 * (len(value) - 4)}b}"[:length].encode() if length else b""


def _inet(text: bytes, kind: Kind) -> bytes:
    host, _, width = text.decode().partition("/")
    address = ipaddress.ip_address(host)
    family = 2 if address.version == 4 else 3
    bits = int(width) if width else address.max_prefixlen
    return bytes((family, bits, int(kind is Kind.CIDR), len(address.packed))) + address.packed


def bounds(value: bytes, *, many: bool) -> list[bytes]:
    """`range_send`: flags, then each finite bound with its length. `multirange_send`: a count, then ranges so sized."""
    if many:
        found: list[bytes] = []
        at = 4
        for _ in range(struct.unpack(">i", value[:4])[0]):
            (size,) = struct.unpack(">i", value[at : at + 4])
            found += bounds(value[at + 4 : at + 4 + size], many=False)
            at += 4 + size
        return found
    empty, _, _, no_lower, no_upper = (value[0] >> bit & 1 for bit in (0, 1, 2, 3, 4))
    found = []
    at = 1
    for missing in (empty or no_lower, empty or no_upper):
        if not missing:
            (size,) = struct.unpack(">i", value[at : at + 4])
            found.append(value[at + 4 : at + 4 + size])
            at += 4 + size
    return found


Item = Callable[[int, bytes], bytes | None]
"""`(type, element)` -> what takes its place; None is NULL."""


def map_array(value: bytes, item: Item) -> bytes:
    """`array_send`: dimensions, has-NULL flag, element type, then each dimension and each element with its length."""
    dimensions, flags, element = struct.unpack(">iiI", value[:12])
    if not 0 <= dimensions <= 6:
        raise Unreadable
    head = 12 + 8 * dimensions
    elements, has_null = _map_fields(value, head, None, lambda _, data: item(element, data))
    return struct.pack(">iiI", dimensions, flags | int(has_null), element) + value[12:head] + elements


def map_record(value: bytes, item: Item) -> bytes:
    """`record_send`: a count, then each field's type, length and value."""
    fields, _ = _map_fields(value, 4, struct.unpack(">i", value[:4])[0], item)
    return value[:4] + fields


def _map_fields(value: bytes, at: int, typed: int | None, item: Item) -> tuple[bytes, bool]:
    out: list[bytes] = []
    has_null = False
    while at < len(value):
        oid = 0
        if typed is not None:
            oid = struct.unpack(">I", value[at : at + 4])[0]
            out.append(value[at : at + 4])
            at += 4
        (size,) = struct.unpack(">i", value[at : at + 4])
        at += 4
        if size > len(value) - at:
            raise Unreadable
        hidden = None if size < 0 else item(oid, value[at : at + size])
        at += max(size, 0)
        if hidden is None:
            has_null = True
            out.append(b"\xff\xff\xff\xff")
        else:
            out += len(hidden).to_bytes(4, "big"), hidden
    return b"".join(out), has_null
