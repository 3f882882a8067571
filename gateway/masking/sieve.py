"""Where in a text candidates may begin, found several times faster than by searching for them.

The automaton of `beginnings` becomes a table, entry by entry as texts need them. A call works out few of them, and no
more than the text that went through before was worth; what is not worked out is searched as it would be without.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from threading import Lock

from gateway.masking import sift
from gateway.masking.beginnings import DEPTH, WORD, Beginnings
from gateway.masking.openings import Openings
from gateway.masking.rows import Rows

MOST_ROWS = 16_384
"""A table with more is begun anew."""
MOST_NEW = 256
"""Entries that one call works out, while everybody else waits: each takes 10 to 20 microseconds, once."""
SAMPLE = 1024
MOTLEY = 60
"""Different bytes in a sample, of which more are in no prose, table or JSON, but in base64 and what is compressed."""
WORTH = 16 * 1024
"""Bytes that have to go through the table for each entry that is worked out, or eight times as many that had to be
searched instead: less would cost more than it saves, and none would leave a table that strangers filled as it is."""
ADVANCE = 65_536 * WORTH
SPARSE = 256
"""One place in so many bytes is worth being told; where there are more, one search over all of it is sooner done."""


class Sieve:
    """Of these patterns. Raises `Unreadable`. Shared by all sessions; holds nothing of a text."""

    def __init__(self, patterns: Sequence[bytes]) -> None:
        net = Beginnings(patterns)
        self._first = net.first
        self._follow = net.follow
        self._ends = net.ends
        self._over = len(net.signs)
        """The place behind every end: a match that was shorter than `DEPTH` goes on there, whatever comes."""
        alike: defaultdict[int, set[int]] = defaultdict(set)
        for place, signs in enumerate(net.signs):
            alike[signs].add(place)
        columns: dict[tuple[int, ...], int] = {}
        """A column for all bytes that are the same to every place."""
        self._columns = bytes(
            columns.setdefault(tuple(signs for signs in (WORD, *alike) if signs >> byte & 1), len(columns))
            for byte in range(256)
        )
        self._in_word = [WORD in kind for kind in columns]
        self._fits = [frozenset[int]().union(*(alike.get(signs, ()) for signs in kind)) for kind in columns]
        self.openings = Openings(net, self._columns, self._fits, self._in_word)
        self._begun: dict[tuple[bool, int], frozenset[int]] = {}
        self._lock = Lock()
        self._credit = ADVANCE
        self._may = 0
        self._sample = b""
        """Of the text at hand, until something in it is not known."""
        self._motley = False
        """It looks like no other."""
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._rows = Rows[tuple[bool, bytes]](len(self._fits))
        """A state is whether a word's byte came last, and what has begun."""
        outside, inside = (self._rows.of((in_word, b"")) for in_word in (False, True))
        self._edges = array("I", (inside if WORD >> byte & 1 else outside for byte in range(256)))

    def places(self, data: bytes, start: int) -> list[int] | None:
        """Every place from `start` on where a candidate may begin, in order; None where that cannot be said cheaply."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            if len(self._rows.states) >= MOST_ROWS:
                self._begin_anew()
            may = self._may = min(MOST_NEW, self._credit // WORTH)
            self._sample, self._motley = data[start : start + SAMPLE], False
            size = len(data) - start
            most = size // SPARSE + 8
            found = sift.places(
                data, start, DEPTH, self._rows.table, self._columns, self._edges, self._entry, most
            )
            earned = size // 8 if found is None else size
            self._credit = min(ADVANCE, self._credit + earned - (may - self._may) * WORTH)
            if found is None and self._motley:
                found = self.openings.places(data, start)
        finally:
            self._sample = b""
            self._lock.release()
        return found

    def empty(self, data: bytes) -> bool:
        """Whether `places` would find none in `data`, as in most values; false also where that is not worked out yet."""
        # Neither of its two is changed in place by a table that is begun anew, and the first row is the same in all.
        return sift.clear(data, DEPTH, self._rows.table, self._columns) == 1

    def _entry(self, row: int, column: int) -> int:
        """Work out what follows a row where a byte of this column comes; `UNKNOWN` if that would be one too many."""
        if self._sample:
            self._motley = len(set(self._sample)) > MOTLEY
            self._sample = b""
        if self._motley or not self._may:
            return sift.UNKNOWN
        self._may -= 1
        in_word, begun = self._rows.state(row)
        fits = self._fits[column]
        reached = set(self._beginning(in_word, column))
        for each in array("I", begun):
            place, depth = divmod(each, DEPTH)
            if place == self._over:
                reached.add(each + 1)
                continue
            reached.update([at * DEPTH + depth + 1 for at in self._follow[place] & fits])
            if place in self._ends:
                reached.add(self._over * DEPTH + depth + 1)
        going = array("I", sorted(each for each in reached if each % DEPTH != DEPTH - 1))
        entry = self._rows.of((self._in_word[column], going.tobytes()))
        if len(going) != len(reached):
            entry |= sift.LOOK
        self._rows.table[row + column] = entry
        return entry

    def _beginning(self, in_word: bool, column: int) -> frozenset[int]:  # noqa: FBT001
        """What begins with a byte of this column."""
        found = self._begun.get((in_word, column))
        if found is None:
            fits = self._fits[column]
            edge = in_word is not self._in_word[column]
            found = self._begun[in_word, column] = frozenset(
                place * DEPTH
                for place, only_at_edge in self._first.items()
                if place in fits and (edge or not only_at_edge)
            )
        return found
