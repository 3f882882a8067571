"""A request that nobody answers goes the way of a command that nobody answers: calls, reminders, a second group, the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.approvals import NotEligible
from gateway.contract import Approval, Choice, State, StepKind, VoteRequest
from gateway.elevations import Elevations, Request, Wish
from gateway.elevations.asking import by_hand
from gateway.elevations.past import Past
from gateway.model import Actor, Effect, Lineage
from gateway.policy.file import parse
from gateway.vocabulary import known
from tests.approvals.conftest import House
from tests.elevations.conftest import POLICY

HOLD = """{approvers: dba, within: 12m, remind: 4m, on_call: [ana@example.com, ben@example.com],
           escalate: {to: security, after: 6m}}"""
ANA, BEN, DANA, LEE = (f"{name}@example.com" for name in ("ana", "ben", "dana", "lee"))
WISH = Wish(connection="orders", effects=frozenset({Effect.WRITE}), seconds=600.0, reason="checkout is down")


class Street:
    """Requests over a real room, with the clock of its house."""

    def __init__(self, directory: Path) -> None:
        self.house = House(directory, rejoin=10_000.0)
        self.house.policy = parse(
            POLICY.replace("OFFER", "by_hand: true")
            .replace("    hold: {approvers: dba}", f"    hold: {HOLD}")
            .replace("groups: {", "groups: {security: {members: [lee@example.com]}, "),
            "policies.yaml",
            known(),
        )

    async def start(self) -> Street:
        await self.house.start()
        await self._begin()
        return self

    async def restart(self) -> None:
        await self.house.restart()
        await self._begin()

    async def _begin(self) -> None:
        self.elevations = Elevations(
            self.house.grants,
            self.house.approvals,
            Past(self.house.journal),
            policy=lambda: self.house.policy,
            schema=lambda target: None,
            still_valid=lambda lineage: "",
            begin_by_hand=lambda request: None,
            begin_review=lambda approval, request, offer: None,
            clock=self.house.clock,
            spawn=self.house.tasks.spawn,
            store=self.house.store,
        )
        await self.elevations.start()

    async def ask(self, lineage: Lineage) -> Approval:
        return await self.elevations.ask(
            Request(lineage=lineage, wish=WISH, asked_by=lineage.person or lineage.agent)
        )

    async def after(self, minutes: float) -> Approval:
        """The only approval, so long after the beginning."""
        self.house.now = 1_000.0 + minutes * 60
        await self.house.approvals.sweep()
        [approval] = [*self.house.approvals.settled(), *self.house.approvals.open()]
        return approval

    async def vote(self, approval: Approval, person: str) -> Approval:
        request = VoteRequest(person=person, choice=Choice.APPROVE, seen_version=approval.version)
        return await self.house.approvals.vote(approval.id, request, through="slack")


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    one = await Street(tmp_path).start()
    yield one
    await one.house.stop()


def agents(person: str) -> Lineage:
    return Lineage(person=person, chain=(Actor(name="fixer", token_id="t1"),))


def said(approval: Approval) -> list[tuple[float, StepKind, str]]:
    return [((step.at - approval.opened_at) / 60, step.kind, step.to) for step in approval.steps]


async def test_people_are_called_then_all_reminded_and_a_second_group_may_answer(street: Street) -> None:
    asked = await street.ask(agents(DANA))
    assert said(asked) == [
        (0.0, StepKind.CALL, ANA),
        (4.0, StepKind.CALL, BEN),
        (6.0, StepKind.ESCALATE, "security"),
        (8.0, StepKind.REMIND, ""),
    ]
    assert [(await street.after(minutes)).stepped for minutes in (0, 4, 5)] == [1, 2, 2]
    with pytest.raises(NotEligible):
        await street.vote(await street.after(5), LEE)
    assert (await street.vote(await street.after(6), LEE)).state is State.SPENT
    await street.elevations.settled(asked.id, wait=30.0)
    assert [grant.approval for grant in street.house.grants.all()] == [asked.id]


async def test_nobodys_silence_is_a_yes(street: Street) -> None:
    asked = await street.ask(agents(DANA))
    assert (await street.after(12)).state is State.EXPIRED
    await street.elevations.settled(asked.id, wait=30.0)
    assert street.house.grants.all() == []


async def test_times_are_kept_over_a_restart(street: Street) -> None:
    asked = await street.ask(agents(DANA))
    street.house.now += 7 * 60
    await street.restart()
    now = await street.after(7)
    assert (now.id, now.stepped, now.asks[0].also) == (asked.id, 3, "security")
    assert (await street.vote(now, LEE)).state is State.SPENT


@pytest.mark.parametrize("lineage", [by_hand(ANA, frozenset({"dba"})), agents(ANA.upper())])
async def test_who_asks_is_not_called_to_answer_themselves(street: Street, lineage: Lineage) -> None:
    assert said(await street.ask(lineage)) == [
        (0.0, StepKind.CALL, BEN),
        (4.0, StepKind.REMIND, ""),
        (6.0, StepKind.ESCALATE, "security"),
        (8.0, StepKind.REMIND, ""),
    ]
