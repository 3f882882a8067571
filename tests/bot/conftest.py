"""A local workspace, a gateway that a test controls, and real bots between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from bot.app import Bot, Timings, running
from bot.newest import Backoff
from bot.outbox import Pace
from bot.settings import Settings
from bot.workspace import seed, server
from bot.workspace.client import WorkspaceClient, actions_of, connected
from gateway.contract import Approval
from tests.bot.examples import DIRECTORY, SUBTREE
from tests.bot.fake_gateway import CREDENTIAL, FakeGateway, listening

BOT_TOKEN, APP_TOKEN = "xoxb-local-countersign", "xapp-local-countersign"
MARIA, ANA, BEN, SAM = "U0MARIA", "U0ANA", "U0BEN", "U0SAM"
APPROVALS, AUDIT = "C0APPROVALS", "C0AUDITSHOP"
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
