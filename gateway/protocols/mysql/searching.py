"""One value with every hit in it hidden, so that it stays a value of its type.

`search` is for values in whose form a scan over whole rows cannot look: binary numbers, bytes, another encoding than
UTF-8. `cover` is for those in which that scan has found something.
"""

from __future__ import annotations

from gateway.masking.documents import UNREADABLE, search_json
from gateway.masking.engine import number_for
from gateway.masking.scanner import TOO_MANY, Hit
from gateway.masking.values import MARK
from gateway.protocols.mysql import binary, charsets
from gateway.protocols.mysql.charsets import back
from gateway.protocols.mysql.columns import INTEGERS, Column, Kind
from gateway.protocols.mysql.values import fitted, formed, is_json
from gateway.protocols.searches import Search

_OPENING = (b"{", b"[", b'"')
_NUMBERS = INTEGERS | {Kind.DECIMAL, Kind.DOUBLE, Kind.FLOAT}
_WHOLE = 2.0**63
"""Far beyond the whole numbers that a double tells apart."""


def search(value: bytes, column: Column, by: Search, *, in_binary: bool) -> bytes:
    """`value`, as it stands in a row, without its hits; the same object where there is none."""
    kind = column.kind
    if kind in _NUMBERS:
        text = binary.to_text(value, column) if in_binary else value
        hidden = _search_number(text, column, by)
        return value if hidden is text else binary.from_text(hidden, column) if in_binary else hidden
    if kind is Kind.BYTES or column.charset is charsets.UNKNOWN:
        return _search_opaque(value, column, by)
    read, codec = column.charset.read(value)
    hidden = _search_text(read, column, by)
    if hidden is read:
        return value
    hidden = back(hidden, codec)
    return fitted(hidden, column) if kind is Kind.TEXT else hidden


def cover(value: bytes, hits: list[Hit], column: Column, by: Search) -> bytes:
    """`value`, in UTF-8, with these hits hidden."""
    by.count(hits)
    kind = column.kind
    if kind in _NUMBERS:
        # A number that stands for it has no more digits in front of its point.
        return formed(int(number_for(value[hits[0][0] : hits[0][1]], hits[0][2])), value, column)
    if kind is Kind.ENUM or kind is Kind.SET:
        return b""
    if hits[0][2] == TOO_MANY:
        return UNREADABLE if kind is Kind.JSON else fitted(MARK.encode(), column)
    if kind is Kind.BYTES:
        return by.cover_in_place(value, hits)
    covered = by.mask.cover(value, hits)
    if value.lstrip()[:1] in _OPENING and is_json(value) and not is_json(covered):
        return _search_json(value, Search(mask=by.mask, counts={}))
    return covered


def _search_text(value: bytes, column: Column, by: Search) -> bytes:
    document = column.kind is Kind.JSON or (
        value.lstrip()[:1] in _OPENING and b"\\u" in value and is_json(value)
    )
    if document and b"\\u" in value:
        return _search_json(value, by)
    hits = by.mask.find(value)
    return cover(value, hits, column, by) if hits else value


def _search_json(value: bytes, by: Search) -> bytes:
    """JSON whose text cannot be searched or covered in place."""
    hidden, found = search_json(value, by.mask)
    for name in found:
        by.counts[name] = by.counts.get(name, 0) + 1
    return hidden


def _search_number(value: bytes, column: Column, by: Search) -> bytes:
    """As digits where it is a whole number, however it is written."""
    digits = _digits(value, column)
    hits = by.find(digits) if digits else []
    return formed(int(number_for(digits, hits[0][2])), value, column) if hits else value


def _digits(value: bytes, column: Column) -> bytes:
    if column.kind is Kind.DOUBLE:
        number = float(value)
        return b"%d" % number if abs(number) < _WHOLE and number.is_integer() else b""
    whole, _, fraction = value.partition(b".")
    return whole if not fraction.strip(b"0") else b""


def _search_opaque(value: bytes, column: Column, by: Search) -> bytes:
    """Bytes that nobody knows: texts in them are found as they are, or of two or four bytes a letter, and hidden without a
    change of length.
    """
    hits = by.find_in_opaque(value)
    if b"\0" in value and not hits:
        return _search_wide(value, column, by)
    if hits and hits[0][2] == TOO_MANY:
        return fitted(MARK.encode(), column)
    return by.cover_in_place(value, hits) if hits else value


def _search_wide(value: bytes, column: Column, by: Search) -> bytes:
    """Text whose letters have zeros among them."""
    hits = by.find(value.replace(b"\0", b""))
    if not hits:
        return value
    if hits[0][2] == TOO_MANY:
        return fitted(MARK.encode(), column)
    places = [place for place, byte in enumerate(value) if byte]
    out = bytearray(value)
    for start, end, _ in hits:
        for place in places[start:end]:
            out[place] = 0x2A
    return bytes(out)
