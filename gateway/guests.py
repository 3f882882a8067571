"""Who is inside one door: all can be sent away at once, and the last who leaves is waited for."""

from __future__ import annotations

import asyncio
from typing import Generic, Protocol, TypeVar


class Guest(Protocol):
    def kill(self, reason: str) -> None:
        """End the session now, telling the client why."""


SomeGuest = TypeVar("SomeGuest", bound=Guest)


class Guests(Generic[SomeGuest]):
    def __init__(self) -> None:
        self._inside: set[SomeGuest] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._inside)

    def came(self, guest: SomeGuest) -> None:
        self._inside.add(guest)
        self._empty.clear()

    def left(self, guest: SomeGuest) -> None:
        self._inside.discard(guest)
        if not self._inside:
            self._empty.set()

    async def gone(self) -> None:
        """Wait until nobody is inside."""
        await self._empty.wait()

    def kill(self, reason: str) -> None:
        for guest in list(self._inside):
            guest.kill(reason)
