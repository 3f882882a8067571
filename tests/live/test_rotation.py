"""The target's password changes while the gateway runs: nobody restarts it, and nobody is refused for long."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live import house
from tests.secrets import stores


@pytest.fixture
def rotated(postgres: Postgres) -> Iterator[tuple[str, str]]:
    """A login of this test's own, and its password."""
    name, password = f"rotated_{secrets.token_hex(3)}", secrets.token_urlsafe(16)
    postgres.psql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    yield name, password
    postgres.psql(f"DROP ROLE {name}")


def change(postgres: Postgres, name: str) -> str:
    password = secrets.token_urlsafe(16)
    postgres.psql(f"ALTER ROLE {name} PASSWORD '{password}'")
    return password


def answered(gateway: house.Gateway) -> bool:
    with psycopg.connect(house.url(gateway.account())) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_a_password_rotated_in_vault_is_used_at_once(
    postgres: Postgres, upstream: Account, rotated, tmp_path, monkeypatch
) -> None:
    """Kept for five minutes and renewed by itself, but at once when the target refuses what was kept."""
    name, password = rotated
    with stores.vault() as vault:
        vault.keep("orders", password=password)
        monkeypatch.setenv("LIVE_VAULT_TOKEN", vault.token())
        credential = f'{{user: {name}, password: "vault:secret/data/orders#password"}}'
        more = f"secrets: {{vault: {{address: '{vault.address}', auth: {{token: env:LIVE_VAULT_TOKEN}}}}}}"
        with house.gateway(tmp_path, upstream, credential=credential, more=more) as gateway:
            assert answered(gateway)
            other = change(postgres, name)
            vault.keep("orders", password=other)
            house.eventually(lambda: _tried(gateway))
            assert password not in gateway.log()
            assert other not in gateway.log()


def _tried(gateway: house.Gateway) -> bool:
    """The store is not asked twice within a moment, whoever is refused meanwhile."""
    try:
        return answered(gateway)
    except psycopg.OperationalError:
        return False


def test_a_password_rotated_in_a_file_is_used_at_the_next_login(
    postgres: Postgres, upstream: Account, rotated, tmp_path
) -> None:
    name, password = rotated
    place = tmp_path / "password"
    place.write_text(password)
    credential = f"{{user: {name}, password: 'file:{place}'}}"
    with house.gateway(tmp_path, upstream, credential=credential) as gateway:
        assert answered(gateway)
        place.write_text(change(postgres, name))
        assert answered(gateway)


def test_a_target_that_goes_on_refusing_is_tried_twice_and_the_client_is_told(
    postgres: Postgres, upstream: Account, rotated, tmp_path
) -> None:
    """A command that prints another wrong password each time: the second is tried, a third is not."""
    name, _ = rotated
    count = tmp_path / "count"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho x >> {count}\ncat /proc/sys/kernel/random/uuid\n")
    program.chmod(0o755)
    credential = f"{{user: {name}, password: {{command: [{program}]}}}}"
    with house.gateway(tmp_path, upstream, credential=credential) as gateway:
        with pytest.raises(psycopg.OperationalError, match="refused the gateway's credential") as refused:
            answered(gateway)
        assert name not in str(refused.value)
        assert len(count.read_text().split()) <= 2
