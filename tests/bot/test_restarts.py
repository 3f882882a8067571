"""The bot may die at any step: no card, word or transcript entry is doubled or lost."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace

import pytest

from bot import cards
from bot.app import Bot
from bot.workspace.client import WorkspaceClient, actions_of, text_of
from bot.workspace.server import Server
from gateway.contract import State
from tests.bot.conftest import APP_TOKEN, APPROVALS, AUDIT, BOT_TOKEN, MARIA, StartBot
from tests.bot.examples import approval, entry, session
from tests.bot.fake_gateway import CREDENTIAL, FakeGateway

STEPS = [
    ("GET /v1/notes/card", 0),
    ("PUT /v1/notes/card", 0),
    ("PUT /v1/notes/card", 1),
    ("PUT /v1/notes/follower", 0),
]


def cards_in(messages: list[dict]) -> list[dict]:
    return [one for one in messages if "On whose behalf" in text_of(one)]


async def settled_card(people: WorkspaceClient) -> dict:
    return await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))


@pytest.mark.parametrize(("call", "skip"), STEPS)
async def test_a_bot_killed_at_a_call_of_the_gateway_leaves_one_card(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, call: str, skip: int
) -> None:
    arrived = gateway.stall(call, skip=skip)
    await gateway.publish(approval())
    async with start_bot():
        await asyncio.wait_for(arrived.wait(), 30)
    gateway.release()
    async with start_bot():
        card = await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))
        await gateway.publish(
            replace(approval(), version=2, state=State.SPENT, settled_by="ana.silva@example.com")
        )
        assert (await settled_card(people))["ts"] == card["ts"]
    assert len(cards_in(await people.messages(APPROVALS))) == 1


async def test_a_bot_killed_while_slack_posts_leaves_one_card(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, slack: Server
) -> None:
    await people.add_fault("latency", method="chat.postMessage", seconds=0.4)
    await gateway.publish(approval())
    async with start_bot():
        async with asyncio.timeout(60):
            while not any(call.startswith("PUT /v1/notes/card") for call in gateway.calls):
                await asyncio.sleep(0.01)
    async with start_bot():
        await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))
        await gateway.publish(
            replace(approval(), version=2, state=State.SPENT, settled_by="ana.silva@example.com")
        )
        await settled_card(people)
    assert len(cards_in(await people.messages(APPROVALS))) == 1


async def until_done(bot: Bot, number: int) -> None:
    async with asyncio.timeout(60):
        while bot.follower.done < number:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("call", "skip"), [("GET /v1/notes/told", 0), ("PUT /v1/notes/told", 1)])
async def test_the_word_to_who_asked_is_said_once(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, call: str, skip: int
) -> None:
    held = approval()
    async with start_bot():
        await gateway.publish(held)
        await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))
        arrived = gateway.stall(call, skip=skip)
        await gateway.publish(replace(held, version=2, state=State.SPENT, settled_by="ana.silva@example.com"))
        await asyncio.wait_for(arrived.wait(), 30)
    gateway.release()
    direct = await people.direct("U0COUNTERSIGN", as_=MARIA)
    async with start_bot() as bot:
        await people.wait_for_message(direct, as_=MARIA)
        await until_done(bot, 2)
    assert len(await people.messages(direct, as_=MARIA)) == 1


@pytest.mark.parametrize(
    ("call", "skip"), [("GET /v1/notes/told", 0), ("PUT /v1/notes/told", 0), ("PUT /v1/notes/told", 1)]
)
async def test_the_word_in_the_thread_is_said_once(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, call: str, skip: int
) -> None:
    held = approval(lineage=replace(approval().lineage, person="cron@example.com"))
    async with start_bot():
        await gateway.publish(held)
        card = await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))
        arrived = gateway.stall(call, skip=skip)
        await gateway.publish(replace(held, version=2, state=State.SPENT, settled_by="ana.silva@example.com"))
        await asyncio.wait_for(arrived.wait(), 30)
    gateway.release()
    async with start_bot() as bot:
        await until_done(bot, 2)
    replies = [
        one for one in await people.messages(APPROVALS, thread_ts=card["ts"]) if one["ts"] != card["ts"]
    ]
    assert len(replies) == 1


async def test_two_bots_at_once_post_one_card(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot() as one, start_bot() as other:
        for number in range(5):
            await gateway.publish(approval(f"apr-{number}"))
        await until_done(one, 5)
        await until_done(other, 5)
    assert len(cards_in(await people.messages(APPROVALS))) == 5


async def test_what_was_settled_while_no_bot_ran_is_shown_by_the_next(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot() as bot:
        await gateway.publish(approval())
        await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))
        await until_done(bot, 1)
    await gateway.publish(replace(approval(), version=2, state=State.EXPIRED, settled_at=1_700_000_900.0))
    async with start_bot():
        expired = await people.wait_for_message(APPROVALS, lambda one: "Expired" in text_of(one))
    assert list(actions_of(expired)) == []


async def test_what_was_settled_before_anybody_saw_it_gets_no_card(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    await gateway.publish(approval())
    await gateway.publish(replace(approval(), version=2, state=State.WITHDRAWN))
    async with start_bot() as bot:
        await until_done(bot, 2)
    assert await people.messages(APPROVALS) == []


async def test_another_apps_message_with_our_metadata_is_not_taken_for_the_card(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, slack: Server
) -> None:
    arrived = gateway.stall("PUT /v1/notes/card", skip=0)
    await gateway.publish(approval())
    async with start_bot():
        await asyncio.wait_for(arrived.wait(), 30)
    gateway.release()
    forged = await people.say(APPROVALS, "look, a card", as_=MARIA)
    message = slack.workspace.channels[APPROVALS].messages[forged["ts"]]
    message.metadata = {"event_type": cards.EVENT, "event_payload": {"approval": "apr-1", "version": 1}}
    async with start_bot():
        card = await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))
    assert card["ts"] != forged["ts"]


@pytest.mark.parametrize(
    ("call", "skip"),
    [
        ("PUT /v1/notes/thread", 0),
        ("PUT /v1/notes/thread", 1),
        ("PUT /v1/notes/thread", 3),
        ("PUT /v1/notes/thread", 4),
    ],
)
async def test_a_transcript_goes_on_where_it_was(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, call: str, skip: int
) -> None:
    gateway.sessions["ses-1"] = session()
    arrived = gateway.stall(call, skip=skip)
    async with start_bot():
        await gateway.log("ses-1", entry(1, "SELECT 'one'"), entry(2, "SELECT 'two'"), commands=2)
        await asyncio.wait_for(arrived.wait(), 30)
    gateway.release()
    async with start_bot():
        await gateway.log(
            "ses-1", entry(3, "SELECT 'three'"), commands=3, closed_at=1_700_000_060.0, head="abc"
        )
        root = await people.wait_for_message(AUDIT, lambda one: "○ " in text_of(one))
        await people.wait_for_message(
            AUDIT, lambda one: "End of session" in text_of(one), thread_ts=root["ts"]
        )
    thread = "\n".join(text_of(one) for one in await people.messages(AUDIT, thread_ts=root["ts"]))
    for word in ("'one'", "'two'", "'three'"):
        assert thread.count(word) == 1
    assert thread.count("End of session") == 1
    assert len([one for one in await people.messages(AUDIT) if "Replay" in text_of(one)]) == 1


async def test_a_process_killed_between_post_and_note_leaves_one_card(
    gateway: FakeGateway, people: WorkspaceClient, slack: Server, start_bot: StartBot
) -> None:
    arrived = gateway.stall("PUT /v1/notes/card", skip=1)
    await gateway.publish(approval())
    environment = {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "COUNTERSIGN_BOT_TOKEN": CREDENTIAL,
        "COUNTERSIGN_URL": gateway.url,
        "SLACK_API_URL": slack.api_url,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", env=environment)
    try:
        await asyncio.wait_for(arrived.wait(), 60)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    gateway.release()
    assert len(cards_in(await people.messages(APPROVALS))) == 1
    async with start_bot():
        await gateway.publish(
            replace(approval(), version=2, state=State.SPENT, settled_by="ana.silva@example.com")
        )
        await settled_card(people)
    assert len(cards_in(await people.messages(APPROVALS))) == 1
