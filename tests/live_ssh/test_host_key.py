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
