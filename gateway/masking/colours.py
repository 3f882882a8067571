"""Values that a terminal shows in colours: `grep --color` writes escape sequences around what it found, amid a card's number.

What has such sequences in it (ECMA-48: `ESC [`, parameters, a letter) is read as it looks, without them, and as it
stands. They stay where they were, and those amid a value come behind what stands for it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from gateway.masking.scanner import TOO_MANY, Hit

ESCAPE = b"\x1b"
_INTRODUCER = b"\x1b["
_SEQUENCE = re.compile(rb"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]")
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8})?\Z")
_LONGEST = 80


def coloured(data: bytes) -> bool:
    """Whether there are sequences in it. The first question is the cheap one: one byte is found ten times sooner than two."""
    return ESCAPE in data and _INTRODUCER in data


class Plain:
    """`data` without its sequences, and which place in one is which in the other."""

    def __init__(self, coloured: bytes, *, begun: bool = False) -> None:
        """`begun`: the data ends in front of the sequence that its end may cut."""
        self._length = len(coloured)
        if begun and (last := _BEGUN.search(coloured, max(0, len(coloured) - _LONGEST))) is not None:
            self._length = last.start()
            coloured = coloured[: self._length]
        self._sequences = [match.span() for match in _SEQUENCE.finditer(coloured)]
        parts: list[bytes] = []
        self._places: list[int] = []
        self._removed = [0]
        at = 0
        for start, end in self._sequences:
            parts.append(coloured[at:start])
            self._places.append(start - self._removed[-1])
            self._removed.append(self._removed[-1] + end - start)
            at = end
        self.data = b"".join((*parts, coloured[at:]))

    def original(self, place: int) -> int:
        """Where what stands at `place` begins; at the end of it, the end."""
        if place >= len(self.data):
            return self._length
        return place + self._removed[bisect_right(self._places, place)]

    def place(self, original: int) -> int:
        """Where what stands at `original`, or what comes next behind its sequence, is."""
        index = bisect_right(self._sequences, (original, self._length + 1))
        if index and original < self._sequences[index - 1][1]:
            return self._places[index - 1]
        return original - self._removed[index]

    def hits(self, found: list[Hit], own: list[Hit]) -> list[Hit]:
        """`found` here, and `own`, found in the original: sorted, disjoint, in places of the original."""
        if (own and own[0][2] == TOO_MANY) or not self._sequences:
            return own
        looks = [
            (self.original(start), end + self._removed[bisect_left(self._places, end)], name)
            for start, end, name in found
        ]
        merged: list[Hit] = []
        for start, end, name in sorted((*looks, *(self._trimmed(hit) for hit in own if self._meant(hit)))):
            if merged and start < merged[-1][1]:
                begin, finish, known = merged[-1]
                merged[-1] = (begin, max(finish, end), known)
            else:
                merged.append((start, end, name))
        return merged

    def _meant(self, hit: Hit) -> bool:
        """Not if it is the beginning of a sequence, or begins with the letter that ends one: `32mann@example.com`."""
        index = bisect_right(self._sequences, (hit[0], self._length + 1))
        start, end = self._sequences[index - 1] if index else (0, 0)
        if hit[0] == start < end:
            return hit[1] > end
        return not start < hit[0] < end or hit[1] <= end

    def _trimmed(self, hit: Hit) -> Hit:
        """Without the sequences that it begins with, or the part of one that it ends with."""
        start, end, name = hit
        index = bisect_left(self._sequences, (start, 0))
        for begin, finish in self._sequences[index:]:
            if begin == start and finish < end:
                start = finish
            elif begin >= end:
                break
            elif end < finish:
                return start, max(begin, start + 1), name
        return start, end, name


def without(value: bytes) -> tuple[bytes, bytes]:
    """A value as it looks, and the sequences amid it."""
    return _SEQUENCE.sub(b"", value), b"".join(_SEQUENCE.findall(value))
