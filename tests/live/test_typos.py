"""A slip of the pen gets the server's own syntax error at once: nobody is asked about it, and nothing of it ran."""

from __future__ import annotations

import asyncio

import asyncpg
import psycopg
import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus

from gateway.demo.postgres import Postgres
from tests.live.conftest import Run, Sit
from tests.live.house import Gateway, eventually, url

TYPOS = [
    "SELEC 1",
    "SELECT 1 FROM FROM",
    "SELECT 'it''s",
    "SELECT 1; SELEC 2",
    "DELETE FROM orders WHERE (id = 1",
    "SELECT 1 -- \u00e4\n FRM orders; DROP TABLE orders",
    "SELECT $$ no end",
    "UPDATE orders SET",
]


@pytest.mark.parametrize("typo", TYPOS)
def test_psql_shows_the_error_that_it_would_show_without_us(psql: Run, postgres: Postgres, typo: str) -> None:
    told = psql("-c", typo)
    alone = psql("-c", typo, account=postgres.superuser)
    assert "syntax error" in told.stderr or "unterminated" in told.stderr
    assert (told.stdout, told.stderr, told.returncode) == (alone.stdout, alone.stderr, alone.returncode)


def test_bytes_that_are_no_text_are_the_servers_to_refuse(psql: Run) -> None:
    told = psql("-c", "SELECT '\udcff'")
    assert "invalid byte sequence for encoding" in told.stderr


def test_a_typo_at_a_terminal_leaves_the_transaction_as_the_server_does(sit: Sit) -> None:
    with sit() as psql:
        assert "syntax error" in psql.ask("SELEC 1;")
        assert psql.ask("SELECT 1;") == "1\n[]> "
        psql.ask("BEGIN;")
        assert psql.ask("SELEC 1;").endswith("[!]> ")
        assert "current transaction is aborted" in psql.ask("SELECT 1;")
        assert "syntax error" in psql.ask("SELEC 1;")
        assert psql.ask("ROLLBACK;") == "ROLLBACK\n[]> "


def test_a_recording_tells_what_the_server_refused(gateway: Gateway) -> None:
    with psycopg.connect(url(gateway.account()), autocommit=True) as connection:
        with pytest.raises(errors.SyntaxError):
            connection.execute("SELEC 1")
        name = connection.info.parameter_status("application_name") or ""
        session = name.rpartition("[countersign ")[2].split()[0]

    def entries() -> list[dict[str, str]]:
        return list(gateway.operator.call(f"/v1/sessions/{session}/transcript")["entries"])

    eventually(lambda: any("SQLSTATE 42601" in entry["text"] for entry in entries()))
    assert [(e["text"], e["verdict"]) for e in entries() if e["kind"] == "command"] == [("SELEC 1", "allow")]


def test_what_was_prepared_stays_prepared_behind_a_typo(gateway: Gateway) -> None:
    with psycopg.connect(url(gateway.account()), autocommit=True) as connection:
        assert connection.execute("SELECT %s::int", [1], prepare=True).fetchone() == (1,)
        with pytest.raises(errors.SyntaxError):
            connection.execute("SELEC 1")
        assert connection.execute("SELECT %s::int", [2], prepare=True).fetchone() == (2,)
        assert connection.info.transaction_status is TransactionStatus.IDLE


def test_a_typo_with_values_fails_at_once_alone_and_in_a_pipeline(gateway: Gateway) -> None:
    with psycopg.connect(url(gateway.account()), autocommit=True) as connection:
        with pytest.raises(errors.SyntaxError):
            connection.execute("SELEC %s", [1])
        with pytest.raises(errors.SyntaxError), connection.pipeline():  # noqa: PT012  raised at its end
            connection.execute("SELECT 1")
            connection.execute("SELEC %s", [1])
            connection.execute("SELECT 2")
        assert connection.execute("SELECT 3").fetchone() == (3,)


async def test_asyncpg_is_told_as_well(gateway: Gateway) -> None:
    account = await asyncio.to_thread(gateway.account)
    connection = await asyncpg.connect(url(account), ssl=False)
    try:
        for ask in (connection.execute, connection.fetch):
            with pytest.raises(asyncpg.PostgresSyntaxError):
                await ask("SELEC 1")
        assert await connection.fetchval("SELECT 1") == 1
    finally:
        await connection.close()
