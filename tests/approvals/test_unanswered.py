"""While nobody answers: steps come in time, once, over restarts too, and a second group may answer from its turn on."""

from __future__ import annotations

import pytest

from gateway.approvals import NotEligible
from gateway.approvals.table import first_asked
from gateway.contract import Choice, State, VoteRequest
from gateway.model import Ask, Hold, Lasting, Reach, Step, StepKind

from .conftest import ONE_DBA, House

STEPS = (
    Step(after=0.0, kind=StepKind.CALL, to="sam@example.com"),
    Step(after=60.0, kind=StepKind.REMIND),
    Step(after=120.0, kind=StepKind.ESCALATE, to="security", rule="writes"),
    Step(after=180.0, kind=StepKind.REMIND),
)


async def hold(house, asks=ONE_DBA, **changes):
    verdict = Hold(rules=("writes",), message="", asks=asks, expires_in=240.0, steps=STEPS, **changes)
    return await house.hold(verdict=verdict)


async def vote(house, waiting, person, **changes):
    request = VoteRequest(
        person=person, choice=Choice.APPROVE, seen_version=waiting.approval.version, **changes
    )
    return await house.approvals.vote(waiting.approval.id, request, through="slack")


async def at(house, seconds):
    house.now = 1_000.0 + seconds
    await house.approvals.sweep()


async def test_each_step_comes_once_in_its_time(house):
    waiting = await hold(house)
    seen = []
    for seconds in (0, 59, 60, 119, 120, 121, 180, 239):
        await at(house, seconds)
        seen.append(waiting.approval.stepped)
    assert seen == [1, 1, 2, 2, 3, 3, 4, 4]
    await at(house, 240)
    assert (await waiting.outcome()).state is State.EXPIRED


async def test_a_second_group_answers_from_its_turn_on_and_not_before(house):
    waiting = await hold(house)
    await at(house, 119)
    with pytest.raises(NotEligible):
        await vote(house, waiting, "lee@example.com")
    await at(house, 120)
    assert [(ask.approvers, ask.also) for ask in waiting.approval.asks] == [("dba", "security")]
    assert (await vote(house, waiting, "lee@example.com")).state is State.SPENT


async def test_it_answers_the_asks_of_its_rule_alone_and_each_person_once(house):
    asks = (Ask(rule="writes", approvers="dba", quorum=2), Ask(rule="payroll", approvers="oncall"))
    waiting = await hold(house, asks=asks)
    await at(house, 120)
    assert [ask.also for ask in waiting.approval.asks] == ["security", ""]
    await vote(house, waiting, "lee@example.com")
    await vote(house, waiting, "sam@example.com")
    assert waiting.approval.state is State.PENDING


async def test_whoever_is_accountable_does_not_vote_for_a_second_group_either(house):
    house.policy.groups["security"] = house.policy.groups["dba"]
    waiting = await hold(house)
    await at(house, 120)
    with pytest.raises(NotEligible):
        await vote(house, waiting, "dana@example.com")


async def test_who_comes_back_joins_what_has_gone_on_to_others(house):
    waiting = await hold(house)
    await at(house, 120)
    again = await hold(house)
    assert again.approval.id == waiting.approval.id


async def test_steps_are_kept_over_a_restart_and_made_up_for(tmp_path):
    house = await House(tmp_path, rejoin=1_000.0).start()
    first = (await hold(house)).approval
    house.now += 130
    await house.restart()
    (approval,) = house.approvals.open()
    assert (approval.id, approval.stepped) == (first.id, 3)
    assert approval.asks[0].also == "security"
    house.now += 60
    await house.approvals.sweep()
    assert house.approvals.open()[0].stepped == 4
    await house.stop()


async def test_a_yes_for_a_while_of_a_second_group_answers_what_was_asked(house):
    lasting = Lasting(what=frozenset(Reach), longest=600.0, commands=5)
    waiting = await hold(house, lasting=lasting)
    await at(house, 120)
    await vote(house, waiting, "lee@example.com", reach=Reach.AGENT, seconds=60.0, commands=5)
    (grant,) = house.grants.all()
    assert grant.narrow.asks == first_asked(waiting.approval.asks)
    assert grant.narrow.asks[0].also == ""
