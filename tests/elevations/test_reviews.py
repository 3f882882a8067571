"""A broken glass is looked at by two others, who are reminded until they have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.contract import Choice, ElevationView, VoteRequest
from gateway.elevations import Request, Wish
from gateway.elevations.asking import by_hand
from gateway.elevations.reviews import TABLE, Reviews
from gateway.model import Effect
from gateway.policy.model import AskedGroup, Holding, Slack
from gateway.policy.offers import Offer, Review
from tests.approvals.conftest import House, Policy

PERSON = "dana@example.com"
GLASS = Offer(
    name="glass",
    effects=frozenset({Effect.WRITE}),
    by_hand=True,
    hold=Holding(asks=()),
    break_glass=Review(asks=(AskedGroup(approvers="*", quorum=2),), every=0.01),
)
REQUEST = Request(
    lineage=by_hand(PERSON, frozenset()),
    wish=Wish(
        connection="orders", effects=GLASS.effects, seconds=600.0, commands=5, reason="checkout is down"
    ),
    asked_by=PERSON,
)


@dataclass(kw_only=True)
class Glassy(Policy):
    elevations: tuple[Offer, ...] = (GLASS,)
    targets: dict[str, object] = field(default_factory=dict)
    slack: Slack = field(default_factory=Slack)


class Street:
    """Reviews over a real room, and everything that is called out there."""

    def __init__(self, directory: Path) -> None:
        self.house = House(directory)
        self.house.policy = Glassy()
        self.said: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.ended: list[tuple[str, str]] = []

    async def start(self) -> Street:
        await self.house.start()
        self._begin()
        return self

    def _begin(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.reviews = Reviews(
            self.house.approvals,
            policy=lambda: self.house.policy,
            announce=lambda level, text: self.said.put_nowait((level, text)),
            end=self._end,
            clock=self.house.clock,
            spawn=self._spawn,
            store=self.house.store,
        )

    async def stop(self) -> None:
        await self._leave()
        await self.house.stop()

    async def restart(self) -> None:
        await self._leave()
        await self.house.restart()
        self._begin()
        self.reviews.start()

    async def _leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def break_glass(self) -> None:
        """The glass is broken; the call that everybody hears is taken out of the queue."""
        waiting = await self.house.hold("broken", asks=(), elevation=_view(), waived="broken")
        self.reviews.begin(await waiting.outcome(), REQUEST, GLASS)
        level, text = await self.said.get()
        assert (level, "checkout is down" in text) == ("error", True)

    async def open(self) -> Any:
        """The review's approval, once a reminder has told of it."""
        await self.said.get()
        [approval] = self.house.approvals.open()
        return approval

    async def look(self, person: str, choice: Choice = Choice.APPROVE, reason: str = "") -> None:
        approval = await self.open()
        await self.house.approvals.vote(
            approval.id,
            VoteRequest(person=person, choice=choice, seen_version=approval.version, reason=reason),
            through="slack",
        )

    async def hears(self, words: str) -> str:
        while words not in (said := (await self.said.get())[1]):
            pass
        return said

    async def _end(self, approval_id: str, why: str) -> None:
        self.ended.append((approval_id, why))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.add(asyncio.get_running_loop().create_task(work))


def _view() -> ElevationView:
    return ElevationView(asked_by=PERSON, effects=("write",), seconds=600.0, commands=5, reason="x")


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    one = await Street(tmp_path).start()
    yield one
    await one.stop()


async def test_it_reminds_until_two_others_have_looked(street: Street) -> None:
    await street.break_glass()
    await street.hears("0 of 2 have looked")
    await street.look("sam@example.com")
    await street.hears("1 of 2 have looked")
    await street.look("lee@example.com")
    await asyncio.wait(street.tasks)
    assert street.house.store.all(TABLE) == {}
    assert street.ended == []


async def test_over_a_restart_it_goes_on_with_what_was_looked_at(street: Street) -> None:
    await street.break_glass()
    await street.look("sam@example.com")
    await street.hears("1 of 2 have looked")
    await street.restart()
    await street.hears("1 of 2 have looked")
    await street.look("lee@example.com")
    await asyncio.wait(street.tasks)
    assert street.house.store.all(TABLE) == {}


async def test_who_objects_ends_the_grant_and_the_review_begins_anew(street: Street) -> None:
    await street.break_glass()
    first = await street.open()
    await street.look("sam@example.com", Choice.DENY, "it was not down")
    assert "it was not down" in await street.hears("objects")
    again = await street.open()
    assert again.id != first.id
    assert again.votes == ()
    [(_, why)] = street.ended
    assert why == "sam@example.com objects: it was not down"
    assert list(street.house.store.all(TABLE)) != []


async def test_where_the_policy_forgot_it_anybody_who_may_vote_looks_twice(street: Street) -> None:
    street.house.policy.elevations = ()
    waiting = await street.house.hold("broken", asks=(), elevation=_view(), waived="broken")
    street.reviews.begin(await waiting.outcome(), REQUEST, GLASS)
    asked = await street.house.feed.after(0, 0.0)
    while not (found := [each.approval for each in asked.changes if each.approval and each.approval.asks]):
        asked = await street.house.feed.after(asked.next, 5.0)
    assert [(ask.approvers, ask.quorum) for ask in found[0].asks] == [("*", 2)]
