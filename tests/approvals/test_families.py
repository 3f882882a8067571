"""Which requests share a card; each stays an approval of its own."""

from __future__ import annotations

from gateway.approvals.families import MOST
from gateway.contract import ActorView, Choice, ElevationView, LineageView, State, VoteRequest
from gateway.model import Ask

from .conftest import House


def lineage(*tokens):
    return {
        "lineage_view": LineageView(
            person="dana@example.com", chain=tuple(ActorView(name=each, token_id=each) for each in tokens)
        ),
        "lineage_key": "/".join(tokens),
    }


async def family(house, text, *tokens, **changes):
    return (await house.hold(text, **lineage(*tokens), **changes)).approval.family


async def test_agents_of_one_parent_share_a_card_and_others_do_not(house):
    first = await family(house, "a", "root", "one")
    assert first == next(iter(house.approvals.open())).id
    assert await family(house, "b", "root", "two") == first
    assert await family(house, "c", "root", "two", "below") != first
    assert await family(house, "d", "other", "one") != first


async def test_one_shape_shares_a_card_whoever_asks(house):
    first = await family(house, "a", "root", "one", shape="s")
    assert await family(house, "b", "elsewhere", "two", shape="s") == first
    assert await family(house, "c", "third", "three", shape="t") != first
    assert await family(house, "d", "third", "four", shape="") != first


async def test_other_people_other_rules_or_another_channel_are_another_card(house):
    first = await family(house, "a", "root", "one")
    for asks in (
        (Ask(rule="other", approvers="dba"),),
        (Ask(rule="writes", approvers="security"),),
        (Ask(rule="writes", approvers="dba", quorum=2),),
    ):
        assert await family(house, f"{asks}", "root", "one", asks=asks) != first
    assert await family(house, "b", "root", "one", channel="#other") != first


async def test_an_elevation_stands_alone(house):
    first = await family(house, "a", "root", "one")
    wish = ElevationView(asked_by="x", effects=("write",), seconds=60, commands=1, reason="r")
    assert first != await family(house, "b", "root", "one", elevation=wish) == ""


async def test_a_family_takes_so_many_and_ends_when_none_waits(house):
    waiting = [await house.hold(f"n{number}", **lineage("root", "one")) for number in range(MOST + 1)]
    names = [each.approval.family for each in waiting]
    assert len(set(names[:MOST])) == 1
    assert names[MOST] != names[0]
    for each in waiting:
        request = VoteRequest(person="sam@example.com", choice=Choice.DENY, seen_version=1)
        await house.approvals.vote(each.approval.id, request, through="slack")
    again = await house.hold("again", **lineage("root", "one"))
    assert again.approval.family == again.approval.id


async def test_one_that_is_settled_leaves_the_others_their_card(house):
    first = await house.hold("a", **lineage("root", "one"))
    second = await house.hold("b", **lineage("root", "two"))
    request = VoteRequest(person="sam@example.com", choice=Choice.APPROVE, seen_version=1)
    await house.approvals.vote(first.approval.id, request, through="slack")
    assert (first.approval.state, second.approval.state) == (State.SPENT, State.PENDING)
    assert await family(house, "c", "root", "three") == second.approval.family == first.approval.id


async def test_families_outlive_a_restart(tmp_path):
    house = await House(tmp_path).start()
    first = await family(house, "a", "root", "one")
    await house.restart()
    assert await family(house, "b", "root", "two") == first
    await house.stop()
