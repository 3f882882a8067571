"""One PostgreSQL and one gateway for all live tests; tests that kill or change either start their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live import house


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
