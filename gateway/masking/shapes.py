"""What a detector is made of: a pattern that finds candidates, and a check that decides on each.

The pattern (RE2 syntax, no captures, bounded length) only has to be cheap and complete; the check sees the
bytes around a candidate and returns the span that must be hidden, or None. So anything that patterns cannot
say (checksums, neighbours, where a value ends) is said in Python, once, on candidates alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
Check: TypeAlias = Callable[[bytes, int, int], Span | None]
"""`(data, start, end)` of a candidate -> the span to hide. It may reach over the candidate on both sides, but looks at
no more than `LOOK_BEHIND` bytes before it and `LOOK_AHEAD` behind the span it returns."""
Spans: TypeAlias = Callable[[bytes, int, int], Iterator[Span]]
"""As `Check`, of a candidate that only announces values: they may stand as far behind it as `FARTHEST_AHEAD`, and what is
between is searched as if it was none."""

LOOK_BEHIND = 128
LOOK_AHEAD = 2
FARTHEST_AHEAD = 1024
_FARTHEST_BEHIND = 1024
"""Bytes before a candidate that the checks are given: one looks for what its lines stand in, and that far."""
_WIDER = 8

_ESCAPE = rb"\\(?:[nrtbfv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|%[0-9A-Fa-f]{2}"
_LEAD = b"(?:" + _ESCAPE + rb"|\b|_)"
NEXT_CELL = rb":?</[a-z0-9]{1,8}>:?\s{0,16}(?:<[a-z0-9]{1,8}(?:[ \t][^<>\0]{0,40})?>\s{0,16}){0,2}"
"""Between a word and its value in a table or a list of HTML: `<td>PESEL</td><td>`, `<b>PESEL:</b> `."""
WORD_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
ALNUM_BYTES = WORD_BYTES - {ord("_")}
DIGIT_BYTES = frozenset(b"0123456789")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One way in which a detector's values are written."""

    pattern: bytes
    check: Check
    judged: int = 256
    """Bytes behind a candidate that are enough to turn it down."""
    spans: Spans | None = None
    """If it is given, `check` is not asked."""

    def judge(self, data: bytes, start: int, end: int) -> Span | None:
        """What the check says of a candidate.

        A check may walk as far as values go. If it could walk there from every candidate and then say no, text full of
        candidates would cost its square. So it is shown the beginning, and more only while it says yes to all that it
        was shown; what it has said yes to stays hidden if more makes it say no.
        """
        low = max(0, start - _FARTHEST_BEHIND)
        ahead = self.judged
        found: Span | None = None
        while (span := self.check(data[low : end + ahead], start - low, end - low)) is not None:
            found = (span[0] + low, span[1] + low)
            if found[1] + LOOK_AHEAD < end + ahead or end + ahead >= len(data):
                break
            ahead *= _WIDER
        return found

    def announced(self, data: bytes, start: int, end: int) -> list[Span]:
        """The values that the candidate only announces."""
        if self.spans is None:
            return []
        low = max(0, start - _FARTHEST_BEHIND)
        given = data[low : start + FARTHEST_AHEAD]
        return [(begin + low, finish + low) for begin, finish in self.spans(given, start - low, end - low)]


def whole(_data: bytes, start: int, end: int) -> Span:
    """The candidate as it stands."""
    return start, end


def word(pattern: bytes, check: Check = whole, *, judged: int = 256, spans: Spans | None = None) -> Shape:
    r"""A shape that begins where a word begins.

    A word also begins behind `_`, behind an escape of JSON or a programming language (`\n`, `\u003c`) and behind
    a percent-encoded byte, although `\b` does not see it there.
    """

    def led(data: bytes, start: int, end: int) -> Span | None:
        return check(data, start + _lead(data, start), end)

    return Shape(pattern=_LEAD + b"(?:" + pattern + b")", check=led, judged=judged, spans=spans)


def alternation(patterns: Iterable[bytes]) -> bytes:
    """All the patterns as one. What words begin with is said once: every state of the search holds all beginnings."""
    every = list(patterns)
    words = [pattern.removeprefix(_LEAD) for pattern in every if pattern.startswith(_LEAD)]
    others = [b"(?:" + pattern + b")" for pattern in every if not pattern.startswith(_LEAD)]
    return b"|".join([_LEAD + b"(?:" + b"|".join(words) + b")", *others] if words else others)


def _lead(data: bytes, start: int) -> int:
    match data[start]:
        case 0x5C:
            return {0x75: 6, 0x78: 4}.get(data[start + 1], 2)
        case 0x25:
            return 3
        case 0x5F:
            return 1
        case _:
            return 0


_ESCAPE_ENDS = re.compile(b"(?:" + _ESCAPE + rb")\Z")


def behind_escape(data: bytes, start: int) -> bool:
    r"""Whether an escape ends at `start` (`\n`, `\u003c`, `%20`), so that its last letter belongs to no word."""
    return _ESCAPE_ENDS.search(data[max(0, start - 6) : start]) is not None


def digits(data: bytes) -> str:
    """The ASCII digits of `data`, in order."""
    return "".join(chr(byte) for byte in data if byte in DIGIT_BYTES)


def before(data: bytes, start: int) -> int:
    """The byte before `start`, or 0 at the beginning."""
    return data[start - 1] if start else 0


def after(data: bytes, end: int, *, by: int = 0) -> int:
    """The byte `by` places behind a span that ends at `end`, or 0 behind the last one."""
    return data[end + by] if end + by < len(data) else 0
