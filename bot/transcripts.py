"""The sessions in Slack: one thread each in its audit channel, growing with the session, with a summary at its end.

How far a thread goes is noted in the gateway (`thread:ID`); every message carries its entry numbers as metadata, so
that a bot which died between posting and noting does not post twice. Entries are fetched when a message's turn has
come: a channel that is full gets fewer and longer messages, and a flood is counted instead of queued.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import transcript_text
from bot.blocks import Message
from bot.channels import Channels, Sought
from bot.gateway_client import GatewayClient
from bot.once import Once, Placed
from bot.outbox import Outbox, SlackRefused, Urgency
from bot.people import People
from bot.transcript_text import Batch
from gateway.contract import SessionView

log = logging.getLogger(__name__)

PAGE = 200
LARGEST_FILE = 900_000
"""Characters of one entry that are sent as a snippet; Slack's end at 1 MB."""
REMEMBERED = 5_000


class Transcripts:
    """Keeps threads like their sessions."""

    def __init__(
        self,
        gateway: GatewayClient,
        once: Once,
        outbox: Outbox,
        channels: Channels,
        *,
        people: People,
        files: AsyncWebClient,
        every: float,
    ) -> None:
        self._gateway = gateway
        self._once = once
        self._outbox = outbox
        self._channels = channels
        self._people = people
        self._files = files
        self._every = every
        self._caught_up: OrderedDict[str, None] = OrderedDict()
        """Threads whose note is known to agree with what is in the channel."""

    async def follow(self, session: SessionView) -> None:
        """Bring a session's thread up to its newest entry, and to its end where it has ended."""
        if session.entries == 0 or (session.closed_at is not None and session.commands == 0):
            return  # nobody asked for anything: the recording has it, a thread would say nothing
        placed = await self._thread(session)
        if placed is None or placed.data.get("ended"):
            return
        await self._catch_up(session, placed)
        while not placed.data.get("ended"):
            session = await self._post_next(session, placed)
            posted = int(placed.data.get("posted", 0))
            if posted >= session.entries and (session.closed_at is None or placed.data.get("ended")):
                break
        if placed.data.get("ended"):
            await self._close_root(session, placed)
            self._caught_up.pop(session.id, None)
        else:
            # What happens in the meantime comes in one message.
            await asyncio.sleep(self._every)

    async def _thread(self, session: SessionView) -> Placed | None:
        directory = await self._people.directory()
        channel = await self._channels.id_of(session.channel or directory.audit_channel)

        async def draw() -> Message:
            return transcript_text.root(await self._gateway.session(session.id))

        return await self._once.post(
            f"thread:{session.id}",
            channel,
            draw,
            urgency=Urgency.TRANSCRIPT,
            sought=lambda since: Sought(
                event=transcript_text.ROOT, payload={"session": session.id}, since=since
            ),
            more=lambda: {"posted": 0},
        )

    async def _catch_up(self, session: SessionView, placed: Placed) -> None:
        """Where another life of this bot, or another bot, wrote last: look what is in the thread already."""
        if session.id in self._caught_up and self._once.holds(placed):
            return
        await self._once.hold(placed)
        since = float(placed.data.get("last_ts") or placed.ts)
        sought = Sought(event=transcript_text.BATCH, payload={}, since=since, thread_ts=placed.ts)
        found = [
            message["metadata"]["event_payload"]
            for message in await self._channels.ours(placed.channel, sought)
        ]
        mine = [payload for payload in found if payload.get("session") == session.id]
        posted = max([int(placed.data.get("posted", 0)), *(int(payload.get("last", 0)) for payload in mine)])
        ended = any(payload.get("end") for payload in mine)
        if posted != placed.data.get("posted") or ended:
            await self._once.write(placed, posted=posted, ended=ended)
        self._caught_up[session.id] = None
        while len(self._caught_up) > REMEMBERED:
            self._caught_up.popitem(last=False)

    async def _post_next(self, session: SessionView, placed: Placed) -> SessionView:
        """One more message of the thread; the session as it was when the message was drawn."""
        after = int(placed.data.get("posted", 0))
        batch: Batch | None = None
        ends = False

        async def draw() -> Message | None:
            nonlocal session, batch, ends
            page = await self._gateway.transcript(session.id, after=after, limit=PAGE)
            session = page.session
            batch = transcript_text.gather(session, page.entries, after=after)
            ends = session.closed_at is not None and (batch.last if batch else after) >= session.entries
            if batch is None and not ends:
                return None
            await self._once.hold(placed)
            if batch is None:
                return transcript_text.end_message(session, last=after)
            return transcript_text.batch_message(session, batch, ends=ends)

        async def find() -> str:
            sought = Sought(
                event=transcript_text.BATCH,
                payload={"session": session.id, "first": batch.first if batch else after + 1},
                since=float(placed.data.get("last_ts") or placed.ts),
                thread_ts=placed.ts,
            )
            return await self._channels.find(placed.channel, sought)

        ts = await self._outbox.post(
            placed.channel, draw, urgency=Urgency.TRANSCRIPT, thread_ts=placed.ts, find=find
        )
        if ts:
            last = batch.last if batch else after
            await self._send_long(session, placed, batch)
            await self._once.write(placed, posted=last, last_ts=ts, ended=ends)
        else:
            # Entries were counted that the gateway does not give out: there is nothing to wait for.
            placed.data["posted"] = max(after, session.entries)
        return session

    async def _send_long(self, session: SessionView, placed: Placed, batch: Batch | None) -> None:
        """The entries a message had to cut, as files below it. One that cannot be sent is in the recording."""
        for entry in batch.long if batch else ():
            try:
                await self._files.files_upload_v2(
                    channel=placed.channel,
                    thread_ts=placed.ts,
                    content=entry.text[:LARGEST_FILE],
                    filename=transcript_text.file_name(session, entry),
                    title=f"Session {session.id}, entry {entry.number}",
                )
            except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.warning(
                    "entry %d of session %s was not sent as a file: %s", entry.number, session.id, error
                )

    async def _close_root(self, session: SessionView, placed: Placed) -> None:
        async def draw() -> Message:
            return transcript_text.root(session)

        try:
            await self._outbox.edit(placed.channel, placed.ts, draw)
        except SlackRefused as refused:
            log.info("the root of session %s stays as it is: %s", session.id, refused.code)
