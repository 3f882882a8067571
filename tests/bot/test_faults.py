"""Slack and the gateway fail in every way they know; nothing is doubled, lost or approved by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.card_ids import APPROVE, DENY, REASON_INPUT, REVIEW
from bot.workspace.client import WorkspaceClient, text_of
from bot.workspace.seed import Rate
from gateway.contract import Announcement, State
from tests.bot.conftest import ANA, APPROVALS, QUICK, StartBot, card_of
from tests.bot.examples import approval, command
from tests.bot.fake_gateway import FakeGateway


async def cards_shown(people: WorkspaceClient) -> list[dict]:
    return [one for one in await people.messages(APPROVALS) if "On whose behalf" in text_of(one)]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limited", "method": "chat.postMessage", "retry_after": 1},
        {"kind": "server_error", "method": "chat.postMessage", "times": 3, "status": 503},
        {"kind": "server_error", "method": "conversations.list", "times": 2, "status": 500},
        {"kind": "lost_answer", "method": "chat.postMessage"},
        {"kind": "api_error", "method": "chat.postMessage", "error": "fatal_error"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault['method']}",
)
async def test_a_post_that_fails_ends_in_one_card(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, fault: dict
) -> None:
    await people.add_fault(**fault)
    async with start_bot():
        await card_of(gateway, people, approval())
        await gateway.publish(replace(approval(), version=2, state=State.EXPIRED))
        await people.wait_for_message(APPROVALS, lambda one: "Expired" in text_of(one))
    assert len(await cards_shown(people)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limited", "method": "chat.update", "retry_after": 1},
        {"kind": "server_error", "method": "chat.update", "times": 3},
        {"kind": "lost_answer", "method": "chat.update"},
    ],
    ids=lambda fault: fault["kind"],
)
async def test_an_edit_that_fails_is_made_again(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, fault: dict
) -> None:
    async with start_bot():
        await card_of(gateway, people, approval())
        await people.add_fault(**fault)
        await gateway.publish(replace(approval(), version=2, state=State.EXPIRED))
        await people.wait_for_message(APPROVALS, lambda one: "Expired" in text_of(one))


@pytest.mark.parametrize("error", ["edit_window_closed", "message_not_found", "cant_update_message"])
async def test_a_card_that_can_no_longer_be_edited_is_posted_anew_while_it_waits(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, error: str
) -> None:
    async with start_bot():
        first = await card_of(gateway, people, approval())
        await people.add_fault("api_error", method="chat.update", error=error)
        await gateway.publish(replace(approval(), version=2, waiting=3))
        second = await people.wait_for_message(APPROVALS, lambda one: "3 clients wait" in text_of(one))
        assert second["ts"] != first["ts"]
        await gateway.publish(replace(approval(), version=3, state=State.EXPIRED))
        expired = await people.wait_for_message(APPROVALS, lambda one: "Expired" in text_of(one))
    assert expired["ts"] == second["ts"]


async def test_a_click_that_came_too_late_for_a_form_is_to_be_made_again(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        await people.add_fault("api_error", method="views.open", error="expired_trigger_id")
        await people.click(card, REVIEW, as_=ANA, channel=APPROVALS)
        said = await people.wait_for_message(APPROVALS, lambda one: "click again" in text_of(one), as_=ANA)
        assert said["is_ephemeral"]
        await people.click(card, REVIEW, as_=ANA, channel=APPROVALS)
        await people.wait_for_view(lambda view: "exactly as they would run" in text_of(view), as_=ANA)


async def test_nobody_is_told_of_trouble_who_closed_a_form_before_it_was_filled(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        await people.add_fault("api_error", method="views.update", error="not_found")
        await people.click(card, REVIEW, as_=ANA, channel=APPROVALS)
        await people.wait_for_view(lambda view: "Asking the gateway" in text_of(view), as_=ANA)
    # The bot has ended, and with it all that it was about to say.
    assert not any(one.get("is_ephemeral") for one in await people.messages(APPROVALS, as_=ANA))


async def test_a_card_deleted_by_hand_comes_back_while_it_waits(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        first = await card_of(gateway, people, approval())
        await people.delete(APPROVALS, first["ts"], as_=ANA)
        await gateway.publish(replace(approval(), version=2, waiting=2))
        await people.wait_for_message(APPROVALS, lambda one: "2 clients wait" in text_of(one))


@pytest.mark.parametrize("how", ["cut", "refresh", "warning"])
async def test_a_cut_socket_is_replaced_and_clicks_go_on(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, how: str
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval(), connections=2)
        await people.sockets(how)
        await people.wait_for_connections(1)
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))


async def test_a_click_that_is_delivered_twice_is_one_vote(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval(), connections=2)
        await people.add_fault("duplicate", envelope="interactive")
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))
    assert len(gateway.votes) == 1


async def test_a_late_click_is_refused_in_a_sentence(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        # The edit that takes the buttons away is held back, as a slow Slack would.
        await people.add_fault("latency", method="chat.update", seconds=1.0)
        await gateway.publish(replace(approval(), version=2, state=State.EXPIRED, settled_by="the clock"))
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        await people.wait_for_message(APPROVALS, lambda one: "Too late" in text_of(one), as_=ANA)


async def test_a_card_drawn_for_another_text_approves_nothing(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot() as bot:
        card = await card_of(gateway, people, approval())
        swapped = replace(approval(), version=5, command=command("DROP TABLE orders"))
        gateway.approvals["apr-1"] = swapped
        bot.desk.board.remember(swapped)
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        await people.wait_for_message(APPROVALS, lambda one: "has changed since" in text_of(one), as_=ANA)
    assert gateway.votes == []


async def test_a_gateway_that_is_away_is_said_and_followed_again(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        gateway.fail("POST /v1/approvals/apr-1/votes")
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        await people.wait_for_message(APPROVALS, lambda one: "cannot be reached" in text_of(one), as_=ANA)
        for _ in range(3):
            gateway.fail("GET /v1/changes")
        await gateway.publish(replace(approval(), version=2, waiting=2))
        await people.wait_for_message(APPROVALS, lambda one: "2 clients wait" in text_of(one))


async def test_a_modal_of_a_gateway_that_is_away_says_so(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        gateway.fail("GET /v1/approvals/apr-1/text")
        await people.click(card, "countersign.review", as_=ANA, channel=APPROVALS)
        await people.wait_for_view(lambda view: "cannot be reached" in text_of(view), as_=ANA)


async def test_a_vote_from_a_modal_that_is_refused_is_said_where_the_card_is(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        await people.click(card, DENY, as_=ANA, channel=APPROVALS)
        modal = await people.wait_for_view(as_=ANA)
        await gateway.publish(replace(approval(), version=2, state=State.EXPIRED, settled_by="the clock"))
        await people.submit(modal, {REASON_INPUT: "no"}, as_=ANA)
        await people.wait_for_message(APPROVALS, lambda one: "Too late" in text_of(one), as_=ANA)


async def test_an_announcement_is_posted_once(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    said = Announcement(id="ann-1", at=1.0, level="error", text="policies.yaml:3:1: <!everyone> unknown key")
    async with start_bot():
        await gateway.publish(said)
        await people.wait_for_message(APPROVALS, lambda one: "unknown key" in text_of(one))
    gateway.notes.pop("follower", None)
    async with start_bot() as bot:
        await gateway.publish(replace(said, id="ann-2", text="policies.yaml is fine again"))
        await people.wait_for_message(APPROVALS, lambda one: "fine again" in text_of(one))
        async with asyncio.timeout(60):
            while bot.follower.done < 2:
                await asyncio.sleep(0.01)
    assert len(await people.messages(APPROVALS)) == 2


class TestUnderStrictRates:
    """The workspace answers 429 to everything that is faster than Slack's written limits."""

    @pytest.fixture
    def rate(self) -> Rate:
        return Rate.STRICT

    async def test_a_burst_of_cards_never_meets_a_429(
        self, gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
    ) -> None:
        async with start_bot(replace(QUICK, pace=replace(QUICK.pace, between_posts=1.05))):
            for number in range(3):
                await gateway.publish(approval(f"apr-{number}"))
                await gateway.publish(replace(approval(f"apr-{number}"), version=2, waiting=2))
            await people.wait_for(
                lambda: _enough(people, 3), timeout=60, what="three cards that show two clients"
            )
        assert len(await cards_shown(people)) == 3


async def _enough(people: WorkspaceClient, number: int) -> bool:
    return sum("2 clients wait" in text_of(one) for one in await cards_shown(people)) == number
