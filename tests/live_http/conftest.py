"""One service and one gateway for these tests; tests that change either start their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live_http import house
from tests.live_http.service import Service, service


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "/tests/live_http/" in str(item.path):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def shop() -> Iterator[Service]:
    with service() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(shop: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[house.HttpGateway]:
    with house.gateway(tmp_path_factory.mktemp("gateway"), shop.port) as running:
        yield running
