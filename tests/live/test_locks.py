"""What is held does not stand in anybody's way at the target."""

from __future__ import annotations

import asyncio

import psycopg

from gateway.demo.postgres import Account, Postgres
from tests.live.house import Gateway, url


async def test_a_held_command_locks_nothing_on_the_target(
    gateway: Gateway, postgres: Postgres, upstream: Account, table: str
) -> None:
    """A Parse that went ahead without its Sync would keep the lock of its analysis for as long as people think."""
    account = await asyncio.to_thread(gateway.account)
    client = await psycopg.AsyncConnection.connect(url(account), autocommit=True)
    held = asyncio.ensure_future(client.execute(f"UPDATE {table} SET note = 'changed' WHERE id = %s", [1]))
    approval = await asyncio.to_thread(gateway.api.pending, table)
    locks = f"SELECT mode FROM pg_locks WHERE relation = '{table}'::regclass"
    found = await asyncio.to_thread(postgres.psql, locks, upstream)
    await asyncio.to_thread(gateway.api.vote, approval, "approve")
    await held
    await client.close()
    assert found == ""
