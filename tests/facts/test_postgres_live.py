"""A real server as an independent judge of what was read, and as a source of the queries that tools really send."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import asyncpg
import psycopg
import pytest
import sqlalchemy
from psycopg.types import TypeInfo
from psycopg.types.enum import EnumInfo
from ruamel.yaml import YAML

from gateway.facts.postgres import functions, read
from gateway.facts.postgres.catalogue import ONLY_READ
from gateway.model import Effect
from tests.facts.conftest import Server

pytestmark = pytest.mark.live
CORPUS = YAML(typ="safe").load((Path(__file__).parents[1] / "bypass" / "postgres.yaml").read_text())
READ_ONLY_TRANSACTION = "25006"
PLAIN = {Effect.READ, Effect.SESSION}
DESCRIBE = r"""\d|\d+ customers|\d orders|\d+ open_orders|\dt+|\dn+|\df+ purge|\du+|\l+|\dp|\dv+|\di+|\ds|\dT+|\dx|\dy|\des
\dew|\dRp|\dRs|\dA|\dC|\dD|\dE|\dF|\dL|\dO|\do =|\dconfig|\drds|\ddp|\dX|\dd|\db+|\dc|\dm+|\dP+|\drg|\dAc|\dAf|\dAo|\dAp
\dl|\sf purge|\sv open_orders|\z|\dg"""


DIVERSE = """
    UPDATE orders SET
        note = (ARRAY['', 'x', 'spam', 'abcde', 'a spam b', '7', repeat('x', 500)])[1 + id % 7],
        status = (ARRAY['open', 'paid', 'x', '7', 'ab'])[1 + id % 5],
        total = (ARRAY[-1000000000, -5, 0, 4.5, 5, 1000000000])[1 + id % 6],
        placed = (ARRAY['1950-01-01', '1999-01-01', '2026-01-01', now()::text, '2090-01-01'])[1 + id % 5]::timestamptz,
        paid = id % 2 = 0
"""
"""Rows that conditions can tell apart."""


def sent(server: Server, work) -> list[str]:
    before = len(server.statements())
    work()
    return list(dict.fromkeys(server.statements()[before:]))


def environment(server: Server) -> dict[str, str]:
    return {**os.environ, **server.postgres.superuser.environment}


def test_the_queries_behind_psqls_describe_commands_are_plain_reads(server):
    def work():
        for command in DESCRIBE.replace("\n", "|").split("|"):
            done = subprocess.run(
                [server.postgres.binary("psql"), "-XqAt", "-c", command],
                env=environment(server),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (command, done.stderr)

    queries = sent(server, work)
    assert len(queries) > 60
    for sql in queries:
        facts = read(sql)
        assert facts.effects <= PLAIN, (sql, facts.effects, facts.attributes)


def test_pg_dump_reads_but_for_the_guards_it_lowers(server):
    def work():
        done = subprocess.run(
            [server.postgres.binary("pg_dump")],
            env=environment(server),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    stopped = [sql for sql in sent(server, work) if not read(sql).effects <= PLAIN]
    reasons = ("SET row_security = off", "set_config(name", "EXECUTE ", "subconninfo")
    assert {next(reason for reason in reasons if reason in sql) for sql in stopped} == set(reasons)


def test_what_sqlalchemy_asks_about_a_schema_are_plain_reads(server):
    def work():
        engine = sqlalchemy.create_engine(server.dsn().replace("postgresql://", "postgresql+psycopg://"))
        inspector = sqlalchemy.inspect(engine)
        for table in [*inspector.get_table_names(), *inspector.get_view_names()]:
            inspector.get_columns(table)
            inspector.get_pk_constraint(table)
            inspector.get_foreign_keys(table)
            inspector.get_indexes(table)
            inspector.get_check_constraints(table)
            inspector.get_table_comment(table)
        inspector.get_enums()
        inspector.get_sequence_names()
        inspector.get_view_definition("open_orders")
        sqlalchemy.MetaData().reflect(engine)
        engine.dispose()

    queries = sent(server, work)
    assert len(queries) > 10
    for sql in queries:
        assert read(sql).effects <= PLAIN, (sql, read(sql).effects)


async def test_what_drivers_ask_on_their_own_are_plain_reads(server):
    before = len(server.statements())
    connection = await asyncpg.connect(server.dsn())
    await connection.fetch("SELECT 'calm'::mood, ROW(1, 2), ARRAY(SELECT o FROM orders o LIMIT 1)")
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=str)
    async with connection.transaction(isolation="serializable", readonly=True):
        async for _ in connection.cursor("SELECT 1"):
            pass
    await connection.add_listener("news", print)
    await connection.remove_listener("news", print)
    await connection.reset()
    await connection.close()
    with psycopg.connect(server.dsn()) as plain:
        EnumInfo.fetch(plain, "mood")
        TypeInfo.fetch(plain, "hstore")
        with plain.cursor("named") as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchall()
    queries = server.statements()[before:]
    assert len(queries) > 10
    for sql in queries:
        assert read(sql).effects <= PLAIN, (sql, read(sql).effects)


def test_what_is_called_a_plain_read_may_run_in_a_read_only_transaction_and_what_may_not_is_never_called_one(
    server,
):
    refused = 0
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("SET statement_timeout = '1s'")
        for row in CORPUS:
            facts = read(row["sql"])
            single = facts.attributes["sql.statements"] == 1
            waits = ("$", "pg_sleep", "advisory", "COPY")
            if not single or any(word in row["sql"] for word in waits):
                continue
            state = _state(connection, row["sql"])
            if state == READ_ONLY_TRANSACTION:
                refused += 1
                assert facts.effects - {Effect.READ}, row["sql"]
                assert facts.effects - PLAIN or " FOR " in row["sql"] or "LOCK" in row["sql"], row["sql"]
    assert refused > 60


def _state(connection, sql):
    """The SQLSTATE that `sql` ends with in a read-only transaction of one who may do little; "" for success."""
    connection.execute("BEGIN READ ONLY")
    try:
        connection.execute("SET LOCAL ROLE pg_read_all_data")
        connection.execute(sql)
    except psycopg.Error as error:
        return error.sqlstate
    else:
        return ""
    finally:
        if connection.info.transaction_status:
            connection.execute("ROLLBACK")
        connection.execute("RESET ROLE")


def test_no_function_that_the_server_calls_volatile_is_taken_for_one_that_only_computes(server):
    with psycopg.connect(server.dsn()) as connection:
        volatile = connection.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v'"
        )
        names = {name for (name,) in volatile}
    assert len(names) > 150
    assert not names & ONLY_READ


def test_every_function_of_the_server_is_known_or_unknown_on_purpose(server):
    with psycopg.connect(server.dsn()) as connection:
        callable_ = connection.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace"
            " AND NOT 'internal'::regtype = ANY (proargtypes) AND NOT 'cstring'::regtype = ANY (proargtypes)"
            " AND prorettype <> ALL (ARRAY['trigger', 'internal', 'language_handler', 'index_am_handler',"
            " 'table_am_handler', 'tsm_handler', 'event_trigger', 'fdw_handler']::regtype[])"
        )
        names = {name for (name,) in callable_}
    strangers = {
        name
        for name in names
        if functions.effects_of("pg_catalog", name) is None
        and name not in functions.RUNS_SQL
        and name not in functions.RUNS_MORE_SQL
        and name not in functions.READS_TABLE
        and name != "set_config"
        and not name.startswith("binary_upgrade_")
    }
    assert strangers <= {
        "cursor_to_xml",
        "cursor_to_xmlschema",
        "database_to_xmlschema",
        "schema_to_xmlschema",
        "pg_event_trigger_ddl_commands",
    }


def test_an_unrestricted_where_really_leaves_no_row_alone(server):
    """Every row of the corpus that is called destructive for its WHERE, run in a transaction that is rolled back."""
    tried = 0
    with psycopg.connect(server.dsn()) as connection:
        for row in CORPUS:
            sql = row["sql"]
            if (
                not sql.startswith("DELETE FROM orders WHERE")
                or "$" in sql
                or "order_id" in sql
                or "LIMIT" in sql
            ):
                continue
            with connection.transaction(force_rollback=True):
                connection.execute("ALTER TABLE orders ADD deleted_at date, ADD paid bool DEFAULT true")
                connection.execute(DIVERSE)
                connection.execute("ALTER TABLE customers ADD closed bool")
                try:
                    with connection.transaction():
                        gone = connection.execute(sql).rowcount
                except psycopg.Error:
                    continue
                tried += 1
                destructive = Effect.DESTRUCTIVE in read(sql).effects
                if gone == 1000 and "NOT EXISTS" not in sql:
                    assert destructive, sql
                if destructive:
                    assert gone == 1000, (sql, gone)
    assert tried > 50
