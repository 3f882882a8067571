"""Real clients and a real server with the wire between them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator

import asyncpg
import psycopg
import pytest

from gateway.model import Allow, Block, Command
from gateway.protocols.postgres.module import open_wire
from gateway.wire import Login
from tests.wires.conftest import PASSWORD, Server
from tests.wires.masks import Word
from tests.wires.pump import Pump

pytestmark = pytest.mark.live
DEADLINE = 90


def guard(command: Command) -> Allow | Block | None:
    if "forbidden" in command.text.lower():
        return Block(rules=("no-forbidden",), message="Nobody may touch what is forbidden.")
    if "hold me" in command.text.lower():
        return None
    return Allow(rules=("test",))


@pytest.fixture
async def pump(server: Server) -> AsyncIterator[Pump]:
    login = Login(user="gateway", password=PASSWORD, database="postgres", application="countersign s1")
    async with Pump(open_wire, server.address, login, judge=guard) as pump:
        yield pump


def url(pump: Pump) -> str:
    return f"postgresql://alice:token@127.0.0.1:{pump.port}/postgres"


async def psql(server: Server, pump: Pump, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [str(server.bin / "psql"), "-X", "-A", "-t", url(pump), *args],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


async def test_psql_reads_and_is_refused_and_goes_on(server: Server, pump: Pump) -> None:
    done = await psql(server, pump, stdin="select 1+1;\ndrop table forbidden;\nselect 7;\n")
    assert done.stdout == "2\n7\n"
    assert "Nobody may touch what is forbidden." in done.stderr
    assert "DETAIL:  Decided by no-forbidden." in done.stderr


async def test_a_refusal_in_a_transaction_aborts_it_on_both_sides(server: Server, pump: Pump) -> None:
    async with await psycopg.AsyncConnection.connect(url(pump)) as connection:
        await connection.execute("select 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("drop table forbidden")
        assert connection.info.transaction_status is psycopg.pq.TransactionStatus.INERROR
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            await connection.execute("select 2")
        await connection.rollback()
        assert (await (await connection.execute("select 3")).fetchone()) == (3,)


async def test_prepared_statements_are_asked_about_with_their_parameters(pump: Pump) -> None:
    connection = await asyncpg.connect(url(pump))
    try:
        for number in (1, 2, 3):
            assert await connection.fetchval("select $1::int + 1", number) == number + 1
    finally:
        await connection.close()
    asked = [command.parameters for command in pump.asked if command.text == "select $1::int + 1"]
    assert asked == [("1",), ("2",), ("3",)]


async def test_a_pipeline_with_a_refusal_in_the_middle(pump: Pump) -> None:
    async with await psycopg.AsyncConnection.connect(url(pump), autocommit=True) as connection:
        await connection.execute("create temp table t (n int)")

        async def pipeline() -> None:
            async with connection.pipeline():
                await connection.execute("insert into t values (1)")
                await connection.execute("insert into t select 2 -- forbidden")
                await connection.execute("insert into t values (3)")

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await pipeline()
        rows = await (await connection.execute("select n from t")).fetchall()
        assert rows == []


async def test_copy_in_and_out(server: Server, pump: Pump) -> None:
    async with await psycopg.AsyncConnection.connect(url(pump), autocommit=True) as connection:
        await connection.execute("create temp table t (n int, word text)")
        async with connection.cursor() as cursor:
            async with cursor.copy("copy t from stdin") as copy:
                for number in range(5000):
                    await copy.write_row((number, "x" * 50))
            async with cursor.copy("copy t to stdout") as copy:
                rows = [row async for row in copy.rows()]
        assert len(rows) == 5000
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with connection.cursor() as cursor, cursor.copy("copy forbidden from stdin") as copy:
                await copy.write_row((1,))
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            async with connection.cursor() as cursor, cursor.copy("copy t from stdin") as copy:
                await copy.write("nonsense\tx\n")
        assert (await (await connection.execute("select count(*) from t")).fetchone()) == (5000,)


async def test_a_cancel_request_withdraws_what_is_held(pump: Pump) -> None:
    async with await psycopg.AsyncConnection.connect(url(pump), autocommit=True) as connection:
        task = asyncio.create_task(connection.execute("select 'hold me'"))
        await asyncio.wait_for(pump.held.wait(), DEADLINE)
        await connection.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            await asyncio.wait_for(task, DEADLINE)
        assert pump.withdrawn == [pump.asked[-1].id]
        assert (await (await connection.execute("select 1")).fetchone()) == (1,)


async def test_a_cancel_request_reaches_the_query_that_runs(pump: Pump, server: Server) -> None:
    direct = f"postgresql://gateway:{PASSWORD}@127.0.0.1:{server.port}/postgres"
    runs = "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'"
    async with (
        await psycopg.AsyncConnection.connect(direct, autocommit=True) as beside,
        await psycopg.AsyncConnection.connect(url(pump), autocommit=True) as connection,
    ):
        task = asyncio.create_task(connection.execute("select pg_sleep(60)"))
        async with asyncio.timeout(DEADLINE):
            while await (await beside.execute(runs)).fetchone() != (1,):
                await asyncio.sleep(0.01)
        await connection.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            await asyncio.wait_for(task, DEADLINE)
        assert pump.withdrawn == []


async def test_notifications_come_while_a_command_is_held(pump: Pump) -> None:
    listener = await asyncpg.connect(url(pump))
    sender = await asyncpg.connect(url(pump))
    heard: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
    try:
        await listener.add_listener(
            "news", lambda _c, pid, _channel, payload: heard.put_nowait((pid, payload))
        )
        task = asyncio.create_task(listener.execute("select 'hold me'"))
        await asyncio.wait_for(pump.held.wait(), DEADLINE)
        await sender.execute("notify news, 'hello'")
        pid, payload = await asyncio.wait_for(heard.get(), DEADLINE)
        assert (pid, payload) == (sender.get_server_pid(), "hello")
        live = next(live for live in pump.sessions if live.held)
        live.decide(Allow(rules=("approved",)))
        assert await asyncio.wait_for(task, DEADLINE) == "SELECT 1"
    finally:
        await listener.close()
        await sender.close()


async def test_rows_are_masked_in_text_and_in_binary(server: Server, pump: Pump) -> None:
    pump.mask = Word()
    done = await psql(server, pump, "-c", "select 'a secret thing', 7")
    assert done.stdout == "a ****** thing|7\n"
    connection = await asyncpg.connect(url(pump))
    try:
        assert await connection.fetchval("select 'the secret'::text") == "the ******"
        async with connection.transaction():
            cursor = await connection.cursor("select n, 'secret' || n from generate_series(1, 100) n")
            assert (await cursor.fetch(2))[1][1] == "******2"
            before = len(pump.asked)
            assert len(await cursor.fetch(50)) == 50
            assert len(pump.asked) == before
    finally:
        await connection.close()


async def test_a_large_answer_comes_through_whole(server: Server, pump: Pump) -> None:
    done = await psql(server, pump, "-c", "select repeat('x', 20000000)")
    assert len(done.stdout) == 20_000_001
    done = await psql(server, pump, "-c", "select n from generate_series(1, 300000) n")
    assert done.stdout.count("\n") == 300_000
    assert pump.answered[-1].rows == 300_000


async def test_the_targets_own_log_names_the_session(server: Server, pump: Pump) -> None:
    done = await psql(
        server, pump, "-c", "select application_name from pg_stat_activity where pid = pg_backend_pid()"
    )
    assert done.stdout == "psql [countersign s1]\n"


async def test_the_name_in_the_log_survives_a_client_that_changes_it(server: Server, pump: Pump) -> None:
    done = await psql(
        server,
        pump,
        stdin="set application_name = 'mine';\nbegin;\nset transaction isolation level serializable;\nshow application_name;\n"
        "set application_name = 'other';\nselect 1;\nrollback;\nshow application_name;\n",
    )
    assert done.stdout == "SET\nBEGIN\nSET\nmine [countersign s1]\nSET\n1\nROLLBACK\nmine [countersign s1]\n"
    assert done.stderr == ""


async def test_gdesc_describes_and_asks_nothing(server: Server, pump: Pump) -> None:
    done = await psql(server, pump, stdin="select 1 as one, 'x' as two \\gdesc\n")
    assert "one|integer" in done.stdout


async def test_start_up_options_are_judged_and_take_effect(server: Server, pump: Pump) -> None:
    options = "?options=-c%20search_path%3Dpg_catalog"
    connection = await psycopg.AsyncConnection.connect(url(pump) + options)
    async with connection:
        assert (await (await connection.execute("show search_path")).fetchone()) == ("pg_catalog",)
    assert pump.asked[0].text == "SET search_path TO 'pg_catalog'"
    with pytest.raises(psycopg.OperationalError, match="Nobody may touch"):
        await psycopg.AsyncConnection.connect(url(pump) + "?options=-c%20role%3Dforbidden")
