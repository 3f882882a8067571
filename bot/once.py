"""Posting a message exactly once, though the bot may die between any two steps.

A note in the gateway is claimed by compare-and-set right before the post and completed with the message's ts after
it. Whoever finds a claim without a ts looks in the channel for a message with that metadata before posting. A
claim of another bot that is still young is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.blocks import Message
from bot.channels import Channels, Sought
from bot.gateway_client import Conflict, GatewayClient
from bot.outbox import Draw, Outbox, Urgency


class Claimed(Exception):
    """Another bot is posting this now; ask again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"claimed for another {seconds:.1f} s")
        self.seconds = seconds


@dataclass(slots=True, kw_only=True)
class Placed:
    """Where a message is, and what else its note says."""

    key: str
    version: int
    channel: str
    ts: str
    data: dict[str, Any] = field(default_factory=dict)


class Once:
    """Posts under keys: the same key is never posted twice."""

    def __init__(
        self,
        gateway: GatewayClient,
        outbox: Outbox,
        channels: Channels,
        *,
        owner: str,
        clock: Callable[[], float],
        lease: float,
    ) -> None:
        self._gateway = gateway
        self._outbox = outbox
        self._channels = channels
        self._owner = owner
        self._clock = clock
        self._lease = lease

    async def placed(self, key: str) -> Placed | None:
        """Where the message of that key is, None where none is known to have been posted."""
        note = await self._gateway.note(key)
        if note is None or not note.data.get("ts"):
            return None
        return _placed(key, note.version, note.data)

    async def post(
        self,
        key: str,
        channel: str,
        draw: Draw,
        *,
        urgency: Urgency,
        sought: Callable[[float], Sought] | None,
        thread_ts: str = "",
        more: Callable[[], Mapping[str, Any]] = dict,
    ) -> Placed | None:
        """Where the message is, posting it where it is not; None where `draw` had nothing to say.

        `sought` makes the description by which it is found again, from the time of the first attempt. Without it
        an attempt that another life of the bot left unfinished counts as made: rather none than two. `more` is noted
        along with a new message.
        Raises Claimed, Conflict and whatever the outbox and the gateway raise.
        """
        turn = _Turn(
            self._gateway, self._channels, key=key, owner=self._owner, clock=self._clock, lease=self._lease
        )
        placed = await turn.look(channel, sought)
        if placed is not None:
            return placed

        async def claim_and_draw() -> Message | None:
            message = await draw()
            if message is None or not await turn.claim(channel):
                return None
            return message

        async def find() -> str:
            return await turn.find(channel, sought)

        ts = await self._outbox.post(
            channel, claim_and_draw, urgency=urgency, thread_ts=thread_ts, find=find if sought else None
        )
        if not ts:
            return await self.placed(key)
        return await turn.complete(channel, ts, more())

    async def write(self, placed: Placed, **changed: Any) -> None:
        """Note more about a message. Raises Conflict where another bot did meanwhile."""
        data = placed.data | changed
        placed.version = await self._gateway.put_note(placed.key, data, version=placed.version)
        placed.data = data

    async def hold(self, placed: Placed) -> None:
        """Claim the right to go on with a message's thread. Raises Claimed while another bot has it, and Conflict."""
        owner = placed.data.get("owner")
        left = float(placed.data.get("at", 0)) + self._lease - self._clock()
        if owner not in {None, self._owner} and left > 0:
            raise Claimed(left)
        await self.write(placed, owner=self._owner, at=self._clock())

    def holds(self, placed: Placed) -> bool:
        """Whether this bot was the last to go on with it."""
        return placed.data.get("owner") == self._owner

    async def forget(self, placed: Placed) -> None:
        """The message is gone or cannot be edited any more: the next `post` writes a new one."""
        gone = [*placed.data.get("gone", []), placed.ts][-20:]
        kept = {name: value for name, value in placed.data.items() if name not in {"ts", "drawn"}}
        placed.version = await self._gateway.put_note(
            placed.key,
            kept | {"gone": gone, "owner": self._owner, "at": self._clock()},
            version=placed.version,
        )


class _Turn:
    """One attempt under one key: what the note says, and writing it forward."""

    def __init__(
        self,
        gateway: GatewayClient,
        channels: Channels,
        *,
        key: str,
        owner: str,
        clock: Callable[[], float],
        lease: float,
    ) -> None:
        self._gateway = gateway
        self._channels = channels
        self._key = key
        self._owner = owner
        self._clock = clock
        self._lease = lease
        self._version = 0
        self._data: dict[str, Any] = {}
        self.since = clock()

    async def look(self, channel: str, sought: Callable[[float], Sought] | None) -> Placed | None:
        """The message, if it is noted or, after an interrupted attempt, found in the channel. Raises Claimed."""
        note = await self._gateway.note(self._key)
        if note is None:
            return None
        self._version, self._data = note.version, dict(note.data)
        if note.data.get("ts"):
            return _placed(self._key, note.version, note.data)
        self.since = float(note.data.get("since", note.data.get("at", self.since)))
        if sought is None and note.data.get("owner") != self._owner:
            return Placed(key=self._key, version=note.version, channel=channel, ts="", data=dict(note.data))
        self._raise_if_claimed()
        ts = await self.find(channel, sought)
        return await self.complete(channel, ts, {}) if ts else None

    async def find(self, channel: str, sought: Callable[[float], Sought] | None) -> str:
        if sought is None:
            return ""
        gone = self._data.get("gone", ())
        return await self._channels.find(channel, replace(sought(self.since), gone=gone))

    async def claim(self, channel: str) -> bool:
        """Claim the note; False where somebody has posted meanwhile. Raises Claimed."""
        now = self._clock()
        data = self._data | {
            "channel": channel,
            "owner": self._owner,
            "at": now,
            "since": min(self.since, now),
        }
        try:
            self._version = await self._gateway.put_note(self._key, data, version=self._version)
        except Conflict:
            note = await self._gateway.note(self._key)
            if note is not None:
                self._version, self._data = note.version, dict(note.data)
                if note.data.get("ts"):
                    return False
                self._raise_if_claimed()
            raise
        self._data = data
        return True

    async def complete(self, channel: str, ts: str, more: Mapping[str, Any]) -> Placed:
        data = {name: value for name, value in self._data.items() if name not in {"owner", "at"}}
        data |= {**more, "channel": channel, "ts": ts}
        self._version = await self._gateway.put_note(self._key, data, version=self._version)
        return _placed(self._key, self._version, data)

    def _raise_if_claimed(self) -> None:
        if self._data.get("owner") in {None, self._owner}:
            return
        left = float(self._data.get("at", 0)) + self._lease - self._clock()
        if left > 0:
            raise Claimed(left)


def _placed(key: str, version: int, data: dict[str, Any]) -> Placed:
    return Placed(
        key=key, version=version, channel=str(data.get("channel", "")), ts=str(data["ts"]), data=dict(data)
    )
