"""Slack fails in every way it knows: nothing is allowed by it, nothing doubled, and cards catch up afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bot.card_ids import APPROVE, DENY, KILL, REASON_INPUT, REVIEW
from bot.workspace.client import WorkspaceClient, WorkspaceError, actions_of, text_of
from gateway.contract import State
from gateway.demo.postgres import Account, Postgres
from tests.faults.stand import (
    ANA,
    APPROVALS,
    AUDIT,
    BEN,
    MARIA,
    SAM,
    WITHIN,
    Stand,
    increment,
    standing,
    struck,
    until,
)

EVER = 1_000_000


@pytest.fixture(autouse=True)
async def bot(stand: Stand, people: WorkspaceClient) -> AsyncIterator[None]:
    """One bot for the whole file: no fault of Slack's may end it."""
    if not (await people.state())["app"]["connections"]:
        await stand.start_bot(people)
    yield
    await people.clear_faults()
    await people.wait_for_connections(1, timeout=WITHIN)


async def runs(client: asyncio.Task[str]) -> None:
    assert await asyncio.wait_for(client, WITHIN) == "UPDATE 1"


async def told(people: WorkspaceClient, words: str, *, person: str) -> None:
    """A sentence in #approvals that this person sees, and nobody else."""
    said = await people.wait_for_message(
        APPROVALS, lambda one: words in text_of(one), as_=person, timeout=WITHIN
    )
    assert said["is_ephemeral"]
    others = {ANA, BEN, MARIA, SAM} - {person}
    for other in others:
        seen = [one["ts"] for one in await people.messages(APPROVALS, as_=other)]
        assert said["ts"] not in seen


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limited", "method": "chat.postMessage", "retry_after": 1},
        {"kind": "server_error", "method": "chat.postMessage", "times": 3},
        {"kind": "lost_answer", "method": "chat.postMessage"},
        {"kind": "latency", "method": "chat.postMessage", "seconds": 1.0},
        {"kind": "rate_limited", "method": "chat.update", "retry_after": 1},
        {"kind": "server_error", "method": "chat.update", "times": 3},
        {"kind": "lost_answer", "method": "chat.update"},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault['method']}",
)
async def test_a_fault_on_the_way_costs_time_and_nothing_else(
    stand: Stand, people: WorkspaceClient, fault: dict
) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await people.add_fault(**fault)
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    await runs(client)
    assert (await stand.card(people, row, "Approved and released"))["ts"] == card["ts"]
    await struck(people)
    assert stand.counted(row) == 1


@pytest.mark.parametrize("how", ["cut", "refresh", "warning"])
async def test_sockets_that_all_end_at_once_are_replaced(
    stand: Stand, people: WorkspaceClient, how: str
) -> None:
    token, row = stand.gateway.token(), stand.counter()
    await people.wait_for_connections(2, timeout=WITHIN)
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    await people.sockets(how)

    async def heard() -> bool:
        # Slack shows whoever clicks that a click got lost, and they click again.
        try:
            await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
        except WorkspaceError:
            return False
        return True

    await until(heard, what="a click that is heard")
    await runs(client)
    assert len((await stand.approvals(row))[0]["votes"]) == 1
    assert stand.counted(row) == 1


async def test_a_click_that_nobody_hears_is_said_so_and_decides_nothing(
    stand: Stand, people: WorkspaceClient
) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    held = await stand.pending(row)
    await people.add_fault("server_error", method="apps.connections.open", times=EVER)
    await people.sockets("cut")
    with pytest.raises(WorkspaceError, match="no_connection"):
        await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    assert (await stand.approval(held["id"]))["state"] == State.PENDING
    await people.clear_faults()
    await people.wait_for_connections(1, timeout=WITHIN)
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    await runs(client)


async def test_an_envelope_that_comes_twice_is_one_vote(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    await people.wait_for_connections(2, timeout=WITHIN)
    await people.add_fault("duplicate", envelope="interactive")
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    await runs(client)
    (approval,) = await stand.approvals(row)
    assert len(approval["votes"]) == 1
    assert stand.counted(row) == 1


async def test_an_impatient_approver_votes_once(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    await people.add_fault("latency", method="chat.update", seconds=1.0)
    clicks = [people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS) for _ in range(5)]
    await asyncio.gather(*clicks)
    await runs(client)
    settled = await stand.card(people, row, "Approved and released")
    assert settled["ts"] == card["ts"]
    (approval,) = await stand.approvals(row)
    assert [vote["person"] for vote in approval["votes"]] == ["ana.silva@example.com"]
    assert stand.counted(row) == 1


async def test_a_late_click_of_another_is_too_late(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    # The edit that takes the buttons away comes late, as it does in a slow Slack.
    await people.add_fault("latency", method="chat.update", seconds=1.5)
    await stand.vote(await stand.pending(row), "deny", reason="settled at a terminal")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="settled at a terminal"):
        await asyncio.wait_for(client, WITHIN)
    await people.click(card, APPROVE, as_="ben.okafor", channel=APPROVALS)
    await told(people, "Too late", person=BEN)
    await stand.card(people, row, "Denied", "settled at a terminal")
    assert stand.counted(row) == 0


async def test_a_click_on_a_card_that_now_asks_for_more_counts_for_nothing(
    stand: Stand, people: WorkspaceClient
) -> None:
    token, row = stand.gateway.token(), stand.counter()
    first = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    await people.add_fault("latency", method="chat.update", seconds=1.5)
    second = await stand.asks(token, increment(row))
    held = await stand.pending(row)
    await until(lambda: _two_wait(stand, held["id"]), what="the second client")
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    await told(people, "changed since you saw it", person=ANA)
    assert not first.done()
    assert not second.done()
    again = await stand.card(people, row, "2 clients wait for this same command")
    await people.click(again, APPROVE, as_="ana.silva", channel=APPROVALS)
    await asyncio.gather(runs(first), runs(second))
    assert stand.counted(row) == 2, "both were shown, both ran"


async def _two_wait(stand: Stand, approval_id: str) -> bool:
    return bool((await stand.approval(approval_id))["waiting"] == 2)


async def test_somebody_who_was_not_asked_cannot_decide(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    held = await stand.pending(row)
    await people.click(card, APPROVE, as_="sam.chen", channel=APPROVALS)
    await told(people, "You cannot decide this: sam.chen@example.com is not in a group", person=SAM)
    assert (await stand.approval(held["id"]))["votes"] == []
    assert not client.done()
    await people.click(card, DENY, as_="ana.silva", channel=APPROVALS)
    await people.submit(await people.wait_for_view(as_="ana.silva"), {REASON_INPUT: "no"}, as_="ana.silva")
    await asyncio.wait([client], timeout=WITHIN)
    assert "no" in str(client.exception())


async def test_who_answers_for_the_agent_cannot_decide(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    await people.click(card, APPROVE, as_="maria.lopez", channel=APPROVALS)
    await told(people, "maria.lopez@example.com is accountable for this command", person=MARIA)
    await people.click(card, REVIEW, as_="maria.lopez", channel=APPROVALS)
    view = await people.wait_for_view(
        lambda one: "You cannot decide" in text_of(one), as_=MARIA, timeout=WITHIN
    )
    assert view.get("submit") is None
    await people.close_view(view, as_=MARIA)
    assert not client.done()
    await people.click(card, APPROVE, as_="ben.okafor", channel=APPROVALS)
    await runs(client)
    assert stand.counted(row) == 1


async def test_killing_is_refused_to_who_was_not_asked(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    await people.click(card, KILL, as_="sam.chen", channel=APPROVALS)
    view = await people.wait_for_view(
        lambda one: "Asking the gateway" not in text_of(one), as_=SAM, timeout=WITHIN
    )
    await people.submit(view, {REASON_INPUT: "because"}, as_=SAM)
    await told(people, "You cannot decide this: sam.chen@example.com is not in a group", person=SAM)
    assert not client.done()
    await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    await runs(client)


async def test_while_slack_is_down_nothing_is_allowed_and_cards_catch_up_afterwards(
    stand: Stand, people: WorkspaceClient
) -> None:
    shown, unseen, denied = stand.counter(), stand.counter(), stand.counter()
    before = await stand.asks(stand.gateway.token(), increment(shown))
    card = await stand.card(people, shown)
    await people.add_fault("server_error", method="*", times=EVER)
    await people.sockets("cut")
    # Of other agents and shapes: siblings would be folded into one card, from which nothing is approved at once.
    during = await stand.asks(stand.gateway.token(), increment(unseen, "1 + n"))
    another = await stand.asks(stand.gateway.token(), increment(denied, "n - (-1)"))
    held = [await stand.pending(row) for row in (shown, unseen, denied)]
    with pytest.raises(WorkspaceError, match="no_connection"):
        await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
    # An operator's terminal needs no Slack.
    await stand.vote(held[2], "deny", reason="decided at a terminal")
    await asyncio.wait([another], timeout=WITHIN)
    assert "decided at a terminal" in str(another.exception())
    for approval in held[:2]:
        assert (await stand.approval(approval["id"]))["state"] == State.PENDING
    assert not before.done()
    assert not during.done()
    assert [stand.counted(row) for row in (shown, unseen, denied)] == [0, 0, 0]
    assert await stand.cards(people, unseen) == []
    await people.clear_faults()
    await people.wait_for_connections(1, timeout=WITHIN)
    for row, client in ((shown, before), (unseen, during)):
        await people.click(await stand.card(people, row), APPROVE, as_="ana.silva", channel=APPROVALS)
        await runs(client)
        await stand.card(people, row, "Approved and released")
        assert stand.counted(row) == 1
    assert await stand.cards(people, denied) == [], "what was settled before anybody saw it needs no card"


async def test_a_transcript_is_neither_doubled_nor_torn_by_faults(
    stand: Stand, people: WorkspaceClient
) -> None:
    token, row = stand.gateway.token(), stand.counter()
    connection = await stand.agent(token)
    await people.add_fault("lost_answer", method="chat.postMessage", times=2)
    for number in range(12):
        await connection.fetch(f"SELECT '{row}-{number}-'")
        if number == 4:
            await struck(people)
            await people.add_fault("rate_limited", method="chat.postMessage", retry_after=1)
            await people.add_fault("server_error", method="conversations.replies", times=1)
    await connection.close()

    async def whole() -> list[str]:
        for root in await people.messages(AUDIT):
            said = [text_of(one) for one in await people.messages(AUDIT, thread_ts=root["ts"])]
            if row in "".join(said) and "End of session" in "".join(said):
                return said
        return []

    said = "\n".join(await people.wait_for(whole, timeout=WITHIN, what="the thread"))
    assert [said.count(f"SELECT '{row}-{number}-'") for number in range(12)] == [1] * 12


async def test_signed_requests_over_http(shop: tuple[Postgres, Account], tmp_path: Path) -> None:
    with standing(tmp_path, *shop, signed=True) as signed:
        async with signed.people() as people:
            await signed.start_bot(people)
            token, row = signed.gateway.token(), signed.counter()
            client = await signed.asks(token, increment(row))
            card = await signed.card(people, row)
            held = await signed.pending(row)
            await people.add_fault("clock_skew", envelope="interactive", seconds=-600.0)
            with pytest.raises(WorkspaceError, match="http_error"):
                await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
            assert (await signed.approval(held["id"]))["votes"] == []
            await people.add_fault("duplicate", envelope="interactive")
            await people.click(card, APPROVE, as_="ana.silva", channel=APPROVALS)
            await runs(client)
            settled = await signed.card(people, row, "Approved and released")
            assert list(actions_of(settled)) == []
            assert len((await signed.approval(held["id"]))["votes"]) == 1
            assert signed.counted(row) == 1
            denied = signed.counter()
            client = await signed.asks(token, increment(denied))
            await people.click(await signed.card(people, denied), DENY, as_="ana.silva", channel=APPROVALS)
            view = await people.wait_for_view(as_="ana.silva", timeout=WITHIN)
            await people.submit(view, {REASON_INPUT: "not over HTTP either"}, as_="ana.silva")
            await asyncio.wait([client], timeout=WITHIN)
            assert "not over HTTP either" in str(client.exception())
