"""Ways in and out: certificates for agents, certificates for targets, other clients."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import asyncssh
import paramiko

from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway


def test_connect_writes_a_certificate_and_ssh_needs_nothing_else(gateway: SshGateway, tmp_path: Path) -> None:
    token = gateway.token()
    written = gateway.countersign(
        "connect", "web-1", "--certificate", str(tmp_path / "access"), COUNTERSIGN_TOKEN=token
    )
    assert written.returncode == 0, written.stderr
    line = [*shlex.split(written.stdout), "echo", "hello"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("hello\n", 0), done.stderr
    assert {
        path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "access").iterdir()
    } == dict.fromkeys(("key", "key-cert.pub", "known_hosts", "config"), 0o600)
    gateway.revoke(token)
    refused = subprocess.run(line, capture_output=True, text=True, check=False)
    assert refused.returncode == 255
    assert refused.stdout == ""


def test_a_certificate_admits_its_own_user_alone(gateway: SshGateway, tmp_path: Path) -> None:
    for name in ("one", "two"):
        made = gateway.countersign(
            "connect", "web-1", "--certificate", str(tmp_path / name), COUNTERSIGN_TOKEN=gateway.token()
        )
        assert made.returncode == 0, made.stderr
    theirs = (tmp_path / "two" / "config").read_text().split("User ")[1].split()[0]
    done = subprocess.run(
        ["ssh", "-F", tmp_path / "one" / "config", "-o", f"User={theirs}", "web-1", "echo", "hello"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 255)


def test_a_target_may_trust_the_gateway_instead_of_a_stored_key(server: Server, tmp_path: Path) -> None:
    with house.gateway(tmp_path, replace(server, key=Path("none"))) as gateway:
        authority = gateway.api.call("/v1/authorities")["ssh"]
        (server.directory / "authorized").write_text(f"cert-authority {authority}\n")
        try:
            done = gateway.ssh("echo hello")
        finally:
            (server.directory / "authorized").write_text((server.directory / "client.pub").read_text())
    assert (done.stdout, done.returncode) == (b"hello\n", 0), done.stderr


def test_paramiko_runs_a_command(gateway: SshGateway) -> None:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    try:
        client.connect(
            "127.0.0.1",
            gateway.ports["web-1"],
            username="agent",
            password=gateway.token(),
            look_for_keys=False,
            allow_agent=False,
        )
        _, out, _ = client.exec_command("echo hello; exit 5")
        assert out.read() == b"hello\n"
        assert out.channel.recv_exit_status() == 5
    finally:
        client.close()


async def test_asyncssh_runs_many_commands_in_one_connection(gateway: SshGateway) -> None:
    async with asyncssh.connect(
        "127.0.0.1",
        gateway.ports["web-1"],
        username="agent",
        password=gateway.token(),
        known_hosts=None,
        client_keys=None,
        config=None,
    ) as connection:
        for n in range(30):
            assert (await connection.run(f"echo {n}")).stdout == f"{n}\n"
