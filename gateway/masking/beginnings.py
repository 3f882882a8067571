"""What candidates begin with: an automaton that reads the first bytes of every pattern, and of no pattern the rest.

A match of all patterns at once costs what their many states cost; their first `DEPTH` bytes have few. The automaton
is made from the patterns as Python's own parser reads them, wider where that is simpler and never narrower: a place that it
does not point at begins no candidate. What cannot be read so is `Unreadable`, and then nothing is ruled out.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, TypeAlias

DEPTH = 12
"""Bytes of each beginning that are looked at."""
_ALL = (1 << 256) - 1

Bytes: TypeAlias = int
"""A set of bytes, as a number with 256 bits."""


class Unreadable(Exception):
    """A pattern has what Python and RE2 may not read alike."""


def of(signs: Iterable[int]) -> Bytes:
    found = 0
    for sign in signs:
        found |= 1 << sign
    return found


WORD = of(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_CATEGORIES: Mapping[Any, Bytes] = {
    code.CATEGORY_DIGIT: of(b"0123456789"),
    code.CATEGORY_NOT_DIGIT: _ALL & ~of(b"0123456789"),
    code.CATEGORY_WORD: WORD,
    code.CATEGORY_NOT_WORD: _ALL & ~WORD,
    code.CATEGORY_SPACE: of(b"\t\n\f\r "),
    code.CATEGORY_NOT_SPACE: _ALL & ~of(b"\t\n\f\r "),
}
_READ_OTHERWISE = re.compile(rb"\[:\^?[a-z]+:\]|\{,")
"""Classes by name and `x{,3}`: what RE2 and Python both take, each in its own way."""
_FLAG_OF_ALL = re.compile(rb"\A\(\?:\(\?i\)")
"""What a policy's own pattern that begins with `(?i)` begins with here: the same for RE2 as `(?i:`."""
_MOST_PLACES = 65_536


class _Part:
    """A piece of a pattern: what may come first in it and last, whether it can be empty, and how long it is at least."""

    __slots__ = ("empty", "first", "last", "least")

    def __init__(self, first: dict[int, bool], last: set[int], empty: int, least: int) -> None:
        self.first = first
        """The places that may come first; True where only behind a word's edge."""
        self.last = last
        self.empty = empty
        """0: never; 1: at a word's edge; 2: anywhere."""
        self.least = least


class Beginnings:
    """The places of these patterns, which bytes stand at each, and which place may follow which."""

    def __init__(self, patterns: Sequence[bytes]) -> None:
        self.signs: list[Bytes] = []
        self.follow: list[set[int]] = []
        self.first: dict[int, bool] = {}
        self.ends: set[int] = set()
        for pattern in patterns:
            if _READ_OTHERWISE.search(pattern):
                raise Unreadable(pattern)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    tree = parser.parse(_FLAG_OF_ALL.sub(b"(?i:", pattern))
                part = self._sequence(tree, bool(tree.state.flags & re.IGNORECASE))
            except (re.error, Warning, OverflowError, RecursionError) as error:
                raise Unreadable(pattern) from error
            if part.empty:
                raise Unreadable(pattern)
            self.first |= part.first
            self.ends |= part.last

    def _place(self, signs: Bytes, any_case: bool) -> _Part:  # noqa: FBT001
        if len(self.signs) >= _MOST_PLACES:
            raise Unreadable("there are too many places")
        self.signs.append(_folded(signs) if any_case else signs)
        self.follow.append(set())
        place = len(self.signs) - 1
        return _Part({place: False}, {place}, 0, 1)

    def _sequence(self, items: Iterable[tuple[Any, Any]], any_case: bool) -> _Part:  # noqa: FBT001
        whole = _Part({}, set(), 2, 0)
        for kind, argument in items:
            if whole.least >= DEPTH:
                break
            whole = self._joined(whole, self._item(kind, argument, any_case))
        return whole

    def _joined(self, left: _Part, right: _Part) -> _Part:
        for place in left.last:
            self.follow[place] |= right.first.keys()
        first = left.first
        if left.empty:
            for place, edge in right.first.items():
                first[place] = first.get(place, True) and (edge or left.empty == 1)
        last = right.last | left.last if right.empty else right.last
        return _Part(first, last, min(left.empty, right.empty), left.least + right.least)

    def _item(self, kind: Any, argument: Any, any_case: bool) -> _Part:  # noqa: FBT001
        if kind is code.LITERAL:
            return self._place(1 << argument, any_case)
        if kind is code.NOT_LITERAL:
            return self._place(_ALL if any_case else _ALL & ~(1 << argument), any_case)
        if kind is code.ANY:
            return self._place(_ALL, any_case)
        if kind is code.IN:
            return self._place(_class(argument, any_case), any_case)
        if kind is code.AT:
            return _Part({}, set(), 1 if argument is code.AT_BOUNDARY else 2, 0)
        if kind is code.SUBPATTERN:
            _, added, removed, inner = argument
            if removed or added & ~re.IGNORECASE:
                raise Unreadable(argument)
            return self._sequence(inner, any_case or bool(added))
        if kind is code.BRANCH:
            whole = _Part({}, set(), 0, DEPTH)
            for inner in argument[1]:
                part = self._sequence(inner, any_case)
                for place, edge in part.first.items():
                    whole.first[place] = edge
                whole.last |= part.last
                whole.empty = max(whole.empty, part.empty)
                whole.least = min(whole.least, part.least)
            return whole
        if kind is code.MAX_REPEAT or kind is code.MIN_REPEAT:
            least, most, inner = argument
            return self._repeated(int(least), int(most), inner, any_case)
        raise Unreadable(kind)

    def _repeated(self, least: int, most: int, inner: Any, any_case: bool) -> _Part:  # noqa: FBT001
        """As many as can matter one behind the other; where there may be any number, the last comes round again."""
        whole = _Part({}, set(), 2, 0)
        endless = most == code.MAXREPEAT
        for count in range(min(max(least, 1) if endless else most, DEPTH)):
            if whole.least >= DEPTH:
                break
            part = self._sequence(inner, any_case)
            if endless:
                part = self._joined(part, _Part(part.first, set(), 2, 0))
            if count >= least:
                part.empty, part.least = 2, 0
            whole = self._joined(whole, part)
        return whole


def _class(items: Sequence[tuple[Any, Any]], any_case: bool) -> Bytes:  # noqa: FBT001
    found = 0
    for kind, argument in items:
        if kind is code.LITERAL:
            found |= 1 << argument
        elif kind is code.RANGE:
            found |= of(range(argument[0], argument[1] + 1))
        elif kind is code.CATEGORY:
            found |= _CATEGORIES[argument]
        elif kind is not code.NEGATE:
            raise Unreadable(kind)
    if items[0][0] is not code.NEGATE:
        return found
    return _ALL if any_case else _ALL & ~found


@lru_cache(maxsize=4096)
def _folded(signs: Bytes) -> Bytes:
    """In either case; bytes beyond ASCII have none, to Python as to RE2."""
    found = signs
    for small in range(97, 123):
        both = 1 << small | 1 << (small - 32)
        if signs & both:
            found |= both
    return found
