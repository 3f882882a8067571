"""Estimates of held commands, by a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from gateway.demo.postgres import Postgres
from gateway.facts.postgres import read
from gateway.model import Command
from gateway.protocols.postgres.estimate import estimate
from gateway.wire import Login
from tests.targets import Where

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as postgres:
        postgres.psql("""
            CREATE TYPE mood AS ENUM ('calm', 'tense');
            CREATE TABLE orders (id int PRIMARY KEY, note text, m mood, price numeric, placed date, tags text[], doc jsonb);
            INSERT INTO orders SELECT i, 'n' || i, 'calm', i, '2026-01-01', '{}', '{}' FROM generate_series(1, 10000) i;
            CREATE TABLE new (id int);
            CREATE SEQUENCE counter;
            ANALYZE orders;
            CREATE ROLE little LOGIN PASSWORD 'sekret';
        """)
        yield postgres


@pytest.fixture
def ask(server):
    account = server.superuser

    async def ask(sql, *parameters, login=None, port=None, timeout=1.0):
        login = login or Login(user=account.user, password=account.password, database="postgres")
        command = Command(id="1", text=sql, parameters=parameters, facts=read(sql), exact=(sql.encode(),))
        return await estimate(Where(host=account.host, port=port or account.port), login, command, timeout)

    return ask


@pytest.mark.parametrize(
    ("sql", "parameters", "rows"),
    [
        ("DELETE FROM orders WHERE id < 100", (), 99),
        ("DELETE FROM orders WHERE id < 100;  ", (), 99),
        ("DELETE FROM orders", (), 10_000),
        ("UPDATE orders SET note = $1 WHERE id <= $2", ("secret", "50"), 50),
        (
            "UPDATE orders SET price = $1, placed = $2, doc = $3 WHERE id = $4",
            ("1.5", "2026-02-03", '{"a": 1}', "7"),
            1,
        ),
        ("UPDATE orders SET m = $1 WHERE id = ANY ($2)", ("tense", "{1,2,3}"), 3),
        ("UPDATE orders SET tags = $1 WHERE id = 5", ('{"a b",NULL,"c\\"d"}',), 1),
        ("DELETE FROM orders WHERE id = $1", (None,), 0),
        ("INSERT INTO orders (id) SELECT id + 20000 FROM orders", (), 10_000),
        ("WITH gone AS (DELETE FROM orders WHERE id <= 20 RETURNING 1) SELECT count(*) FROM gone", (), 20),
        ("MERGE INTO orders o USING orders s ON o.id = s.id AND s.id <= 30 WHEN MATCHED THEN DELETE", (), 30),
    ],
)
async def test_rows_that_would_change_and_all_there_are(ask, sql, parameters, rows):
    found = await ask(sql, *parameters)
    assert (found.rows, found.total, found.note) == (rows, 10_000, "")


async def test_a_select_says_how_many_come_back(ask):
    found = await ask("SELECT * FROM orders WHERE id > $1", "9000")
    assert (found.rows, found.total) == (1_000, None)


async def test_a_table_that_nobody_has_counted_has_no_total(ask):
    found = await ask("DELETE FROM new WHERE id = 1")
    assert found.rows is not None
    assert found.total is None


async def test_the_plan_shows_its_shape_and_no_value(ask):
    found = await ask("DELETE FROM orders WHERE note = $1 AND id < 4711", "sekret")
    assert "orders" in found.plan
    assert "sekret" not in repr(found)
    assert "4711" not in repr(found)


async def test_asking_changes_nothing(ask, server):
    await ask("DELETE FROM orders")
    await ask("INSERT INTO orders (id) VALUES (nextval('counter'))")
    assert server.psql("SELECT count(*) FROM orders").strip() == "10000"
    assert server.psql("SELECT is_called FROM counter").strip() == "f"


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE orders",
        "EXPLAIN ANALYZE DELETE FROM orders",
        "DELETE FROM orders; DELETE FROM orders",
        "SELECT purge()",
        "DELETE FROM orders WHERE f(id)",
        "SELECT pg_read_file('x')",
        "PREPARE p AS DELETE FROM orders WHERE id = 1",
        "SELECT * INTO copied FROM orders",
        "COPY orders FROM STDIN",
        "DELETE FROM",
        "",
    ],
)
async def test_nothing_else_is_sent_to_the_planner(ask, sql):
    found = await ask(sql, port=1)  # nobody listens there: a refusal does not even try
    assert found.rows is None
    assert "asked" not in found.note
    assert found.note.startswith("no estimate: ")


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("DELETE FROM orders WHERE id = $1", ("sekret",)),
        ("DELETE FROM orders WHERE id = $1", ()),
        ("DELETE FROM orders WHERE id = 1", ("sekret",)),
        ("DELETE FROM orders WHERE tags = $1", ("sekret",)),
        ("DELETE FROM sekret WHERE id = 1", ()),
    ],
)
async def test_what_the_target_says_stays_inside(ask, sql, parameters):
    found = await ask(sql, *parameters)
    assert found.rows is None
    assert found.note
    assert "sekret" not in repr(found)


async def test_a_wrong_password_is_a_note_without_it(ask):
    found = await ask(
        "DELETE FROM orders WHERE id = 1", login=Login(user="little", password="wr0ng", database="postgres")
    )
    assert found.note == "no estimate: the target refused the gateway's login"


async def test_a_table_the_gateway_may_not_read_is_a_note(ask):
    found = await ask(
        "DELETE FROM orders WHERE id = 1", login=Login(user="little", password="sekret", database="postgres")
    )
    assert "may not read" in found.note


async def test_a_locked_table_does_not_keep_the_card_waiting(ask, server):
    account = server.superuser
    with psycopg.connect(
        host=account.host, port=account.port, user=account.user, password=account.password
    ) as other:
        other.execute("LOCK TABLE orders")
        async with asyncio.timeout(60):
            found = await ask("DELETE FROM orders WHERE id = 1", timeout=0.6)
    assert found.rows is None
    assert found.note.startswith("no estimate: ")


async def test_a_silent_target_does_not_keep_the_card_waiting(ask):
    gone = asyncio.Event()

    async def silent(reader, writer):
        await reader.read(-1)
        writer.close()
        await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        async with asyncio.timeout(60):
            found = await ask("DELETE FROM orders WHERE id = 1", port=port, timeout=0.3)
            await gone.wait()
    assert found.note == "no estimate: the target did not answer within 0.3 s"


async def test_many_at_once_all_get_an_answer(ask):
    found = await asyncio.gather(
        *(ask(f"DELETE FROM orders WHERE id <= {i}", timeout=10.0) for i in range(1, 21))
    )
    assert [one.rows for one in found] == list(range(1, 21))


async def test_nothing_is_left_open_on_the_target(ask, server):
    await ask("DELETE FROM orders WHERE id = 1")
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'countersign%'"
    async with asyncio.timeout(60):
        while server.psql(left).strip() != "0":
            await asyncio.sleep(0.05)
