"""pg_dump through the gateway: refused, held or let through as policies.yaml says, and never half masked."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.demo.postgres import Account
from tests.live import house
from tests.live.conftest import Run
from tests.live.house import Gateway

PERSONAL = re.compile(r"[a-z]+\d+@example\.com|219-09-\d{4}|\+1 202-555|4111 1111 1111|3782 822463")
WAYS = [
    (),
    ("--inserts",),
    ("--column-inserts", "--rows-per-insert=50"),
    ("--data-only", "--table=customers"),
    ("--enable-row-security",),
]


@pytest.fixture(scope="module")
def lenient(upstream: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose operators let agents change the settings that pg_dump needs, some by a name read at run time."""
    with house.gateway(
        tmp_path_factory.mktemp("lenient"),
        upstream,
        never="destructive, exec, exfil",
        freely="read, session, privilege, unknown",
        columns="",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def asking(upstream: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose operators want to be asked about such settings."""
    with house.gateway(
        tmp_path_factory.mktemp("asking"), upstream, never="destructive, exec, exfil", within="1s"
    ) as running:
        yield running


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_where_the_policy_blocks_what_a_dump_needs_it_is_refused(psql: Run, way: tuple[str, ...]) -> None:
    done = psql(*way, program="pg_dump")
    assert done.returncode == 1
    assert "Destructive statements never run through an agent." in done.stderr
    assert not PERSONAL.search(done.stdout)


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_where_the_policy_lets_it_a_dump_is_masked_from_end_to_end(
    psql: Run, lenient: Gateway, way: tuple[str, ...]
) -> None:
    done = psql(*way, program="pg_dump", account=lenient.account())
    assert done.returncode == 0, done.stderr
    assert not PERSONAL.search(done.stdout)
    assert done.stdout.count("@example.com") == 400
    assert done.stdout.count("[redacted]") == 400


def test_a_compressed_dump_in_many_sessions_is_masked_too(
    psql: Run, lenient: Gateway, tmp_path: Path
) -> None:
    directory = tmp_path / "dump"
    account = lenient.account()
    done = psql("--format=directory", "--jobs=3", f"--file={directory}", program="pg_dump", account=account)
    assert done.returncode == 0, done.stderr
    dumped = "".join(gzip.decompress(file.read_bytes()).decode() for file in directory.glob("*.gz"))
    assert dumped.count("@example.com") == 400
    assert not PERSONAL.search(dumped)


def test_where_people_are_asked_a_dump_waits_for_them(psql: Run, asking: Gateway) -> None:
    account = asking.account()
    with asking.api.deciding("deny", containing="row_security", reason="No dumps"):
        done = psql(program="pg_dump", account=account)
    assert done.returncode == 1
    assert "No dumps" in done.stderr
    assert not PERSONAL.search(done.stdout)
