"""A local workspace, a gateway that a test controls, and real bots between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.app import Bot, Timings, running
from bot.newest import Backoff
from bot.outbox import Pace
from bot.settings import Settings
from bot.workspace import seed, server
from bot.workspace.client import WorkspaceClient, actions_of, connected, text_of
from gateway.approvals import Waiting
from gateway.contract import Approval
from tests.api.conftest import BOT, POLICY, Api
from tests.approvals.conftest import House
from tests.bot.examples import DIRECTORY, SUBTREE
from tests.bot.fake_gateway import CREDENTIAL, FakeGateway, listening

BOT_TOKEN, APP_TOKEN = "xoxb-local-countersign", "xapp-local-countersign"
MARIA, ANA, BEN, SAM = "U0MARIA", "U0ANA", "U0BEN", "U0SAM"
APPROVALS, AUDIT, GENERAL = "C0APPROVALS", "C0AUDITSHOP", "C0GENERAL"
QUICK = Timings(
    lease=0.3,
    batch=0.02,
    at_once=0.05,
    retry=Backoff(first=0.02, longest=0.2),
    pace=Pace(between_posts=0.01, between_edits=0.01, first_retry=0.02, longest_retry=0.1),
)

PATIENT = seed.Timings(ack_seconds=30, trigger_seconds=60)
"""A workspace that takes a busy machine's time for an answer."""

StartBot = Callable[..., AbstractAsyncContextManager[Bot]]


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    fake = FakeGateway()
    fake.directory = DIRECTORY
    fake.subtrees[SUBTREE.token_id] = SUBTREE
    async with listening(fake):
        yield fake


@pytest.fixture
def rate() -> seed.Rate:
    return seed.Rate.OFF


@pytest.fixture
async def slack(rate: seed.Rate) -> AsyncIterator[server.Server]:
    async with server.running(seed.Seed(rate=rate, timings=PATIENT)) as running_server:
        yield running_server


@pytest.fixture
async def people(slack: server.Server) -> AsyncIterator[WorkspaceClient]:
    async with connected(slack.url, slack.control_token) as client:
        yield client


@pytest.fixture
def settings(gateway: FakeGateway, slack: server.Server) -> Settings:
    return Settings(
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        gateway_credential=CREDENTIAL,
        gateway_url=gateway.url,
        slack_api=slack.api_url,
    )


@pytest.fixture
def start_bot(settings: Settings) -> StartBot:
    """`async with start_bot() as bot`: a bot over Socket Mode, in a hurry."""

    def start(timings: Timings = QUICK) -> AbstractAsyncContextManager[Bot]:
        return running(settings, timings=timings)

    return start


async def card_of(
    gateway: FakeGateway, people: WorkspaceClient, asked: Approval, *, connections: int = 1
) -> dict[str, Any]:
    """The card of an approval that is published now, once that many connections of the bot's may hear a click on it."""
    await gateway.publish(asked)
    card = await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))
    await people.wait_for_connections(connections)
    return card


async def answer_to(people: WorkspaceClient, typed: str, *, as_: str = ANA) -> str:
    """What a slash command says to its person."""
    before = len(await people.messages(GENERAL, as_=as_))
    await people.command(GENERAL, typed, as_=as_)
    found = await people.wait_for(lambda: _more(people, before, as_), what=f"an answer to {typed}")
    return text_of(found)


async def _more(people: WorkspaceClient, before: int, as_: str) -> dict | None:
    messages = await people.messages(GENERAL, as_=as_)
    return messages[-1] if len(messages) > before else None


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Api]:
    """The gateway's own API and approvals, in place of the stand-in."""
    house = await House(tmp_path).start()
    one = Api(house, tmp_path)
    async with TestClient(TestServer(one.application)) as client:
        one.client = client
        yield one
    await house.stop()


def settings_for(gate: Api, slack: server.Server) -> Settings:
    people = {"U0ANA": "sam@example.com", "U0BEN": "dana@example.com"}
    slack_policy = replace(POLICY.slack, people=people, audit="#audit-shop")
    gate.house.policy = replace(POLICY, slack=slack_policy, targets={"orders": None})
    return Settings(
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        gateway_credential=BOT,
        gateway_url=str(gate.client.make_url("/")),
        slack_api=slack.api_url,
    )


async def held(
    gate: Api, text: str = "UPDATE orders SET status = 'paid' WHERE id = 42", **changes: Any
) -> Waiting:
    return await gate.house.hold(text, channel="", lineage_key="pipeline/migrator", **changes)
