"""All patterns at once: one pass of RE2 over the bytes, or a faster one for where they may begin, then a check of each candidate.

RE2 guarantees time linear in the text whatever the text is. It is given 160 MiB for its states, of which it takes
what it needs: with its default of 8 MiB base64 runs a hundred times slower. Patterns see bytes, so that offsets
are the text's own and any encoding that contains ASCII will do.
"""

from __future__ import annotations

import contextlib
import functools
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any, TypeAlias

import re2

from gateway.masking import custom, sift
from gateway.masking.beginnings import Unreadable
from gateway.masking.detectors import DETECTORS, READ, Detector
from gateway.masking.linear import linear, options
from gateway.masking.passages import Reading, beside
from gateway.masking.shapes import FARTHEST_AHEAD, LOOK_BEHIND, Shape, alternation
from gateway.masking.sieve import Sieve
from gateway.policy.model import CustomDetector

Hit: TypeAlias = tuple[int, int, str]
"""`(start, end, detector)`"""

LONGEST_CANDIDATE = 1024
"""No pattern matches more than this many bytes; what a check adds behind them is not counted."""
MOST_HITS = 10_000
MOST_CANDIDATES = 30_000
"""In one field: what has more is hidden whole, since every candidate costs 4 to 20 microseconds of everybody's time."""
TOO_MANY = "too_many"
"""What the one hit is called that then stands for all of a field's."""
_ESCAPE = re.compile(rb"[nrtbfv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}")
BULK = 256
"""Bytes from which on it is worth looking first where candidates may begin at all."""
WORTH_A_SIEVE = 64 * 1024
"""Bytes to search after which one is made."""
_ALWAYS_FOUND = b"\0\0countersign\0\0"
_STATES = 160 * 1024 * 1024


class Scanner:
    """Finds what these detectors detect. Shared by all threads and sessions; holds nothing of a text."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._shapes: list[tuple[str, Shape]] = []
        self._patterns: list[bytes] = []
        for detector in detectors:
            for shape in detector.shapes:
                self._shapes.append((detector.name, shape))
                self._patterns.append(shape.pattern)
        self._announcing = [index for index, (_, shape) in enumerate(self._shapes) if shape.spans is not None]
        read = READ & {detector.name for detector in detectors}
        self._reading = Reading(read) if read else None
        made = options(memory=_STATES)
        self._any: Any = re2.compile(alternation(self._patterns), made) if self._patterns else None
        self._exact: Any = re2.Set.FullMatchSet(made)
        self._prefix: Any = re2.Set.MatchSet(made)
        for pattern in self._patterns:
            self._exact.Add(pattern)
            self._prefix.Add(pattern)
        if self._patterns:
            self._exact.Compile()
            self._prefix.Compile()
        self._sieve: Sieve | None = None
        self._preparing = False
        self._unsifted = 0

    @property
    def reads(self) -> bool:
        """Whether a model reads the text as well, passage by passage."""
        return self._reading is not None

    @functools.cached_property
    def _whether(self) -> Any:
        """Says of a text whether anything is a candidate in it, and not where: half the cost on short ones."""
        made = re2.Set.SearchSet(options(memory=_STATES))
        made.Add(alternation(self._patterns))
        made.Add(_ALWAYS_FOUND)
        made.Compile()
        if made.Match(_ALWAYS_FOUND) is None:
            raise MemoryError(
                "a set of patterns that runs out of memory finds nothing, and says nothing of it"
            )
        return made

    def prepare(self) -> None:
        """Make the sieve now: that takes about a second. Without it everything is found too, but later."""
        with contextlib.suppress(Unreadable):  # a policy's own pattern
            self._sieve = Sieve(self._patterns)

    def _searched(self, size: int) -> None:
        """So many bytes were searched without a sieve. Whoever searches many gets one, and does not wait for it."""
        self._unsifted += size
        if self._unsifted > WORTH_A_SIEVE and not self._preparing and sift.COMPILED:
            self._preparing = True
            Thread(target=self.prepare, name="countersign-sieve", daemon=True).start()

    def _seeking(self, data: bytes, start: int) -> Callable[[int], Any]:
        """Gives the first candidate that begins at or behind a place, for places that only grow, from `start` on."""
        places = None
        if self._sieve is None:
            self._searched(len(data) - start)
        elif len(data) - start >= BULK:
            places = self._sieve.places(data, start)
        if places is None:
            return functools.partial(self._any.search, data)
        match = self._any.match
        ahead = iter(places)

        def seek(start: int) -> Any:
            for place in ahead:
                if place >= start and (found := match(data, place)) is not None:
                    return found
            return None

        return seek

    def bare(self, data: bytes) -> bool:
        """Nothing in `data` is even a candidate, so `find` finds nothing."""
        if self._reading is not None:
            return False
        if self._any is None:
            return True
        if self._sieve is None:
            self._searched(len(data))
        elif self._sieve.empty(data):
            return True
        elif (places := self._sieve.places(data, 0)) is not None:
            match = self._any.match
            return not any(match(data, place) is not None for place in places)
        return self._whether.Match(data) is None

    def find(self, data: bytes, start: int = 0, *, read: tuple[int, int] | None = None) -> list[Hit]:
        """Sorted, disjoint hits that begin at or behind `start`; what is before it is context only.

        A model reads the passages of the stretch `read`, which begins with one, or all.
        """
        return self._read_beside(self._find(data, start), data, read or (0, len(data)))

    def _read_beside(self, hits: list[Hit], data: bytes, read: tuple[int, int]) -> list[Hit]:
        return hits if self._reading is None else beside(hits, self._reading.find(data, *read))

    @functools.cached_property
    def _announcements(self) -> Any:
        """Finds candidates that announce values, and no others."""
        return re2.compile(
            alternation([self._patterns[index] for index in self._announcing]), options(memory=_STATES)
        )

    def _announced_before(self, data: bytes, start: int) -> list[Hit]:
        """What candidates before `start` announce behind it."""
        announced: list[Hit] = []
        at = max(0, start - FARTHEST_AHEAD)
        while at < start and (match := self._announcements.search(data, at)) is not None:
            at = match.start() + 1
            if match.start() >= start:
                break
            for index in self._announcing:
                if (found := linear(self._patterns[index]).match(data, match.start())) is not None:
                    self._announce(index, data, match.start(), found.end(), announced)
        return [hit for hit in announced if hit[0] >= start]

    def _announce(self, index: int, data: bytes, start: int, end: int, announced: list[Hit]) -> None:
        name, shape = self._shapes[index]
        announced += [(*span, name) for span in shape.announced(data, start, end)]

    def _find(self, data: bytes, start: int) -> list[Hit]:
        hits: list[Hit] = []
        if self._any is None:
            return hits
        announced = self._announced_before(data, start) if start and self._announcing else []
        free = start
        seek = self._seeking(data, start)
        while (match := seek(start)) is not None:
            begin, end = match.span()
            hit = self._judge(data, begin, end, hits[-1][1] if hits else free, announced)
            if hit is None:
                start = begin + 1
            else:
                hits += self._led(data, begin, hit)
                start = hit[1]
        return _with(hits, announced)

    def find_in_value(self, data: bytes) -> list[Hit]:
        """As `find`; a value with more than `MOST_HITS` is one hit of `TOO_MANY`."""
        return self._read_beside(self._find_bounded(data, parting=b""), data, (0, len(data)))

    def find_in_fields(self, data: bytes) -> list[Hit]:
        """As `find_in_value`, in each of the fields that zeros part. No hit goes over a zero."""
        return self._read_beside(self._find_bounded(data, parting=b"\0"), data, (0, len(data)))

    def _find_bounded(self, data: bytes, *, parting: bytes) -> list[Hit]:
        hits: list[Hit] = []
        if self._any is None:
            return hits
        announced: list[Hit] = []
        seek = self._seeking(data, 0)
        start = judged = 0
        field = first = 0  # where the field begins that is counted in, and its first hit; both may lag behind
        while (match := seek(start)) is not None:
            begin, end = match.span()
            judged += 1
            if judged > MOST_CANDIDATES or len(hits) - first >= MOST_HITS:
                judged = 0
                edge = data.rfind(parting, field, begin) + 1 if parting else 0
                if edge > field:
                    field = edge
                    first = bisect_left(hits, (field,))
                else:
                    stop = data.find(parting, begin) if parting else len(data)
                    start = stop if stop >= 0 else len(data)
                    hits[first:] = [(field, start, TOO_MANY)]
                    first = len(hits)
                    field = start
                    continue
            hit = self._judge(data, begin, end, hits[-1][1] if hits else 0, announced)
            if hit is not None and parting and parting in data[hit[0] : hit[1]]:
                hit = (hit[0], data.index(parting, hit[0]), hit[2])
            if hit is None or hit[0] == hit[1]:
                start = begin + 1
            else:
                hits += self._led(data, begin, hit)
                start = hit[1]
        return _with(hits, announced)

    def _led(self, data: bytes, begin: int, hit: Hit) -> list[Hit]:
        """The hit, and the address of e-mail that may stand in what led to it (`-u ann@example.org:password`)."""
        if data.find(b"@", begin, hit[0]) < 0:
            return [hit]
        low = max(0, begin - LOOK_BEHIND)
        inner = self._any.search(data, begin + 1, hit[0])
        while inner is not None:
            first, last = inner.span()
            found = self._judge(data[low : hit[0]], first - low, last - low, begin - low, [])
            if found is not None:
                return [(found[0] + low, found[1] + low, found[2]), hit]
            inner = self._any.search(data, first + 1, hit[0])
        return [hit]

    def _judge(self, data: bytes, start: int, end: int, free_from: int, announced: list[Hit]) -> Hit | None:
        """The hit that a candidate is, if it is one; what it only announces is added to `announced`."""
        tried = self._exact.Match(data[start:end]) or []
        for index in tried:
            if self._shapes[index][1].spans is not None:
                self._announce(index, data, start, end, announced)
            elif (hit := self._check(index, data, start, end, free_from)) is not None:
                return hit
        # The candidate was none. A pattern may begin at the same byte and end elsewhere.
        for index in self._prefix.Match(data[start : start + LONGEST_CANDIDATE]) or []:
            match = linear(self._patterns[index]).match(data, start)
            if match is None or (index in tried and match.end() == end):
                continue
            if self._shapes[index][1].spans is not None:
                self._announce(index, data, start, match.end(), announced)
            elif (hit := self._check(index, data, start, match.end(), free_from)) is not None:
                return hit
        return None

    def _check(self, index: int, data: bytes, start: int, end: int, free_from: int) -> Hit | None:
        name, shape = self._shapes[index]
        span = shape.judge(data, start, end)
        if span is None:
            return None
        begin = max(_behind_escape(data, span[0]), free_from)
        finish = _behind_character(data, span[1])
        return (begin, finish, name) if begin < finish else None


def _with(hits: list[Hit], announced: list[Hit]) -> list[Hit]:
    apart: list[Hit] = []
    for hit in sorted(announced):
        if not apart or hit[0] >= apart[-1][1]:
            apart.append(hit)
    return beside(hits, apart) if apart else hits


def _behind_escape(data: bytes, start: int) -> int:
    r"""`start`, moved behind the letter of an escape (`\n`) that a pattern took for the value's first."""
    if not start or data[start - 1] != 0x5C:
        return start
    match = _ESCAPE.match(data, start)
    return match.end() if match is not None else start


def _behind_character(data: bytes, end: int) -> int:
    """`end`, moved behind the UTF-8 character in which it would fall if a value was cut at its longest."""
    for _ in range(3):
        if end >= len(data) or data[end] & 0xC0 != 0x80:
            break
        end += 1
    return end


@functools.lru_cache(maxsize=64)
def scanner(names: tuple[str, ...], own: frozenset[CustomDetector] = frozenset()) -> Scanner:
    """The scanner for these detectors, some of which are a policy's own; compiled once."""
    made = {each.name: Detector(name=each.name, shapes=(custom.shape(each),)) for each in own}
    return Scanner([made.get(name) or DETECTORS[name] for name in names])
