"""Socket Mode, Slack's side: tickets, connections, envelopes and their acknowledgements.

Each envelope goes to one connection, chosen without a pattern, and is acknowledged from any. An
app may hold ten connections. https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSMsgType, web

from bot.workspace.faults import DropAck
from bot.workspace.state import Workspace

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 10
MESSAGE_BYTES = 1 << 20
TICKET_SECONDS = 30.0
LIFETIME_SECONDS = 18_060
# An app that swaps its connection is without one for a few milliseconds: that is not an outage.
PATIENCE_SECONDS = 0.25

Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


@dataclass(slots=True, eq=False)
class Connection:
    """One web socket of the app."""

    socket: web.WebSocketResponse
    request: web.Request
    draining: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(4))


class Sockets:
    """All connections of the app."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tickets: dict[str, float] = {}
        self._connections: list[Connection] = []
        self._waiting: dict[str, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._arrived = asyncio.Event()
        self._closers: set[asyncio.TimerHandle] = set()

    @property
    def count(self) -> int:
        """Connections that get new envelopes."""
        return sum(not one.draining for one in self._connections)

    def ticket(self) -> str:
        """A URL part that opens one connection, once."""
        now = self._workspace.clock()
        self._tickets = {one: at for one, at in self._tickets.items() if now - at < TICKET_SECONDS}
        name = secrets.token_urlsafe(24)
        self._tickets[name] = now
        return name

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        issued = self._tickets.pop(request.query.get("ticket", ""), None)
        if issued is None or self._workspace.clock() - issued > TICKET_SECONDS:
            raise web.HTTPForbidden(
                text="This Socket Mode URL was used or is too old; call apps.connections.open."
            )
        socket = web.WebSocketResponse(
            heartbeat=self._workspace.seed.timings.ping_seconds, max_msg_size=MESSAGE_BYTES
        )
        await socket.prepare(request)
        connection = Connection(socket, request)
        if self.count >= MOST_CONNECTIONS:
            await self._disconnect(connection, "too_many_websockets")
            await socket.close()
            return socket
        self._connections.append(connection)
        try:
            await self._hello(connection)
            self._arrived.set()
            self._workspace.changes.note("connections", count=self.count)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
        except ConnectionError:
            log.info("a Socket Mode connection broke")
        finally:
            self._connections.remove(connection)
            if not self._connections:
                self._arrived.clear()
            self._workspace.changes.note("connections", count=self.count)
        return socket

    async def send(self, envelope: dict[str, Any], *, copies: int, seconds: float) -> dict[str, Any] | None:
        """The acknowledgement's payload ({} if it had none), or None when none came in time."""
        ack: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = (envelope["type"], ack)
        try:
            async with asyncio.timeout(seconds):
                for _ in range(copies):
                    connection = await self._choose()
                    if connection is None:
                        return None
                    await connection.socket.send_str(json.dumps(envelope))
                return await ack
        except (TimeoutError, ConnectionError):
            return None
        finally:
            del self._waiting[envelope["envelope_id"]]

    async def disconnect_all(self, reason: Reason) -> int:
        """Ask the app to reconnect (or warn it); the number of connections told."""
        told = list(self._connections)
        for connection in told:
            await self._disconnect(connection, reason)
            if reason != "warning":
                connection.draining = True
                self._close_later(connection)
        return len(told)

    def cut_all(self) -> int:
        """Break every connection without a word, as a failing network does."""
        broken = list(self._connections)
        for connection in broken:
            connection.draining = True
            if connection.request.transport is not None:
                connection.request.transport.abort()
        return len(broken)

    async def close(self) -> None:
        for timer in self._closers:
            timer.cancel()
        for connection in list(self._connections):
            await connection.socket.close(code=1001, message=b"the workspace is closing")

    async def _choose(self) -> Connection | None:
        if not self._connections:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        fresh = [one for one in self._connections if not one.draining] or self._connections
        return secrets.choice(fresh) if fresh else None

    async def _hello(self, connection: Connection) -> None:
        hello = {
            "type": "hello",
            "num_connections": self.count,
            "debug_info": {
                "host": connection.id,
                "build_number": 1,
                "approximate_connection_time": LIFETIME_SECONDS,
            },
            "connection_info": {"app_id": self._workspace.seed.app.id},
        }
        await connection.socket.send_str(json.dumps(hello))

    async def _disconnect(self, connection: Connection, reason: Reason) -> None:
        said = {"type": "disconnect", "reason": reason, "debug_info": {"host": connection.id}}
        await connection.socket.send_str(json.dumps(said))

    def _close_later(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()

        def close() -> None:
            self._closers.discard(timer)
            if connection.request.transport is not None:
                connection.request.transport.close()

        timer = loop.call_later(self._workspace.seed.timings.refresh_grace_seconds, close)
        self._closers.add(timer)

    def _acknowledge(self, data: str) -> None:
        try:
            answer = json.loads(data)
        except ValueError:
            log.info("a Socket Mode message is not JSON")
            return
        if not isinstance(answer, dict):
            return
        kind, ack = self._waiting.get(str(answer.get("envelope_id")), ("", None))
        if ack is None or ack.done():
            return
        if self._workspace.faults.strike(DropAck, target=kind) is not None:
            return
        payload = answer.get("payload")
        ack.set_result(payload if isinstance(payload, dict) else {})
