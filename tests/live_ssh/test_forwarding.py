"""Connections that a target makes for a client: judged by where they go, and never around the gateway."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from asyncssh.packet import Boolean, String, UInt32

from tests.live.house import eventually
from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway, connected
from tests.live_ssh.test_records import sessions, transcript
from tests.ports import free_port


@pytest.fixture
def echoing() -> Iterator[int]:
    """The port of a server that says what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with listening.accept()[0] as one:
                while data := one.recv(65_536):
                    one.sendall(data)

        serving = threading.Thread(target=serve)
        serving.start()
        yield listening.getsockname()[1]
        with socket.create_connection(listening.getsockname()):
            pass
        serving.join()


@pytest.fixture(scope="module")
def judging(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshGateway]:
    with house.gateway(tmp_path_factory.mktemp("judging"), server, forwarding="judged") as running:
        yield running


def test_a_forwarded_connection_waits_for_a_yes_and_then_flows(judging: SshGateway, echoing: int) -> None:
    with judging.api.deciding("approve", containing=f"forward to 127.0.0.1:{echoing}") as seen:
        done = judging.ssh(options=("-W", f"127.0.0.1:{echoing}"), stdin=b"hello" * 10_000)
    assert done.stdout == b"hello" * 10_000
    assert seen[0]["command"]["effects"] == ["exfil"]
    assert seen[0]["command"]["resources"][0]["name"] == f"127.0.0.1:{echoing}"


def test_what_leads_around_the_gateway_is_refused_unasked(judging: SshGateway, server: Server) -> None:
    before = sessions(judging)
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "localhost."):
        done = judging.ssh(options=("-W", f"{host}:{server.port}"))
        assert done.returncode == 255, host
    asked = [
        each["approval"]["command"]["text"]
        for each in judging.api.changes()["changes"]
        if each.get("approval")
    ]
    assert not any(str(server.port) in text for text in asked)
    records = [transcript(judging, session) for session in sessions(judging) - before]
    assert len(records) == 4
    assert all("refused forwarding around the gateway to " in text for text in records)


def test_without_the_option_it_is_refused_unasked(gateway: SshGateway, echoing: int) -> None:
    before = sessions(gateway)
    assert gateway.ssh(options=("-W", f"127.0.0.1:{echoing}")).returncode == 255
    (session,) = sessions(gateway) - before
    assert f"refused forwarding to 127.0.0.1:{echoing}" in transcript(gateway, session)


async def test_nothing_else_is_forwarded_whatever_the_option_says(
    judging: SshGateway, tmp_path: Path
) -> None:
    path = str(tmp_path / "socket")
    before = sessions(judging)
    async with connected(judging) as connection:
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 1)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_path(path, path)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection(path)
        for tunnel in (connection.open_tun, connection.open_tap):
            with pytest.raises(asyncssh.ChannelOpenError):
                await tunnel()
        process = await connection.create_process("cat")
        asked = process.channel._make_request
        cookie = String("MIT-MAGIC-COOKIE-1"), String("00" * 16)
        assert not await asked(b"auth-agent-req@openssh.com")
        assert not await asked(b"x11-req", Boolean(False), *cookie, UInt32(0))
    (session,) = sessions(judging) - before
    text = await asyncio.to_thread(transcript, judging, session)
    for refused in (
        "listening on 127.0.0.1:0",
        f"listening on the socket {path}",
        f"forwarding to the socket {path}",
        "a tunnel",
        "forwarding of an agent",
        "forwarding of a display",
    ):
        assert f"refused {refused}" in text
    assert text.count("refused a tunnel") == 2


@pytest.mark.parametrize("by", ["password", "certificate"])
def test_what_openssh_asks_to_forward_is_refused_and_recorded_and_its_command_runs(
    gateway: SshGateway, tmp_path: Path, by: str
) -> None:
    if by == "password":
        options, environment = gateway.client(gateway.token())
        line = ["ssh", *options, "-p", str(gateway.ports["web-1"]), "127.0.0.1"]
    else:
        access = ("connect", "web-1", "--certificate", str(tmp_path / "access"))
        line = shlex.split(gateway.countersign(*access, COUNTERSIGN_TOKEN=gateway.token()).stdout)
        environment = dict(os.environ)
    forwards = ["-A", "-X", "-R", "2222:127.0.0.1:1", "-R", f"{tmp_path}/there:{tmp_path}/here"]
    before = sessions(gateway)
    done = subprocess.run(
        ["ssh-agent", line[0], *forwards, *line[1:], "echo hello"],
        env={**environment, "DISPLAY": ":99"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == (b"hello\n", 0), done.stderr
    (session,) = sessions(gateway) - before
    text = transcript(gateway, session)
    for refused in (
        "listening on localhost:2222",
        f"listening on the socket {tmp_path}/there",
        "forwarding of an agent",
        "forwarding of a display",
    ):
        assert f"refused {refused}" in text


def test_a_certificate_lets_forward_what_the_policy_lets(
    judging: SshGateway, echoing: int, tmp_path: Path
) -> None:
    access = ("connect", "web-1", "--certificate", str(tmp_path / "access"))
    line = shlex.split(judging.countersign(*access, COUNTERSIGN_TOKEN=judging.token()).stdout)
    with judging.api.deciding("approve", containing=f"forward to 127.0.0.1:{echoing}"):
        done = subprocess.run(
            [line[0], "-W", f"127.0.0.1:{echoing}", *line[1:]],
            input=b"hello",
            capture_output=True,
            check=False,
        )
    assert done.stdout == b"hello", done.stderr


def test_what_a_multiplexed_client_asks_for_is_judged_like_any_other(
    gateway: SshGateway, tmp_path: Path
) -> None:
    """One connection, many `ssh`: ControlMaster."""
    master = ("-S", str(tmp_path / "control"))
    pair = gateway.minted_pair(gateway.token())
    options, environment = gateway.client("", pair)
    port = ("-p", str(gateway.ports["web-1"]), "127.0.0.1")
    running = subprocess.Popen(["ssh", *options, "-M", "-N", *master, *port], env=environment)
    try:
        eventually((tmp_path / "control").exists)

        def asked(*command: str) -> tuple[bytes, int]:
            # With another password than the master's: what is not multiplexed does not enter.
            done = subprocess.run(
                ["ssh", *options, *master, *command],
                env={**environment, "PASSWORD": "none"},
                capture_output=True,
                check=False,
                timeout=60,
            )
            return done.stdout, done.returncode

        assert asked(*port, "echo hello") == (b"hello\n", 0)
        assert asked(*port, "rm -rf /srv") == (b"", 126)
        assert asked("-O", "forward", "-R", f"{free_port()}:127.0.0.1:22", *port)[1] == 255
        assert asked("-W", "127.0.0.1:22", *port)[1] == 255
    finally:
        running.terminate()
        running.wait()
