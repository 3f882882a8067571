"""What one channel has in memory for somebody who does not take it, out of what all clients may have there together."""

from __future__ import annotations

from gateway.hosted import Room

WINDOW = 2 * 1024 * 1024
"""Bytes that a peer may send into a channel that nobody reads."""


class Kept:
    """One channel's part of the room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._bytes = 0
        self._unread: set[str] = set()
        self._closed = False

    def more(self, count: int) -> bool:
        """Keep so many bytes more, or fewer where negative; false where there is no room for them."""
        if self._closed:
            return True
        self._bytes += count
        return self._room.more(count) or count <= 0

    def unread(self, side: str, *, on: bool) -> bool:
        """Nothing is read from this side any more, or it is again; false where there is no room for what it may send."""
        if on == (side in self._unread):
            return True
        if not on:
            self._unread.discard(side)
            return self.more(-WINDOW)
        self._unread.add(side)
        return self.more(WINDOW)

    def close(self) -> None:
        self.more(-self._bytes)
        self._closed = True
