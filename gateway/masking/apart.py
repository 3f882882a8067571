"""Groups of a number that other signs part than a keyboard has: blanks that do not break, dashes of print, `%20` and `+` of a URL.

Checks know plain blanks and hyphens. They are shown the text with those in place of the others, and what they find is looked up
in the text as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from gateway.masking.shapes import LOOK_BEHIND, Check, Span

APART = rb"(?:\xc2\xa0|\xe2\x80[\x82\x83\x87\x89\x8a\x90-\x94\xaf]|%20|%2[dD]|\+)"
NO_BREAK = rb"(?:\xc2\xa0|\xe2\x80\xaf)"
_SIGN = re.compile(
    rb"(\xe2\x80[\x90-\x94]|%2[dD])|\xc2\xa0|\xe2\x80[\x82\x83\x87\x89\x8a\xaf]|%20|(?<=[0-9A-Z])\+(?=[0-9A-Z])"
)


_BEHIND = 64
"""Bytes behind a number that its check may want to see."""


def evened(check: Check) -> Check:
    """The check, of text in which such signs stand as a blank or a hyphen."""

    def judged(data: bytes, start: int, end: int) -> Span | None:
        if _SIGN.search(data, start, end) is None:
            return check(data, start, end)
        at = low = max(0, start - LOOK_BEHIND)
        parts: list[bytes] = []
        behind, plain = [low], [0]  # where each sign ends, there and here
        longer = [low]  # and by how much that differs
        for sign in _SIGN.finditer(data, low, end + _BEHIND):
            parts += data[at : sign.start()], b"-" if sign[1] else b" "
            at = sign.end()
            longer.append(longer[-1] + at - sign.start() - 1)
            behind.append(at)
            plain.append(at - longer[-1])
        parts.append(data[at : end + _BEHIND])

        def here(place: int) -> int:
            return place - longer[bisect_right(behind, place) - 1]

        def there(place: int) -> int:
            return place + longer[bisect_right(plain, place) - 1]

        found = check(b"".join(parts), here(start), here(end))
        return (there(found[0]), there(found[1])) if found is not None else None

    return judged
