"""The gateway's host key: whoever knows it once finds it again, or an operator has said otherwise."""

from __future__ import annotations

import json
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


def host_keys(gateway: SshGateway, action: str) -> dict[str, str]:
    """`countersign host-keys`, and the gateway started anew."""
    done = gateway.countersign("host-keys", action, "--json", "--state", str(gateway.state))
    assert done.returncode == 0, done.stderr
    gateway.stop()
    gateway.start()
    told: dict[str, str] = json.loads(done.stdout)["ssh"]
    assert {**told} == gateway.api.call("/v1/hosts")["ssh"]
    return told


def test_clients_learn_the_next_key_while_the_old_one_serves_and_forget_that_after_the_switch(
    own: SshGateway, tmp_path: Path
) -> None:
    (tmp_path / "learns").write_bytes((own.directory / "known_hosts").read_bytes())
    (tmp_path / "does-not").write_bytes((own.directory / "known_hosts").read_bytes())

    def strictly(known: str, update: str) -> tuple[bytes, int]:
        options = {
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(tmp_path / known),
            "UpdateHostKeys": update,
        }
        set_options = tuple(part for option in options.items() for part in ("-o", "=".join(option)))
        done = own.ssh("echo hello", options=set_options, pair=own.minted_pair(own.token()))
        return done.stdout, done.returncode

    first = host_keys(own, "show")["host_key"]
    assert "announce" in own.countersign("host-keys", "switch", "--state", str(own.state)).stderr
    announced = host_keys(own, "announce")
    assert announced["host_key"] == first
    following = announced["next_host_key"]
    assert strictly("does-not", "no") == strictly("learns", "yes") == (b"hello\n", 0)
    assert keys_in(tmp_path / "learns") == {first, following}
    told = own.countersign("connect", "web-1", "--known-host", COUNTERSIGN_TOKEN=own.token())
    (tmp_path / "told").write_text(told.stdout)
    assert keys_in(tmp_path / "told") == {first, following}
    switched = host_keys(own, "switch")
    assert switched["host_key"] == following
    assert "next_host_key" not in switched
    assert strictly("learns", "yes") == strictly("told", "no") == (b"hello\n", 0)
    assert keys_in(tmp_path / "learns") == {following}
    assert strictly("does-not", "no") == (b"", 255)


def keys_in(known_hosts: Path) -> set[str]:
    return {" ".join(line.split()[1:3]) for line in known_hosts.read_text().splitlines()}


def test_who_knows_the_authority_does_not_notice_another_host_key(own: SshGateway, tmp_path: Path) -> None:
    pair = tmp_path / "web-1"
    token = own.token()
    made = own.countersign("connect", "web-1", "--certificate", str(pair), COUNTERSIGN_TOKEN=token)
    assert made.returncode == 0, made.stderr
    host_keys(own, "announce")
    host_keys(own, "switch")
    done = subprocess.run(
        ["ssh", "-F", pair / "config", "web-1", "echo hello"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == (b"hello\n", 0), done.stderr


def test_numbers_of_host_keys_that_are_damaged_stop_the_start(own: SshGateway) -> None:
    host_keys(own, "announce")
    own.stop()
    numbers = own.state / "keys" / "host-keys"
    assert numbers.read_text() == "1 2\n"
    numbers.write_text("2\n")
    assert f"{numbers} is damaged" in refused_start(own)
    numbers.write_text("1 2\n")
    own.start()
