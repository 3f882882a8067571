"""Grants on a real store and journal, with clocks that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.elevations import Grant, Grants
from gateway.elevations.past import Past
from gateway.journal import Journal
from gateway.model import Effect
from gateway.policy.file import parse
from gateway.store.embedded import EmbeddedStore
from gateway.vocabulary import known

POLICY = """
connections:
  orders: {protocol: postgres, listen: 127.0.0.1:15432, upstream: "postgresql://127.0.0.1/orders?sslmode=disable",
           credential: {user: gateway, password: env:ORDERS_PASSWORD}}
groups: {dba: {members: [ana@example.com, ben@example.com]}}
rules: [{name: writes, when: {effects: [write]}, then: {hold: {approvers: dba}}}]
default: block
elevations:
  - name: fix
    effects: [read, write]
    OFFER
    hold: {approvers: dba}
"""
BEGAN = 1_700_000_000.0


class House:
    """`now` is the clock on the wall; `ran` how many seconds really went by."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now, self.ran = BEGAN, 0.0
        self.ended: list[tuple[str, str]] = []
        self.offer()

    def offer(self, more: str = "longest: 1h") -> None:
        """Another policy is in force."""
        self.policy = parse(POLICY.replace("OFFER", more), "policies.yaml", known())

    async def start(self) -> House:
        self.tasks: set[asyncio.Task[None]] = set()
        self.store = EmbeddedStore.open(self.directory)
        self.journal = Journal(self.directory / "journal", clock=lambda: self.now)
        self.scheduler = AsyncIOScheduler(timezone="UTC")
        self.scheduler.start()
        self.past = Past(self.journal)
        self.grants = Grants(
            self.store,
            self.journal,
            policy=lambda: self.policy,
            clock=lambda: self.now,
            steady=lambda: self.ran,
            scheduler=self.scheduler,
            spawn=self._spawn,
        )
        self.grants.on_ended(lambda grant, why: self.ended.append((grant.id, why)))
        return self

    async def stop(self) -> None:
        await asyncio.gather(*self.tasks)
        self.scheduler.shutdown(wait=False)
        await self.journal.close()
        await self.store.close()

    async def restart(self) -> None:
        await self.stop()
        self.ended.clear()
        await self.start()

    async def grant(self, *, seconds: float = 600.0, **fields: Any) -> Grant:
        return await self.grants.open(
            seconds=seconds,
            answers=("elevations", "asked"),
            **{
                "approval": "a1",
                "template": "fix",
                "connection": "orders",
                "effects": frozenset({Effect.WRITE}),
                "token_id": "t1",
                "agent": "fixer",
                "root": "fixer",
                "person": "dana@example.com",
                "asked_by": "dana@example.com",
                "reason": "order 7",
                "commands": 3,
            }
            | fields,
        )

    def spend(self) -> Grant | None:
        return self.grants.spend(("t0", "t1"), "orders", lambda _: True)

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.ran += seconds

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    one = await House(tmp_path).start()
    yield one
    await one.stop()
