"""What is known of an object or array of JSON that has begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from gateway.protocols.http.naming import Found, Place

NAMED, PASSES, TELLS, HOLDS = range(4)
"""What a member's name says: a rule names it; nothing; that it may hold a name; or what one stands for."""
_QUOTE, _CLOSE_ARRAY = b'"]'
_LONGEST_NAME = 66
_REMEMBERED = 10_000
_Known = TypeVar("_Known", dict[bytes, int], set[bytes])


@dataclass(slots=True)
class Open:
    """An object or array that has begun."""

    closes: int
    place: Place
    strategy: str | None
    """How every leaf in it is hidden, where a rule names it."""
    plain: dict[bytes, int]
    """Names of its members -> what they say."""
    harmless: set[bytes]
    """Texts that are no name of a column under a rule."""
    found: Found | None = None
    """Of the member whose value comes."""
    name: bytes = b""
    """That member's, in its quotes."""
    held: bool = False
    """Something in it passed that may be the value of what is named behind it."""
    count: int = 0

    @property
    def free(self) -> bool:
        """An array whose elements are all alike to the rules, and not hidden with it."""
        return self.closes == _CLOSE_ARRAY and self.strategy is None


def bounded(known: _Known) -> _Known:
    """With room for one more: a document may have any number of names."""
    if len(known) >= _REMEMBERED:
        known.clear()
    return known


def is_harmless(value: bytes, top: Open) -> bool:
    """Whether a leaf cannot be the name of a column."""
    return value[0] != _QUOTE or len(value) > _LONGEST_NAME or value in top.harmless
