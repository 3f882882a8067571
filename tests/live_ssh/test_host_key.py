"""The gateway's host key: whoever knows it once finds it again, or an operator has said otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway


@pytest.fixture
def own(server: Server, tmp_path: Path) -> Iterator[SshGateway]:
    """A gateway of this test's own, which a client has entered once."""
    with house.gateway(tmp_path, server) as running:
        assert entered(running) == (b"hello\n", 0)
        yield running


def entered(gateway: SshGateway) -> tuple[bytes, int]:
    """By an ssh that takes a new host key, and none in place of the one that it knows."""
    done = gateway.ssh("echo hello", pair=gateway.minted_pair(gateway.token()))
    return done.stdout or done.stderr, done.returncode


def refused_start(gateway: SshGateway) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--policy", gateway.policy_file, "--state", gateway.state],
        env=gateway.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 2, done.stderr
    return done.stderr.decode()


@pytest.mark.parametrize("lost", ["keys/seed", "keys"])
def test_a_lost_seed_stops_the_start_and_its_backup_brings_the_host_back(
    own: SshGateway, tmp_path: Path, lost: str
) -> None:
    own.stop()
    (own.state / lost).rename(tmp_path / "backup")
    told = refused_start(own)
    for words in (str(own.state / "keys" / "seed"), "seed.mark", "is missing", "Restore it from a backup"):
        assert words in told
    assert not (own.state / lost).exists()
    (tmp_path / "backup").rename(own.state / lost)
    own.start()
    assert entered(own) == (b"hello\n", 0)


def test_new_keys_are_made_where_the_mark_was_removed_and_clients_see_it(own: SshGateway) -> None:
    own.stop()
    (own.state / "keys" / "seed").unlink()
    (own.state / "seed.mark").unlink()
    own.start()
    assert "made a new seed" in own.log()
    said, status = entered(own)
    assert (b"Host key verification failed" in said, status) == (True, 255)


def test_whoever_comes_by_password_learns_the_key_beforehand(gateway: SshGateway, tmp_path: Path) -> None:
    known = tmp_path / "known"

    def strictly(key: str) -> tuple[bytes, int]:
        known.write_text(key)
        options = ("-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={known}")
        done = gateway.ssh("echo hello", options=options)
        return done.stdout, done.returncode

    told = gateway.countersign("connect", "web-1", "--known-host", COUNTERSIGN_TOKEN=gateway.token())
    assert (told.returncode, told.stderr) == (0, "")
    assert strictly("") == (b"", 255)
    assert strictly(told.stdout) == (b"hello\n", 0)
    place = told.stdout.split()[0]
    another = gateway.agent_key.with_suffix(".pub").read_text()
    assert strictly(f"{place} {another}") == (b"", 255)


def test_the_fingerprint_is_the_same_wherever_it_is_told(gateway: SshGateway, tmp_path: Path) -> None:
    host = gateway.api.call("/v1/hosts")["ssh"]
    (tmp_path / "host.pub").write_text(host["host_key"])
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "host.pub"], capture_output=True, text=True, check=True
    )
    fingerprint = shown.stdout.split()[1]
    assert fingerprint.startswith("SHA256:")
    assert host["fingerprint"] == fingerprint
    assert fingerprint in gateway.log()
    policy = ("--policy", str(gateway.policy_file), "--state", str(gateway.state))
    assert f"host key is {fingerprint}" in gateway.countersign("doctor", *policy).stdout
