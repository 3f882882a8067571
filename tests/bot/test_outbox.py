"""The outbox: order, pace, and edits that become one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks import Message, rich, section, text
from bot.outbox import Outbox, Pace, SlackRefused, SlackUnreachable, Urgency
from bot.workspace import server
from bot.workspace.client import WorkspaceClient, text_of
from tests.bot.conftest import APPROVALS, BOT_TOKEN, QUICK


@asynccontextmanager
async def outbox(slack: server.Server, pace: Pace = QUICK.pace) -> AsyncIterator[Outbox]:
    client = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])
    async with asyncio.TaskGroup() as tasks:
        yield Outbox(client, tasks, clock=time.monotonic, pace=pace)


def saying(words: str):
    async def draw() -> Message:
        return Message(text="Said.", blocks=(rich(section(text(words))),))

    return draw


async def said(people: WorkspaceClient) -> list[str]:
    return [text_of(one["blocks"]) for one in await people.messages(APPROVALS)]


async def test_cards_go_before_replies_and_replies_before_transcripts(
    slack: server.Server, people: WorkspaceClient
) -> None:
    async with outbox(slack, replace(QUICK.pace, between_posts=0.05)) as box, asyncio.TaskGroup() as tasks:
        for urgency in (Urgency.TRANSCRIPT, Urgency.REPLY, Urgency.CARD, Urgency.CARD):
            tasks.create_task(box.post(APPROVALS, saying(urgency.name), urgency=urgency))
    assert await said(people) == ["CARD", "CARD", "REPLY", "TRANSCRIPT"]


async def test_edits_that_wait_for_one_message_are_one_edit_of_the_newest(
    slack: server.Server, people: WorkspaceClient
) -> None:
    drawn = []

    def counting(number: int):
        async def draw() -> Message:
            drawn.append(number)
            return await saying(str(number))()

        return draw

    async with outbox(slack) as box:
        ts = await box.post(APPROVALS, saying("0"), urgency=Urgency.CARD)
        async with asyncio.TaskGroup() as tasks:
            for number in range(1, 8):
                tasks.create_task(box.edit(APPROVALS, ts, counting(number)))
    assert drawn == [7]
    assert await said(people) == ["7"]


async def test_what_has_nothing_to_say_any_more_is_not_said(
    slack: server.Server, people: WorkspaceClient
) -> None:
    async def nothing() -> None:
        return None

    async with outbox(slack) as box:
        assert await box.post(APPROVALS, nothing, urgency=Urgency.CARD) == ""
    assert await said(people) == []


async def test_posts_keep_their_distance(slack: server.Server, people: WorkspaceClient) -> None:
    async with outbox(slack, replace(QUICK.pace, between_posts=0.2)) as box:
        before = time.monotonic()
        await asyncio.gather(
            *(box.post(APPROVALS, saying(str(one)), urgency=Urgency.CARD) for one in range(3))
        )
        assert time.monotonic() - before >= 0.4


async def test_a_refusal_of_slack_reaches_who_asked(slack: server.Server, people: WorkspaceClient) -> None:
    await people.add_fault("api_error", method="chat.postMessage", error="is_archived")
    async with outbox(slack) as box:
        with pytest.raises(SlackRefused, match="is_archived"):
            await box.post(APPROVALS, saying("x"), urgency=Urgency.CARD)


async def test_a_slack_that_is_away_for_long_is_said_so(
    slack: server.Server, people: WorkspaceClient
) -> None:
    await people.add_fault("server_error", method="chat.postMessage", times=100)
    async with outbox(slack) as box:
        with pytest.raises(SlackUnreachable):
            await box.post(APPROVALS, saying("x"), urgency=Urgency.CARD)


async def test_a_full_lane_takes_no_more(slack: server.Server) -> None:
    async with outbox(slack, replace(QUICK.pace, lane=2, between_posts=0.3)) as box:
        posts = [
            asyncio.create_task(box.post(APPROVALS, saying("x"), urgency=Urgency.CARD)) for _ in range(9)
        ]
        results = await asyncio.gather(*posts, return_exceptions=True)
    assert any(isinstance(one, SlackUnreachable) for one in results)
    assert any(isinstance(one, str) for one in results)


async def test_what_nobody_waits_for_any_more_is_not_sent(
    slack: server.Server, people: WorkspaceClient
) -> None:
    async with outbox(slack, replace(QUICK.pace, between_posts=0.2)) as box:
        await box.post(APPROVALS, saying("first"), urgency=Urgency.CARD)
        given_up = asyncio.create_task(box.post(APPROVALS, saying("given up"), urgency=Urgency.CARD))
        last = asyncio.create_task(box.post(APPROVALS, saying("last"), urgency=Urgency.CARD))
        await asyncio.sleep(0)
        given_up.cancel()
        await last
    assert await said(people) == ["first", "last"]
