"""One cluster and one gateway for these tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live_kubernetes.cluster import Cluster
from tests.live_kubernetes.house import ClusterGateway, house


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "/tests/live_kubernetes/" in str(item.path):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, ClusterGateway]]:
    with house(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def cluster(both: tuple[Cluster, ClusterGateway]) -> Cluster:
    return both[0]


@pytest.fixture
def gateway(both: tuple[Cluster, ClusterGateway]) -> ClusterGateway:
    return both[1]
