"""Ways in and out: certificates for agents, certificates for targets, other clients."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from tests.live.house import Api, eventually
from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway, connected


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


def test_a_client_that_answers_questions_instead_of_giving_a_password_gets_in_as_well(
    gateway: SshGateway,
) -> None:
    token = gateway.token()
    pair = gateway.minted_pair(token)
    interactively = ("-o", "PreferredAuthentications=keyboard-interactive", "-v", "-o", "LogLevel=DEBUG1")

    def enter(password: str) -> subprocess.CompletedProcess[bytes]:
        return gateway.ssh("echo hello", options=interactively, pair=pair | {"password": password})

    done = enter(pair["password"])
    assert (done.stdout, done.returncode) == (b"hello\n", 0), done.stderr
    assert b'using "keyboard-interactive"' in done.stderr
    assert enter(f"{pair['password']}x").returncode == 255
    gateway.revoke(token)
    revoked = enter(pair["password"])
    assert (revoked.stdout, revoked.returncode) == (b"", 255)


def test_the_gateway_shows_a_host_certificate_and_clients_go_by_its_authority(
    gateway: SshGateway, tmp_path: Path
) -> None:
    made = gateway.countersign(
        "connect", "web-1", "--certificate", str(tmp_path), COUNTERSIGN_TOKEN=gateway.token()
    )
    line = [*shlex.split(made.stdout), "echo", "hello"]
    known = tmp_path / "known_hosts"
    authority, key = known.read_text().splitlines()
    marker, _, public = authority.partition(" countersign ")
    assert marker == "@cert-authority"
    place = f"[127.0.0.1]:{gateway.ports['web-1']}"
    another = gateway.agent_key.with_suffix(".pub").read_text()

    def enters(known_hosts: str, *options: str) -> bool:
        known.write_text(f"{known_hosts}\n")
        done = subprocess.run([line[0], *options, *line[1:]], capture_output=True, text=True, check=False)
        return done.stdout == "hello\n"

    assert enters(authority)
    assert not enters(f"@cert-authority countersign {another}")
    assert not enters(f"{authority}\n@revoked countersign {public}")
    assert not enters(f"@cert-authority {place} {public}", "-o", f"HostKeyAlias={place}")
    assert enters(key, "-o", f"HostKeyAlias={place}")


@pytest.mark.parametrize(
    ("principal", "known", "trusted"),
    [
        ("127.0.0.1", "@cert-authority {place} {authority}", True),
        ("127.0.0.1", "@cert-authority {place} {authority}\n@revoked {place} {authority}", False),
        ("elsewhere.example.com", "@cert-authority {place} {authority}", False),
        ("127.0.0.1", "@cert-authority {place} {another}", False),
        ("127.0.0.1", "{place} {authority}", False),
    ],
    ids=["certified", "revoked", "another name", "another authority", "no authority"],
)
def test_a_target_may_show_a_host_certificate(
    server: Server, tmp_path: Path, principal: str, known: str, trusted: bool
) -> None:
    for name in ("authority", "another"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    (tmp_path / "sshd").mkdir()

    def certified(host: Path) -> str:
        line = ["ssh-keygen", "-q", "-s", tmp_path / "authority", "-h", "-I", "web-1", "-n", principal]
        subprocess.run([*line, host.with_suffix(".pub")], check=True)
        return f"HostCertificate {host}-cert.pub\n"

    with house.sshd(tmp_path / "sshd", more=certified) as target:
        keys = {name: (tmp_path / f"{name}.pub").read_text().strip() for name in ("authority", "another")}
        target.known_hosts.write_text(known.format(place=f"[127.0.0.1]:{target.port}", **keys) + "\n")
        with house.gateway(tmp_path, target) as gateway:
            done = gateway.ssh("echo hello")
    assert (done.stdout, done.returncode) == ((b"hello\n", 0) if trusted else (b"", 255)), done.stderr


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
    with house.paramiko_client(gateway) as client:
        _, out, _ = client.exec_command("echo hello; exit 5")
        assert out.read() == b"hello\n"
        assert out.channel.recv_exit_status() == 5


async def test_asyncssh_runs_many_commands_in_one_connection(gateway: SshGateway) -> None:
    async with connected(gateway) as connection:
        for n in range(30):
            assert (await connection.run(f"echo {n}")).stdout == f"{n}\n"


def test_an_agent_enters_by_the_key_that_the_policy_has(gateway: SshGateway) -> None:
    own = house.openssh(StrictHostKeyChecking="no", UserKnownHostsFile="/dev/null", IdentitiesOnly="yes")
    line = ["ssh", *own, "-o", "BatchMode=yes", "-p", str(gateway.ports["web-1"])]

    def enter(user: str, key: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*line, "-i", key, f"{user}@127.0.0.1", "echo", "hello"],
            capture_output=True,
            text=True,
            check=False,
        )

    assert enter("release-pipeline", gateway.agent_key).stdout == "hello\n"
    assert enter("somebody-else", gateway.agent_key).returncode == 255
    other = gateway.directory / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    assert enter("release-pipeline", other).returncode == 255


def test_a_session_that_does_nothing_ends_and_one_that_waits_for_people_does_not(
    server: Server, tmp_path: Path
) -> None:
    with house.gateway(tmp_path, server, limits="{idle: 1s}") as gateway:
        idle = gateway.ssh("tail -f /dev/null")
        assert idle.returncode != 0
        assert b"Nothing happened here for 1 s." in idle.stderr
        with gateway.api.meanwhile(lambda: _after(gateway, 2.5)):
            held = gateway.ssh(f"mkdir {tmp_path}/made")
        assert held.returncode == 0, held.stderr


def _after(gateway: SshGateway, seconds: float) -> None:
    """Approve what is held once it has been for so long."""
    approval = gateway.api.pending("mkdir")
    eventually(lambda: time.time() - approval["opened_at"] > seconds)
    gateway.api.vote(gateway.api.call(f"/v1/approvals/{approval['id']}"), "approve")


class Guessing(asyncssh.SSHClient):
    """Tries one password after the other."""

    def __init__(self) -> None:
        self.tried = 0
        self.banners: list[str] = []

    def password_auth_requested(self) -> str:
        self.tried += 1
        return f"guess-{self.tried}"

    def auth_banner_received(self, msg: str, lang: str) -> None:
        self.banners.append(msg)


@pytest.mark.parametrize("user", ["agent", "cs_0123456789abcdef"])
async def test_attempts_end_and_do_not_tell_which_connections_there_are(
    server: Server, tmp_path: Path, user: str
) -> None:
    with house.gateway(tmp_path, server, beside=True) as gateway:
        heard = []
        for there in ("web-1", "web-3"):
            guessing = Guessing()
            with pytest.raises(asyncssh.DisconnectError, match="Too many attempts"):
                async with connected(
                    gateway, f"{user}%{there}", client_factory=lambda it=guessing: it, password=None
                ):
                    pass
            heard.append((guessing.tried, guessing.banners))
        assert heard[0] == heard[1]
        assert heard[0][0] == 11


async def test_only_languages_terminals_and_zones_reach_the_target_and_only_what_was_set_before(
    gateway: SshGateway,
) -> None:
    hostile = {
        "LC_ALL": "() { :; }; echo pwned", "LC_CMD": "rm", "LANGUAGE_SERVER": "x", "TERMCAP": "/tmp/x", "TZ": "/etc/shadow",
        "LD_PRELOAD": "/tmp/x", "BASH_ENV": "/tmp/x",
    }  # fmt: skip
    async with connected(gateway) as connection:
        command = "echo " + " ".join(f'"{name}=${name}"' for name in ("LC_TIME", *hostile))
        done = await connection.run(command, env={**hostile, "LC_TIME": "de_DE.UTF-8"}, timeout=90)
    assert "LC_TIME=de_DE.UTF-8" in done.stdout
    assert not any(f"{name}={value}" in done.stdout for name, value in hostile.items())


async def test_a_target_that_went_away_is_asked_again_by_the_next_command(
    gateway: SshGateway, tmp_path: Path
) -> None:
    own = tmp_path / "pid"
    async with connected(gateway) as connection:
        with gateway.api.deciding("approve", containing=str(own)):
            running = await connection.create_process(f"echo $PPID > {own}; echo begun; tail -f /dev/null")
            await running.stdout.readline()
        os.kill(int(own.read_text()), signal.SIGKILL)
        await running.wait()
        assert running.exit_status == 255
        assert (await connection.run("echo back")).stdout == "back\n"


def test_the_key_exchange_is_strict_and_its_algorithms_are_strong(gateway: SshGateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.ports["web-1"])) as client:
        client.sendall(b"SSH-2.0-test\r\n")
        seen = b""
        while b"hmac-sha2-512," not in seen and b"hmac-sha2-512\0" not in seen:
            seen += client.recv(65_536)
    assert b"kex-strict-s-v00@openssh.com" in seen
    for weak in (b"-sha1", b"hmac-md5", b"-cbc", b"arcfour", b"chacha20", b"ssh-dss", b"none,"):
        assert weak not in seen


def test_ansible_pings_a_host_by_certificate(server: Server, tmp_path: Path) -> None:
    """Its modules are programs that it copies there: a policy for it lets them go, and still records them."""
    freely = "read, session, write, destructive, privilege, exec, exfil, unknown"
    with house.gateway(tmp_path, server, never="ddl", held="ddl", freely=freely) as gateway:
        made = gateway.countersign(
            "connect", "web-1", "--certificate", str(tmp_path / "access"), COUNTERSIGN_TOKEN=gateway.token()
        )
        assert made.returncode == 0, made.stderr
        done = subprocess.run(
            [
                "/usr/bin/ansible",
                "all",
                "-i",
                "web-1,",
                "-m",
                "ping",
                "-e",
                "ansible_python_interpreter=/usr/bin/python3",
            ],
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path),
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_SSH_ARGS": f"-F {tmp_path}/access/config -o ControlMaster=no",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert '"ping": "pong"' in done.stdout, done.stdout + done.stderr


def test_connections_that_share_an_address_are_named_with_the_user(server: Server, tmp_path: Path) -> None:
    with house.gateway(tmp_path, server, beside=True) as gateway:
        pair = gateway.minted_pair(gateway.token())

        def enter(user: str) -> subprocess.CompletedProcess[bytes]:
            options = ("-l", user, "-o", "LogLevel=INFO")
            return gateway.ssh("echo hello", options=options, token=gateway.token(), pair=pair)

        assert enter(f"{pair['user']}%web-1").stdout == b"hello\n"
        there = enter(f"{pair['user']}%web-2")
        assert b"did not accept the gateway's credential" in there.stderr
        unnamed = enter(pair["user"])
        assert unnamed.returncode == 255
        assert b"log in as user%connection" in unnamed.stderr
        assert b"it reaches web-1, web-2." in unnamed.stderr
        assert b"--scope" not in unnamed.stderr
        assert enter(f"{pair['user']}%web-3").returncode == 255
        made = gateway.countersign(
            "connect", "web-1", "--certificate", str(tmp_path / "access"), COUNTERSIGN_TOKEN=gateway.token()
        )
        done = subprocess.run(
            [*shlex.split(made.stdout), "echo", "hello"], capture_output=True, text=True, check=False
        )
        assert done.stdout == "hello\n", done.stderr


BY_HAND = """
elevations:
  - name: hands
    by_hand: true
    effects: [read, write]
    hold: {approvers: dba}
"""


def test_a_person_gets_in_by_hand_for_as_long_as_that_is_granted(server: Server, tmp_path: Path) -> None:
    with house.gateway(tmp_path, server) as gateway:
        gateway.policy_file.write_text(gateway.policy_file.read_text() + BY_HAND)
        eventually(lambda: bool(gateway.api.call("/v1/elevations?person=maria.lopez@example.com")))
        wish = {"connection": "web-1", "effects": ["read", "write"], "seconds": 600, "reason": "disk is full"}
        approval = gateway.api.call("/v1/elevations", wish | {"person": "maria.lopez@example.com"})
        gateway.api.vote(approval, "approve")
        grant = gateway.api.call(f"/v1/elevations/{approval['id']}?wait=5")["grant"]
        access = gateway.api.call(f"/v1/grants/{grant['id']}/access", {"person": "maria.lopez@example.com"})
        shown = Api(gateway.url, "-").call(f"/v1/access/{access['code']}", {})
        assert shown["line"].startswith("ssh -p ")
        host, _, port = shown["address"].rpartition(":")
        written = tmp_path / "by-hand"

        async def run(command: str) -> tuple[str, int | None]:
            async with asyncssh.connect(
                host, int(port), username=shown["user"], password=shown["password"], known_hosts=None
            ) as client:
                done = await client.run(command)
                return str(done.stdout), done.exit_status

        assert asyncio.run(run(f"touch {written}")) == ("", 0)
        assert written.exists()
        gateway.api.call(f"/v1/grants/{grant['id']}/end", {"person": "maria.lopez@example.com"})
        with pytest.raises(asyncssh.Error):
            asyncio.run(run("true"))
