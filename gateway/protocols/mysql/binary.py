"""Values of binary rows as the text that text rows have, and back."""

from __future__ import annotations

import re
import struct

from gateway.protocols.mysql.columns import INTEGERS, WIDTHS, Column, Kind
from gateway.wire import ProtocolViolation

_MOMENT = re.compile(rb"(-)?(?:(\d{4})-(\d\d)-(\d\d))?[ ]?(?:(\d{2,3}):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?")
_MALFORMED = "a value of a binary row is none of its type"


def to_text(value: bytes, column: Column) -> bytes:
    kind = column.kind
    if kind in INTEGERS or kind is Kind.YEAR:
        number = int.from_bytes(value, "little", signed=not column.unsigned and kind is not Kind.YEAR)
        return b"%04d" % number if kind is Kind.YEAR else b"%d" % number
    match kind:
        case Kind.FLOAT:
            return _shortest(struct.unpack("<f", value)[0], 6)
        case Kind.DOUBLE:
            return _shortest(struct.unpack("<d", value)[0], 17)
        case Kind.DATE:
            return _date(value)[:10]
        case Kind.DATETIME | Kind.TIMESTAMP:
            return _date(value) + _fraction(value[7:11], column)
        case Kind.TIME:
            return _time(value, column)
        case _:
            return value


def from_text(text: bytes, column: Column) -> bytes:
    """As `to_text` gives it, and shorter spellings of the same."""
    kind = column.kind
    if kind in INTEGERS or kind is Kind.YEAR:
        return int(text).to_bytes(WIDTHS[kind], "little", signed=int(text) < 0)
    match kind:
        case Kind.FLOAT:
            return struct.pack("<f", float(text))
        case Kind.DOUBLE:
            return struct.pack("<d", float(text))
        case Kind.DATE | Kind.DATETIME | Kind.TIMESTAMP | Kind.TIME:
            return _moment(text, kind)
        case _:
            return text


def _shortest(number: float, digits: int) -> bytes:
    return (b"%.6g" % number) if digits == 6 else repr(number).encode()


def _date(value: bytes) -> bytes:
    if len(value) not in {0, 4, 7, 11}:
        raise ProtocolViolation(_MALFORMED)
    year, month, day, hour, minute, second = struct.unpack("<HBBBBB", value[:7].ljust(7, b"\0"))
    return b"%04d-%02d-%02d %02d:%02d:%02d" % (year, month, day, hour, minute, second)


def _time(value: bytes, column: Column) -> bytes:
    if len(value) not in {0, 8, 12}:
        raise ProtocolViolation(_MALFORMED)
    negative, days, hour, minute, second = struct.unpack("<BIBBB", value[:8].ljust(8, b"\0"))
    sign = b"-" if negative else b""
    return sign + b"%02d:%02d:%02d" % (days * 24 + hour, minute, second) + _fraction(value[8:12], column)


def _fraction(value: bytes, column: Column) -> bytes:
    micros = int.from_bytes(value, "little")
    if column.scale:
        return b"." + (b"%06d" % micros)[: column.scale]
    return b".%06d" % micros if micros else b""


def _moment(text: bytes, kind: Kind) -> bytes:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ProtocolViolation(_MALFORMED)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[1:7])
    micros = int((match[8] or b"0").ljust(6, b"0"))
    if kind is Kind.TIME:
        if not (hour or minute or second or micros):
            return b""
        body = struct.pack("<BIBBB", match[1] is not None, hour // 24, hour % 24, minute, second)
        return body + (struct.pack("<I", micros) if micros else b"")
    if kind is Kind.DATE or not (hour or minute or second or micros):
        return struct.pack("<HBB", year, month, day) if year or month or day else b""
    body = struct.pack("<HBBBBB", year, month, day, hour, minute, second)
    return body + (struct.pack("<I", micros) if micros else b"")
