"""Connections that a target makes for a client: judged by where they go, and never around the gateway."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway
from tests.live_ssh.test_records import sessions, transcript


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
