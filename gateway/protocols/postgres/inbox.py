"""Bytes of one side that have not been taken up yet; joined only when what is wanted of them is all there."""

from __future__ import annotations


class Inbox:
    """`data[pos:]` is what can be looked at; `ready(n)` says whether that holds `n` bytes, joining if need be."""

    __slots__ = ("_parts", "_waiting", "data", "pos")

    def __init__(self) -> None:
        self.data = b""
        self.pos = 0
        self._parts: list[bytes] = []
        self._waiting = 0

    def __len__(self) -> int:
        return len(self.data) - self.pos + self._waiting

    def __bool__(self) -> bool:
        return self.pos < len(self.data) or self._waiting > 0

    def add(self, data: bytes) -> None:
        if self.pos == len(self.data) and not self._waiting:
            self.data, self.pos = data, 0
        elif data:
            self._parts.append(data)
            self._waiting += len(data)

    def ready(self, wanted: int) -> bool:
        here = len(self.data) - self.pos
        if here >= wanted:
            return True
        if here + self._waiting < wanted:
            return False
        self.data = b"".join((self.data[self.pos :], *self._parts))
        self.pos = self._waiting = 0
        self._parts.clear()
        return True

    def take(self, count: int) -> bytes:
        """`count` bytes that are ready; the very object they came in, where they are all of it."""
        data, pos = self.data, self.pos
        self.pos = pos + count
        return data if count == len(data) else data[pos : pos + count]
