"""One OpenSSH server and one gateway for these tests; tests that change either start their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live_ssh import house


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "/tests/live_ssh/" in str(item.path):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[house.Server]:
    with house.sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(server: house.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[house.SshGateway]:
    with house.gateway(tmp_path_factory.mktemp("gateway"), server) as running:
        yield running
