"""Stores of secrets that others wrote, on loopback: OpenBao for Vault's API, moto for AWS's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.secrets import stores


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def vault() -> Iterator[stores.Vault]:
    with stores.vault() as running:
        yield running


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stores.Aws]:
    with stores.aws(Path(tmp_path_factory.mktemp("aws"))) as running:
        yield running
