from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.changes import Feed
from gateway.contract import Announcement, SessionView, State
from gateway.store.embedded import EmbeddedStore
from tests.approvals.conftest import LINEAGE_VIEW
from tests.approvals.test_table import approval


@pytest.fixture
async def store(tmp_path):
    store = EmbeddedStore.open(tmp_path)
    yield store
    await store.close()


@pytest.fixture
async def feed(store):
    feed = Feed(store, kept=8)
    await feed.start()
    return feed


def session(session_id="s1", **changes):
    return SessionView(
        **{
            "id": session_id,
            "connection": "orders",
            "protocol": "postgres",
            "lineage": LINEAGE_VIEW,
            "client": "",
            "opened_at": 1.0,
            **changes,
        }
    )


def told(changes):
    return [(change.approval or change.session or change.announcement).id for change in changes.changes]


async def test_a_follower_that_has_nothing_gets_all_that_is_live(feed):
    feed.publish(approval=replace(approval(), id="a1"))
    feed.publish(approval=replace(approval(), id="a2"))
    feed.publish(approval=replace(approval(State.DENIED), id="a2", version=9))
    feed.publish(session=session("s1"))
    feed.publish(session=session("s2", closed_at=2.0))
    feed.publish(announcement=Announcement(id="n1", at=1.0, level="warning", text="x"))
    changes = await feed.after(0, 0)
    assert told(changes) == ["s1", "a1"]
    assert changes.next == feed.last
    mentioned = await feed.after(0, 0, noted=lambda name: name in {"a2", "s2"})
    assert told(mentioned) == ["s2", "s1", "a2", "a1"]
    assert (await feed.after(changes.next, 0)).changes == ()


async def test_nothing_live_is_an_answer_too_and_never_a_reason_to_ask_at_once_again(feed):
    changes = await feed.after(0, 10)
    assert changes.changes == ()
    assert changes.next > 0


async def test_changes_come_in_order_and_only_the_newest_of_each(feed):
    start = feed.last
    feed.publish(session=session("s1"))
    feed.publish(approval=replace(approval(), version=1))
    feed.publish(session=session("s1", commands=2))
    feed.publish(approval=replace(approval(), version=2))
    changes = await feed.after(start, 0)
    assert [(change.seq - start) for change in changes.changes] == [3, 4]
    assert changes.changes[0].session.commands == 2
    assert changes.next == start + 4
    assert [change.seq for change in (await feed.after(start + 3, 0)).changes] == [start + 4]


async def test_an_older_version_that_comes_late_is_left_out(feed):
    feed.publish(approval=approval(State.DENIED, version=5))
    number = feed.last
    feed.publish(approval=approval(version=4))
    assert feed.last == number


async def test_everybody_who_waits_is_woken_by_the_next_change(feed):
    start = feed.last
    polls = [asyncio.create_task(feed.after(start, 30)) for _ in range(3)]
    await asyncio.sleep(0)
    feed.publish(session=session())
    async with asyncio.timeout(60):
        assert [told(await poll) for poll in polls] == [["s1"]] * 3
    assert not feed._waiters


async def test_a_follower_that_goes_away_leaves_nothing_behind(feed):
    poll = asyncio.create_task(feed.after(feed.last, 30))
    await asyncio.sleep(0)
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll
    assert not feed._waiters


async def test_who_is_too_far_behind_or_ahead_gets_the_present_state(feed):
    start = feed.last
    for number in range(20):
        feed.publish(session=session("s1", commands=number))
    for after in (start, start + 11, feed.last + 1, 2**50):
        changes = await feed.after(after, 30)
        assert (told(changes), changes.next) == (["s1"], feed.last)
    assert [change.seq for change in (await feed.after(start + 12, 0)).changes] == [feed.last]


async def test_numbers_never_go_back_over_a_restart_however_sudden(store, tmp_path):
    seen = 0
    for _ in range(3):
        feed = Feed(store)
        await feed.start()
        assert feed.last > seen
        for _ in range(5):
            feed.publish(session=session())
        seen = feed.last
        changes = await Feed(store).after(seen, 0)
        assert changes.next > seen


async def test_a_new_block_of_numbers_is_reserved_long_before_the_old_one_is_used_up(store, monkeypatch):
    monkeypatch.setattr("gateway.changes.BLOCK", 10)
    feed = Feed(store)
    await feed.start()
    for _ in range(100):
        feed.publish(session=session())
        await store.commit()
        assert store.get("feed", "numbers")["reserved"] >= feed.last + 4


async def test_stopping_lets_everybody_go_and_nobody_wait_again(feed):
    poll = asyncio.create_task(feed.after(feed.last, 30))
    await asyncio.sleep(0)
    feed.stop()
    async with asyncio.timeout(60):
        assert (await poll).changes == ()
        assert (await feed.after(feed.last, 30)).changes == ()


async def test_settled_approvals_of_an_earlier_life_are_remembered(feed):
    feed.restore([approval(State.SPENT, version=7)])
    assert told(await feed.after(0, 0, noted=lambda _: True)) == ["a1"]
    feed.publish(approval=approval(version=3))
    assert told(await feed.after(0, 0)) == []
