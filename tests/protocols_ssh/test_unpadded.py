"""What goes over the wire between the gateway and its peers, as they see it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import asyncssh
import pytest
from asyncssh.constants import MSG_IGNORE

from gateway.protocols.ssh.algorithms import CIPHERS
from gateway.protocols.ssh.unpadded import unpadded
from tests.protocols_ssh.pair import pair


class Padded(asyncssh.SSHClient):
    """As the library does it."""


class Unpadded(asyncssh.SSHClient):
    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        unpadded(conn)


class Counting(asyncssh.SSHServer):
    """Counts what kinds of packets come."""

    def __init__(self) -> None:
        self.came: Counter[int] = Counter()

    def connection_made(self, conn: Any) -> None:
        logged = conn.log_received_packet

        def count(kind: int, *rest: Any) -> None:
            self.came[kind] += 1
            logged(kind, *rest)

        conn.log_received_packet = count

    def begin_auth(self, username: str) -> bool:
        return False


async def echo(process: asyncssh.SSHServerProcess[bytes]) -> None:
    process.stdout.write(await process.stdin.read())
    process.exit(0)


@pytest.mark.parametrize(("client", "padded"), [(Padded, True), (Unpadded, False)])
async def test_no_packet_goes_out_that_is_ignored(client: Any, padded: bool) -> None:
    counting = Counting()
    async with pair(counting, client, process_factory=echo, encoding=None) as connection:
        done = await connection.run("cat", input=b"said", encoding=None, check=True)
    assert done.stdout == b"said"
    assert (counting.came[MSG_IGNORE] > 0) is padded


def test_no_cipher_is_agreed_on_that_would_need_them() -> None:
    assert not [cipher for cipher in CIPHERS if "cbc" in cipher]
