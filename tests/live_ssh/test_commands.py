"""ssh and what it runs: allowed, blocked, held, masked, recorded."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live.house import eventually
from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway


def test_a_read_runs_and_its_exit_status_comes_back(gateway: SshGateway) -> None:
    done = gateway.ssh("echo out; echo err >&2; exit 3")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 3)


def test_what_is_sensitive_in_an_answer_is_masked_across_chunks(gateway: SshGateway, tmp_path: Path) -> None:
    (tmp_path / "people").write_text("ana is ana.silva@example.com, card 4111 1111 1111 1111\n" * 3_000)
    done = gateway.ssh(f"cat {tmp_path}/people")
    assert done.returncode == 0
    assert b"ana.silva@" not in done.stdout
    assert b"4111 1111 1111" not in done.stdout
    assert done.stdout.count(b"ana is ") == 3_000


def test_a_blocked_command_is_refused_in_a_sentence_and_does_not_run(
    gateway: SshGateway, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    done = gateway.ssh(f"rm -rf {victim}")
    assert done.returncode == 126
    assert b"Destructive commands never run through an agent." in done.stderr
    assert victim.exists()


def test_an_approved_command_runs_in_the_very_session_that_waited(
    gateway: SshGateway, tmp_path: Path
) -> None:
    wanted = tmp_path / "made"
    with gateway.api.deciding("approve", containing=str(wanted)) as seen:
        done = gateway.ssh(f"mkdir {wanted}")
    assert done.returncode == 0, done.stderr
    assert b"Held until a person decides" in done.stderr
    assert wanted.is_dir()
    assert seen[0]["command"]["effects"] == ["write"]


def test_a_denied_command_does_not_run(gateway: SshGateway, tmp_path: Path) -> None:
    with gateway.api.deciding("deny", containing=str(tmp_path), reason="not today"):
        done = gateway.ssh(f"mkdir {tmp_path}/no")
    assert done.returncode == 126
    assert b"not today" in done.stderr
    assert not (tmp_path / "no").exists()


def test_standard_input_reaches_what_was_approved_byte_for_byte(gateway: SshGateway, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4_000
    with gateway.api.deciding("approve", containing=str(tmp_path)):
        done = gateway.ssh(f"cat > {tmp_path}/data", stdin=data)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data").read_bytes() == data


@pytest.mark.parametrize("nothing", ["", " ", "\n", "# nothing"])
def test_a_command_that_is_nothing_begins_no_shell(gateway: SshGateway, tmp_path: Path, nothing: str) -> None:
    with house.paramiko_client(gateway) as client:
        given, out, _ = client.exec_command(nothing, timeout=90)
        with contextlib.suppress(OSError):  # it may have ended already
            given.write(f"echo begun; touch {tmp_path}/made\n")
            given.channel.shutdown_write()
        assert out.read() == b""
        assert out.channel.recv_exit_status() == 0
    assert not (tmp_path / "made").exists()


def test_nobody_enters_without_a_good_token(gateway: SshGateway) -> None:
    done = gateway.ssh("true", token="not-a-token")
    assert done.returncode == 255


def test_forwarding_is_refused(gateway: SshGateway) -> None:
    done = gateway.ssh(options=("-W", "127.0.0.1:1"))
    assert done.returncode == 255
    assert b"forwarding failed" in done.stderr


def test_revoking_the_token_ends_what_runs(gateway: SshGateway) -> None:
    token = gateway.token()

    def revoke() -> None:
        eventually(lambda: any(each["commands"] for each in gateway.api.call("/v1/sessions")))
        gateway.revoke(token)

    with gateway.api.meanwhile(revoke):
        done = gateway.ssh("tail -f /dev/null", token=token)
    assert done.returncode != 0
    assert b"revoked" in done.stderr


def test_a_target_with_another_host_key_gets_nothing(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{server.port} {other.with_suffix('.pub').read_text()}")
    with house.gateway(tmp_path, replace(server, known_hosts=known)) as gateway:
        done = gateway.ssh("echo hello")
    assert done.returncode == 255
    assert b"host key is not the one that is known" in done.stderr
    assert done.stdout == b""
