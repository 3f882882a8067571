"""What real clients see of masked values where the server does not send them as plain columns of text in UTF-8."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import asyncpg
import psycopg
import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live import house
from tests.live.house import url


@pytest.fixture
def connection(gateway: house.Gateway) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url(gateway.account()), autocommit=True) as connected:
        yield connected


@pytest.fixture(scope="module")
def purse(postgres: Postgres, upstream: Account) -> Iterator[str]:
    """The name of a composite type."""
    postgres.psql("CREATE TYPE purse AS (mail text, card numeric, raw bytea)", upstream)
    yield "purse"
    postgres.psql("DROP TYPE purse", upstream)


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT to_tsquery(name || '''') FROM customers WHERE id = 1", "syntax error in tsquery"),
        ("SELECT lower(split_part(name, ' ', 1))::regclass FROM customers WHERE id = 1", "relation"),
        ("SELECT ('x' || name)::regtype FROM customers WHERE id = 1", "syntax error at or near"),
        ("SELECT pg_database_size(name) FROM customers WHERE id = 1", "database"),
        ("SELECT ('{' || name)::json FROM customers WHERE id = 1", "invalid input syntax for type json"),
        ("SELECT name::int FROM customers WHERE id = 1", "invalid input syntax for type integer"),
    ],
)
def test_no_error_quotes_a_value_of_a_masked_column(
    connection: psycopg.Connection, statement: str, shown: str
) -> None:
    with pytest.raises(psycopg.Error, match=shown) as error:
        connection.execute(statement)
    said = str(error.value).lower()
    assert "withheld" in said
    assert "bruno" not in said
    assert "lindqvist" not in said


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT ssn, nmae FROM customers", 'column "nmae" does not exist'),
        ("SELECT name FROM custmers", 'relation "custmers" does not exist'),
        ("SELECT 'nothere'::regclass, name FROM customers", 'relation "nothere" does not exist'),
    ],
)
def test_an_error_about_the_client_s_own_text_stays_whole(
    connection: psycopg.Connection, statement: str, shown: str
) -> None:
    with pytest.raises(psycopg.Error, match=shown):
        connection.execute(statement)


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252", "UTF8"])
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("parameters", [None, ()], ids=["simple", "extended"])
def test_a_short_answer_is_read_in_the_client_s_encoding(
    gateway: house.Gateway, encoding: str, binary: bool, parameters: tuple[()] | None
) -> None:
    with psycopg.connect(url(gateway.account(), client_encoding=encoding), autocommit=True) as connected:
        cursor = connected.cursor(binary=binary)
        cursor.execute(
            "SELECT 'J' || chr(252) || 'rgen j' || chr(252) || '@example.com',"
            " json_build_object('m', chr(246) || '@example.com')",
            parameters,
        )
        assert cursor.fetchall() == [("Jürgen ***@example.com", {"m": "**@example.com"})]


def test_a_text_in_the_client_s_encoding_is_read_in_it(gateway: house.Gateway) -> None:
    with psycopg.connect(url(gateway.account(), client_encoding="LATIN1"), autocommit=True) as connected:
        said = connected.execute(
            "SELECT 'für jürgen@example.com', ssn FROM customers WHERE name <> 'Jürgen' LIMIT 1"
        )
        assert said.fetchall() == [("für *******@example.com", "[redacted]")]


def test_messages_aside_keep_the_client_s_encoding(
    gateway: house.Gateway, postgres: Postgres, upstream: Account
) -> None:
    with psycopg.connect(url(gateway.account(), client_encoding="LATIN1"), autocommit=True) as connected:
        connected.execute("LISTEN aside")
        postgres.psql("NOTIFY aside, 'é jane@example.com'", upstream)
        (heard,) = connected.notifies(timeout=house.WITHIN, stop_after=1)
        assert heard.payload == "é ****@example.com"


def test_composites_and_arrays_are_looked_into_in_both_forms(
    gateway: house.Gateway, connection: psycopg.Connection, purse: str
) -> None:
    statement = (
        f"SELECT ROW('jane@example.com', 4111111111111111, 'ann@example.com'::bytea)::{purse},"
        f" ARRAY['ann@example.com'::bytea], ARRAY[int8range(4111111111111111, 4111111111111112)]"
    )

    async def ask() -> asyncpg.Record:
        connected = await asyncpg.connect(url(gateway.account()), ssl=False)
        try:
            return await connected.fetchrow(statement)
        finally:
            await connected.close()

    composite, raw, ranges = asyncio.run(ask())
    assert tuple(composite) == ("****@example.com", Decimal(1111), b"***@example.com")
    assert raw == [b"***@example.com"]
    assert ranges == [asyncpg.Range(empty=True)]

    (said,) = connection.execute(statement).fetchall()
    assert said[0] == f'(****@example.com,1111,"\\\\x{b"***@example.com".hex()}")'
    assert said[1] == [b"***@example.com"]
    assert said[2][0].isempty
