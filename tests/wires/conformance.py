"""What every wire promises, as checks over a `Subject`; adding a protocol adds one subject and no test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis.strategies import SearchStrategy

from gateway.model import Allow, Block, Command
from gateway.wire import CommandAsked, Event, Hangup, Send, Side, Wire
from tests.wires.masks import NOTHING

ALLOW = Allow(rules=("test",))
BLOCK = Block(rules=("never",), message="Not through here.")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One command: what the client sends for it, and what the server answers once it was let through."""

    client: bytes
    server: bytes


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A protocol as the checks see it."""

    name: str
    admitted: Callable[[], Wire]
    """A wire whose client is in and idle."""
    exchanges: Sequence[Exchange]
    """Commands of every kind, one after the other on one session."""
    repeated: Exchange
    """A command that can be sent again with the same bytes (a prepared statement's execution), after `prepare`."""
    prepare: Sequence[Exchange] = ()
    nonsense: dict[Side, SearchStrategy[bytes]] = field(default_factory=dict)
    """Bytes of each side in the protocol's own framing, and wrong inside."""
    refused: Callable[[bytes], bool]
    """Whether what the client got is a refusal that says `BLOCK.message`."""


@dataclass
class Drive:
    """Carries out a wire's events as the relay does, and keeps what came of them."""

    wire: Wire
    judge: Callable[[Command], Allow | Block | None] = lambda _command: ALLOW
    asked: list[Command] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    said: dict[Side, bytes] = field(default_factory=lambda: {Side.CLIENT: b"", Side.UPSTREAM: b""})

    def receive(self, side: Side, data: bytes) -> None:
        self.carry_out(self.wire.receive(side, data))

    def answer(self, verdict: Allow | Block) -> None:
        self.carry_out(self.wire.answer(self.asked[-1].id, verdict, NOTHING))

    def carry_out(self, events: Sequence[Event]) -> None:
        queue = list(events)
        while queue:
            event = queue.pop(0)
            if isinstance(event, Send):
                self.said[event.to] += event.data
                continue
            self.events.append(event)
            if isinstance(event, CommandAsked):
                self.asked.append(event.command)
                verdict = self.judge(event.command)
                if verdict is not None:
                    queue[:0] = self.wire.answer(event.command.id, verdict, NOTHING)

    @property
    def over(self) -> bool:
        return any(isinstance(event, Hangup) for event in self.events)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """`data` in pieces, cut at these places."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


def damaged(data: bytes, damage: Sequence[tuple[int, int, bytes]]) -> bytes:
    """`data` with stretches `(place, length, instead)` replaced."""
    for place, length, instead in damage:
        at = place % (len(data) + 1)
        data = data[:at] + instead + data[at + length :]
    return data
