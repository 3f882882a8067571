"""One open approval with those who wait for it, and one who waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from gateway.approvals.table import first_asked
from gateway.contract import Approval, State
from gateway.store import StoreFailed


@dataclass(slots=True, kw_only=True, eq=False)
class Live:
    """An approval as it stands, with what only the store may know: the whole text."""

    approval: Approval
    lineage_key: str
    digest: str
    text: str = field(repr=False)
    parameters: tuple[str | None, ...] = field(repr=False)
    shape: str = ""
    """The same for commands that differ from this one in their values alone; "" where nobody can tell."""
    waiters: set[Waiting] = field(default_factory=set, repr=False)
    rejoin_until: float | None = None
    """While nobody waits: until when somebody may come back."""

    @classmethod
    def read(cls, document: dict[str, Any]) -> Live:
        """What `document` wrote. Raises `StoreFailed`."""
        try:
            return cls(
                approval=msgspec.convert(document["approval"], Approval),
                lineage_key=document["lineage_key"],
                digest=document["digest"],
                text=document["text"],
                parameters=tuple(document["parameters"]),
                shape=document.get("shape", ""),
            )
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise StoreFailed(
                f"an approval in the store is not readable ({error}): put back a copy of it"
            ) from error

    @property
    def key(self) -> tuple[object, ...]:
        """What a command has to share to share the approval: who asks, where, for exactly what, of whom."""
        return (self.lineage_key, self.approval.connection, self.digest, first_asked(self.approval.asks))

    @property
    def characters(self) -> int:
        return len(self.text) + sum(len(value) for value in self.parameters if value is not None)

    def abandoned(self, now: float) -> bool:
        return (
            self.approval.state is State.PENDING
            and not self.waiters
            and self.rejoin_until is not None
            and self.rejoin_until <= now
        )

    def steps_due(self, now: float) -> int:
        """How many of its steps should have happened, while it is not decided."""
        pending = self.approval.state is State.PENDING
        return sum(step.at <= now for step in self.approval.steps) if pending else 0

    def document(self) -> dict[str, Any]:
        """As the store keeps it."""
        return {
            "approval": msgspec.to_builtins(self.approval),
            "lineage_key": self.lineage_key,
            "digest": self.digest,
            "text": self.text,
            "parameters": self.parameters,
            "shape": self.shape,
        }

    def tell(self, approval: Approval) -> None:
        """Everybody who waits hears how it ended."""
        waiters, self.waiters = self.waiters, set()
        for waiter in waiters:
            waiter.settle(approval)


class Room(Protocol):
    """Where one can leave."""

    def leave(self, waiting: Waiting, live: Live, *, withdraw: bool) -> None: ...


class Waiting:
    """A client's place in front of an approval."""

    __slots__ = ("__weakref__", "_live", "_outcome", "_room")

    def __init__(self, room: Room, live: Live) -> None:
        self._room = room
        self._live = live
        self._outcome: asyncio.Future[Approval] = asyncio.get_running_loop().create_future()

    @property
    def approval(self) -> Approval:
        """As it stands."""
        if self._outcome.done() and not self._outcome.cancelled():
            return self._outcome.result()
        return self._live.approval

    async def outcome(self) -> Approval:
        """Waits until it is settled. SPENT: release now, this once; anything else: refuse, for its `reason`."""
        return await asyncio.shield(self._outcome)

    def leave(self, *, withdraw: bool) -> None:
        """No longer waits: gone and perhaps back, or (`withdraw`) taken back. Later calls change nothing."""
        if self._outcome.done():
            return
        self._outcome.cancel()
        self._room.leave(self, self._live, withdraw=withdraw)

    def settle(self, approval: Approval) -> None:
        """For the room: this is how it ended."""
        if not self._outcome.done():
            self._outcome.set_result(approval)


def left_behind(task: asyncio.Task[Waiting]) -> None:
    """Who wanted the place is gone before it was ready."""
    if not task.cancelled() and task.exception() is None:
        task.result().leave(withdraw=False)
