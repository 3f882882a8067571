"""Where candidates may begin in text that is like no other: base64, what is compressed, what a stranger made up.

A sieve keeps a state for all that has begun in the last bytes, and RE2 for all patterns at once: such text has a new one at
nearly every byte, and each takes microseconds to work out. Here each place is looked at by itself. Four bytes rule most
places out, by a table that is made once; of the few that are left the next bytes are followed, by one that fills soon, since
nothing but what a candidate begins with is in it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, reduce
from operator import or_

from gateway.masking import sift
from gateway.masking.beginnings import DEPTH, Beginnings
from gateway.masking.rows import Rows

MOST_ROWS = 8_192
"""A table with more is begun anew."""
WORTH = 16
"""Bytes of a text for each entry that may be worked out: 10 microseconds for what would cost sixty otherwise."""
FEWEST = 32
"""Entries that every call may work out."""
DENSE = 32
"""Where one place in so many bytes may begin something, one search over all of it is sooner done."""


class Openings:
    """Of these patterns. For one thread at a time."""

    def __init__(
        self, net: Beginnings, columns: bytes, fits: Sequence[frozenset[int]], in_word: Sequence[bool]
    ) -> None:
        """`columns` has for each byte its column; `fits` and `in_word` say of a column which places take it, and whether it is of words."""
        self._net = net
        self._columns = columns
        self._fits = fits
        self._words = bytes(in_word)
        self._pairs, self._masks = _openings(net, columns, len(fits))
        self._may = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._rows = Rows[frozenset[int]](len(self._fits))
        """A state is what may come next."""
        inside = frozenset(place for place, only_at_edge in self._net.first.items() if not only_at_edge)
        self._firsts = (self._rows.of(inside), self._rows.of(frozenset(self._net.first)))

    def places(self, data: bytes, start: int) -> list[int] | None:
        """Every place from `start` on where a candidate may begin, in order; None where there are too many."""
        if len(self._rows.states) >= MOST_ROWS:
            self._begin_anew()
        size = len(data) - start
        self._may = size // WORTH + FEWEST
        return sift.openings(
            data,
            start,
            DEPTH,
            self._columns,
            self._words,
            self._pairs,
            self._masks,
            self._rows.table,
            *self._firsts,
            self._entry,
            size // DENSE + 8,
        )

    def _entry(self, row: int, column: int) -> int:
        """What follows a row where a byte of this column comes; that something has begun, if it would be one too many."""
        if not self._may:
            return sift.LOOK
        self._may -= 1
        come = self._rows.state(row) & self._fits[column]
        if not come:
            entry = sift.NONE
        elif not come.isdisjoint(self._net.ends):
            entry = sift.LOOK
        else:
            entry = self._rows.of(frozenset().union(*(self._net.follow[place] for place in come)))
        self._rows.table[row + column] = entry
        return entry


def _openings(net: Beginnings, columns: bytes, kinds: int) -> tuple[array[int], bytes]:
    """A number for each two columns, inside a word and then at its edge; for each number which third columns go on, and then which fourth."""
    every = (1 << kinds) - 1
    samples = [columns.index(column) for column in range(kinds)]

    @cache
    def columns_of(signs: int) -> int:
        return sum(1 << column for column, byte in enumerate(samples) if signs >> byte & 1)

    @cache
    def following(place: int) -> int:
        """The columns that may come next."""
        if place in net.ends:
            return every
        return _united(columns_of(net.signs[each]) for each in net.follow[place])

    @cache
    def reached(place: int) -> tuple[int, int]:
        """The columns that may come next, and those behind these."""
        further = every if place in net.ends else _united(following(each) for each in net.follow[place])
        return following(place), further

    numbers: dict[tuple[int, int], int] = {}
    pairs = array("H")
    for at_edge in (False, True):
        firsts: list[set[tuple[int, tuple[int, int]]]] = [set() for _ in range(kinds)]
        for place, only_at_edge in net.first.items():
            if only_at_edge and not at_edge:
                continue
            seconds = {(columns_of(net.signs[each]), reached(each)) for each in net.follow[place]}
            if place in net.ends:
                seconds.add((every, (every, every)))
            for column in _bits(columns_of(net.signs[place])):
                firsts[column] |= seconds
        for seconds in firsts:
            thirds, fourths = [0] * kinds, [0] * kinds
            for second, (third, fourth) in seconds:
                for column in _bits(second):
                    thirds[column] |= third
                    fourths[column] |= fourth
            pairs.extend(numbers.setdefault(each, len(numbers)) for each in zip(thirds, fourths, strict=True))
    masks = b"".join(
        bytes(mask >> column & 1 for column in range(kinds)) for both in numbers for mask in both
    )
    return pairs, masks


def _united(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
