"""What is said to tell nothing of a column tells nothing: real servers answer alike whatever the column holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg
import pymysql
import pytest

from gateway.facts import mysql, postgres
from gateway.facts.mysql import Context
from gateway.facts.mysql import Server as Dialect
from gateway.facts.mysql.resolving import resolved as resolved_mysql
from gateway.facts.postgres.resolving import resolved
from gateway.facts.schema import Table
from gateway.model import Effect, Facts
from tests.facts.made_up import SECRET, TABLES, Queries, filling
from tests.facts.mariadb import MariaDb

pytestmark = pytest.mark.live
PLAIN = {Effect.READ, Effect.SESSION, Effect.EXFIL}
TRIED = 3_000
CATALOGUE = {f"one.{name}": Table(columns=columns) for name, columns in TABLES.items()}
either = pytest.mark.parametrize("seen", [False, True], ids=["unseen", "with its catalogue"])
Rows = Sequence[Sequence[object]]


def tells(names: Sequence[str] | frozenset[str]) -> bool:
    return any(name.endswith((".ssn", ".*")) or name == "ssn" for name in names)


def free(facts: Facts) -> list[int]:
    """The result columns that no rule about `ssn` would mask."""
    return [at for at, output in enumerate(facts.outputs or ()) if not tells(output.sources)]


def told(rows: Rows, columns: Sequence[int]) -> list[str]:
    return sorted(repr([row[at] for at in columns]) for row in rows)


def held_against(
    queries: Queries, read: Callable[[str], Facts], ask: Callable[[str, str], Rows | None]
) -> int:
    """How many queries were answered; what they tell is the same in both schemas, or was said to depend on the column."""
    answered = 0
    for _ in range(TRIED):
        text = queries.statement()
        facts = read(text)
        one, other = ask("one", text), ask("other", text)
        if one is None or other is None or not facts.complete or not facts.effects <= PLAIN:
            continue
        answered += 1
        columns = free(facts)
        assert not any(SECRET in line for line in told(one, columns)), text
        if not tells([each.name for each in facts.resources if each.kind == "condition"]):
            assert told(one, columns) == told(other, columns), text
    return answered


@either
def test_postgresql_tells_nothing_of_a_column_that_is_said_not_to_be_told(server, seen):
    texts = postgres.Texts(resolved(CATALOGUE, {}, ("pg_catalog", "one")) if seen else None)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for turn, schema in enumerate(("one", "other")):
            connection.execute(f"CREATE SCHEMA {schema}")
            for statement in filling(schema, turn=turn):
                connection.execute(statement)

        def ask(schema: str, text: str) -> Rows | None:
            connection.execute(f"SET search_path = {schema}")
            try:
                return connection.execute(text.encode()).fetchall()
            except psycopg.Error:
                return None

        joins = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
        try:
            assert held_against(Queries(7, joins=joins, outer=True), texts.read, ask) > TRIED / 5
        finally:
            connection.execute("DROP SCHEMA one CASCADE; DROP SCHEMA other CASCADE")


@either
def test_mariadb_tells_nothing_of_a_column_that_is_said_not_to_be_told(seen):
    texts = mysql.Texts(resolved_mysql(CATALOGUE, ("one",)) if seen else None)
    with MariaDb() as server:
        account = {"host": "127.0.0.1", "port": server.port, "user": "asks", "password": "sekret"}
        server.run(
            "CREATE USER asks@'127.0.0.1' IDENTIFIED BY 'sekret'; GRANT ALL ON *.* TO asks@'127.0.0.1'"
        )
        connection = pymysql.connect(**account, autocommit=True)
        with connection, connection.cursor() as cursor:
            for turn, schema in enumerate(("one", "other")):
                for statement in (f"CREATE DATABASE {schema}", *filling(schema, turn=turn)):
                    cursor.execute(statement)

            def ask(schema: str, text: str) -> Rows | None:
                connection.select_db(schema)
                try:
                    cursor.execute(text)
                    return list(cursor.fetchall())
                except pymysql.Error:
                    return None

            context = Context(servers=(Dialect.MARIADB,))
            queries = Queries(7, joins=("JOIN", "LEFT JOIN", "RIGHT JOIN"), outer=False)
            assert held_against(queries, lambda text: texts.read(text, context), ask) > TRIED / 5
