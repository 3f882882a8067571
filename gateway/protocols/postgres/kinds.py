"""What the types of columns are, as far as masking has to know: by OID (`pg_type.dat`).

OIDs from 16384 on are made in the database (enums, composites, extensions): what they are cannot be told from the
number alone, but a target's catalogue says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    TEXT = auto()
    CHAR = auto()
    """One byte, `"char"`."""
    JSON = auto()
    JSONB = auto()
    INT2 = auto()
    INT4 = auto()
    INT8 = auto()
    OID = auto()
    FLOAT4 = auto()
    FLOAT8 = auto()
    NUMERIC = auto()
    MONEY = auto()
    BOOL = auto()
    DATE = auto()
    TIME = auto()
    TIMETZ = auto()
    TIMESTAMP = auto()
    TIMESTAMPTZ = auto()
    INTERVAL = auto()
    UUID = auto()
    INET = auto()
    CIDR = auto()
    MACADDR = auto()
    MACADDR8 = auto()
    BYTEA = auto()
    BIT = auto()
    ARRAY = auto()
    RECORD = auto()
    RANGE = auto()
    MULTIRANGE = auto()
    ENUM = auto()
    VECTOR = auto()
    """tsvector and other words in structures of their own."""
    MADE = auto()
    """Made in the database."""
    OTHER = auto()


_SCALARS: dict[int, Kind] = {
    16: Kind.BOOL, 17: Kind.BYTEA, 18: Kind.CHAR, 19: Kind.TEXT, 20: Kind.INT8, 21: Kind.INT2, 23: Kind.INT4,
    25: Kind.TEXT, 26: Kind.OID, 114: Kind.JSON, 142: Kind.TEXT, 650: Kind.CIDR, 700: Kind.FLOAT4, 701: Kind.FLOAT8,
    705: Kind.TEXT, 774: Kind.MACADDR8, 790: Kind.MONEY, 829: Kind.MACADDR, 869: Kind.INET, 1042: Kind.TEXT,
    1043: Kind.TEXT, 1082: Kind.DATE, 1083: Kind.TIME, 1114: Kind.TIMESTAMP, 1184: Kind.TIMESTAMPTZ,
    1186: Kind.INTERVAL, 1266: Kind.TIMETZ, 1560: Kind.BIT, 1562: Kind.BIT, 1700: Kind.NUMERIC, 2249: Kind.RECORD,
    2275: Kind.TEXT, 2950: Kind.UUID, 3614: Kind.VECTOR, 3802: Kind.JSONB,
}  # fmt: skip
_RANGES = frozenset({3904, 3906, 3908, 3910, 3912, 3926})
_MULTIRANGES = frozenset({4451, 4532, 4533, 4534, 4535, 4536})
ELEMENTS: dict[int, int] = {
    1000: 16, 1001: 17, 1002: 18, 1003: 19, 1016: 20, 1005: 21, 1007: 23, 1009: 25, 1028: 26, 199: 114, 143: 142,
    651: 650, 1021: 700, 1022: 701, 775: 774, 791: 790, 1040: 829, 1041: 869, 1014: 1042, 1015: 1043, 1182: 1082,
    1183: 1083, 1115: 1114, 1185: 1184, 1187: 1186, 1270: 1266, 1561: 1560, 1563: 1562, 1231: 1700, 2287: 2249,
    1263: 2275, 2951: 2950, 3643: 3614, 3807: 3802, 4073: 4072, 3905: 3904, 3907: 3906, 3909: 3908, 3911: 3910,
    3913: 3912, 3927: 3926, 6150: 4451, 6151: 4532, 6152: 4533, 6153: 4534, 6155: 4535, 6157: 4536,
}  # fmt: skip
"""Array type -> the type of its elements."""
FIRST_MADE = 16384
XML = 142

NUMBERS = frozenset({Kind.INT8, Kind.NUMERIC, Kind.FLOAT8})
"""Numbers that are wide enough for a card's number."""
WORDLESS = frozenset(
    {
        Kind.INT2, Kind.INT4, Kind.OID, Kind.FLOAT4, Kind.MONEY, Kind.BOOL, Kind.DATE, Kind.TIME, Kind.TIMETZ,
        Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.INTERVAL, Kind.UUID, Kind.MACADDR, Kind.MACADDR8, Kind.BIT,
        Kind.RANGE, Kind.MULTIRANGE, Kind.CHAR, Kind.ENUM,
    }
)  # fmt: skip
"""Kinds in which nothing that a detector looks for has room."""


_NUMBERS_RANGED: dict[int, int] = {3926: 20, 3906: 1700, 4536: 20, 4532: 1700}
"""Ranges and multiranges -> the type of wide numbers that they are of."""
_DAY = 1082


def kind_of(type_oid: int) -> Kind:
    """The kind of a type; `MADE` or `OTHER` where it cannot be told."""
    if type_oid in _SCALARS:
        return _SCALARS[type_oid]
    if type_oid in ELEMENTS:
        return Kind.ARRAY
    if type_oid in _RANGES:
        return Kind.RANGE
    if type_oid in _MULTIRANGES:
        return Kind.MULTIRANGE
    return Kind.MADE if type_oid >= FIRST_MADE else Kind.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A type made in the database, as the catalogue has it."""

    kind: Kind
    of: int = 0
    """Of an array, a range or a multirange: the type of what is in it. Of a domain: the type under it."""
    domain: bool = False
    modifier: int = -1
    """Of a domain: what it says of the type under it."""
    labels: tuple[str, ...] = ()
    """Of an enum, in its order."""
    fields: tuple[tuple[int, int], ...] = ()
    """Of a composite: type and modifier of each field."""


class Types:
    """What types are: PostgreSQL's own, and those that a target's catalogue told of."""

    def __init__(self, made: Mapping[int, Made] | None = None) -> None:
        self._made = made or {}

    def under(self, type_oid: int, modifier: int = -1) -> tuple[int, int]:
        """The type and modifier that values of this type have: another's where it is a domain."""
        for _ in range(_DOMAINS_DEEP):
            made = self._made.get(type_oid)
            if made is None or not made.domain:
                break
            type_oid, modifier = made.of, made.modifier
        return type_oid, modifier

    def kind(self, type_oid: int) -> Kind:
        """The kind of a type that is no domain; `MADE` or `OTHER` where it cannot be told."""
        made = self._made.get(type_oid)
        return kind_of(type_oid) if made is None else made.kind

    def element(self, type_oid: int) -> int:
        """What an array is of, or a range of the target's own."""
        made = self._made.get(type_oid)
        return self.under(ELEMENTS[type_oid] if made is None else made.of)[0]

    def subtype(self, type_oid: int) -> int:
        """What a range or multirange is of; of those with nothing wide in them any such type."""
        made = self._made.get(type_oid)
        if made is None:
            return _NUMBERS_RANGED.get(type_oid, _DAY)
        inner = self._made.get(made.of)
        if inner is not None and inner.kind is Kind.RANGE:
            return self.subtype(made.of)
        return self.under(made.of)[0]

    def is_wordless(self, type_oid: int) -> bool:
        """Whether nothing that a detector looks for has room in such a value."""
        kind = self.kind(type_oid)
        if kind in {Kind.RANGE, Kind.MULTIRANGE}:
            return self.is_wordless(self.subtype(type_oid))
        return self.is_wordless(self.element(type_oid)) if kind is Kind.ARRAY else kind in WORDLESS

    def labels(self, type_oid: int) -> tuple[str, ...]:
        made = self._made.get(type_oid)
        return () if made is None else made.labels

    def fields(self, type_oid: int) -> tuple[tuple[int, int], ...]:
        """Type and modifier of each field of a composite; () where nobody said."""
        made = self._made.get(type_oid)
        return () if made is None else tuple(self.under(*field) for field in made.fields)


_DOMAINS_DEEP = 32
BUILT_IN = Types()
