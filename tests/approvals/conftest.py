from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.approvals import Approvals, Question
from gateway.changes import Feed
from gateway.chores import Tasks
from gateway.contract import ActorView, CommandView, LineageView
from gateway.elevations.grants import Grants
from gateway.journal import Journal
from gateway.model import Actor, Ask, Connection, Effect, Hold, Lineage, Session
from gateway.store.embedded import EmbeddedStore
from gateway.words import words

LINEAGE = Lineage(
    person="dana@example.com",
    chain=(Actor(name="release-pipeline", token_id="t1"), Actor(name="migrator", token_id="t2")),
)
LINEAGE_VIEW = LineageView(
    person="dana@example.com",
    chain=(ActorView(name="release-pipeline", token_id="t1"), ActorView(name="migrator", token_id="t2")),
)
ONE_DBA = (Ask(rule="writes", approvers="dba"),)
KEY = b"k" * 32


@dataclass(frozen=True, kw_only=True)
class Group:
    slack: str = ""
    members: tuple[str, ...] = ()
    claim: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Policy:
    groups: dict = field(
        default_factory=lambda: {
            "dba": Group(
                members=(
                    "sam@example.com",
                    "Kim@example.com",
                    "dana@example.com",
                    "migrator",
                    "both@example.com",
                )
            ),
            "security": Group(members=("lee@example.com", "both@example.com")),
            "oncall": Group(slack="@oncall"),
        }
    )
    targets: dict = field(default_factory=lambda: {"orders": None})
    agents: dict = field(default_factory=lambda: {"release-pipeline": None, "nightly": None})


def session(session_id="s1"):
    return Session(
        id=session_id,
        lineage=LINEAGE,
        connection=Connection(name="orders", protocol="postgres", labels={"env": "prod"}),
        scope=frozenset({Effect.WRITE}),
        opened_at=0.0,
        expires_at=1e12,
    )


def view(text, **changes):
    digest = hashlib.sha256(text.encode()).hexdigest()
    return CommandView(
        **{"text": text, "effects": ("write",), "digest": digest, "words": words(digest), **changes}
    )


class House:
    """Approvals on a real store, journal and feed, with a clock that the test moves."""

    def __init__(self, directory, store=None, **changes):
        self.now = 1_000.0
        self.directory = directory
        self.policy = Policy()
        self.killed = []
        self.changes = changes
        self._open(store)

    def _open(self, store=None):
        self.store = store or EmbeddedStore.open(self.directory)
        self.journal = Journal(self.directory / "journal", clock=self.clock)
        self.feed = Feed(self.store)
        self.scheduler = AsyncIOScheduler(timezone="UTC")
        self.tasks = Tasks()
        self.grants = Grants(
            self.store,
            self.journal,
            policy=lambda: self.policy,
            clock=self.clock,
            steady=self.clock,
            scheduler=self.scheduler,
            spawn=self.tasks.spawn,
        )
        self.approvals = Approvals(
            self.store,
            self.journal,
            self.feed,
            **{
                "clock": self.clock,
                "scheduler": self.scheduler,
                "policy": lambda: self.policy,
                "proof_key": KEY,
                "on_kill": self._kill,
                "grants": self.grants,
                "rejoin": 30.0,
                **self.changes,
            },
        )

    def clock(self):
        return self.now

    async def _kill(self, approval):
        self.killed.append(approval.id)

    async def start(self):
        self.scheduler.start()
        await self.feed.start()
        await self.approvals.start()
        return self

    async def stop(self):
        await self.approvals.stop()
        await self.tasks.cancel()
        self.scheduler.shutdown(wait=False)
        await self.journal.close()
        await self.store.close()

    async def restart(self):
        await self.stop()
        self._open()
        await self.start()

    async def hold(
        self,
        text="UPDATE orders SET paid = true",
        *,
        asks=ONE_DBA,
        session_id="s1",
        within=900.0,
        lasting=None,
        **changes,
    ):
        shown = changes.pop("view", None) or view(text)
        waived = changes.pop("waived", "")
        question = Question(
            **{
                "session": session(session_id),
                "digest": shown.digest,
                "lineage_key": LINEAGE.key,
                "view": shown,
                "whole_text": text,
                "whole_parameters": (),
                "verdict": Hold(
                    rules=("writes",),
                    message="A DBA looks.",
                    asks=asks,
                    expires_in=within,
                    lasting=lasting,
                ),
                "lineage_view": LINEAGE_VIEW,
                "channel": "#approvals",
                "estimate": None,
                "review_required": False,
                **changes,
            }
        )
        return await self.approvals.hold(question, waived=waived)


@pytest.fixture
async def house(tmp_path):
    house = await House(tmp_path).start()
    yield house
    await house.stop()
