"""Data in bulk over the library's connections: what arrives, and what is refused, is what it would be without."""

from __future__ import annotations

import asyncio
import functools
import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncssh
import pytest
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_KEXINIT
from asyncssh.packet import String, UInt32

from gateway.protocols.ssh.algorithms import CIPHERS, MACS
from gateway.protocols.ssh.bulk import gives_in_bulk, takes_in_bulk
from tests.protocols_ssh.pair import pair

MANY = 3 * 1024 * 1024 + 17
WINDOW = 256 * 1024
LONG = 60
"""Seconds after which something has gone wrong, on any machine."""


class Echo(asyncssh.SSHServerSession[bytes]):
    """Gives back what it gets, as fast as it is taken."""

    def __init__(self) -> None:
        self.taken: Callable[[], None] = lambda: None
        """Called for each piece."""

    def connection_made(self, chan: Any) -> None:
        self.channel = chan

    def exec_requested(self, command: str) -> bool:
        return True

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self.taken()
        self.channel.write(data)

    def eof_received(self) -> bool:
        self.channel.exit(0)
        return False

    def pause_writing(self) -> None:
        self.channel.pause_reading()

    def resume_writing(self) -> None:
        self.channel.resume_reading()


Change = Callable[[bytes], list[bytes]]


class Server(asyncssh.SSHServer):
    def __init__(self, *, bulk: bool = True, change: Change = lambda data: [data]) -> None:
        """What is sent to it comes as `change` cuts or alters it."""
        self.bulk = bulk
        self._change = change
        self.theirs: Counter[tuple[str, int]] = Counter()
        """Packets that went the library's own way, by how and what."""
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, conn: Any) -> None:
        self.connection = conn
        came = conn.data_received
        conn.data_received = lambda data: [came(piece) for piece in self._change(data)]
        if self.bulk:
            takes_in_bulk(conn)
        self._count(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)

    def begin_auth(self, username: str) -> bool:
        return False

    def session_requested(self) -> Any:
        channel: Any = self.connection.create_server_channel(encoding=None, window=WINDOW)
        self._count(channel)
        if self.bulk:
            gives_in_bulk(channel)
        self.session = Echo()
        return channel, self.session

    def _count(self, of: Any) -> None:
        for name in ("log_received_packet", "log_sent_packet"):
            setattr(of, name, functools.partial(self._counted, name, getattr(of, name)))

    def _counted(self, name: str, logged: Callable[..., None], kind: int, *rest: Any) -> None:
        self.theirs[name, kind] += 1
        logged(kind, *rest)


class Collecting(asyncssh.SSHClientSession[bytes]):
    def __init__(self) -> None:
        self.came = bytearray()
        self.open = asyncio.Event()
        self.open.set()
        self.closed: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self.came += data

    def pause_writing(self) -> None:
        self.open.clear()

    def resume_writing(self) -> None:
        self.open.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(exc)


class BulkClient(asyncssh.SSHClient):
    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        takes_in_bulk(conn)


def bulky(
    server: Server, *, client: Any = BulkClient, **options: Any
) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
    return pair(server, client, both=options, line_editor=True, compression_algs=None)


async def opened(connection: asyncssh.SSHClientConnection) -> tuple[Any, Collecting]:
    session = Collecting()
    channel, _ = await connection.create_session(lambda: session, "echo", encoding=None, window=WINDOW)
    gives_in_bulk(channel)
    return channel, session


async def echoed(connection: asyncssh.SSHClientConnection, data: bytes) -> bytes:
    channel, session = await opened(connection)
    for at in range(0, len(data), 300_000):
        await session.open.wait()
        channel.write(data[at : at + 300_000])
    channel.write_eof()
    async with asyncio.timeout(LONG):
        await session.closed
    return bytes(session.came)


SUITES = [
    *({"encryption_algs": [cipher]} for cipher in CIPHERS),
    *({"encryption_algs": ["aes256-ctr"], "mac_algs": [mac]} for mac in MACS),
]


@pytest.mark.parametrize(
    "suite", SUITES, ids=lambda suite: "-".join(name for names in suite.values() for name in names)
)
async def test_every_byte_arrives_in_order_with_each_cipher_and_over_new_keys(suite: dict[str, Any]) -> None:
    server, data = Server(), os.urandom(MANY)
    async with bulky(server, rekey_bytes=700_000, **suite) as connection:
        assert await echoed(connection, data) == data
    assert server.theirs["log_received_packet", MSG_KEXINIT] > 2


@pytest.mark.parametrize("way", ["log_received_packet", "log_sent_packet"])
async def test_most_packets_are_neither_read_nor_written_by_the_library(way: str) -> None:
    server = Server()
    async with bulky(server, encryption_algs=CIPHERS[:1]) as connection:
        await echoed(connection, bytes(MANY))
    assert server.theirs[way, MSG_CHANNEL_DATA] < MANY // 32768 // 2


def cut(size: int) -> Change:
    return lambda data: [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 15, 17, 4_099])
@pytest.mark.parametrize("cipher", CIPHERS[:1] + CIPHERS[2:4])
async def test_however_what_comes_is_cut_it_is_read_the_same(size: int, cipher: str) -> None:
    data = os.urandom(min(MANY, 3_000 * size))
    async with bulky(Server(change=cut(size)), encryption_algs=[cipher]) as connection:
        assert await echoed(connection, data) == data


@pytest.mark.parametrize("bulk", [True, False])
@pytest.mark.parametrize("cipher", CIPHERS[:1] + CIPHERS[2:4])
@pytest.mark.parametrize("behind", [3, 5_000, 32_760])
async def test_a_changed_bit_ends_the_connection_and_nothing_behind_it_is_taken(
    cipher: str, bulk: bool, behind: int
) -> None:
    left = [-1]

    def flip(data: bytes) -> list[bytes]:
        if 0 <= left[0] < len(data):
            data = data[: left[0]] + bytes([data[left[0]] ^ 1]) + data[left[0] + 1 :]
        left[0] -= len(data) if left[0] >= 0 else 0
        return [data]

    server = Server(bulk=bulk, change=flip)
    async with bulky(server, encryption_algs=[cipher]) as connection:
        channel, session = await opened(connection)
        left[0] = behind
        channel.write(bytes(32_768) * 4)
        async with asyncio.timeout(LONG):
            await session.closed
            lost = await server.lost
    assert isinstance(lost, asyncssh.DisconnectError)
    assert len(session.came) <= behind


ODD = {
    "no channel": lambda there: [UInt32(99) + String(b"data")],
    "another length": lambda there: [UInt32(there) + UInt32(9) + b"data"],
    "more behind": lambda there: [UInt32(there) + String(b"data") + b"more"],
    "nothing": lambda there: [b""],
    "half": lambda there: [UInt32(there) + b"\0"],
    "more than the window": lambda there: [UInt32(there) + String(bytes(32_000))] * (WINDOW // 32_000 + 2),
}


@pytest.mark.parametrize("odd", ODD)
async def test_data_that_cannot_be_are_refused_as_the_library_refuses_them(odd: str) -> None:
    ends = []
    for bulk in (True, False):
        server = Server(bulk=bulk)
        async with bulky(server, client=asyncssh.SSHClient) as connection:
            channel, _ = await opened(connection)
            server.session.channel.pause_reading()
            raw: Any = connection
            for payload in ODD[odd](channel._send_chan):
                raw.send_packet(MSG_CHANNEL_DATA, payload)
            async with asyncio.timeout(LONG):
                ends.append(await server.lost)
    assert isinstance(ends[0], asyncssh.ProtocolError)
    assert str(ends[0]) == str(ends[1])


async def test_an_empty_packet_is_none_and_what_its_kind_is_not_is_told_apart() -> None:
    server = Server()
    async with bulky(server, client=asyncssh.SSHClient) as connection:
        channel, session = await opened(connection)
        raw: Any = channel
        raw.send_packet(MSG_CHANNEL_DATA, String(b""))
        channel.write(b"out")
        raw.send_packet(MSG_CHANNEL_DATA, String(b"put"))
        channel.write_eof()
        async with asyncio.timeout(LONG):
            await session.closed
    assert session.came == b"output"


async def test_a_session_that_ends_its_connection_amid_what_came_gets_no_more() -> None:
    server = Server()
    async with bulky(server) as connection:
        channel, session = await opened(connection)
        server.session.taken = server.connection.abort
        channel.write(bytes(32_768) * 8)
        async with asyncio.timeout(LONG):
            await session.closed
            await server.lost
