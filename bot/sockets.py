"""Socket Mode over several connections, each watched and replaced when it has gone quiet.

Slack gives every envelope to one of an app's connections, so a second one covers the moments in which the first is
being refreshed. slack_sdk reconnects by itself; where it says it is connected but nothing has come, not even a
pong, for `stale_after` seconds, the connection is thrown away and made anew. A socket that was cut is not left to the SDK, which notices only at its next ping.
https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

CONNECTIONS = 2
PING_EVERY = 5.0
STALE_AFTER = 30.0
LOOK_EVERY = 0.5


class Sockets:
    """An app's connections. `run` keeps them until it is cancelled, and closes them then."""

    def __init__(
        self,
        app: AsyncApp,
        app_client: AsyncWebClient,
        *,
        clock: Callable[[], float],
        connections: int = CONNECTIONS,
        stale_after: float = STALE_AFTER,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._app = app
        self._client = app_client
        self._clock = clock
        self._count = connections
        self._stale_after = stale_after
        self._look_every = look_every
        self._open: dict[int, _Connection] = {}

    async def connected(self) -> int:
        """How many connections are up now."""
        return sum([await one.client.is_connected() for one in self._open.values()])

    async def run(self) -> None:
        """Hold all connections open for ever."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._count):
                    tasks.create_task(self._hold(number), name=f"socket {number}")
        finally:
            for connection in list(self._open.values()):
                await connection.close()
            self._open.clear()

    async def _hold(self, number: int) -> None:
        while True:
            connection = self._open[number] = _Connection(self._app, self._client, clock=self._clock)
            await connection.client.connect()  # type: ignore[no-untyped-call]
            while await self._is_alive(connection):  # noqa: ASYNC110 - the SDK has no event to wait for
                await asyncio.sleep(self._look_every)
            log.warning("Socket Mode connection %d has gone quiet; making a new one", number)
            await connection.close()

    async def _is_alive(self, connection: _Connection) -> bool:
        session = connection.client.current_session
        if session is not None and session.closed:
            try:
                await connection.client.connect_to_new_endpoint()
            except Exception as error:  # noqa: BLE001 - the SDK fails in its own code on answers that are not JSON
                log.warning("a Socket Mode connection was cut and Slack gives no other yet: %r", error)
        # Between connections the SDK says no for a moment, and is given the time to get over it.
        if await connection.client.is_connected():
            connection.seen()
        return self._clock() - connection.last < self._stale_after


class _Connection:
    """One handler of Bolt's, and when it last gave a sign of life."""

    def __init__(self, app: AsyncApp, client: AsyncWebClient, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.last = clock()
        self.handler = AsyncSocketModeHandler(
            app, app_token=client.token, web_client=client, ping_interval=PING_EVERY
        )
        self.client: SocketModeClient = self.handler.client

    def seen(self) -> None:
        """Count as alive if a pong came lately, whatever else the client believes."""
        pong = self.client.last_ping_pong_time
        if pong is not None:
            self.last = self._clock()

    async def close(self) -> None:
        await self.client.close()  # type: ignore[no-untyped-call]
        # close() cancels the SDK's tasks; they are awaited so that none is left running.
        tasks: list[Any] = [
            self.client.message_processor,
            self.client.current_session_monitor,
            self.client.message_receiver,
        ]
        await asyncio.gather(*[task for task in tasks if task is not None], return_exceptions=True)
