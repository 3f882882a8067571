"""kill -9 of the bot at each step of an approval's life in Slack: one card, kept until its end, and one thread."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from bot.card_ids import APPROVE, DENY, REASON_INPUT
from bot.workspace.client import WorkspaceClient, actions_of, text_of
from gateway.contract import State
from tests.faults.stand import APPROVALS, AUDIT, MARIA, WITHIN, Stand, increment, struck, thread_lines, until

AS_SHIPPED = ["-m", "bot"]


@pytest.fixture(autouse=True)
async def bot(stand: Stand, people: WorkspaceClient) -> AsyncIterator[None]:
    """Each test begins with no bot at all."""
    await people.wait_for(lambda: _nobody(people), what="the end of the last test's bot")
    yield
    stand.bot.stop()


async def _nobody(people: WorkspaceClient) -> bool:
    return (await people.state())["app"]["connections"] == 0


async def test_before_the_card_is_posted(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await stand.start_bot(people, AS_SHIPPED)
    await stand.kill_bot(people)
    client = await stand.asks(token, increment(row))
    await stand.pending(row)
    assert await stand.cards(people, row) == []
    await stand.start_bot(people, AS_SHIPPED)
    card = await stand.card(people, row)
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    assert await asyncio.wait_for(client, WITHIN) == "UPDATE 1"
    await stand.card(people, row, "Approved and released")


async def test_while_the_card_is_being_posted(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await stand.start_bot(people)
    # The call arrives, and the card is posted after the bot that asked for it has died.
    await people.add_fault("latency", method="chat.postMessage", seconds=0.5)
    client = await stand.asks(token, increment(row))
    await stand.pending(row)
    await struck(people)
    await stand.kill_bot(people)
    await stand.start_bot(people)
    card = await stand.card(people, row)
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    assert await asyncio.wait_for(client, WITHIN) == "UPDATE 1"
    settled = await stand.card(people, row, "Approved and released")
    assert settled["ts"] == card["ts"]
    assert stand.counted(row) == 1


async def test_between_posting_and_noting(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await stand.start_bot(people)
    await people.add_fault("lost_answer", method="chat.postMessage", times=1)
    client = await stand.asks(token, increment(row))
    await people.wait_for(lambda: stand.cards(people, row), timeout=WITHIN, what="the card")
    await stand.kill_bot(people)
    await stand.start_bot(people)
    await people.click(await stand.card(people, row), APPROVE, as_="ana.silva", channel=APPROVALS)
    assert await asyncio.wait_for(client, WITHIN) == "UPDATE 1"
    await stand.card(people, row, "Approved and released")


@pytest.mark.parametrize(("choice", "words"), [("approve", "Approved and released"), ("deny", "Denied")])
async def test_with_a_card_pending_that_is_settled_meanwhile(
    stand: Stand, people: WorkspaceClient, choice: str, words: str
) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await stand.start_bot(people)
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    held = await stand.pending(row)
    await stand.kill_bot(people)
    await stand.vote(held, choice)
    await asyncio.wait([client], timeout=WITHIN)
    client.exception()
    assert stand.counted(row) == (1 if choice == "approve" else 0)
    await stand.start_bot(people)
    settled = await stand.card(people, row, words)
    assert settled["ts"] == card["ts"]
    assert list(actions_of(settled)) == []
    direct = await people.direct("U0COUNTERSIGN", as_=MARIA)
    await people.wait_for_message(direct, lambda one: held["id"] in text_of(one), as_=MARIA, timeout=WITHIN)
    told = [one for one in await people.messages(direct, as_=MARIA) if held["id"] in text_of(one)]
    assert len(told) == 1


async def test_between_a_click_and_its_vote(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await stand.start_bot(people)
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    held = await stand.pending(row)
    await people.add_fault("latency", method="users.info", seconds=2.0)
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    await struck(people)
    await stand.kill_bot(people)
    assert (await stand.approval(held["id"]))["state"] == State.PENDING
    assert stand.counted(row) == 0
    await stand.start_bot(people)
    again = await stand.card(people, row, "Waiting for a decision")
    await people.click(again, APPROVE, as_="ana.silva", channel=APPROVALS)
    assert await asyncio.wait_for(client, WITHIN) == "UPDATE 1"
    settled = await stand.card(people, row, "Approved and released")
    assert settled["ts"] == card["ts"]
    assert stand.counted(row) == 1


async def test_between_a_vote_and_the_card_that_shows_it(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await stand.start_bot(people)
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    await people.add_fault("server_error", method="chat.update", times=3)
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    assert await asyncio.wait_for(client, WITHIN) == "UPDATE 1"
    await stand.kill_bot(people)
    await people.clear_faults()
    # Nobody listens: the click is lost, and the page says so. It would have been too late in any case.
    await stand.start_bot(people)
    settled = await stand.card(people, row, "Approved and released")
    assert settled["ts"] == card["ts"]
    assert stand.counted(row) == 1


async def test_while_a_reason_is_typed(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await stand.start_bot(people)
    client = await stand.asks(token, increment(row))
    await people.click(await stand.card(people, row), DENY, as_="ana.silva", channel=APPROVALS)
    modal = await people.wait_for_view(as_="ana.silva", timeout=WITHIN)
    await stand.kill_bot(people)
    await stand.start_bot(people)
    await people.submit(modal, {REASON_INPUT: "not during the freeze"}, as_="ana.silva")
    await asyncio.wait([client], timeout=WITHIN)
    assert "not during the freeze" in str(client.exception())
    await stand.card(people, row, "Denied", "not during the freeze")
    assert stand.counted(row) == 0


@pytest.mark.parametrize("moment", ["root", "batch", "quiet"])
async def test_while_a_transcript_grows(stand: Stand, people: WorkspaceClient, moment: str) -> None:
    token, mark = stand.gateway.token(), f"mark{secrets.token_hex(4)}"
    await stand.start_bot(people)
    connection = await stand.agent(token)
    if moment == "root":
        await people.add_fault("latency", method="chat.postMessage", seconds=0.5)
    await connection.fetch(f"SELECT '{mark}a'")
    if moment != "root":
        await until(lambda: _root_of(people, f"{mark}a"), what="a thread")
    if moment == "batch":
        await people.add_fault("latency", method="chat.postMessage", seconds=0.5)
        await connection.fetch(f"SELECT '{mark}b'")
    await struck(people)
    await stand.kill_bot(people)
    await connection.fetch(f"SELECT '{mark}c'")
    await stand.start_bot(people)
    await connection.fetch(f"SELECT '{mark}d'")
    await connection.close()
    root = await until(lambda: _root_of(people, f"{mark}d"), what="the thread's going on")
    await people.wait_for_message(
        AUDIT, lambda one: "End of session" in text_of(one), thread_ts=root["ts"], timeout=WITHIN
    )
    thread = await people.messages(AUDIT, thread_ts=root["ts"])
    asked = ["a", "b", "c", "d"] if moment == "batch" else ["a", "c", "d"]
    assert thread_lines(thread, rf"SELECT '{mark}(\w)'") == asked
    assert len(thread_lines(thread, "End of session")) == 1
    roots = [
        one
        for one in await people.messages(AUDIT)
        if text_of(one).splitlines()[:1] and one["ts"] != root["ts"]
    ]
    session = thread_lines([root], r"\b[0-9a-f]{16}\b")[0]
    assert [one["ts"] for one in roots if session in text_of(one)] == []


async def _root_of(people: WorkspaceClient, mark: str) -> dict | None:
    for root in await people.messages(AUDIT):
        if thread_lines(await people.messages(AUDIT, thread_ts=root["ts"]), mark):
            return root
    return None


async def test_together_with_its_gateway(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await stand.start_bot(people, AS_SHIPPED)
    first = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    stand.gateway.kill()
    await stand.kill_bot(people)
    stand.gateway.start()
    await asyncio.wait([first], timeout=WITHIN)
    assert first.exception() is not None
    await stand.start_bot(people, AS_SHIPPED)
    again = await stand.asks(token, increment(row))
    await people.click(await stand.card(people, row), APPROVE, as_="ana.silva", channel=APPROVALS)
    assert await asyncio.wait_for(again, WITHIN) == "UPDATE 1"
    settled = await stand.card(people, row, "Approved and released")
    assert settled["ts"] == card["ts"]
    assert stand.counted(row) == 1
