"""What values say that is written otherwise: numbers with a fraction or an exponent, and characters of XML as numbers."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from gateway.masking.engine import number_for
from gateway.masking.scanner import TOO_MANY
from gateway.masking.values import MARK
from gateway.protocols import searches
from gateway.protocols.postgres.kinds import BUILT_IN, Types


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(searches.Search):
    codec: str = ""
    """Python's name of the encoding of text; "" for UTF-8."""
    types: Types = BUILT_IN


def splice(value: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    out: list[bytes] = []
    at = 0
    for start, end, replacement in edits:
        out += value[at:start], replacement
        at = end
    return b"".join((*out, value[at:]))


def search_float(value: bytes, by: Search) -> bytes:
    """A double in text: as digits where it is a whole number, which it is not written as from 10^15 on."""
    digits = _digits(value)
    hits = by.find(digits) if digits else []
    return number_for(digits, hits[0][2]) if hits else value


def _digits(value: bytes) -> bytes:
    number = float(value)
    return b"%d" % number if abs(number) < _WHOLE and number.is_integer() else b""


_WHOLE = 2.0**63
"""Far beyond the whole numbers that a double tells apart."""
_WRITTEN_OTHERWISE = re.compile(
    rb"(?<![0-9A-Za-z.-])(?:([0-9]{12,})\.0+|[0-9](?:\.[0-9]+)?e\+1[0-9])(?![0-9A-Za-z.@])"
)
"""A whole number as `numeric(20,2)` and a double have it; nothing shorter holds anything to hide."""


def numbers_within(value: bytes, by: Search) -> list[tuple[int, int, bytes]]:
    """Whole numbers that are written with a fraction or an exponent, and what stands in place of those with a hit."""
    found = [
        (match.span(0 if match[1] is None else 1), match[1] or _digits(match[0]))
        for match in _WRITTEN_OTHERWISE.finditer(value)
    ]
    if not found:
        return []
    # All at once: an array may hold a hundred thousand of them.
    hits = by.mask.find_in_fields(b"".join(digits + b"\0" for _, digits in found))
    by.count(hits)
    edits: list[tuple[int, int, bytes]] = []
    begin = place = 0
    for start, _, name in hits:
        while start > begin + len(found[place][1]):
            begin += len(found[place][1]) + 1
            place += 1
        span, digits = found[place]
        if not edits or edits[-1][:2] != span:
            edits.append((*span, number_for(digits, name)))
    return edits


_REFERENCE = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")


def search_references(value: bytes, by: Search) -> bytes:
    """XML in which characters are written as numbers, searched as what it says."""
    parts: list[bytes] = []
    seams = [(0, 0)]  # where a stretch begins in what it says, and in how it is written
    at = said = 0
    for match in _REFERENCE.finditer(value):
        sign = chr(min(int(match[1], 16) if match[1] else int(match[2]), 0x10FFFF)).encode("utf-8", "replace")
        parts += value[at : match.start()], sign
        said += match.start() - at
        at = match.end()
        seams += [(said, match.start()), (said + len(sign), at)]
        said += len(sign)
    plain = b"".join((*parts, value[at:]))
    hits = by.find(plain)
    if hits and hits[0][2] == TOO_MANY:
        return MARK.encode()

    def written(place: int) -> int:
        said, at = seams[bisect_right(seams, place, key=lambda seam: seam[0]) - 1]
        return at + place - said

    edits = [(written(start), written(end), _hidden(plain[start:end], name, by)) for start, end, name in hits]
    return splice(value, edits) if edits else value


def _hidden(value: bytes, name: str, by: Search) -> bytes:
    shown = by.mask.replace(value.decode("utf-8", "surrogateescape"), detector=name)
    return shown.encode("utf-8", "surrogateescape")
