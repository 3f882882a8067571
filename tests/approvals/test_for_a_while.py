from __future__ import annotations

import asyncio

import pytest

from gateway.approvals import NotEligible
from gateway.contract import ActorView, Choice, LineageView, Reach, State, VoteRequest
from gateway.model import Ask, Lasting

from .conftest import LINEAGE_VIEW, ONE_DBA, House, view

ALL = Lasting(what=frozenset(Reach), longest=3_600.0, commands=50)
TWO_DBAS = (Ask(rule="writes", approvers="dba", quorum=2),)
CHILD = LineageView(
    person="dana@example.com", chain=(*LINEAGE_VIEW.chain, ActorView(name="helper", token_id="t3"))
)
SIBLING = LineageView(
    person="dana@example.com",
    chain=(LINEAGE_VIEW.chain[0], ActorView(name="other", token_id="t9")),
)


async def vote(
    house, waiting, person="sam@example.com", reach=None, *, seconds=600.0, commands=10, **changes
):
    request = VoteRequest(
        person=person,
        choice=Choice.APPROVE,
        seen_version=waiting.approval.version,
        reach=reach,
        seconds=seconds,
        commands=commands,
        **changes,
    )
    return await house.approvals.vote(waiting.approval.id, request, through="slack")


async def four(house, **changes):
    """The one that is voted on; one like it; another of the same agent; one of its child."""
    return [
        await house.hold("UPDATE a SET n = 1", lasting=ALL, shape="a", **changes),
        await house.hold("UPDATE a SET n = 2", lasting=ALL, shape="a", **changes),
        await house.hold("UPDATE b SET n = 1", lasting=ALL, shape="b", **changes),
        await house.hold(
            "UPDATE a SET n = 3",
            lasting=ALL,
            shape="a",
            lineage_key="child",
            lineage_view=CHILD,
            **changes,
        ),
    ]


@pytest.mark.parametrize(
    ("reach", "released"),
    [(None, 1), (Reach.CALL, 1), (Reach.SHAPE, 2), (Reach.AGENT, 3), (Reach.SUBTREE, 4)],
)
async def test_a_yes_releases_what_it_reaches_and_nothing_else(house, reach, released):
    waiting = await four(house)
    twins = house.approvals.twins(waiting[0].approval.id)
    await vote(house, waiting[0], reach=reach)
    states = [each.approval.state for each in waiting]
    assert states == [State.SPENT] * released + [State.PENDING] * (4 - released)
    assert twins.held.get(reach, 0) == released - 1
    grants = house.grants.all()
    assert [(each.id, each.used) for each in grants] == (
        [(waiting[0].approval.id, released - 1)] if reach else []
    )
    for each in waiting[1:released]:
        assert each.approval.grant == waiting[0].approval.id
        assert (await each.outcome()).settled_by == "sam@example.com"


async def test_votes_of_different_reach_count_for_the_narrowest_the_shortest_and_the_fewest(house):
    waiting = await four(house, asks=TWO_DBAS)
    await vote(house, waiting[0], reach=Reach.SUBTREE, seconds=60, commands=9)
    assert house.grants.all() == []
    await vote(house, waiting[0], person="kim@example.com", reach=Reach.SHAPE, seconds=900, commands=3)
    assert [each.approval.state for each in waiting] == [State.SPENT] * 2 + [State.PENDING] * 2
    (grant,) = house.grants.all()
    assert (grant.narrow.reach, grant.ends_at - grant.starts_at, grant.commands) == (Reach.SHAPE, 60, 3)
    assert grant.narrow.voters == ("sam@example.com", "kim@example.com")


async def test_one_yes_for_this_command_alone_makes_it_that(house):
    waiting = await four(house, asks=TWO_DBAS)
    await vote(house, waiting[0], reach=Reach.SUBTREE)
    settled = await vote(house, waiting[0], person="kim@example.com")
    assert (settled.state, settled.grant) == (State.SPENT, "")
    assert [each.approval.state for each in waiting[1:]] == [State.PENDING] * 3
    assert house.grants.all() == []


async def test_the_budget_bounds_what_is_released_at_once(house):
    waiting = await four(house)
    await vote(house, waiting[0], reach=Reach.SUBTREE, commands=2)
    assert [each.approval.state for each in waiting] == [State.SPENT] * 3 + [State.PENDING]
    (grant,) = house.grants.all()
    assert grant.is_spent
    for _ in range(2):
        house.grants.done(grant.id, rows=1)
    assert house.grants.all() == []


@pytest.mark.parametrize(
    ("offered", "asked", "given"),
    [
        (None, (None, None), None),
        (None, (None, 30), 30),
        (100, (None, None), 100),
        (100, (40, None), 40),
        (100, (40, 30), 30),
    ],
)
async def test_rows_are_a_budget_and_the_fewest_count(house, offered, asked, given):
    lasting = Lasting(what=frozenset(Reach), longest=600.0, commands=5, rows=offered)
    waiting = await house.hold(lasting=lasting, asks=TWO_DBAS)
    for person, rows in zip(("sam@example.com", "kim@example.com"), asked, strict=True):
        await vote(house, waiting, person=person, reach=Reach.AGENT, commands=5, rows=rows)
    (grant,) = house.grants.all()
    assert grant.rows == given


async def test_a_budget_of_rows_that_is_used_up_ends_it(house):
    waiting = await house.hold(lasting=ALL)
    await vote(house, waiting, reach=Reach.AGENT, rows=10)
    (grant,) = house.grants.all()

    def spend():
        return house.grants.spend(("t2",), "orders", lambda _: True)

    assert spend() is not None
    house.grants.done(grant.id, rows=9)
    assert spend() is not None
    house.grants.done(grant.id, rows=1)
    assert spend() is None


@pytest.mark.parametrize("rows", [0, -1, 101])
async def test_rows_beyond_what_policy_offers_are_refused(house, rows):
    offered = Lasting(what=frozenset(Reach), longest=600.0, commands=5, rows=100)
    waiting = await house.hold(lasting=offered)
    with pytest.raises(NotEligible, match="at most 100 rows"):
        await vote(house, waiting, reach=Reach.AGENT, commands=5, rows=rows)
    assert waiting.approval.votes == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"reach": Reach.AGENT},
        {"reach": Reach.SHAPE, "seconds": 601.0},
        {"reach": Reach.SHAPE, "seconds": 0.0},
        {"reach": Reach.SHAPE, "seconds": float("nan")},
        {"reach": Reach.SHAPE, "commands": 6},
        {"reach": Reach.SHAPE, "commands": 0},
    ],
)
async def test_a_vote_beyond_what_policy_offers_is_refused_and_counts_for_nothing(house, changes):
    offered = Lasting(what=frozenset({Reach.SHAPE}), longest=600.0, commands=5)
    waiting = await house.hold(lasting=offered, shape="a")
    with pytest.raises(NotEligible):
        await vote(house, waiting, **{"seconds": 60.0, "commands": 5} | changes)
    assert waiting.approval.votes == ()


async def test_without_an_offer_every_yes_is_for_the_one_command(house):
    waiting = await house.hold(shape="a")
    assert waiting.approval.lasting is None
    with pytest.raises(NotEligible):
        await vote(house, waiting, reach=Reach.CALL)


async def test_what_was_not_read_completely_has_nothing_like_it(house):
    text = "SELECT f()"
    unclear = await house.hold(text, view=view(text, complete=False), lasting=ALL, shape="s")
    shapeless = await house.hold("whoami", lasting=ALL)
    assert unclear.approval.lasting.what == (Reach.CALL,)
    assert shapeless.approval.lasting.what == (Reach.CALL, Reach.AGENT, Reach.SUBTREE)


@pytest.mark.parametrize(
    "changes",
    [
        {"asks": (Ask(rule="payroll", approvers="dba"),)},
        {"asks": (*ONE_DBA, Ask(rule="payroll", approvers="security"))},
        {"asks": (Ask(rule="writes", approvers="security"),)},
        {"lineage_view": SIBLING, "lineage_key": "sibling"},
        {"view": view("x", effects=("ddl", "write"))},
        {"lasting": None},
        {"lasting": Lasting(what=frozenset({Reach.SHAPE}), longest=60.0, commands=1)},
    ],
)
async def test_it_answers_the_questions_that_were_asked_and_no_others(house, changes):
    asked = await house.hold("UPDATE a SET n = 1", lasting=ALL, shape="a")
    other = await house.hold(**{"text": "UPDATE a SET n = 2", "lasting": ALL, "shape": "other", **changes})
    await vote(house, asked, reach=Reach.SUBTREE)
    assert other.approval.state is State.PENDING


async def test_nobody_who_voted_stands_in_a_chain_that_it_lets_go(house):
    chain = (*LINEAGE_VIEW.chain, ActorView(name="SAM@example.com", token_id="t3"))
    asked = await house.hold("UPDATE a SET n = 1", lasting=ALL)
    child = await house.hold(
        "UPDATE a SET n = 2",
        lasting=ALL,
        lineage_key="child",
        lineage_view=LineageView(person="dana@example.com", chain=chain),
    )
    await vote(house, asked, reach=Reach.SUBTREE)
    assert child.approval.state is State.PENDING


async def test_a_no_after_the_yes_ends_it(house):
    waiting = await house.hold(lasting=ALL)
    waiting.leave(withdraw=False)
    approved = await vote(house, waiting, reach=Reach.AGENT)
    assert (approved.state, len(house.grants.all())) == (State.APPROVED, 1)
    request = VoteRequest(person="kim@example.com", choice=Choice.DENY, seen_version=approved.version)
    await house.approvals.vote(approved.id, request, through="slack")
    assert house.grants.all() == []


async def test_it_outlives_a_restart_and_ends_when_it_would_have(tmp_path):
    house = await House(tmp_path).start()
    waiting = await house.hold(lasting=ALL, shape="a")
    await vote(house, waiting, reach=Reach.SHAPE, seconds=60)
    before = house.grants.all()
    await house.restart()
    assert house.grants.all() == before
    assert before[0].narrow.reach is Reach.SHAPE
    house.now += 61
    assert house.grants.all() == []
    await house.restart()
    assert house.grants.all() == []
    await house.stop()


async def test_a_crash_between_the_votes_and_the_grant_makes_it_at_the_start_and_once(tmp_path, monkeypatch):
    house = await House(tmp_path).start()
    waiting = await house.hold(lasting=ALL, shape="a")
    stuck = asyncio.Event()

    async def never(_):
        stuck.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(house.grants, "begin", never)
    voting = asyncio.create_task(vote(house, waiting, reach=Reach.SHAPE, seconds=60))
    await stuck.wait()
    # As a crash would: what is on the disk is all that is left.
    voting.cancel()
    house.approvals._tasks._running.clear()
    await house.restart()
    (grant,) = house.grants.all()
    assert (grant.id, grant.ends_at - grant.starts_at) == (waiting.approval.id, 60)
    assert house.approvals.get(grant.id).state is State.SPENT
    await house.grants.end(grant.id, "enough")
    await house.restart()
    assert house.grants.all() == []
    await house.stop()
