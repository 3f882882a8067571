"""What clients may make the gateway keep, one by one and all together."""

from __future__ import annotations

import socket
from pathlib import Path

import asyncssh
import pytest

from gateway.protocols.ssh.client import CHANNELS
from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway, connected
from tests.live_ssh.test_faults import recordings


def test_what_all_clients_may_have_waiting_is_bounded_and_given_back(server: Server, tmp_path: Path) -> None:
    """A held command keeps 4 MiB of what its client sends behind it, and the window of a channel that is not read."""
    (tmp_path / "much").write_bytes(bytes(16_000_000))
    with house.gateway(tmp_path, server, limits="{waiting_bytes: 10MiB}") as gateway:
        waiting = gateway.start_ssh(f"cat > {tmp_path}/one", stdin=tmp_path / "much")
        first = gateway.api.pending(f"{tmp_path}/one")
        refused = gateway.start_ssh(f"cat > {tmp_path}/two", stdin=tmp_path / "much")
        _, said = refused.communicate(timeout=30)
        assert b"as much in memory for its clients as it may" in said
        assert refused.returncode != 0
        gateway.api.vote(first, "approve")
        waiting.communicate(timeout=30)
        assert waiting.returncode == 0
        assert (tmp_path / "one").read_bytes() == bytes(16_000_000)
        with gateway.api.deciding("approve", containing=f"{tmp_path}/three"):
            third = gateway.start_ssh(f"cat > {tmp_path}/three", stdin=tmp_path / "much")
            third.communicate(timeout=30)
        assert (tmp_path / "three").read_bytes() == bytes(16_000_000)


def test_who_does_not_log_in_is_sent_away(server: Server, tmp_path: Path) -> None:
    with (
        house.gateway(tmp_path, server, limits="{login: 1s}") as gateway,
        socket.create_connection(("127.0.0.1", gateway.ports["web-1"]), timeout=90) as client,
    ):
        client.sendall(b"SSH-2.0-test\r\n")
        said = b""
        while piece := client.recv(65_536):
            said += piece
    assert said.startswith(b"SSH-2.0-countersign\r\n")


def test_a_session_ends_when_it_has_lasted_long_enough(server: Server, tmp_path: Path) -> None:
    with house.gateway(tmp_path, server, limits="{session: 1s}") as gateway:
        done = gateway.ssh("tail -f /dev/null")
    assert done.returncode != 0
    assert b"This session has lasted as long as the policy lets it." in done.stderr


async def test_a_connection_has_so_many_channels_and_no_more(gateway: SshGateway) -> None:
    async with connected(gateway) as connection:
        for _ in range(CHANNELS):
            await connection.create_process()
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process()


@pytest.mark.parametrize("size", [1, 1023])
async def test_a_client_that_takes_tiny_packets_alone_gets_no_channel(gateway: SshGateway, size: int) -> None:
    async with connected(gateway) as connection:
        for opened in (
            connection.create_session(asyncssh.SSHClientSession, "echo hello", max_pktsize=size),
            connection.create_connection(asyncssh.SSHTCPSession, "db.example", 5432, max_pktsize=size),
        ):
            with pytest.raises(asyncssh.ChannelOpenError, match=f"packets of {size} bytes are too small"):
                await opened
        done = await connection.run("echo hello", max_pktsize=1024)
        assert done.stdout == "hello\n"
    refused = f"refused a channel with packets of at most {size} bytes"
    assert any(refused.encode() in path.read_bytes() for path in recordings(gateway))
