"""The room where held commands wait: votes, quorum, shared cards, what has to be opened first, and what is refused."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from gateway.approvals import AlreadySettled, HoldRefused, NotEligible, NotFound, ReviewFirst, Stale
from gateway.contract import CARD_TEXT, Choice, ElevationView, Estimate, State
from gateway.model import Ask
from tests.approvals.voting import journalled, settled, vote

from .conftest import view


async def test_a_held_command_is_durable_when_hold_returns_and_released_once_when_approved(house):
    waiting = await house.hold()
    approval = waiting.approval
    assert approval.state is State.PENDING
    assert house.store.get("approvals", approval.id)["text"] == "UPDATE orders SET paid = true"
    after = await vote(house, approval.id)
    assert after.state is State.SPENT
    assert (await settled(waiting)).state is State.SPENT
    assert house.store.get("approvals", approval.id) is None
    assert [each["state"] for each in journalled(house)] == ["spent"]
    assert after.votes[0].groups == ("dba",)
    assert after.votes[0].through == "slack"


async def test_one_denial_settles_and_the_reason_reaches_who_waits(house):
    waiting = await house.hold(asks=(Ask(rule="r", approvers="dba", quorum=3),))
    await vote(house, waiting.approval.id, choice=Choice.DENY, reason="wrong table")
    outcome = await settled(waiting)
    assert (outcome.state, outcome.reason) == (State.DENIED, "wrong table")


async def test_a_kill_denies_and_calls_the_killer_after_the_denial(house):
    waiting = await house.hold()
    after = await vote(house, waiting.approval.id, choice=Choice.KILL)
    assert after.state is State.DENIED
    assert house.killed == [after.id]


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ("dana@example.com", "accountable"),
        ("DANA@Example.com ", "accountable"),
        ("ｄana@example.com", "accountable"),
        ("migrator", "chain"),
        ("MIGRATOR", "chain"),
        ("nightly", "agent"),
        ("lee@example.com", "not in a group"),
        ("nobody@example.com", "not in a group"),
        ("", "needs a person"),
        ("  ", "needs a person"),
    ],
)
@pytest.mark.parametrize("choice", list(Choice))
async def test_nobody_in_the_chain_approves_and_nobody_who_was_not_asked(house, person, why, choice):
    waiting = await house.hold()
    with pytest.raises(NotEligible, match=why):
        await vote(house, waiting.approval.id, person, choice)
    with pytest.raises(NotEligible, match=why):
        house.approvals.whole_text(waiting.approval.id, person)
    assert house.approvals.get(waiting.approval.id).votes == ()


async def test_membership_ignores_the_case_of_letters(house):
    waiting = await house.hold()
    assert (await vote(house, waiting.approval.id, "KIM@EXAMPLE.COM")).state is State.SPENT


async def test_the_bot_vouches_only_for_groups_that_the_policy_ties_to_slack(house):
    waiting = await house.hold(asks=(Ask(rule="r", approvers="oncall"),))
    with pytest.raises(NotEligible):
        await vote(house, waiting.approval.id, "kay@example.com")
    assert (
        await vote(house, waiting.approval.id, "kay@example.com", vouched=frozenset({"oncall"}))
    ).state is State.SPENT
    waiting = await house.hold()
    with pytest.raises(NotEligible):
        await vote(house, waiting.approval.id, "kay@example.com", vouched=frozenset({"dba"}))
    waiting = await house.hold("another", asks=(Ask(rule="default", approvers="*"),))
    assert (await vote(house, waiting.approval.id, "lee@example.com")).state is State.SPENT


async def test_a_person_counts_once_however_often_and_however_written(house):
    waiting = await house.hold(asks=(Ask(rule="r", approvers="dba", quorum=2),))
    approval_id = waiting.approval.id
    first = await vote(house, approval_id)
    again = await vote(house, approval_id)
    assert again == first
    assert (await vote(house, approval_id, "SAM@example.com")) == first
    assert len(first.votes) == 1
    assert (await vote(house, approval_id, "kim@example.com", seen=2)).state is State.SPENT


async def test_two_asks_need_two_people_even_where_one_is_in_both_groups(house):
    waiting = await house.hold(asks=(Ask(rule="a", approvers="dba"), Ask(rule="b", approvers="security")))
    approval_id = waiting.approval.id
    assert (await vote(house, approval_id, "both@example.com")).state is State.PENDING
    assert (await vote(house, approval_id, "lee@example.com", seen=2)).state is State.SPENT


async def test_late_clicks_hear_how_it_ended_and_change_nothing(house):
    waiting = await house.hold()
    approval_id = waiting.approval.id
    ended = await vote(house, approval_id)
    assert await vote(house, approval_id) == ended
    for choice in (Choice.APPROVE, Choice.DENY, Choice.KILL):
        with pytest.raises(AlreadySettled, match="already spent"):
            await vote(house, approval_id, "kim@example.com", choice)
    assert house.killed == []
    assert len(journalled(house)) == 1
    with pytest.raises(AlreadySettled):
        house.approvals.whole_text(approval_id, "sam@example.com")
    with pytest.raises(NotFound):
        await vote(house, "nonesuch")


async def test_votes_that_race_settle_it_once(house):
    waiting = await house.hold()
    results = await asyncio.gather(
        *(
            vote(house, waiting.approval.id, person)
            for person in ("sam@example.com", "kim@example.com", "both@example.com")
        ),
        vote(house, waiting.approval.id, "sam@example.com"),
        vote(house, waiting.approval.id, "kim@example.com", Choice.DENY),
        return_exceptions=True,
    )
    won = [each for each in results if not isinstance(each, Exception)]
    assert {each.state for each in won} == {State.SPENT}
    assert {each.settled_by for each in won} == {"sam@example.com"}
    assert all(isinstance(each, AlreadySettled) for each in results if each not in won)
    assert len(journalled(house)) == 1


async def test_identical_commands_share_one_approval_and_are_released_together(house):
    first, second, third = [await house.hold(session_id=f"s{number}") for number in range(3)]
    assert first.approval.id == second.approval.id == third.approval.id
    assert third.approval.waiting == 3
    await vote(house, first.approval.id, seen=third.approval.version)
    outcomes = await asyncio.gather(*map(settled, (first, second, third)))
    assert {(each.state, each.version) for each in outcomes} == {(State.SPENT, outcomes[0].version)}
    assert len(journalled(house)) == 1


async def test_another_text_lineage_connection_or_question_is_another_approval(house):
    first = await house.hold()
    ids = {
        first.approval.id,
        (await house.hold("DELETE FROM orders")).approval.id,
        (await house.hold(lineage_key="another chain")).approval.id,
        (await house.hold(asks=(Ask(rule="writes", approvers="dba", quorum=2),))).approval.id,
    }
    assert len(ids) == 4


async def test_a_vote_on_a_card_that_showed_fewer_runs_is_stale_but_a_denial_never_is(house):
    first = await house.hold()
    seen = first.approval.version
    second = await house.hold(session_id="s2")
    with pytest.raises(Stale):
        await vote(house, first.approval.id, seen=seen)
    with pytest.raises(Stale):
        await vote(house, first.approval.id, seen=second.approval.version + 1)
    assert (await vote(house, first.approval.id, choice=Choice.DENY, seen=seen)).state is State.DENIED


async def test_another_estimate_makes_a_vote_stale(house):
    waiting = await house.hold()
    await house.approvals.measured(waiting.approval.id, Estimate(rows=70_000))
    with pytest.raises(Stale):
        await vote(house, waiting.approval.id)
    assert (await vote(house, waiting.approval.id, seen=2)).estimate.rows == 70_000
    await house.approvals.measured(waiting.approval.id, Estimate(rows=1))


async def test_an_impatient_client_that_comes_back_finds_its_approval_and_its_vote_still_fits(house):
    waiting = await house.hold()
    seen = waiting.approval.version
    waiting.leave(withdraw=False)
    waiting.leave(withdraw=False)
    assert house.approvals.get(waiting.approval.id).waiting == 0
    again = await house.hold()
    assert again.approval.id == waiting.approval.id
    assert again.approval.waiting == 1
    assert (await vote(house, again.approval.id, seen=seen)).state is State.SPENT
    assert (await settled(again)).state is State.SPENT


async def test_what_was_approved_meanwhile_is_spent_by_the_first_who_comes_back_and_no_other(house):
    waiting = await house.hold()
    waiting.leave(withdraw=False)
    approved = await vote(house, waiting.approval.id)
    assert approved.state is State.APPROVED
    house.now += 600
    await house.approvals.sweep()
    first, second = await asyncio.gather(house.hold(), house.hold())
    assert first.approval.state is State.SPENT
    assert first.approval.id == waiting.approval.id
    assert second.approval.state is State.PENDING
    assert second.approval.id != waiting.approval.id


@pytest.mark.parametrize(
    "text",
    ["x" * (CARD_TEXT + 1), "SELECT 1 \u202e--", "SELECT 1\x08", "a\u200bb", "a\U000e0041", "a\x1b[2K"],
)
async def test_what_a_card_cannot_show_is_only_approved_once_it_was_opened(house, text):
    waiting = await house.hold(text)
    approval_id = waiting.approval.id
    assert waiting.approval.review_required
    for proof in ("", "ü", "0" * 64):
        with pytest.raises(ReviewFirst):
            await vote(house, approval_id, opened=proof)
    whole = house.approvals.whole_text(approval_id, "Sam@example.com")
    assert whole.text == text
    with pytest.raises(ReviewFirst):
        await vote(house, approval_id, "kim@example.com", opened=whole.opened)
    other = await house.hold(text + "!")
    with pytest.raises(ReviewFirst):
        await vote(house, other.approval.id, opened=whole.opened)
    assert (await vote(house, approval_id, opened=whole.opened)).state is State.SPENT
    assert (await vote(house, other.approval.id, choice=Choice.DENY)).state is State.DENIED


async def test_what_is_masked_on_the_card_is_opened_first_and_is_nowhere_but_in_the_store(house):
    secret = "UPDATE users SET password = 'hunter2'"
    shown = view("UPDATE users SET password = ⟦secret⟧", masked=True)
    waiting = await house.hold(secret, view=shown, whole_parameters=("hunter2",))
    assert waiting.approval.review_required
    assert house.approvals.whole_text(waiting.approval.id, "sam@example.com").parameters == ("hunter2",)
    assert b"hunter2" in (house.directory / "live.json").read_bytes()
    await vote(house, waiting.approval.id, choice=Choice.DENY)
    assert b"hunter2" not in (house.directory / "live.json").read_bytes()
    for path in (house.directory / "journal").iterdir():
        assert b"hunter2" not in path.read_bytes()
    assert "hunter2" not in str(await house.feed.after(0, 0))
    assert "hunter2" not in repr(waiting._live)


async def test_a_proof_survives_a_restart(house):
    waiting = await house.hold("x" * 3_000)
    whole = house.approvals.whole_text(waiting.approval.id, "sam@example.com")
    await house.restart()
    approval = house.approvals.get(waiting.approval.id)
    assert (
        await vote(house, approval.id, seen=approval.version, opened=whole.opened)
    ).state is State.APPROVED


async def test_too_much_to_hold_is_refused(house, monkeypatch):
    monkeypatch.setattr("gateway.approvals.capacity.LIVE_MOST", 2)
    await house.hold("1")
    await house.hold("2")
    await house.hold("2")
    with pytest.raises(HoldRefused):
        await house.hold("3")
    monkeypatch.setattr("gateway.approvals.capacity.LIVE_MOST", 10)
    monkeypatch.setattr("gateway.approvals.capacity.LINEAGE_MOST", 2)
    with pytest.raises(HoldRefused, match="of this agent"):
        await house.hold("3")
    third = await house.hold("3", lineage_key="another chain")
    await vote(house, third.approval.id, choice=Choice.DENY)
    await house.hold("4", lineage_key="another chain")
    monkeypatch.setattr("gateway.approvals.capacity.LINEAGE_MOST", 10)
    monkeypatch.setattr("gateway.approvals.capacity.TEXT_MOST", 100)
    with pytest.raises(HoldRefused):
        await house.hold("x" * 200)


async def test_two_thousand_held_at_once_are_all_decided(house):
    held = await asyncio.gather(*(house.hold(f"UPDATE t SET x = {number}") for number in range(2_000)))
    assert len({waiting.approval.id for waiting in held}) == 2_000
    await asyncio.gather(*(vote(house, waiting.approval.id) for waiting in held))
    outcomes = await asyncio.gather(*map(settled, held))
    assert {each.state for each in outcomes} == {State.SPENT}
    assert house.approvals.open() == []


async def test_the_labels_and_the_operators_sentence_are_on_the_approval(house):
    approval = (await house.hold()).approval
    assert approval.labels == {"env": "prod"}
    assert (approval.message, approval.channel, approval.connection) == (
        "A DBA looks.",
        "#approvals",
        "orders",
    )
    assert dataclasses.asdict(approval.asks[0]) == {
        "rule": "writes",
        "approvers": "dba",
        "quorum": 1,
        "also": "",
        "step_up": None,
    }


WISH = ElevationView(
    asked_by="dana@example.com", effects=("write",), seconds=60.0, commands=1, reason="order 7"
)


async def test_what_the_policy_waives_is_settled_as_it_opens_and_recorded(house):
    waiting = await house.hold("elevate", asks=(), elevation=WISH, waived="within bounds")
    settled = await waiting.outcome()
    assert (settled.state, settled.reason, settled.votes) == (State.SPENT, "within bounds", ())
    assert house.approvals.open() == []
    assert house.store.all("approvals") == {}
    await house.restart()
    assert house.approvals.get(settled.id) == settled


async def test_a_command_is_never_waived(house):
    with pytest.raises(ValueError, match="by people"):
        await house.hold(waived="no reason")
    assert house.approvals.open() == []
