"""Socket Mode's connections: a quiet one is replaced, and a Slack that gives none is asked again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.app import slack_client
from bot.sockets import Sockets
from bot.workspace import server
from bot.workspace.client import WorkspaceClient
from tests.bot.conftest import APP_TOKEN, BOT_TOKEN


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def one_socket(slack: server.Server, clock: Clock) -> AsyncIterator[Sockets]:
    app = AsyncApp(client=slack_client(BOT_TOKEN, slack.api_url, retries=0), signing_secret="unused")
    app_client = slack_client(APP_TOKEN, slack.api_url, retries=0)
    sockets = Sockets(app, app_client, clock=clock, connections=1, stale_after=5.0, look_every=0.01)
    running = asyncio.create_task(sockets.run())
    try:
        yield sockets
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_a_connection_that_has_gone_quiet_is_thrown_away_and_made_anew(
    slack: server.Server, people: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    async with one_socket(slack, clock) as sockets:
        await people.wait_for_connections(1)
        quiet = sockets._open[0].client

        async def not_connected() -> bool:
            return False

        monkeypatch.setattr(quiet, "is_connected", not_connected)
        clock.now = 4.0
        await asyncio.sleep(0.05)
        assert sockets._open[0].client is quiet
        clock.now = 6.0

        async def replaced() -> bool:
            return sockets._open[0].client is not quiet and await sockets.connected() == 1

        await until(replaced)
        assert quiet.closed


async def test_a_slack_that_gives_no_connection_is_asked_again(
    slack: server.Server, people: WorkspaceClient
) -> None:
    async with one_socket(slack, Clock()) as sockets:
        await people.wait_for_connections(1)
        await people.add_fault("server_error", method="apps.connections.open", times=2)
        await people.sockets("cut")

        async def connected() -> bool:
            return await sockets.connected() == 1 and (await people.state())["app"]["connections"] == 1

        await until(connected)
