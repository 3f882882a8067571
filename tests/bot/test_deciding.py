"""People decide in Slack: a real bot over Socket Mode between a local workspace and the contract."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.card_ids import APPROVE, DENY, KILL, REASON_INPUT, REVIEW
from bot.workspace.client import WorkspaceClient, actions_of, text_of
from gateway.contract import AskView, Choice, Refusal, State, StepUpView, WholeText
from tests.bot.conftest import ANA, APPROVALS, BEN, MARIA, SAM, StartBot, card_of
from tests.bot.examples import approval, command
from tests.bot.fake_gateway import FakeGateway


def buttons(message: dict) -> list[str]:
    return [one["action_id"] for one in actions_of(message)]


def is_card(message: dict) -> bool:
    return "approval" in (message.get("metadata") or {}).get("event_payload", {}) or "Waiting" in text_of(
        message
    )


async def test_a_held_command_becomes_a_card_and_a_click_approves_it(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        await gateway.publish(approval())
        card = await people.wait_for_message(APPROVALS, lambda one: bool(buttons(one)), as_=ANA)
        assert buttons(card) == [APPROVE, REVIEW, DENY, KILL]
        await people.wait_for_connections(1)
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        settled = await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))
    assert settled["ts"] == card["ts"]
    assert buttons(settled) == []
    [(approval_id, vote)] = gateway.votes
    assert (approval_id, vote.person, vote.choice, vote.seen_version) == (
        "apr-1",
        "ana.silva@example.com",
        Choice.APPROVE,
        1,
    )
    assert vote.groups == ("dba",)


async def test_the_person_at_the_root_is_told_directly(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        direct = await people.direct("U0COUNTERSIGN", as_=MARIA)
        told = await people.wait_for_message(direct, as_=MARIA)
    assert "Approved and released" in text_of(told)
    assert "migrator" in text_of(told)


async def test_a_person_without_a_slack_user_is_told_in_the_thread(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    held = approval(lineage=replace(approval().lineage, person="cron@example.com"))
    async with start_bot():
        card = await card_of(gateway, people, held)
        await gateway.publish(replace(held, version=2, state=State.EXPIRED, settled_at=1_700_000_900.0))
        told = await people.wait_for_message(
            APPROVALS, lambda one: "Expired" in text_of(one) and one["ts"] != card["ts"], thread_ts=card["ts"]
        )
    assert told["thread_ts"] == card["ts"]


async def test_deny_asks_for_a_reason_and_the_card_shows_it(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval(review_required=True))
        assert APPROVE not in buttons(card)
        await people.click(card, DENY, as_=BEN, channel=APPROVALS)
        modal = await people.wait_for_view(as_=BEN)
        await people.submit(modal, {REASON_INPUT: "not on a Friday <!channel>"}, as_=BEN)
        settled = await people.wait_for_message(APPROVALS, lambda one: "not on a Friday" in text_of(one))
    assert gateway.votes[0][1].choice is Choice.DENY
    assert gateway.votes[0][1].reason == "not on a Friday <!channel>"
    assert buttons(settled) == []


async def test_a_long_command_is_approved_only_after_opening_it(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    long = "UPDATE orders SET status = 'paid' WHERE id IN (" + ", ".join(map(str, range(1_000))) + ")"
    async with start_bot():
        card = await card_of(gateway, people, approval(command=command(long), review_required=True))
        assert buttons(card) == [REVIEW, DENY, KILL]
        await people.click(card, REVIEW, as_=ANA, channel=APPROVALS)
        modal = await people.wait_for_view(lambda view: "Digest" in text_of(view), as_=ANA)
        assert "999)" in text_of(modal)
        await people.submit(modal, as_=ANA)
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))
    assert gateway.votes[0][1].opened == "proof-ana.silva@example.com"


async def test_what_does_not_fit_a_modal_is_sent_as_a_file(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    huge = "SELECT " + ", ".join(f"column_{number}" for number in range(3_000))
    async with start_bot():
        card = await card_of(gateway, people, approval(command=command(huge), review_required=True))
        await people.click(card, REVIEW, as_=ANA, channel=APPROVALS)
        modal = await people.wait_for_view(lambda view: "Digest" in text_of(view), as_=ANA)
        direct = await people.direct("U0COUNTERSIGN", as_=ANA)
        sent = await people.wait_for_message(direct, lambda one: bool(one.get("files")), as_=ANA)
        assert await people.file(sent["files"][0]["id"]) == huge
        await people.submit(modal, as_=ANA)
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))


async def test_masked_text_that_does_not_fit_stays_out_of_slack_and_cannot_be_approved_there(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    secret = "SELECT 'hunter2', " + ", ".join(f"column_{number}" for number in range(3_000))
    shown = command("SELECT '***', " + "x" * 3_000, masked=True)
    held = approval(command=shown, review_required=True)
    gateway.texts[held.id] = WholeText(
        text=secret, parameters=(), digest=shown.digest, words=shown.words, opened=""
    )
    async with start_bot():
        card = await card_of(gateway, people, held)
        assert "masked here" in text_of(card)
        await people.click(card, REVIEW, as_=ANA, channel=APPROVALS)
        modal = await people.wait_for_view(lambda view: "Digest" in text_of(view), as_=ANA)
    assert modal.get("submit") is None
    assert "countersign approvals approve apr-1" in text_of(modal)


async def test_a_kill_shows_first_how_much_it_stops(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        await people.click(card, KILL, as_=ANA, channel=APPROVALS)
        modal = await people.wait_for_view(lambda view: "2 agents, 2 open sessions" in text_of(view), as_=ANA)
        assert gateway.votes == []
        await people.submit(modal, {REASON_INPUT: "runaway"}, as_=ANA)
        await people.wait_for_message(APPROVALS, lambda one: "Denied and killed" in text_of(one))
    assert gateway.votes[0][1].choice is Choice.KILL


async def test_two_votes_of_two_people_are_counted_on_the_card(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    two = (AskView(rule="writes-need-dbas", approvers="dba", quorum=2),)
    async with start_bot():
        card = await card_of(gateway, people, approval(asks=two))
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        half = await people.wait_for_message(APPROVALS, lambda one: "1 of 2 from" in text_of(one))
        await people.click(half, APPROVE, as_=BEN, channel=APPROVALS)
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))
    assert [vote.seen_version for _, vote in gateway.votes] == [1, 2]


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        ("not_eligible", "You cannot decide this: because of"),
        ("already_settled", "Too late"),
        ("stale", "has changed since you saw it"),
        ("review_first", "Open it with Review first"),
        ("login_first", "needs a fresh login"),
        ("not_found", "knows nothing by that id"),
        ("bad_request", "did not understand the bot"),
    ],
)
async def test_a_refusal_is_one_sentence_that_only_the_voter_sees(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, refusal: str, sentence: str
) -> None:
    gateway.refuse_votes = Refusal(error=refusal, message="because of <!here> rules")
    async with start_bot():
        card = await card_of(gateway, people, approval())
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        said = await people.wait_for_message(APPROVALS, lambda one: sentence in text_of(one), as_=ANA)
        assert said["is_ephemeral"]
        assert not any(sentence in text_of(one) for one in await people.messages(APPROVALS, as_=BEN))


async def test_who_is_nobody_to_the_gateway_is_told_so_and_no_vote_is_cast(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        card = await card_of(gateway, people, approval())
        await people.click(card, APPROVE, as_=SAM, channel=APPROVALS)
        await people.wait_for_message(APPROVALS, lambda one: "U0SAM" in text_of(one), as_=SAM)
    assert gateway.votes == []


async def test_a_yes_that_needs_a_login_gives_the_voter_alone_its_address(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    url = "https://gate.example.com/login/abc"
    gateway.refuse_votes = Refusal(error="login_first", message="needs a fresh login", url=url)
    asks = (AskView(rule="r", approvers="dba", quorum=1, step_up=StepUpView(max_age=300)),)
    async with start_bot():
        card = await card_of(gateway, people, approval(asks=asks))
        assert "each with a fresh login" in text_of(card)
        await people.click(card, APPROVE, as_=ANA, channel=APPROVALS)
        said = await people.wait_for_message(APPROVALS, lambda one: url in json.dumps(one), as_=ANA)
        assert said["is_ephemeral"]
        assert not any(url in json.dumps(one) for one in await people.messages(APPROVALS, as_=BEN))
