"""The cards in Slack: one message per approval, kept like the approval, and a word to who asked when it is decided.

All it remembers is in notes of the gateway (`card:ID`, `told:ID`), so that another bot, or this one after a restart,
goes on where it was.
"""

from __future__ import annotations

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Sequence

from bot import cards, folded, unanswered, votes
from bot.blocks import Faces, Message, bold, code, lines, rich, text
from bot.channels import Channels, Sought
from bot.folded import family_of, version_of
from bot.gateway_client import GatewayClient, GatewayError
from bot.once import Once, Placed
from bot.outbox import Outbox, SlackRefused, Urgency
from bot.people import People
from bot.safe_text import escape, inline
from gateway.contract import Announcement, Approval, State, StepKind

log = logging.getLogger(__name__)

TOLD = "countersign_told"
ANNOUNCED = "countersign_announcement"
REMEMBERED = 5_000
"""Approvals whose newest version is kept at hand."""
UNEDITABLE = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "block_mismatch", "is_inactive"}
)
"""Why a message can never be edited again."""

LEVELS = {"error": "🔴", "warning": "🟠"}


class Board:
    """Draws approvals and announcements."""

    def __init__(
        self,
        gateway: GatewayClient,
        once: Once,
        outbox: Outbox,
        channels: Channels,
        *,
        people: People,
    ) -> None:
        self._gateway = gateway
        self._once = once
        self._outbox = outbox
        self._channels = channels
        self._people = people
        self._newest: OrderedDict[str, Approval] = OrderedDict()

    def newest(self, approval_id: str) -> Approval | None:
        """The newest version seen of an approval, if it was seen lately."""
        return self._newest.get(approval_id)

    def remember(self, approval: Approval) -> Approval:
        """The newer of this and what was known, which is now known."""
        known = self._newest.pop(approval.id, None)
        newest = known if known is not None and known.version > approval.version else approval
        self._newest[approval.id] = newest
        while len(self._newest) > REMEMBERED:
            self._newest.popitem(last=False)
        return newest

    async def show(self, approval: Approval) -> None:
        """Bring Slack up to date with an approval and those on its card: card, its edits, and words to who asked."""
        approval = self.remember(approval)
        members = await self._members(approval)
        channel = await self._channels.id_of(
            approval.channel or (await self._people.directory()).approvals_channel
        )
        placed = await self._post_card(members, channel)
        if placed is None:
            return
        if int(placed.data.get("drawn", 0)) < version_of(self._now(members)):
            placed = await self._edit_card(members, placed)
        for newest in self._now(members):
            if newest.state is not State.PENDING:
                await self._tell(newest, placed)
            else:
                await self._step(newest, placed)

    async def _members(self, approval: Approval) -> list[Approval]:
        """Those that belong on one card, itself included."""
        if not approval.family:
            return [approval]
        family = [self.remember(each) for each in await self._gateway.family(approval.family)]
        return [approval, *(each for each in family if each.id != approval.id)]

    def _now(self, members: Sequence[Approval]) -> list[Approval]:
        return [self._newest.get(each.id, each) for each in members]

    async def announce(self, announcement: Announcement) -> None:
        """Post something operators should know, once."""
        channel = await self._channels.id_of(
            announcement.channel or (await self._people.directory()).approvals_channel
        )

        async def draw() -> Message:
            mark = LEVELS.get(announcement.level, "🔵")
            sentence = inline(announcement.text, limit=2_000)
            return Message(
                text="Countersign: an announcement of the gateway.",
                blocks=(rich(lines([[text(f"{mark} "), bold("Gateway")], [text(sentence)]])),),
                event=ANNOUNCED,
                payload={"announcement": announcement.id},
            )

        await self._once.post(
            f"announcement:{announcement.id}",
            channel,
            draw,
            urgency=Urgency.REPLY,
            sought=lambda since: Sought(
                event=ANNOUNCED, payload={"announcement": announcement.id}, since=since
            ),
        )

    async def _post_card(self, members: Sequence[Approval], channel: str) -> Placed | None:
        drawn = 0
        family = family_of(members[0])

        async def draw() -> Message | None:
            nonlocal drawn
            newest = self._now(members)
            if not any(each.state is State.PENDING for each in newest):
                return None  # settled before anybody saw it: the transcript tells
            drawn = version_of(newest)
            return await self._drawing(newest)

        return await self._once.post(
            f"card:{family}",
            channel,
            draw,
            urgency=Urgency.CARD,
            sought=lambda since: Sought(event=cards.EVENT, payload={"approval": family}, since=since),
            more=lambda: {"drawn": drawn},
        )

    async def _edit_card(self, members: Sequence[Approval], placed: Placed) -> Placed:
        drawn = version_of(members)

        async def draw() -> Message:
            nonlocal drawn
            newest = self._now(members)
            drawn = version_of(newest)
            return await self._drawing(newest)

        try:
            await self._outbox.edit(placed.channel, placed.ts, draw)
        except SlackRefused as refused:
            if refused.code not in UNEDITABLE:
                raise
            log.warning("the card of approval %s cannot be edited: %s", members[0].id, refused.code)
            if any(each.state is State.PENDING for each in self._now(members)):
                await self._once.forget(placed)
                return await self._post_card(members, placed.channel) or placed
        await self._once.write(placed, drawn=drawn)
        return placed

    async def _drawing(self, members: Sequence[Approval]) -> Message:
        """The card of one approval, or the one that several share."""
        faces = await self._people.faces()
        if len(members) > 1:
            return folded.card(members, faces)
        [one] = members
        twins = cards.NO_TWINS
        if one.lasting is not None and one.state is State.PENDING:
            with contextlib.suppress(GatewayError):
                twins = await self._gateway.twins(one.id)
        return cards.card(one, faces, twins)

    async def _step(self, approval: Approval, card: Placed) -> None:
        """Say in the card's thread what has come since nobody answered; of reminders only the last."""
        for number, step in enumerate(approval.steps[: approval.stepped]):
            if step.kind is StepKind.REMIND and number < approval.stepped - 1:
                continue

            async def draw(number: int = number) -> Message | None:
                newest = self._newest.get(approval.id, approval)
                if newest.state is not State.PENDING:
                    return None
                return unanswered.message(newest, number, await self._people.faces())

            def sought(since: float, number: int = number) -> Sought:
                payload: dict[str, str | int] = {"approval": approval.id, "step": number}
                return Sought(event=unanswered.EVENT, payload=payload, since=since, thread_ts=card.ts)

            await self._once.post(
                f"step:{number}:{approval.id}",
                card.channel,
                draw,
                urgency=Urgency.CARD,
                thread_ts=card.ts,
                sought=sought,
            )

    async def _tell(self, approval: Approval, card: Placed) -> None:
        """Say the outcome to the person at the root: directly, or in the card's thread."""
        if approval.elevation is not None and approval.state is State.SPENT:
            return  # the grant itself says so, with what can be done about it
        faces = await self._people.faces()
        user_id = await self._people.slack_id(approval.lineage.person)
        channel = await self._channels.direct(user_id) if user_id else card.channel
        thread_ts = "" if user_id else card.ts

        async def draw() -> Message:
            return told(self._newest.get(approval.id, approval), faces)

        def sought(since: float) -> Sought:
            return Sought(event=TOLD, payload={"approval": approval.id}, since=since, thread_ts=thread_ts)

        await self._once.post(
            f"told:{approval.id}",
            channel,
            draw,
            urgency=Urgency.REPLY,
            thread_ts=thread_ts,
            # Direct messages are not read back: that would take im:history for the sake of a courtesy.
            sought=None if user_id else sought,
        )


def told(approval: Approval, faces: Faces) -> Message:
    """What the person at the root is told: which command of whose, and what became of it."""
    mark, title = cards.outcome(approval)
    rows = [
        [text(f"{mark} "), bold(title)],
        [
            text(f"{cards.agent_of(approval.lineage)} {'wants more' if approval.elevation else 'asked'} on "),
            bold(inline(approval.connection, limit=60)),
            text(": "),
            code(inline(approval.command.text, limit=200)),
        ],
    ]
    if approval.settled_by:
        rows.append([text("Decided by "), votes.face(approval.settled_by, faces)])
    if approval.reason:
        rows.append([text(f"Reason: {inline(approval.reason, limit=300)}")])
    rows.append([text(cards.ids(approval))])
    return Message(
        text=f"Countersign: approval {escape(approval.id, limit=64)} was decided.",
        blocks=(rich(lines(rows), block_id=cards.block_id(approval, "told")),),
        event=TOLD,
        payload={"approval": approval.id},
    )
