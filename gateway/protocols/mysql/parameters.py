r"""The parameters of an execution: taken apart by their types, and as a person would read them.

Written from "Binary Protocol Value" of MySQL's protocol reference. Display only: what would run is bound by the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from struct import Struct, error
from typing import Final

from gateway.protocols.mysql.packets import Body
from gateway.wire import ProtocolViolation

UNSIGNED: Final = 0x8000
_NULL: Final = 6
_SIZES: Final = {1: 1, 2: 2, 3: 4, 4: 4, 8: 8, 5: 8}
"""TINY, SHORT, LONG, FLOAT, LONGLONG, DOUBLE. YEAR, INT24, BIT, ENUM, SET and GEOMETRY no two servers read alike."""
_TIMES: Final = frozenset({7, 10, 11, 12})
"""TIMESTAMP, DATE, TIME, DATETIME: behind a length of one byte."""
_DATE_SIZES: Final = frozenset({0, 4, 7, 11})
_TIME_SIZES: Final = frozenset({0, 8, 12})
_STRINGS: Final = frozenset({0, 15, 245, 246, *range(249, 255)})
_BINARY: Final = frozenset(range(249, 253))
_FLOATS: Final = {4: Struct("<f"), 5: Struct("<d")}
_TIME = 11


def take(body: Body, kind: int) -> bytes:
    """The bytes of one value of this type, without their length."""
    kind &= 0xFF
    if kind in _SIZES:
        return body.take(_SIZES[kind])
    if kind in _TIMES:
        size = body.number(1)
        if size not in (_TIME_SIZES if kind == _TIME else _DATE_SIZES):
            raise ProtocolViolation("a time in a parameter has an impossible length")
        return body.take(size)
    if kind in _STRINGS:
        return body.string()
    raise ProtocolViolation("a parameter has a type that there is not")


def shown(kind: int, value: bytes) -> str | None:
    """One value, `None` for NULL."""
    plain = kind & 0xFF
    if plain == _NULL:
        return None
    try:
        if plain in _FLOATS:
            return str(_FLOATS[plain].unpack(value)[0])
        if plain in _SIZES:
            return str(int.from_bytes(value, "little", signed=not kind & UNSIGNED))
        if plain == _TIME:
            return _time(value)
        if plain in _TIMES:
            return _date(value, whole=plain != 10)
    except (ValueError, error):
        return "\\x" + value.hex()
    return text(value, binary=plain in _BINARY)


def text(value: bytes, *, binary: bool = True) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "\\x" + value.hex() if binary else value.decode("utf-8", "backslashreplace")


def _date(value: bytes, *, whole: bool) -> str:
    if not value:
        return "0000-00-00 00:00:00" if whole else "0000-00-00"
    day = f"{int.from_bytes(value[:2], 'little'):04d}-{value[2]:02d}-{value[3]:02d}"
    if value[2] and value[3]:
        date(int.from_bytes(value[:2], "little") or 1, value[2], value[3])
    return f"{day} {_clock(value[4], value[5:])}" if len(value) > 4 else day


def _time(value: bytes) -> str:
    if not value:
        return "00:00:00"
    hours = int.from_bytes(value[1:5], "little") * 24 + value[5]
    return ("-" if value[0] else "") + _clock(hours, value[6:])


def _clock(hours: int, rest: bytes) -> str:
    said = f"{hours:02d}:{rest[0]:02d}:{rest[1]:02d}"
    return f"{said}.{int.from_bytes(rest[2:6], 'little'):06d}" if len(rest) > 2 else said


class Execution:
    """What COM_STMT_EXECUTE binds."""

    __slots__ = ("flags", "nulls", "statement", "types", "values")

    def __init__(
        self, statement: int, flags: int, nulls: bytes, types: tuple[int, ...] | None, values: bytes
    ) -> None:
        self.statement: Final = statement
        self.flags: Final = flags
        self.nulls: Final = nulls
        self.types: Final = types
        """None where they are those of the execution before."""
        self.values: Final = values

    def write(self, types: tuple[int, ...]) -> bytes:
        """The same with its types written out."""
        head = b"\x17" + self.statement.to_bytes(4, "little") + bytes((self.flags,)) + b"\1\0\0\0"
        return (
            head + self.nulls + b"\1" + b"".join(each.to_bytes(2, "little") for each in types) + self.values
        )


def read_execution(payload: bytes, count: int) -> Execution:
    """COM_STMT_EXECUTE of a statement with `count` parameters."""
    body = Body(payload, 1)
    statement, flags = body.number(4), body.number(1)
    if body.number(4) != 1:
        raise ProtocolViolation("an execution counts its iterations otherwise than by one")
    if not count:
        # Some clients write an empty bitmap and what follows it.
        return Execution(statement, flags, b"", (), body.rest())
    nulls = body.take((count + 7) // 8)
    types = None
    told = body.number(1)
    if told > 1:
        raise ProtocolViolation("an execution does not say whether it binds types")
    if told:
        types = tuple(body.number(2) for _ in range(count))
    return Execution(statement, flags, nulls, types, body.rest())


def bound(
    execution: Execution, types: tuple[int, ...], long: Mapping[int, bytes], read: Callable[[bytes], str]
) -> tuple[str | None, ...]:
    """Every parameter as it is read. Raises `ProtocolViolation` where the values are not of the types."""
    body = Body(execution.values)
    found: list[str | None] = []
    for place, kind in enumerate(types):
        if place in long:
            found.append(text(long[place]))
        elif execution.nulls[place // 8] >> place % 8 & 1:
            found.append(None)
        else:
            value = take(body, kind)
            plain = kind & 0xFF
            found.append(read(value) if plain in _STRINGS - _BINARY else shown(kind, value))
    if types:
        body.over()
    return tuple(found)
