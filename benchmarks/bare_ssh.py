"""What asyncssh itself costs twice: an SSH server that judges, masks and records nothing, and hands each command on.

`ssh.py` runs it beside the gateway, as a process of its own: it is the bound that a gateway on this library can reach.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import asyncssh
import uvloop


class Relayed(asyncssh.SSHServerSession[bytes]):
    def __init__(self, target: asyncssh.SSHClientConnection) -> None:
        self._target = target
        self._command: str | None = None
        self._there: Relaying | None = None
        self._early: list[bytes] = []
        self._ended = False

    def connection_made(self, chan: Any) -> None:
        self.channel = chan

    def exec_requested(self, command: str) -> bool:
        self._command = command
        return True

    def session_started(self) -> None:
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        _, self._there = await self._target.create_session(
            lambda: Relaying(self.channel), self._command, encoding=None
        )
        for piece in self._early:
            self._there.channel.write(piece)
        if self._ended:
            self._there.channel.write_eof()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        del datatype
        if self._there is None:
            self._early.append(data)
        else:
            self._there.channel.write(data)

    def eof_received(self) -> bool:
        self._ended = True
        if self._there is not None:
            self._there.channel.write_eof()
        return True

    def pause_writing(self) -> None:
        if self._there is not None:
            self._there.channel.pause_reading()

    def resume_writing(self) -> None:
        if self._there is not None:
            self._there.channel.resume_reading()


class Relaying(asyncssh.SSHClientSession[bytes]):
    def __init__(self, client: Any) -> None:
        self._client = client
        self._status = 255

    def connection_made(self, chan: Any) -> None:
        self.channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._client.write(data, datatype)

    def eof_received(self) -> bool:
        return True

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._client.exit(self._status)

    def pause_writing(self) -> None:
        self._client.pause_reading()

    def resume_writing(self) -> None:
        self._client.resume_reading()


class Open(asyncssh.SSHServer):
    """Lets everybody in who reaches loopback."""

    def __init__(self, target: asyncssh.SSHClientConnection) -> None:
        self._target = target

    def begin_auth(self, username: str) -> bool:
        del username
        return False

    def session_requested(self) -> Relayed:
        return Relayed(self._target)


async def serve(port: int, key: str, known_hosts: str, cipher: str) -> None:
    async with asyncssh.connect(
        "127.0.0.1", port, client_keys=[key], known_hosts=known_hosts, config=None, encryption_algs=[cipher]
    ) as target:
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: Open(target),
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            encryption_algs=[cipher],
            compression_algs=None,
            encoding=None,
        )
        print(acceptor.get_port(), flush=True)
        await acceptor.wait_closed()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), *sys.argv[2:5]))
