"""A target that is another server than OpenSSH's: entered by a stored password, and told of signals."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest_asyncio

from tests.live_ssh.house import Server, SshGateway, connected

PASSWORD = "correct-horse-9431"


class Door(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (getpass.getuser(), PASSWORD)


async def serve(process: asyncssh.SSHServerProcess[str]) -> None:
    """Say which signal came, and end by it."""
    process.stdout.write("begun\n")
    try:
        await process.stdin.read()
    except asyncssh.SignalReceived as received:
        process.stdout.write(f"got {received.signal}\n")
        process.exit_with_signal(received.signal)


@contextlib.asynccontextmanager
async def before(tmp_path: Path, **options: Any) -> AsyncIterator[SshGateway]:
    """A gateway before such a target."""
    host = asyncssh.generate_private_key("ssh-ed25519")
    stored = tmp_path / "password"
    stored.write_text(PASSWORD)
    async with await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, process_factory=serve, server_host_keys=[host], **options
    ) as acceptor:
        port = acceptor.get_port()
        known = tmp_path / "known_hosts_of_the_gateway"
        known.write_text(f"[127.0.0.1]:{port} {host.export_public_key().decode()}")
        running = SshGateway(tmp_path, Server(tmp_path, port, tmp_path / "none", known))
        policy = running.policy_file.read_text()
        who = f"credential: {{user: {getpass.getuser()}"
        assert who in policy
        running.policy_file.write_text(policy.replace(who, f"{who}, password: file:{stored}"))
        await asyncio.to_thread(running.start)
        try:
            yield running
        finally:
            await asyncio.to_thread(running.stop)


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[SshGateway]:
    async with before(tmp_path) as running:
        yield running


async def test_signals_pass_both_ways(gateway: SshGateway) -> None:
    async with connected(gateway) as connection:
        for signal in ("USR1", "TERM"):
            process = await connection.create_process("tail -f /dev/null")
            assert await process.stdout.readline() == "begun\n"
            process.send_signal(signal)
            assert await process.stdout.readline() == f"got {signal}\n"
            done = await process.wait()
            assert done.exit_signal is not None
            assert done.exit_signal[0] == signal


async def test_a_target_that_takes_tiny_packets_alone_gets_no_channel(tmp_path: Path) -> None:
    async with before(tmp_path, max_pktsize=1) as gateway, connected(gateway) as connection:
        for _ in range(2):
            done = await connection.run("tail -f /dev/null", check=False)
            assert done.exit_status == 255
            assert "The target refused the channel: packets of 1 bytes are too small" in str(done.stderr)
