"""One value with every hit in it hidden, so that it stays a value of its type.

`search` is for values in whose form a scan over whole rows cannot look: encoded, binary, in another encoding than UTF-8.
`cover` is for those in which that scan has found something.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping

import orjson

from gateway.masking.documents import UNREADABLE, search_json
from gateway.masking.engine import number_for
from gateway.masking.paths import TooDeep
from gateway.masking.scanner import TOO_MANY, Hit
from gateway.masking.values import MARK
from gateway.protocols.postgres import binary, composites
from gateway.protocols.postgres.encodings import from_utf8, to_utf8
from gateway.protocols.postgres.kinds import BUILT_IN, NUMBERS, XML, Kind, Types
from gateway.protocols.postgres.spellings import (
    Search,
    numbers_within,
    search_float,
    search_references,
    splice,
)
from gateway.protocols.postgres.structures import made_of, map_pairs, pairs_of
from gateway.protocols.postgres.values import (
    BINARY_FORMAT,
    DEEPEST,
    address,
    elements,
    fitted,
    made,
)
from gateway.wire import Mask


def search(
    value: bytes,
    *,
    type_oid: int,
    written: int,
    mask: Mask,
    counts: dict[str, int],
    modifier: int = -1,
    codec: str = "",
    types: Types = BUILT_IN,
) -> bytes | None:
    """`value` without its hits; the same object where there is none, None (NULL) where nothing can stand in its place."""
    by = Search(mask=mask, counts=counts, codec=codec, types=types)
    if written == BINARY_FORMAT:
        try:
            return _search_binary(value, type_oid, modifier, by, 0)
        except (TooDeep, RecursionError, struct.error, binary.Unreadable, ValueError):
            return _search_opaque(value, by)
    if codec and not value.isascii():
        read, codec = to_utf8(value, codec)
        hidden = _search_text(read, type_oid, modifier, by)
        return value if hidden is read else None if hidden is None else from_utf8(hidden, codec)
    return _search_text(value, type_oid, modifier, by)


def _search_text(value: bytes, type_oid: int, modifier: int, by: Search) -> bytes | None:
    kind = by.types.kind(type_oid)
    if kind is Kind.BYTEA:
        return _search_hex(value, by)
    if kind is Kind.FLOAT8:
        return search_float(value, by)
    if b"\\x" in value:
        value = _search_hex_within(value, by)
    if kind is not Kind.TEXT and (numbers := numbers_within(value, by)):
        if kind in _HIDDEN_WHOLE:
            return _HIDDEN_WHOLE[kind](value)
        value = splice(value, numbers)
    if kind in {Kind.JSON, Kind.JSONB} and b"\\u" in value:
        return _search_json(value, by)
    if type_oid == XML and b"&#" in value:
        return search_references(value, by)
    hits = by.mask.find(value)
    return cover(value, hits, type_oid=type_oid, by=by, modifier=modifier) if hits else value


def cover(value: bytes, hits: list[Hit], *, type_oid: int, by: Search, modifier: int = -1) -> bytes | None:
    """`value`, in text form and UTF-8, with these hits hidden."""
    kind = by.types.kind(type_oid)
    by.count(hits)
    if hits[0][2] == TOO_MANY:
        return _whole(value, kind, type_oid, modifier, by.mask)
    if kind is Kind.TEXT:
        return fitted(by.mask.cover(value, hits), type_oid, modifier)
    if kind in NUMBERS:
        return number_for(value[hits[0][0] : hits[0][1]], hits[0][2])
    if kind is Kind.ARRAY and by.types.kind(by.types.element(type_oid)) in NUMBERS:
        return splice(value, [(start, end, number_for(value[start:end], name)) for start, end, name in hits])
    if kind is Kind.ARRAY and by.types.kind(by.types.element(type_oid)) in _HIDDEN_WHOLE:
        return splice(value, _whole_elements(value, hits, by.types.kind(by.types.element(type_oid))))
    if kind in _HIDDEN_WHOLE:
        return _HIDDEN_WHOLE[kind](value)
    if kind in {Kind.MADE, Kind.RECORD}:
        return _cover_made(value, hits, type_oid, by)
    covered = by.mask.cover(value, hits)
    if kind in {Kind.JSON, Kind.JSONB} and not _is_json(covered):
        return _search_json(value, Search(mask=by.mask, counts={}))
    return covered


def _cover_made(value: bytes, hits: list[Hit], type_oid: int, by: Search) -> bytes:
    """A composite of known fields one by one, so that each stays a value of its type; what goes over fields, as it stands."""
    inside = Search(mask=by.mask, counts={}, types=by.types)
    fields = composites.typed(value, type_oid, by.types) if by.types.fields(type_oid) else None
    if fields is not None:
        shown = [
            field
            if field is None or by.types.is_wordless(oid)
            else _search_text(field, oid, modifier, inside)
            for field, oid, modifier in fields
        ]
        if any(field is not said for (field, _, _), said in zip(fields, shown, strict=True)):
            value = composites.put_together(shown)
            hits = by.mask.find(value)
    if any(name == "ip" for _, _, name in hits):
        return _with_addresses(value, hits, by.mask)
    return by.mask.cover(value, hits) if hits else value


_HIDDEN_WHOLE: Mapping[Kind, Callable[[bytes], bytes]] = {
    Kind.RANGE: lambda _: b"empty",
    Kind.MULTIRANGE: lambda _: b"{}",
    Kind.INET: lambda value: address(value, Kind.INET, "partial"),
    Kind.CIDR: lambda value: address(value, Kind.CIDR, "partial"),
}
"""Kinds of which no part can be hidden, or what is left would be no value of theirs."""


def _whole_elements(value: bytes, hits: list[Hit], kind: Kind) -> list[tuple[int, int, bytes]]:
    """In an array's text: each element that has a hit, and what stands in its place."""
    edits = []
    for start, end in elements(value):
        if any(begin < end and start < finish for begin, finish, _ in hits):
            hidden = _HIDDEN_WHOLE[kind](value[start:end].strip(b'"'))
            edits.append((start, end, b'"%s"' % hidden if kind is Kind.MULTIRANGE else hidden))
    return edits


def _with_addresses(value: bytes, hits: list[Hit], mask: Mask) -> bytes:
    """In a composite an address may be a field of the type inet: what stands for it is an address as well."""
    edits: list[tuple[int, int, bytes]] = []
    others: list[Hit] = []
    grown = 0
    for start, end, name in hits:
        if name == "ip":
            edits.append((start, end, address(value[start:end], Kind.INET, "partial")))
            grown += len(edits[-1][2]) - (end - start)
        else:
            others.append((start + grown, end + grown, name))
    return mask.cover(splice(value, edits), others)


def _whole(value: bytes, kind: Kind, type_oid: int, modifier: int, mask: Mask) -> bytes | None:
    """What stands for a value with more hits than are worth hiding one by one."""
    match kind:
        case Kind.TEXT:
            return fitted(MARK.encode(), type_oid, modifier)
        case Kind.JSON | Kind.JSONB:
            return UNREADABLE
        case Kind.ARRAY:
            return b"{}"
        case Kind.MADE:
            return made(value, "redact", mask)
        case _:
            return None


def _is_json(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


def _search_json(value: bytes, by: Search) -> bytes:
    """JSON whose text cannot be searched or covered in place."""
    hidden, found = search_json(value, by.mask)
    for name in found:
        by.counts[name] = by.counts.get(name, 0) + 1
    return hidden


def _search_hex(value: bytes, by: Search) -> bytes:
    """A bytea as `bytea_output` has it: in hexadecimal, or with octal escapes. What is changed is given in hexadecimal."""
    try:
        raw = bytes.fromhex(value[2:].decode("ascii")) if value[:2] == b"\\x" else _OCTAL.sub(_byte, value)
    except ValueError:
        return b"\\x"
    hidden = _search_opaque(raw, by)
    return value if hidden is raw else b"\\x" + (hidden or b"").hex().encode()


_OCTAL = re.compile(rb"\\([0-3][0-7]{2}|\\)")


def _byte(escaped: re.Match[bytes]) -> bytes:
    return b"\\" if escaped[1] == b"\\" else bytes((int(escaped[1], 8),))


HEX = re.compile(rb"\\x((?:[0-9a-f]{2}){6,})(?![0-9a-f])")
"""A bytea within other text: of an array, a composite, JSON. Nothing shorter holds anything to hide."""


def _search_hex_within(value: bytes, by: Search) -> bytes:
    """Without a change of length: what is behind a backslash stays hexadecimal."""
    edits = []
    for match in HEX.finditer(value):
        raw = bytes.fromhex(match[1].decode("ascii"))
        hidden = _search_opaque(raw, by)
        if hidden is not raw:
            edits.append((*match.span(1), (hidden or bytes(len(raw))).hex().encode()))
    return splice(value, edits) if edits else value


def _search_binary(value: bytes, type_oid: int, modifier: int, by: Search, depth: int) -> bytes | None:
    if depth > DEEPEST:
        raise TooDeep
    changed = False

    def inner(oid: int, item: bytes) -> bytes | None:
        nonlocal changed
        hidden = _search_binary(item, oid, modifier, by, depth + 1)
        changed = changed or hidden is not item
        return hidden

    type_oid, modifier = by.types.under(type_oid, modifier)
    kind = by.types.kind(type_oid)
    match kind:
        case Kind.TEXT | Kind.JSON:
            return _search_read(value, type_oid, modifier, by)
        case Kind.JSONB:
            hidden = _search_read(value[1:], type_oid, modifier, by)
            return value if hidden == value[1:] else value[:1] + (hidden or b"null")
        case Kind.INT8 | Kind.NUMERIC:
            text = binary.to_text(value, kind)
            hidden = _search_text(text, type_oid, modifier, by)
            return value if hidden is text or hidden is None else binary.from_text(hidden, kind)
        case Kind.FLOAT8:
            text = binary.to_text(value, kind)
            hidden = search_float(text, by)
            return value if hidden is text else binary.from_text(hidden, kind)
        case Kind.ARRAY:
            mapped_array = binary.map_array(value, inner)
            return mapped_array if changed else value
        case Kind.RECORD:
            mapped_record = binary.map_record(value, inner)
            return mapped_record if changed else value
        case _ if by.types.is_wordless(type_oid):
            return value
        case Kind.RANGE | Kind.MULTIRANGE:
            subtype = by.types.subtype(type_oid)
            for bound in binary.bounds(value, many=kind is Kind.MULTIRANGE):
                inner(subtype, bound)
            return binary.from_text(b"", kind) if changed else value
        case Kind.INET | Kind.CIDR:
            text = binary.to_text(value, kind)
            return binary.from_text(address(text, kind, "partial"), kind) if by.find(text) else value
        case Kind.MADE | Kind.OTHER if (structure := made_of(value)) is not None:
            through = binary.map_record if structure is Kind.RECORD else binary.map_array
            mapped = through(value, inner)
            return mapped if changed else value
        case Kind.MADE if (pairs := pairs_of(value)) is not None:
            return map_pairs(pairs, lambda said: _search_read(said, _ANY_TEXT, -1, by) or b"") or value
        case _:
            return _search_opaque(value, by)


def _search_read(value: bytes, type_oid: int, modifier: int, by: Search) -> bytes | None:
    """Text within a binary form, in the client's encoding."""
    if not by.codec or value.isascii():
        return _search_text(value, type_oid, modifier, by)
    read, codec = to_utf8(value, by.codec)
    hidden = _search_text(read, type_oid, modifier, by)
    return value if hidden is read else None if hidden is None else from_utf8(hidden, codec)


_ANY_TEXT = 25


def _search_opaque(value: bytes, by: Search) -> bytes | None:
    """A structure that nobody knows: texts in it are found as they are and hidden without a change of length."""
    hits = by.find_in_opaque(value)
    if hits and hits[0][2] == TOO_MANY:
        return None
    return by.cover_in_place(value, hits) if hits else value
