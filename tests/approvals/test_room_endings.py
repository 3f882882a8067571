"""How held commands end without a vote that lets them run: time, leaving, revocation, restarts, a store that fails."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gateway.approvals import AlreadySettled
from gateway.contract import Choice, State
from gateway.model import Ask
from gateway.store import StoreFailed
from tests.approvals.voting import journalled, settled, vote

from .conftest import House


async def test_what_was_approved_and_never_fetched_expires(house):
    waiting = await house.hold()
    waiting.leave(withdraw=False)
    await vote(house, waiting.approval.id)
    house.now += 901
    fresh = await house.hold()
    assert fresh.approval.id != waiting.approval.id
    await house.approvals.stop()
    assert house.approvals.get(waiting.approval.id).state is State.EXPIRED


async def test_an_approval_nobody_spent_can_still_be_denied(house):
    waiting = await house.hold()
    waiting.leave(withdraw=False)
    await vote(house, waiting.approval.id)
    assert (await vote(house, waiting.approval.id, "kim@example.com", Choice.DENY)).state is State.DENIED
    assert (await house.hold()).approval.state is State.PENDING


async def test_nobody_waiting_for_too_long_withdraws_it(house):
    waiting = await house.hold()
    waiting.leave(withdraw=False)
    house.now += 29
    await house.approvals.sweep()
    assert house.approvals.get(waiting.approval.id).state is State.PENDING
    house.now += 2
    await house.approvals.sweep()
    ended = house.approvals.get(waiting.approval.id)
    assert (ended.state, ended.reason) == (State.WITHDRAWN, "the client left and did not come back")


async def test_who_came_back_in_time_is_not_withdrawn_by_the_old_deadline(house):
    waiting = await house.hold()
    waiting.leave(withdraw=False)
    again = await house.hold()
    house.now += 31
    await house.approvals.sweep()
    assert again.approval.state is State.PENDING


async def test_a_cancel_request_withdraws_at_once_unless_somebody_else_waits(house):
    first, second = await house.hold(), await house.hold(session_id="s2")
    first.leave(withdraw=True)
    assert second.approval.state is State.PENDING
    second.leave(withdraw=True)
    await house.approvals.stop()
    ended = house.approvals.get(first.approval.id)
    assert (ended.state, ended.reason) == (State.WITHDRAWN, "the client took it back")
    assert journalled(house)[0]["state"] == "withdrawn"


async def test_who_waits_for_the_outcome_is_cancelled_when_its_place_is_left(house):
    waiting = await house.hold()
    outcome = asyncio.create_task(waiting.outcome())
    await asyncio.sleep(0)
    waiting.leave(withdraw=False)
    with pytest.raises(asyncio.CancelledError):
        await outcome


async def test_a_hold_cancelled_half_way_leaves_no_place_behind(house):
    task = asyncio.create_task(house.hold())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await house.approvals.stop()
    (left,) = house.approvals.open()
    assert left.waiting == 0


async def test_its_time_is_over_by_the_scheduler(tmp_path):
    house = House(tmp_path)
    loop = asyncio.get_running_loop()
    house.clock = loop.time
    house._open(house.store)
    await house.start()
    waiting = await house.hold(within=0.05)
    other = await house.hold("another", within=0.1)
    assert (await settled(waiting)).state is State.EXPIRED
    assert (await settled(other)).state is State.EXPIRED
    await house.stop()


async def test_a_vote_after_its_time_is_too_late_even_before_the_sweep(house):
    waiting = await house.hold()
    house.now += 900
    with pytest.raises(AlreadySettled, match="already expired"):
        await vote(house, waiting.approval.id)
    assert (await settled(waiting)).state is State.EXPIRED


async def test_a_revoked_token_withdraws_what_it_asked_even_when_approved(house):
    first = await house.hold()
    second = await house.hold("another")
    second.leave(withdraw=False)
    await vote(house, second.approval.id)
    assert set(house.approvals.of_tokens({"t2"})) == {first.approval.id, second.approval.id}
    assert await house.approvals.withdraw({"unknown"}, "revoked") == []
    assert len(await house.approvals.withdraw({"t1"}, "its token was revoked")) == 2
    outcome = await settled(first)
    assert (outcome.state, outcome.reason) == (State.WITHDRAWN, "its token was revoked")
    assert (await house.hold("another")).approval.state is State.PENDING


async def test_after_a_restart_the_client_joins_what_is_pending_and_spends_what_was_approved(house):
    pending = (await house.hold("pending", asks=(Ask(rule="r", approvers="dba", quorum=2),))).approval
    await vote(house, pending.id)
    approved = await house.hold("approved")
    approved.leave(withdraw=False)
    await vote(house, approved.approval.id)
    done = await house.hold("done")
    await vote(house, done.approval.id)
    number = house.feed.last
    await house.restart()
    assert house.feed.last > number
    assert house.approvals.get(pending.id).waiting == 0
    assert len(house.approvals.get(pending.id).votes) == 1
    with pytest.raises(AlreadySettled):
        await vote(house, done.approval.id, "kim@example.com")
    again = await house.hold("pending", asks=(Ask(rule="r", approvers="dba", quorum=2),))
    assert again.approval.id == pending.id
    after = await vote(house, pending.id, "kim@example.com", seen=again.approval.version)
    assert after.state is State.SPENT
    assert (await house.hold("approved")).approval.state is State.SPENT


async def test_after_a_restart_what_nobody_comes_back_for_is_withdrawn_and_what_is_over_expires(house):
    short = await house.hold("short", within=10.0)
    long = await house.hold("long")
    house.now += 20
    await house.restart()
    assert house.approvals.get(short.approval.id).state is State.EXPIRED
    house.now += 31
    await house.approvals.sweep()
    assert house.approvals.get(long.approval.id).state is State.WITHDRAWN


async def test_when_the_store_fails_nothing_is_released_and_nothing_is_told(house, monkeypatch):
    waiting = await house.hold()

    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.store.atomic.AtomicStorage.flush", full)
    number = house.feed.last
    with pytest.raises(StoreFailed):
        await vote(house, waiting.approval.id)
    outcome = await settled(waiting)
    assert (outcome.state, outcome.reason) == (State.WITHDRAWN, "the gateway could not keep the decision")
    with pytest.raises(StoreFailed):
        await house.hold("another")
    assert house.feed.last == number
    assert journalled(house) == []
    with pytest.raises(StoreFailed):
        await house.store.close()
    monkeypatch.undo()
    house._open()
    house.scheduler.start()
    await house.feed.start()
    await house.approvals.start()
    assert house.approvals.get(waiting.approval.id).state is State.PENDING
