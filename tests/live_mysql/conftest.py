"""One MariaDB and one gateway for these tests; tests that change either start their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest

from gateway.demo.postgres import Account
from tests.facts.mariadb import MariaDb
from tests.live_mysql import house

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "/tests/live_mysql/" in str(item.path):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def shop() -> Iterator[tuple[MariaDb, Account]]:
    with house.shop() as running:
        yield running


@pytest.fixture(scope="session")
def server(shop: tuple[MariaDb, Account]) -> MariaDb:
    return shop[0]


@pytest.fixture(scope="session")
def upstream(shop: tuple[MariaDb, Account]) -> Account:
    return shop[1]


@pytest.fixture(scope="session")
def gateway(upstream: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[house.MysqlGateway]:
    with house.gateway(tmp_path_factory.mktemp("gateway"), upstream) as running:
        yield running


@pytest.fixture
def connection(gateway: house.MysqlGateway) -> Iterator[pymysql.Connection[Any]]:
    with gateway.connect() as connection:
        yield connection


@pytest.fixture
def table(server: MariaDb) -> Iterator[str]:
    """The name of a table of this test's own: `id` and `note`, with rows 1 to 3."""
    name = f"ledger_{next(_numbers)}"
    server.run(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, note VARCHAR(40) NOT NULL);"
        f"INSERT INTO {name} SELECT seq, 'first' FROM seq_1_to_3;",
        database="shop",
    )
    yield name
    server.run(f"DROP TABLE IF EXISTS {name}", database="shop")


@pytest.fixture
def notes(server: MariaDb, table: str) -> Callable[[], list[str]]:
    """What stands in the test's table now, asked past the gateway."""
    return lambda: server.run(f"SELECT note FROM {table} ORDER BY id", database="shop").split()
