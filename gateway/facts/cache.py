"""A bounded memory of what texts mean: least recently used first out, bounded in entries and in weight.

Reading a cached text takes two dictionary operations, each atomic in CPython, so threads need no lock: at worst a
text is read twice or leaves a little early.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """Values by text. `weight` is a rough number of bytes that an entry keeps alive."""

    __slots__ = ("_entries", "_entries_limit", "_weight", "_weight_limit")

    def __init__(self, *, entries: int, weight: int) -> None:
        self._entries: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._entries_limit = entries
        self._weight_limit = weight
        self._weight = 0

    def get(self, text: str) -> T | None:
        found = self._entries.get(text)
        if found is None:
            return None
        try:  # noqa: SIM105  # contextlib.suppress would double what a hit costs
            self._entries.move_to_end(text)
        except KeyError:
            pass  # another thread has evicted it meanwhile
        return found[0]

    def put(self, text: str, value: T, *, weight: int) -> None:
        if weight > self._weight_limit // 8:
            return
        before = self._entries.pop(text, None)
        self._weight += weight - (before[1] if before else 0)
        self._entries[text] = (value, weight)
        while self._entries and (
            len(self._entries) > self._entries_limit or self._weight > self._weight_limit
        ):
            try:
                _, (_, freed) = self._entries.popitem(last=False)
            except KeyError:
                break  # another thread emptied it meanwhile
            self._weight -= freed

    def __len__(self) -> int:
        return len(self._entries)
