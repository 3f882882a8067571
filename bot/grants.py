"""What a person is told of a grant: directly, once, and kept as the grant is until it has ended."""

from __future__ import annotations

import logging

from bot import elevations
from bot.blocks import Message
from bot.board import UNEDITABLE
from bot.channels import Channels
from bot.once import Once
from bot.outbox import Outbox, SlackRefused, Urgency
from bot.people import People
from gateway.contract import GrantView

log = logging.getLogger(__name__)


class Grants:
    """Direct messages about grants."""

    def __init__(self, once: Once, outbox: Outbox, channels: Channels, *, people: People) -> None:
        self._once = once
        self._outbox = outbox
        self._channels = channels
        self._people = people

    async def show(self, grant: GrantView) -> None:
        """Tell who is accountable that it began; change that message when it has ended."""
        if grant.what is not None:
            return  # a yes to one command that reaches further: its card and its outcome say so
        user_id = await self._people.slack_id(grant.person)
        if not user_id:
            return

        async def draw() -> Message:
            return elevations.granted(grant)

        placed = await self._once.post(
            f"grant:{grant.id}",
            await self._channels.direct(user_id),
            draw,
            urgency=Urgency.REPLY,
            # Direct messages are not read back: that would take im:history for the sake of a courtesy.
            sought=None,
            more=lambda: {"ended": grant.ended_at is not None},
        )
        if placed is None or not placed.ts or grant.ended_at is None or placed.data.get("ended"):
            return
        try:
            await self._outbox.edit(placed.channel, placed.ts, draw)
        except SlackRefused as refused:
            if refused.code not in UNEDITABLE:
                raise
            log.info("what was told of grant %s stays as it is: %s", grant.id, refused.code)
        await self._once.write(placed, ended=True)
