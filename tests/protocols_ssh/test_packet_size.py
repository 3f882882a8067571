"""An end that takes tiny packets alone gets no channel; what else it has open goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncssh
import pytest
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_CHANNEL_OPEN, MSG_CHANNEL_OPEN_CONFIRMATION
from asyncssh.packet import String, UInt32

from gateway.protocols.ssh.bulk import gives_in_bulk, takes_in_bulk
from gateway.protocols.ssh.packet_size import LEAST, refusing_tiny_packets
from tests.protocols_ssh.pair import pair

TOO_SMALL = [0, 1, 2, 9, LEAST - 1]
ENOUGH = [LEAST, 32_768, 2**32 - 1]
LONG = 60
"""Seconds after which something has gone wrong, on any machine."""
DATA = bytes(range(256)) * 40


class Echo(asyncssh.SSHServerSession[bytes]):
    def connection_made(self, chan: Any) -> None:
        self.channel = chan
        gives_in_bulk(chan)

    def exec_requested(self, command: str) -> bool:
        return True

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self.channel.write(data)

    def eof_received(self) -> bool:
        self.channel.exit(0)
        return False


class Server(asyncssh.SSHServer):
    """Refuses tiny packets, and gives back what it gets."""

    def __init__(self, refuses: bool) -> None:
        self.refuses = refuses
        self.refused: list[str] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.opened = 0

    def connection_made(self, conn: Any) -> None:
        self.connection = conn
        takes_in_bulk(conn)
        if self.refuses:
            refusing_tiny_packets(conn, self.refused.append)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)

    def begin_auth(self, username: str) -> bool:
        return False

    def session_requested(self) -> Any:
        self.opened += 1
        return self.connection.create_server_channel(encoding=None), Echo()

    def connection_requested(self, *_: object) -> Any:
        self.opened += 1
        return self.connection.create_tcp_channel(encoding=None), asyncssh.SSHTCPSession()


class RefusingClient(asyncssh.SSHClient):
    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        takes_in_bulk(conn)
        refusing_tiny_packets(conn, lambda _: None)


def announce(connection: Any, size: int) -> None:
    """What this end says from now on when it opens or confirms channels, which the library would not let it say."""
    send = type(connection).send_packet

    def send_packet(kind: int, *parts: bytes, **more: Any) -> None:
        if kind in {MSG_CHANNEL_OPEN, MSG_CHANNEL_OPEN_CONFIRMATION}:
            parts = (*parts[:3], UInt32(size), *parts[4:])
        send(connection, kind, *parts, **more)

    connection.send_packet = send_packet


async def echoed(connection: asyncssh.SSHClientConnection) -> bytes:
    async with asyncio.timeout(LONG):
        done = await connection.run("echo", input=DATA, encoding=None)
    assert isinstance(done.stdout, bytes)
    return done.stdout


@pytest.mark.parametrize("size", TOO_SMALL)
async def test_a_client_that_announces_too_little_is_refused_before_anything_is_made(size: int) -> None:
    server = Server(refuses=True)
    async with pair(server, asyncssh.SSHClient) as connection:
        assert await echoed(connection) == DATA
        announce(connection, size)
        for opened in (
            connection.create_session(asyncssh.SSHClientSession, "echo"),
            connection.create_connection(asyncssh.SSHTCPSession, "host.example", 22),
        ):
            with pytest.raises(asyncssh.ChannelOpenError, match=f"packets of {size} bytes") as refused:
                await asyncio.wait_for(opened, LONG)
            assert refused.value.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
        announce(connection, LEAST)
        assert await echoed(connection) == DATA
    assert server.refused == [f"a channel with packets of at most {size} bytes"] * 2
    assert server.opened == 2


@pytest.mark.parametrize("size", ENOUGH)
async def test_what_is_enough_is_served_and_no_packet_holds_more(size: int) -> None:
    server = Server(refuses=True)
    async with pair(server, asyncssh.SSHClient) as connection:
        announce(connection, size)
        assert await echoed(connection) == DATA
    assert server.refused == []


class Confirming(Server):
    """Says too little when it confirms a channel, and sends what it can of it before it hears that nobody wants it."""

    def __init__(self, size: int) -> None:
        super().__init__(refuses=False)
        self.size = size
        self.closed = asyncio.Event()

    def session_requested(self) -> Any:
        channel, session = super().session_requested()
        announce(self.connection, self.size)
        server = self

        class Eager(Echo):
            def connection_made(self, chan: Any) -> None:
                super().connection_made(chan)
                chan.write(b"unasked")
                chan.send_packet(MSG_CHANNEL_DATA, String(b"unasked too"))
                chan._send_request(b"exit-status", UInt32(0))
                chan.write_eof()

            def connection_lost(self, exc: Exception | None) -> None:
                server.closed.set()

        return channel, Eager() if self.size < LEAST else session


@pytest.mark.parametrize("size", TOO_SMALL)
async def test_a_server_that_confirms_too_little_has_its_channel_closed_and_the_rest_goes_on(
    size: int,
) -> None:
    server = Confirming(size)
    async with pair(server, RefusingClient) as connection:
        for _ in range(3):
            server.closed.clear()
            with pytest.raises(asyncssh.ChannelOpenError, match=f"packets of {size} bytes"):
                await asyncio.wait_for(connection.create_session(asyncssh.SSHClientSession, "echo"), LONG)
            await asyncio.wait_for(server.closed.wait(), LONG)
        server.size = LEAST
        assert await echoed(connection) == DATA
        channels: Any = connection
        assert channels._channels == {}


@pytest.mark.parametrize("size", ENOUGH)
async def test_a_server_that_confirms_enough_is_used(size: int) -> None:
    async with pair(Confirming(size), RefusingClient) as connection:
        assert await echoed(connection) == DATA


async def test_who_left_before_too_little_was_confirmed_is_told_nothing() -> None:
    server = Confirming(1)
    async with pair(server, RefusingClient) as connection:
        opening = asyncio.ensure_future(connection.create_session(asyncssh.SSHClientSession, "echo"))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await asyncio.wait_for(server.closed.wait(), LONG)
        server.size = LEAST
        assert await echoed(connection) == DATA


@pytest.mark.parametrize("kind", [MSG_CHANNEL_OPEN, MSG_CHANNEL_OPEN_CONFIRMATION])
async def test_a_packet_that_ends_too_early_ends_the_connection_as_ever(kind: int) -> None:
    server = Server(refuses=True)
    async with pair(server, asyncssh.SSHClient) as connection:
        sending: Any = connection
        sending.send_packet(kind, UInt32(0))
        assert isinstance(await asyncio.wait_for(server.lost, LONG), asyncssh.ProtocolError)
