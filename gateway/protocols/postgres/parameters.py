r"""Bound parameters as a person would read them.

Text is shown as it is; binary values of the usual types are read as PostgreSQL's `*recv` functions read them, and
everything else is shown as `\x` and its hexadecimal digits. Display only: what would run is bound by the bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from struct import Struct, error

from gateway.protocols.postgres.messages import Bind

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  # PostgreSQL's, for values with and without a zone
_NUMERIC = Struct(">hhHh")
_ARRAY = Struct(">iiI")
_DIMENSION = Struct(">ii")
MOST_ELEMENTS = 10_000
_SIGNS = {0: "", 0x4000: "-"}
_NUMERIC_NAMES = {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}


def shown(bind: Bind, types: tuple[int, ...]) -> tuple[str | None, ...]:
    """Every parameter of `bind`, `None` for NULL; `types` are OIDs as far as they are known."""
    values = bind.values
    if not values:
        return ()
    if 1 not in bind.formats:
        return tuple(
            [None if value is None else value.decode("utf-8", "backslashreplace") for value in values]
        )
    return tuple(
        None
        if value is None
        else shown_value(value, types[index] if index < len(types) else 0)
        if bind.format(index)
        else value.decode("utf-8", "backslashreplace")
        for index, value in enumerate(values)
    )


def shown_value(value: bytes, oid: int) -> str:
    """One value in binary form, of the type with this OID."""
    reader = _READERS.get(oid)
    if reader is None:
        return "\\x" + value.hex()
    try:
        return reader(value)
    except (ValueError, error, OverflowError, IndexError, KeyError):
        return "\\x" + value.hex()


def _number(layout: str) -> Callable[[bytes], str]:
    unpack = Struct(layout).unpack
    return lambda value: str(unpack(value)[0])


def _boolean(value: bytes) -> str:
    return {b"\0": "false", b"\1": "true"}[value]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _jsonb(value: bytes) -> str:
    if value[:1] != b"\1":
        raise ValueError(value)
    return _text(value[1:])


def _date(value: bytes) -> str:
    return str(date(2000, 1, 1) + timedelta(days=Struct(">i").unpack(value)[0]))


def _timestamp(value: bytes) -> str:
    return str(_EPOCH + timedelta(microseconds=Struct(">q").unpack(value)[0]))


def _time(value: bytes) -> str:
    return str((_EPOCH + timedelta(microseconds=Struct(">q").unpack(value)[0])).time())


def _numeric(value: bytes) -> str:
    """Base-10000 digits: count, weight of the first, sign, digits after the point."""
    count, weight, sign, scale = _NUMERIC.unpack_from(value)
    if sign in _NUMERIC_NAMES:
        return _NUMERIC_NAMES[sign]
    digits = Struct(f">{count}h").unpack(value[_NUMERIC.size :])
    if abs(weight) > MOST_ELEMENTS or scale > 4 * MOST_ELEMENTS:
        raise ValueError(weight)
    whole = "".join(f"{digits[i] if i < count else 0:04d}" for i in range(weight + 1)).lstrip("0") or "0"
    places = range(weight + 1, weight + 1 + -(-scale // 4))
    fraction = "".join(f"{digits[i] if 0 <= i < count else 0:04d}" for i in places)[:scale]
    return f"{_SIGNS[sign]}{whole}{'.' if fraction else ''}{fraction}"


def _array(value: bytes) -> str:
    """Dimensions, a flag, the element type; sizes and lower bounds; then each element behind its length."""
    dimensions, _, oid = _ARRAY.unpack_from(value)
    if dimensions == 0:
        return "{}"
    if dimensions != 1:
        raise ValueError(dimensions)
    count, _ = _DIMENSION.unpack_from(value, _ARRAY.size)
    if not 0 <= count <= MOST_ELEMENTS:
        raise ValueError(count)
    pos = _ARRAY.size + _DIMENSION.size
    elements = []
    for _ in range(count):
        size = Struct(">i").unpack_from(value, pos)[0]
        pos += 4
        if size < 0:
            elements.append("NULL")
        else:
            shown_element = shown_value(value[pos : pos + size], oid)
            elements.append('"' + shown_element.replace("\\", "\\\\").replace('"', '\\"') + '"')
            pos += size
    if pos != len(value):
        raise ValueError(pos)
    return "{" + ",".join(elements) + "}"


_READERS: dict[int, Callable[[bytes], str]] = {
    16: _boolean,
    20: _number(">q"),
    21: _number(">h"),
    23: _number(">i"),
    26: _number(">I"),
    700: _number(">f"),
    701: _number(">d"),
    1700: _numeric,
    1082: _date,
    1083: _time,
    1114: _timestamp,
    1184: lambda value: _timestamp(value) + "+00",
    2950: lambda value: str(uuid.UUID(bytes=value)),
    3802: _jsonb,
    **dict.fromkeys((19, 25, 114, 142, 705, 1042, 1043), _text),
    **dict.fromkeys(
        (1000, 1002, 1003, 1005, 1007, 1009, 1015, 1016, 1021, 1022, 1115, 1182, 1185, 1231, 199, 2951, 3807),
        _array,
    ),
}
"""Type OID -> reader; `pg_type.dat` of the server's source has the numbers."""
