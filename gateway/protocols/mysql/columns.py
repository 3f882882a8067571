"""What a result says of its columns (column definition packets, protocol 4.1), and what their types are to masking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from gateway.protocols.mysql import charsets
from gateway.protocols.mysql.charsets import Charset
from gateway.protocols.mysql.packets import Body
from gateway.wire import ProtocolViolation

NOT_NULL, UNSIGNED, ZEROFILL, ENUM_FLAG, SET_FLAG = 0x1, 0x20, 0x40, 0x100, 0x800
_NO_FIXED_DECIMALS = 31
_LONGTEXT = 0xFFFFFFFF
_BEHIND_NAMES = 12


class Kind(Enum):
    TEXT = auto()
    BYTES = auto()
    """Of the binary character set: a BLOB, or text that was cast."""
    JSON = auto()
    """MySQL's own type; MariaDB's documents are TEXT."""
    ENUM = auto()
    SET = auto()
    INT1 = auto()
    INT2 = auto()
    INT3 = auto()
    INT4 = auto()
    INT8 = auto()
    YEAR = auto()
    FLOAT = auto()
    DOUBLE = auto()
    DECIMAL = auto()
    DATE = auto()
    DATETIME = auto()
    TIMESTAMP = auto()
    TIME = auto()
    BIT = auto()
    GEOMETRY = auto()
    NULL = auto()
    OTHER = auto()
    """A type that came after this was written."""


_KINDS = {
    0: Kind.DECIMAL, 1: Kind.INT1, 2: Kind.INT2, 3: Kind.INT4, 4: Kind.FLOAT, 5: Kind.DOUBLE, 6: Kind.NULL,
    7: Kind.TIMESTAMP, 8: Kind.INT8, 9: Kind.INT3, 10: Kind.DATE, 11: Kind.TIME, 12: Kind.DATETIME, 13: Kind.YEAR,
    14: Kind.DATE, 15: Kind.TEXT, 16: Kind.BIT, 17: Kind.TIMESTAMP, 18: Kind.DATETIME, 19: Kind.TIME, 245: Kind.JSON,
    246: Kind.DECIMAL, 247: Kind.ENUM, 248: Kind.SET, 249: Kind.TEXT, 250: Kind.TEXT, 251: Kind.TEXT, 252: Kind.TEXT,
    253: Kind.TEXT, 254: Kind.TEXT, 255: Kind.GEOMETRY,
}  # fmt: skip
_VECTOR = 242
WIDTHS = {
    Kind.INT1: 1, Kind.INT2: 2, Kind.YEAR: 2, Kind.INT3: 4, Kind.INT4: 4, Kind.FLOAT: 4, Kind.INT8: 8, Kind.DOUBLE: 8,
}  # fmt: skip
"""Bytes of a value in a binary row; of all others a length goes before it."""
INTEGERS = frozenset({Kind.INT1, Kind.INT2, Kind.INT3, Kind.INT4, Kind.INT8})
MOMENTS = frozenset({Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP, Kind.TIME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column definition."""

    name: str | None
    """What the answer calls it; None where that cannot be read."""
    origin: str = ""
    """`schema.table.column` as the server has it. It has aliases of derived tables there, too: nothing to rely on."""
    type: int
    charset: Charset
    length: int
    """Bytes of the longest value; digits of a number."""
    flags: int = 0
    decimals: int = 0

    @property
    def kind(self) -> Kind:
        kind = _KINDS.get(self.type, Kind.BYTES if self.type == _VECTOR else Kind.OTHER)
        if kind is Kind.TEXT:
            if self.flags & ENUM_FLAG:
                return Kind.ENUM
            if self.flags & SET_FLAG:
                return Kind.SET
            if self.charset.name == "binary":
                return Kind.BYTES
        return kind

    @property
    def holds_documents(self) -> bool:
        """Whether its values may be JSON: MariaDB's type of that name is a LONGTEXT, and nothing else tells it."""
        return self.kind is Kind.JSON or (self.kind is Kind.TEXT and self.length == _LONGTEXT)

    @property
    def unsigned(self) -> bool:
        return self.flags & UNSIGNED != 0

    @property
    def scale(self) -> int:
        """Digits behind the point, 0 where they are not fixed."""
        return self.decimals if self.decimals < _NO_FIXED_DECIMALS else 0


def read_column(payload: bytes, labels: Charset, *, listed: bool = False) -> Column:
    """From the payload of a column definition. `listed`: one of COM_FIELD_LIST, which says the default, too."""
    body = Body(payload)
    _, schema, _, org_table, name, org_name = (body.string() for _ in range(6))
    if body.counted() != _BEHIND_NAMES:
        raise ProtocolViolation("a column definition has another length than its fields say")
    charset, length, kind = body.number(2), body.number(4), body.number(1)
    flags, decimals, _ = body.number(2), body.number(1), body.number(2)
    if not listed:
        body.over()
    origin = ".".join(_read(part, labels) or "*" for part in (schema, org_table, org_name)).lower()
    return Column(
        name=_read(name, labels),
        origin=origin if org_table and org_name else "",
        type=kind,
        charset=charsets.of_collation(charset),
        length=length,
        flags=flags,
        decimals=decimals,
    )


def _read(name: bytes, labels: Charset) -> str | None:
    if name.isascii() and not labels.wide:
        return name.decode("ascii")
    if labels is charsets.UNKNOWN:
        return None
    try:
        return name.decode(labels.codec or "utf-8")
    except UnicodeError:
        return None
