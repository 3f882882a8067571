"""asyncpg in front of the gateway: its statement cache, binary values, copies, cursors, listeners, time-outs."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import io
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import asyncpg
import pytest

from gateway.demo.postgres import Account
from tests.live.house import WITHIN, Gateway, url

Notes = Callable[[], list[str]]
Connection: TypeAlias = Any


@pytest.fixture
async def connection(gateway: Gateway) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url(await asyncio.to_thread(gateway.account)))
    yield connection
    await connection.close()


@pytest.fixture
async def direct(upstream: Account) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url(upstream))
    yield connection
    await connection.close()


async def vote(gateway: Gateway, containing: str, choice: str = "approve", reason: str = "") -> Any:
    """Wait for the card and vote on it, beside whatever waits for that."""
    approval = await asyncio.to_thread(gateway.api.pending, containing)
    return await asyncio.to_thread(lambda: gateway.api.vote(approval, choice, reason=reason))


async def test_values_keep_their_types_and_masked_ones_too(connection: Connection) -> None:
    row = await connection.fetchrow(
        "SELECT id, email, ssn, joined, $2::numeric AS n, $3::uuid AS u, $4::timestamptz AS t, $5::text[] AS a"
        " FROM customers WHERE id = $1",
        1,
        decimal.Decimal("12.50"),
        uuid.UUID(int=7),
        datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        ["a", None],
    )
    assert dict(row) == {
        "id": 1,
        "email": "******@example.com",
        "ssn": "[redacted]",
        "joined": datetime.date(2024, 1, 2),
        "n": decimal.Decimal("12.50"),
        "u": uuid.UUID(int=7),
        "t": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        "a": ["a", None],
    }


async def test_types_of_the_targets_own_are_looked_up(connection: Connection, direct: Connection) -> None:
    await direct.execute("CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TYPE pair AS (a integer, b mood)")
    try:
        assert await connection.fetchval("SELECT $1::mood", "glad") == "glad"
        assert tuple(await connection.fetchval("SELECT ROW(1, 'sad')::pair")) == (1, "sad")
        assert await connection.fetchval("SELECT ARRAY['sad','glad']::mood[]") == ["sad", "glad"]
    finally:
        await direct.execute("DROP TYPE pair; DROP TYPE mood")


async def test_the_statement_cache_is_used_and_every_use_is_judged(
    connection: Connection, gateway: Gateway
) -> None:
    for number in range(1, 6):
        assert await connection.fetchval("SELECT email FROM customers WHERE id = $1", number) != ""
    assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements") >= 1
    name = connection.get_settings().application_name
    session_id = name.split()[1].strip("]")
    session = await asyncio.to_thread(gateway.operator.call, f"/v1/sessions/{session_id}/transcript")
    asked = [entry for entry in session["entries"] if "SELECT email FROM customers" in entry["text"]]
    assert len([entry for entry in asked if entry["kind"] == "command"]) == 5


async def test_a_cached_statement_survives_a_change_of_its_table(
    connection: Connection, direct: Connection, table: str
) -> None:
    query = f"SELECT * FROM {table} WHERE id = $1"
    assert dict(await connection.fetchrow(query, 1)) == {"id": 1, "note": "first"}
    await direct.execute(f"ALTER TABLE {table} ADD COLUMN email text DEFAULT 'ada1@example.com'")
    assert dict(await connection.fetchrow(query, 1)) == {
        "id": 1,
        "note": "first",
        "email": "****@example.com",
    }


async def test_a_held_write_with_parameters_is_shown_with_them(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    async with asyncio.TaskGroup() as tasks:
        held = tasks.create_task(
            connection.execute(f"UPDATE {table} SET note = $1 WHERE id = $2", "changed", 2)
        )
        approval = await vote(gateway, table)
    assert held.result() == "UPDATE 1"
    assert approval["command"]["parameters"] == ["changed", "2"]
    assert await asyncio.to_thread(notes) == ["first", "changed", "first"]


async def test_a_denied_write_says_why(connection: Connection, gateway: Gateway, table: str) -> None:
    held = asyncio.create_task(connection.execute(f"DELETE FROM {table} WHERE id = $1", 1))
    await vote(gateway, table, "deny", "Keep it")
    with pytest.raises(
        asyncpg.InsufficientPrivilegeError, match=r"Denied by ana\.silva@example\.com: Keep it"
    ):
        await held
    assert await connection.fetchval("SELECT 1") == 1


async def test_executemany_is_one_batch_that_a_refusal_undoes(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    written = asyncio.create_task(
        connection.executemany(f"INSERT INTO {table} VALUES ($1, $2)", [(4, "added"), (5, "added")])
    )
    await vote(gateway, table)
    await vote(gateway, table, "deny")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await written
    assert await asyncio.to_thread(notes) == ["first"] * 3
    assert await connection.fetchval("SELECT 1") == 1


async def test_a_refusal_in_a_transaction_rolls_it_back(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    async def work() -> None:
        async with connection.transaction():
            await connection.execute("SELECT 1")
            await connection.execute(f"TRUNCATE {table}")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await work()
    assert not connection.is_in_transaction()
    assert await connection.fetchval("SELECT 1") == 1
    assert await asyncio.to_thread(notes) == ["first"] * 3


async def test_a_cursor_in_a_transaction_is_masked(connection: Connection) -> None:
    async with connection.transaction():
        cursor = await connection.cursor("SELECT id, email FROM customers ORDER BY id")
        first = await cursor.fetch(3)
        await cursor.forward(5)
        then = await cursor.fetchrow()
        prefetched = [
            record["email"]
            async for record in connection.cursor("SELECT email FROM customers ORDER BY id", prefetch=37)
        ]
    assert [(row["id"], row["email"][:3]) for row in first] == [(1, "***"), (2, "***"), (3, "***")]
    assert then["id"] == 9
    assert len(prefetched) == 400
    assert all(email.startswith("***") for email in prefetched)


async def test_copy_out_is_masked(connection: Connection) -> None:
    out = io.BytesIO()
    assert await connection.copy_from_query(
        "SELECT id, email, ssn FROM customers WHERE id < $1 ORDER BY id", 3, output=out, format="csv"
    ) == ("COPY 2")
    assert out.getvalue() == b"1,******@example.com,[redacted]\n2,*******@example.com,[redacted]\n"


async def test_copy_in_of_records_waits_for_a_person(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    async with asyncio.TaskGroup() as tasks:
        copied = tasks.create_task(
            connection.copy_records_to_table(table, records=[(number, "copied") for number in range(4, 1004)])
        )
        await vote(gateway, table)
    assert copied.result() == "COPY 1000"
    assert (await asyncio.to_thread(notes)).count("copied") == 1000


async def test_copy_in_that_is_denied_copies_nothing(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    copied = asyncio.create_task(connection.copy_to_table(table, source=io.BytesIO(b"4\tcopied\n")))
    await vote(gateway, table, "deny")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await copied
    assert await connection.fetchval("SELECT 1") == 1
    assert await asyncio.to_thread(notes) == ["first"] * 3


async def test_listeners_hear_also_while_a_command_is_held(
    connection: Connection, direct: Connection, gateway: Gateway, table: str
) -> None:
    heard: asyncio.Queue[tuple[int, str, str]] = asyncio.Queue()
    await connection.add_listener(
        "deploys", lambda _, pid, channel, payload: heard.put_nowait((pid, channel, payload))
    )
    held = asyncio.create_task(connection.execute(f"DELETE FROM {table} WHERE id = 1"))
    approval = await asyncio.to_thread(gateway.api.pending, table)
    await direct.execute("SELECT pg_notify('deploys', 'v7 by ada8@example.com')")
    async with asyncio.timeout(WITHIN):
        assert await heard.get() == (direct.get_server_pid(), "deploys", "v7 by ****@example.com")
    assert not held.done()
    await asyncio.to_thread(gateway.api.vote, approval, "approve")
    assert await held == "DELETE 1"
    await connection.remove_listener("deploys", print)


async def test_a_timeout_takes_a_held_command_back(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    """asyncpg sends a cancel request when its own time-out fires, and reads on until that is answered."""
    held = asyncio.create_task(connection.execute(f"DELETE FROM {table} WHERE id = 1", timeout=5))
    approval = await asyncio.to_thread(gateway.api.pending, table)
    with pytest.raises(TimeoutError):
        await held
    await asyncio.to_thread(gateway.api.until, approval, "withdrawn")
    assert await connection.fetchval("SELECT 1") == 1
    assert await asyncio.to_thread(notes) == ["first"] * 3


async def test_a_timeout_stops_the_running_query(connection: Connection, direct: Connection) -> None:
    with pytest.raises(TimeoutError):
        await connection.execute("SELECT pg_sleep(60) AS stopped_by_timeout", timeout=2)
    assert await connection.fetchval("SELECT 1") == 1
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = $1"
    assert await direct.fetchval(running, connection.get_server_pid()) == 0


async def test_a_pool_resets_its_connections(gateway: Gateway) -> None:
    """`reset()` sends several statements at once, among them `UNLISTEN *` and `RESET ALL`."""
    account = await asyncio.to_thread(gateway.account)
    async with asyncpg.create_pool(url(account), min_size=2, max_size=4) as pool:

        async def one(number: int) -> int:
            async with pool.acquire() as connection:
                return int(await connection.fetchval("SELECT $1::int", number))

        assert await asyncio.gather(*(one(number) for number in range(40))) == list(range(40))


async def test_many_sessions_are_held_and_released_each_for_itself(gateway: Gateway, table: str) -> None:
    account = await asyncio.to_thread(gateway.account)
    connections = await asyncio.gather(*(asyncpg.connect(url(account)) for _ in range(8)))
    try:
        async with asyncio.TaskGroup() as tasks:
            held = [
                tasks.create_task(
                    connection.execute(f"INSERT INTO {table} VALUES ($1, 'added')", number + 10)
                )
                for number, connection in enumerate(connections)
            ]
            for _ in held:
                await vote(gateway, table)
        assert [task.result() for task in held] == ["INSERT 0 1"] * 8
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))


async def test_a_minted_pair_proves_itself(gateway: Gateway) -> None:
    account = await asyncio.to_thread(gateway.minted)
    connection = await asyncpg.connect(url(account))
    try:
        assert await connection.fetchval("SELECT 1") == 1
    finally:
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url(account), password="wrong")
