"""One PostgreSQL for all of them; each file of tests has a gateway and a workspace of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.workspace.client import WorkspaceClient
from gateway.demo.postgres import Account, Postgres
from tests.faults.stand import Stand, standing
from tests.live import house


@pytest.fixture(scope="session")
def shop() -> Iterator[tuple[Postgres, Account]]:
    with house.shop() as (server, account):
        server.psql("CREATE TABLE counted (name text PRIMARY KEY, n integer NOT NULL DEFAULT 0)", account)
        yield server, account


@pytest.fixture(scope="module")
def stand(shop: tuple[Postgres, Account], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("stand"), *shop) as running:
        yield running


@pytest.fixture
async def people(stand: Stand) -> AsyncIterator[WorkspaceClient]:
    async with stand.people() as client:
        yield client
        await client.clear_faults()
