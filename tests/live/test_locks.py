"""What is held does not stand in anybody's way at the target."""

from __future__ import annotations

import asyncio

import asyncpg
import psycopg
import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live.house import Gateway, url


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("choice", ["approve", "deny"])
async def test_a_held_command_locks_nothing_on_the_target(
    gateway: Gateway, postgres: Postgres, upstream: Account, table: str, driver: str, choice: str
) -> None:
    """A Parse that went ahead without its Sync would keep the lock of its analysis for as long as people think."""
    account = await asyncio.to_thread(gateway.account)
    text = f"UPDATE {table} SET note = 'changed' WHERE id ="
    if driver == "asyncpg":
        by_asyncpg = await asyncpg.connect(url(account))
        held = asyncio.ensure_future(by_asyncpg.execute(f"{text} $1", 1))
    else:
        by_psycopg = await psycopg.AsyncConnection.connect(url(account), autocommit=True)
        held = asyncio.ensure_future(by_psycopg.execute(f"{text} %s", [1]))
    approval = await asyncio.to_thread(gateway.api.pending, table)
    locks = f"SELECT mode FROM pg_locks WHERE relation = '{table}'::regclass"
    found = await asyncio.to_thread(postgres.psql, locks, upstream)
    await asyncio.to_thread(gateway.api.vote, approval, choice)
    answer = (await asyncio.gather(held, return_exceptions=True))[0]
    assert isinstance(answer, Exception) == (choice == "deny")
    if driver == "asyncpg":
        assert await by_asyncpg.fetchval("SELECT 1") == 1
        await by_asyncpg.close()
    else:
        assert await (await by_psycopg.execute("SELECT 1")).fetchone() == (1,)
        await by_psycopg.close()
    assert found == ""
