"""Groups of a number that other signs part than a keyboard has: blanks that do not break, dashes of print, `%20` and `+` of a URL.

Checks know plain blanks and hyphens. They are shown the text with those in place of the others, and what they find is looked up
in the text as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from gateway.masking.shapes import Check, Span

APART = rb"(?:\xc2\xa0|\xe2\x80[\x82\x83\x87\x89\x8a\x90-\x94\xaf]|%20|%2[dD]|\+)"
NO_BREAK = rb"(?:\xc2\xa0|\xe2\x80\xaf)"
_SIGN = re.compile(
    rb"(\xe2\x80[\x90-\x94]|%2[dD])|\xc2\xa0|\xe2\x80[\x82\x83\x87\x89\x8a\xaf]|%20|(?<=[0-9A-Z])\+(?=[0-9A-Z])"
)


def evened(check: Check) -> Check:
    """The check, of text in which such signs stand as a blank or a hyphen."""

    def judged(data: bytes, start: int, end: int) -> Span | None:
        if _SIGN.search(data, start, end) is None:
            return check(data, start, end)
        plain = bytearray()
        places: list[int] = []
        at = 0
        for sign in _SIGN.finditer(data):
            plain += data[at : sign.start()] + (b"-" if sign[1] else b" ")
            places += range(at, sign.start() + 1)
            at = sign.end()
        plain += data[at:]
        places += range(at, len(data) + 1)
        found = check(bytes(plain), bisect_left(places, start), bisect_left(places, end))
        return (places[found[0]], places[found[1]]) if found is not None else None

    return judged
