"""What real clients see of masked values where the server does not send them as plain columns of text in UTF-8."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

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


def test_a_setting_that_is_reported_shows_nothing_that_is_masked(gateway: house.Gateway) -> None:
    with psycopg.connect(url(gateway.account()), autocommit=True) as connected:
        connected.execute("SET application_name = 'nightly'")
        assert connected.info.parameter_status("application_name") == "nightly"
        connected.execute("SET application_name = 'jane@example.com'")
        assert connected.info.parameter_status("application_name") == "****@example.com"


def test_what_code_says_of_a_masked_column_is_withheld(tmp_path: Path, upstream: Account) -> None:
    """A DO block, approved or not, says nothing of a column that a rule names, in whatever field it tries."""
    block = (
        "DO $$ DECLARE v text; BEGIN SELECT name INTO v FROM customers WHERE id = 1; RAISE NOTICE 'it is %', v;"
        " RAISE EXCEPTION '%', v USING ERRCODE = '26000', DETAIL = v, HINT = v, COLUMN = v, TABLE = v; END $$"
    )
    dynamic = (
        "DO $$ DECLARE v text; BEGIN SELECT replace(name, ' ', '') INTO v FROM customers WHERE id = 1;"
        " EXECUTE 'SELECT ' || v; END $$"
    )
    said: list[str] = []
    with (
        house.gateway(
            tmp_path, upstream, never="destructive", freely="read, session, exec, unknown"
        ) as gateway,
        psycopg.connect(url(gateway.account()), autocommit=True) as connected,
    ):
        connected.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
        for statement in (block, dynamic):
            with pytest.raises(psycopg.Error) as error:
                connected.execute(statement)
            diag = error.value.diag
            said += [str(error.value), *(str(getattr(diag, name)) for name in dir(diag))]
        connected.execute("DO $$ BEGIN RAISE NOTICE 'no'; END $$")
    assert "withheld" in said[0]
    assert not [text for text in said if "bruno" in text.lower() or "lindqvist" in text.lower()]


def test_what_nobody_can_tell_to_be_no_masked_column_is_hidden(
    tmp_path: Path, upstream: Account, postgres: Postgres
) -> None:
    """A function that nobody could see into was approved: its card was read, the mask was not lifted."""
    postgres.psql(
        "CREATE FUNCTION opaque() RETURNS text LANGUAGE plpgsql AS"
        " 'DECLARE v text; BEGIN SELECT name INTO v FROM customers WHERE id = 1; RETURN v; END'",
        upstream,
    )
    with (
        house.gateway(tmp_path, upstream, freely="read, session, unknown") as gateway,
        psycopg.connect(url(gateway.account()), autocommit=True) as connected,
    ):
        shown = connected.execute(
            "SELECT opaque(), opaque() || '!' AS email, id, email AS said FROM customers WHERE id = 2"
        ).fetchall()
        copied = _copied(connected, "COPY (SELECT opaque(), id FROM customers WHERE id = 2) TO STDOUT")
    postgres.psql("DROP FUNCTION opaque", upstream)
    assert shown == [("[redacted]", "[redacted]", 2, "*******@example.com")]
    assert copied == b"[redacted]\t2\n"


def test_enums_and_composites_of_a_masked_column_stay_what_they_are(
    tmp_path: Path, upstream: Account, postgres: Postgres
) -> None:
    postgres.psql(
        "CREATE TYPE mood AS ENUM ('calm', 'tense'); CREATE TYPE place AS (street text, number int, feels mood);"
        " CREATE TABLE homes (id int, feels mood, place place, past place[]);"
        " INSERT INTO homes VALUES (1, 'tense', ('Long Lane', 7, 'tense'), ARRAY[('Long Lane', 8, NULL)::place]);",
        upstream,
    )
    statement = "SELECT feels, place, past FROM homes"
    with house.gateway(tmp_path, upstream, columns=', "homes.*": redact') as gateway:
        house.eventually(lambda: asyncio.run(_asked(gateway, statement))["feels"] == "calm")
        shown = asyncio.run(_asked(gateway, statement))
        with psycopg.connect(url(gateway.account()), autocommit=True) as connected:
            text = connected.execute(statement).fetchall()
            copied = _copied(connected, "COPY homes TO STDOUT")
    postgres.psql("DROP TABLE homes; DROP TYPE place; DROP TYPE mood", upstream)
    assert dict(shown["place"]) == {"street": "[redacted]", "number": 0, "feels": "calm"}
    assert [dict(past) for past in shown["past"]] == [{"street": "[redacted]", "number": 0, "feels": None}]
    assert text == [("calm", "([redacted],0,calm)", '{"([redacted],0,)"}')]
    assert copied == b'0\tcalm\t([redacted],0,calm)\t{"([redacted],0,)"}\n'


def _copied(connected: psycopg.Connection, statement: str) -> bytes:
    with connected.cursor().copy(statement) as copy:
        return b"".join(bytes(part) for part in copy)


async def _asked(gateway: house.Gateway, statement: str) -> asyncpg.Record:
    connected = await asyncpg.connect(url(gateway.account()), ssl=False)
    try:
        return await connected.fetchrow(statement)
    finally:
        await connected.close()


def test_a_card_s_number_is_hidden_however_a_column_of_numbers_writes_it(
    connection: psycopg.Connection,
) -> None:
    statement = (
        "SELECT 4111111111111111::numeric(20,2), ARRAY[4111111111111111::float8, 0.5],"
        " numrange(4111111111111111.00, NULL), 12.00::numeric(20,2)"
    )
    for binary in (False, True):
        (shown,) = connection.cursor(binary=binary).execute(statement).fetchall()
        assert shown[0] == Decimal(1111)
        assert shown[1] == [1111.0, 0.5]
        assert shown[2].isempty
        assert str(shown[3]) == "12.00"


def test_what_was_hidden_is_counted_in_recording_summary_and_metrics_and_kept_nowhere(
    tmp_path: Path, upstream: Account
) -> None:
    with house.gateway(tmp_path, upstream) as gateway:
        with psycopg.connect(url(gateway.account()), autocommit=True) as connected:
            connected.execute("SELECT email, ssn FROM customers WHERE id < 4")
            connected.cursor(binary=True).execute("SELECT email, phone FROM customers WHERE id = 5")
            _copied(connected, "COPY (SELECT email, name FROM customers WHERE id < 3) TO STDOUT")
        house.eventually(lambda: b'"kind":"sealed"' in _recorded(gateway))
        recorded = _recorded(gateway)
        answered = [
            json.loads(line)["masked"] for line in recorded.split(b"\n") if b'"kind":"answered"' in line
        ]
        (closed,) = [json.loads(line) for line in recorded.split(b"\n") if b'"kind":"closed"' in line]
        request = urllib.request.Request(
            f"{gateway.url}/metrics", headers={"Authorization": f"Bearer {gateway.operator.credential}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            metrics = answer.read().decode()
    assert answered == [
        {"email": 3, "column ssn": 3},
        {"email": 1, "phone": 1},
        {"email": 2, "column name": 2},
    ]
    assert closed["masked"] == {"email": 6, "phone": 1, "column ssn": 3, "column name": 2}
    for detector, count in (("email", 6), ("phone", 1), ("column", 5)):
        assert f'countersign_masked_values_total{{detector="{detector}"}} {count}.0' in metrics
    kept = recorded + gateway.log().encode() + metrics.encode()
    for value in (b"bruno1@", b"chiara2@", b"219-09-", b"202-555-", b"Lindqvist"):
        assert value not in kept


def _recorded(gateway: house.Gateway) -> bytes:
    return b"\n".join(path.read_bytes() for path in (gateway.state / "recordings").rglob("*.rec"))
