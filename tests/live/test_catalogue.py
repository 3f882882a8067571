"""A gateway that knows its target's catalogue masks what views bring, and knows the target's own functions."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live import house

Ask = Callable[[str], str]


@pytest.fixture
def served(postgres: Postgres, upstream: Account, tmp_path: Path) -> Iterator[house.Gateway]:
    """A gateway that began when the views were there."""
    postgres.psql(
        """
        CREATE VIEW tails AS SELECT id, right(ssn, 4) AS tail FROM customers;
        CREATE VIEW named AS SELECT ssn AS note, id FROM (SELECT * FROM customers) c;
        CREATE FUNCTION tidy() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
        CREATE FUNCTION first_ssn() RETURNS text IMMUTABLE
            RETURN (SELECT ssn FROM public.customers ORDER BY id LIMIT 1);
        CREATE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN upper($1); END';
        """,
        upstream,
    )
    with house.gateway(tmp_path, upstream) as gateway:
        yield gateway
    postgres.psql("DROP VIEW tails, named; DROP FUNCTION shout, first_ssn, tidy", upstream)


@pytest.fixture
def ask(postgres: Postgres, served: house.Gateway) -> Ask:
    """What one query brings, once the catalogue is known."""

    def ask(sql: str) -> str:
        done = subprocess.run(
            [postgres.binary("psql"), "-XAt", "-c", f"SET statement_timeout = 3000; {sql}"],
            env={**os.environ, **served.account().environment},
            capture_output=True,
            text=True,
            timeout=house.WITHIN,
            check=False,
        )
        return done.stdout.removeprefix("SET\n").strip() or done.stderr

    house.eventually(lambda: ask("SELECT tail FROM tails WHERE id = 1") == "[redacted]")
    return ask


def test_what_a_view_makes_of_a_masked_column_is_masked(ask: Ask) -> None:
    assert ask("SELECT note FROM named WHERE id = 1") == "[redacted]"
    assert ask("SELECT x FROM named AS n (x) WHERE id = 1") == "[redacted]"
    assert ask("SELECT * FROM named WHERE id = 1") == "[redacted]|1"


def test_a_function_that_only_computes_runs_unasked(ask: Ask) -> None:
    assert ask("SELECT shout('a')") == "A"


def test_what_a_function_claims_to_compute_is_masked_in_answers_and_plans(ask: Ask) -> None:
    assert ask("SELECT first_ssn()") == "[redacted]"
    plan = ask("EXPLAIN (VERBOSE, COSTS OFF) SELECT first_ssn()")
    assert set(plan.split()) == {"[redacted]"}


def test_approval_never_unmasks_what_a_view_shows(ask: Ask, served: house.Gateway) -> None:
    """What nobody could read may have changed what names mean; what they meant before is hidden still."""
    assert ask("SELECT note FROM named WHERE id = 1") == "[redacted]"
    with psycopg.connect(house.url(served.account()), autocommit=True) as connection:
        with served.api.deciding("approve", containing="tidy"):
            connection.execute("SELECT tidy()")
        assert connection.execute("SELECT note, id FROM named WHERE id = 1").fetchone() == ("[redacted]", 1)
        assert connection.execute("SELECT * FROM named WHERE id = 1").fetchone() == ("[redacted]", 1)
