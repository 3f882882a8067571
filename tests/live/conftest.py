"""One PostgreSQL and one gateway for all live tests; tests that kill or change either start their own."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psycopg
import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live import house
from tests.live.connected import AsyncConnection, Connection
from tests.live.psql import Terminal

Run = Callable[..., subprocess.CompletedProcess[str]]
Sit = Callable[..., Terminal]

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "/tests/live/" in str(item.path):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def shop() -> Iterator[tuple[Postgres, Account]]:
    with house.shop() as running:
        yield running


@pytest.fixture(scope="session")
def postgres(shop: tuple[Postgres, Account]) -> Postgres:
    return shop[0]


@pytest.fixture(scope="session")
def upstream(shop: tuple[Postgres, Account]) -> Account:
    return shop[1]


@pytest.fixture(scope="session")
def gateway(upstream: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[house.Gateway]:
    with house.gateway(tmp_path_factory.mktemp("gateway"), upstream) as running:
        yield running


@pytest.fixture
def table(postgres: Postgres, upstream: Account) -> Iterator[str]:
    """The name of a table of this test's own: `id` and `note`, with rows 1 to 3."""
    name = f"ledger_{next(_numbers)}"
    postgres.psql(
        f"CREATE TABLE {name} (id integer PRIMARY KEY, note text NOT NULL);"
        f"INSERT INTO {name} SELECT n, 'first' FROM generate_series(1, 3) AS n;",
        upstream,
    )
    yield name
    postgres.psql(f"DROP TABLE {name}", upstream)


@pytest.fixture
def notes(postgres: Postgres, upstream: Account, table: str) -> Callable[[], list[str]]:
    """What stands in the test's table now, asked past the gateway."""
    return lambda: postgres.psql(f"SELECT note FROM {table} ORDER BY id", upstream).split()


@pytest.fixture
def psql(postgres: Postgres, gateway: house.Gateway) -> Run:
    """Run psql once, through the gateway: `psql("-c", "SELECT 1")`."""

    def run(
        *arguments: str,
        stdin: str = "",
        account: Account | None = None,
        program: str = "psql",
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        quiet = ("-X", "-A", "-t") if program == "psql" else ()
        return subprocess.run(
            [postgres.binary(program), *quiet, *arguments],
            input=stdin,
            env={**os.environ, **(account or gateway.account()).environment, **environment},
            capture_output=True,
            text=True,
            timeout=house.WITHIN,
            check=False,
        )

    return run


@pytest.fixture
def sit(postgres: Postgres, gateway: house.Gateway) -> Sit:
    """Sit down at a psql: `with sit() as psql:`."""
    return lambda account=None: Terminal(
        postgres.binary("psql"), dict((account or gateway.account()).environment)
    )


@pytest.fixture
def connection(gateway: house.Gateway) -> Iterator[Connection]:
    with psycopg.connect(house.url(gateway.account()), autocommit=True) as connection:
        yield connection


@pytest.fixture
async def async_connection(gateway: house.Gateway) -> AsyncIterator[AsyncConnection]:
    account = await asyncio.to_thread(gateway.account)
    async with await psycopg.AsyncConnection.connect(house.url(account), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def direct(upstream: Account) -> Iterator[Connection]:
    """Past the gateway, to compare with."""
    with psycopg.connect(house.url(upstream), autocommit=True) as connection:
        yield connection
