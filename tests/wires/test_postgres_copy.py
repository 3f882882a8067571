"""COPY TO STDOUT through the wire from a real server: masked as the same SELECT is, whatever is copied and how."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from gateway.masking.engine import CompiledMask, Masks
from gateway.policy.model import MaskPolicy
from gateway.protocols.postgres.module import open_wire
from gateway.wire import Login
from tests.wires.conftest import PASSWORD, Server
from tests.wires.pump import Pump

pytestmark = pytest.mark.live

SETUP = """
drop schema if exists crm cascade; create schema crm;
create table crm.people (id int, name text, ssn text, mail text, born date, score numeric, doc jsonb, code varchar, raw bytea);
insert into crm.people values
  (1, 'Ann', '123-45-6789', 'ann@example.com', '1990-02-03', 12.5, '{"to": "b@example.com", "n": 1}', '4111111111111111', '\\x6a406b2e636f6d'),
  (2, E'tab\\there\\nand \\\\ back', '987-65-4320', E'two\\nlines bo@example.com', null, null, '[]', '00123', null),
  (3, '', null, '\\N', '2001-01-01', 4111111111111111, '{"a": "say \\"c@example.com\\""}', '', '\\x00ff'),
  (4, 'password:', 'x', 'hunter22', '2001-01-01', 1, null, 'say "hi", d@example.com', '\\x');
create table crm."Odd ""Name" (id int, ssn text); insert into crm."Odd ""Name" select 7, 'odd-ssn';
create table crm.made (a int, ssn text, b int generated always as (a * 2) stored); insert into crm.made values (1, 'made-ssn');
create table crm.parted (id int, ssn text) partition by list (id); create table crm.parted_1 partition of crm.parted default;
insert into crm.parted values (1, 'part-ssn');
create table crm.child (extra text) inherits (crm.people); insert into crm.child (id, ssn, extra) values (5, 'child-ssn', 'e');
create view crm.seen as select * from crm.people;
"""
SECRETS = (
    "123-45",
    "987-65",
    "ann@",
    "bo@example",
    "b@example",
    "c@example",
    "d@example",
    "4111111111111111",
    "-ssn",
    "6a406b",
)


@pytest.fixture(scope="module")
def mask() -> CompiledMask:
    policy = MaskPolicy(
        name="m",
        detect=("email", "phone", "payment_card", "secrets"),
        columns={"*.ssn": "redact", "people.born": "partial"},
    )
    return Masks({"m": policy}, key=b"k" * 32).mask(["m"])


@pytest.fixture
async def pump(server: Server, mask: CompiledMask) -> AsyncIterator[Pump]:
    login = Login(user="gateway", password=PASSWORD, database="postgres")
    async with Pump(open_wire, server.address, login, mask=mask) as pump:
        yield pump


@pytest.fixture
async def client(pump: Pump) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    url = f"postgresql://alice:token@127.0.0.1:{pump.port}/postgres"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(SETUP)
        yield connection


async def copied(client: psycopg.AsyncConnection[Any], statement: str) -> str:
    async with client.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join([bytes(part) async for part in copy]).decode("utf-8", "surrogateescape")


async def rows_copied(client: psycopg.AsyncConnection[Any], statement: str) -> list[tuple[str | None, ...]]:
    async with client.cursor() as cursor, cursor.copy(statement) as copy:
        return [row async for row in copy.rows()]


async def rows_selected(client: psycopg.AsyncConnection[Any], statement: str) -> list[tuple[str | None, ...]]:
    """Values in text form, as they come over the wire."""
    result = (await client.execute(statement)).pgresult
    assert result is not None
    return [
        tuple(
            None if (value := result.get_value(row, column)) is None else value.decode()
            for column in range(result.nfields)
        )
        for row in range(result.ntuples)
    ]


@pytest.mark.parametrize(
    ("copy", "select"),
    [
        ("crm.people", "select * from only crm.people"),
        ("crm.people (ssn, id, mail)", "select ssn, id, mail from only crm.people"),
        ("crm.people(code,born)", "select code, born from only crm.people"),
        ("(select * from crm.people)", "select * from crm.people"),
        ("(select ssn as x, md5(ssn), mail from crm.people)", "select ssn as x, md5(ssn), mail from crm.people"),
        ("(with p as (table crm.people) select p.*, 'to ) x' from p)", "with p as (table crm.people) select p.*, 'to ) x' from p"),
        ('crm . "Odd ""Name"', 'select * from crm."Odd ""Name"'),
        ("crm.parted_1", "select * from crm.parted_1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("options", ["", " (delimiter '|')", " (delimiter ':', null 'nil')"])
async def test_a_copy_is_the_same_select(
    client: psycopg.AsyncConnection[Any], copy: str, select: str, options: str
) -> None:
    data = await copied(client, f"copy {copy} to stdout{options}")
    await client.execute(f"create temp table back as {select} limit 0")
    types = "".join(f', alter column "{name}" type text' for (name,) in await names(client, "back"))
    await client.execute(f"alter table back {types[1:]}")
    async with client.cursor() as cursor, cursor.copy(f"copy back from stdin{options}") as back:
        await back.write(data.encode())
    pump_free = await rows_selected(client, "select * from back")
    await client.execute("drop table back")
    selected = await rows_selected(client, select)
    assert pump_free == selected
    assert not any(secret in data for secret in SECRETS)
    assert "[redacted]" in data or "born" in copy


async def names(client: psycopg.AsyncConnection[Any], table: str) -> list[tuple[str]]:
    cursor = await client.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        (table,),
    )
    return await cursor.fetchall()


async def test_csv_and_binary_hide_the_same(client: psycopg.AsyncConnection[Any]) -> None:
    for options in (
        "(format csv)",
        "(format csv, header)",
        "(format csv, force_quote *, escape '\\')",
        "(format csv, quote '''')",
    ):
        data = await copied(client, f"copy crm.people to stdout {options}")
        assert not any(secret in data for secret in SECRETS), options
        assert "[redacted]" in data
        assert "Ann" in data
    async with client.cursor() as cursor, cursor.copy("copy crm.people to stdout (format binary)") as copy:
        copy.set_types(["int4", "text", "text", "text", "date", "numeric", "jsonb", "varchar", "bytea"])
        rows = [row async for row in copy.rows()]
    assert rows[0][:3] == (1, "Ann", "[redacted]")
    assert rows[0][3] == "***@example.com"
    assert rows[0][4].year == 1990
    assert rows[0][6] == {"to": "*@example.com", "n": 1}
    assert rows[2][2] is None


async def test_in_a_transaction_it_goes_on_and_a_failure_aborts_it(
    client: psycopg.AsyncConnection[Any],
) -> None:
    status = psycopg.pq.TransactionStatus
    async with client.transaction():
        assert "[redacted]" in await copied(client, "copy crm.people to stdout")
        assert client.info.transaction_status is status.INTRANS
        await client.execute("create table crm.fresh (ssn text, x text)")
        await client.execute("insert into crm.fresh values ('fresh-ssn', 'y')")
        assert await copied(client, "copy crm.fresh to stdout") == "[redacted]\ty\n"
        with pytest.raises(psycopg.errors.UndefinedTable) as raised:
            async with client.transaction():
                await copied(client, "copy crm.missing to stdout")
        assert raised.value.diag.statement_position is None
        assert await copied(client, "copy crm.fresh to stdout") == "[redacted]\ty\n"
    await client.execute("begin")
    with pytest.raises(psycopg.errors.UndefinedTable):
        await copied(client, "copy crm.missing to stdout")
    assert client.info.transaction_status is status.INERROR
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        await copied(client, "copy crm.people to stdout")
    await client.execute("rollback")
    assert client.info.transaction_status is status.IDLE
    assert "[redacted]" in await copied(client, "copy crm.people to stdout")


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("copy crm.missing to stdout", psycopg.errors.UndefinedTable),
        ("copy crm.seen to stdout", psycopg.errors.WrongObjectType),
        ("copy crm.parted to stdout", psycopg.errors.WrongObjectType),
        ("copy crm.people (nothing) to stdout", psycopg.errors.UndefinedColumn),
        ("copy (select nothing from crm.people) to stdout", psycopg.errors.UndefinedColumn),
        ("copy (select $1) to stdout", psycopg.errors.Error),
    ],
)
async def test_what_cannot_be_copied_fails_as_it_did(
    client: psycopg.AsyncConnection[Any], pump: Pump, statement: str, error: type[Exception]
) -> None:
    for _ in range(2):
        with pytest.raises(error) as raised:
            await copied(client, statement)
        assert client.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        assert pump.answered[-1].failed
        assert pump.answered[-1].outcome == f"SQLSTATE {raised.value.sqlstate}"  # type: ignore[attr-defined]
        if "select nothing" in statement:
            assert raised.value.diag.statement_position == "14"  # type: ignore[attr-defined]
    assert (await (await client.execute("select 1")).fetchone()) == (1,)
    assert await rows_selected(client, "select name from pg_prepared_statements") == []


async def test_generated_columns_leave_no_name_certain(client: psycopg.AsyncConnection[Any]) -> None:
    assert "made-ssn" not in await copied(client, "copy crm.made to stdout")
    assert await copied(client, "copy crm.made (a, ssn) to stdout") == "1\t[redacted]\n"


async def test_the_extended_protocol_and_a_pipeline(client: psycopg.AsyncConnection[Any], pump: Pump) -> None:
    pg = client.pgconn

    async def result() -> psycopg.pq.PGresult | None:
        pg.flush()
        deadline = asyncio.get_running_loop().time() + 20
        while pg.is_busy():
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.005)
            pg.consume_input()
        return pg.get_result()  # type: ignore[no-any-return]

    for name in (b"", b"kept"):
        if name:
            pg.send_prepare(name, b"copy crm.people to stdout")
            while await result() is not None:
                pass
        for _ in range(2):
            if name:
                pg.send_query_prepared(name, [])
            else:
                pg.send_query_params(b"copy crm.people to stdout", [])
            answer = await result()
            assert answer is not None
            assert answer.status == psycopg.pq.ExecStatus.COPY_OUT
            assert answer.nfields == 9
            data = b""
            while True:
                size, part = pg.get_copy_data(1)
                if size == 0:
                    await asyncio.sleep(0.005)
                    pg.consume_input()
                elif size < 0:
                    break
                else:
                    data += bytes(part)
            assert data.count(b"\n") == 4
            assert b"[redacted]" in data
            assert b"123-45" not in data
            while await result() is not None:
                pass
    pg.send_query_params(b"copy crm.missing to stdout", [])
    answer = await result()
    assert answer is not None
    assert answer.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"42P01"
    while await result() is not None:
        pass
    async with client.pipeline():
        first = await client.execute("select 1")
        second = await client.execute("insert into crm.people (id) values (9)")
    assert (await first.fetchone(), second.rowcount) == ((1,), 1)
    assert pump.answered[-1].outcome == "INSERT 0 1"


async def test_each_result_of_one_text_is_masked_as_its_own_statement_says(
    client: psycopg.AsyncConnection[Any],
) -> None:
    cursor = await client.execute(
        "select id as ssn_count from crm.people where id = 1; insert into crm.people (id, ssn) values (8, 's') returning id;"
        "select ssn as a, name as b from crm.people where id = 1; select name, mail from crm.people where id = 1"
    )
    found = []
    while True:
        found.append(await cursor.fetchall())
        if not cursor.nextset():
            break
    assert found == [[(1,)], [(8,)], [("[redacted]", "Ann")], [("Ann", "***@example.com")]]


async def test_rows_of_a_cursor_among_several_statements_may_be_anything(
    client: psycopg.AsyncConnection[Any],
) -> None:
    async with client.transaction():
        await client.execute("declare c cursor for select ssn as x from crm.people where id = 1")
        cursor = await client.execute("select name from crm.people where id = 1; fetch all from c")
        assert await cursor.fetchall() == [("Ann",)]
        assert cursor.nextset()
        assert await cursor.fetchall() == [("[redacted]",)]
