"""What is left of a session: its answers as tables, masked, in a chain that holds."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable

import pymysql
import pytest

from tests.live.house import eventually
from tests.live_mysql.house import MysqlGateway
from tests.live_mysql.prepared import Prepared

Notes = Callable[[], list[str]]


def recorded(gateway: MysqlGateway) -> set[str]:
    return {path.stem for path in (gateway.state / "recordings").glob("*/*.rec")}


@pytest.fixture
def replayed(gateway: MysqlGateway) -> Callable[[], str]:
    """What a replay shows of the one session since this was asked for."""
    before = recorded(gateway)

    def replay() -> str:
        (session,) = recorded(gateway) - before
        eventually(lambda: all(each["id"] != session for each in gateway.api.call("/v1/sessions")))
        verified = gateway.countersign("verify", session, "--state", str(gateway.state))
        assert verified.returncode == 0, verified.stdout + verified.stderr
        shown = gateway.countersign("replay", session, "--no-wait", "--state", str(gateway.state))
        assert shown.returncode == 0, shown.stderr
        return shown.stdout

    return replay


def test_texts_are_replayed_as_tables(gateway: MysqlGateway, replayed: Callable[[], str]) -> None:
    several = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with gateway.connect(client_flag=several) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, email, ssn FROM customers ORDER BY id")
        cursor.execute("SELECT 'Zoë' AS who; SELECT 'second' AS number")
        while cursor.nextset():
            pass
        with contextlib.suppress(pymysql.err.Error):
            cursor.execute("SELECT * FROM nowhere_at_all")
        cursor.execute("USE shop")
    shown = replayed()
    assert "1  | ****@example.com | [redacted]" in shown
    assert "2  | ***@example.com  | NULL" in shown
    assert re.search(r"who\s+---\s+Zoë\s+\(1 row\)\s+number\s+------\s+second\s", shown)
    assert "ERROR 1146 (42S02)" in shown
    assert "OK, 0 rows affected" in shown
    assert "jane@" not in shown
    assert "219-09" not in shown


def test_prepared_statements_and_cursors_are_replayed_by_their_types(
    gateway: MysqlGateway, replayed: Callable[[], str]
) -> None:
    with gateway.connect() as connection:
        statement = Prepared(connection, "SELECT id, placed, total FROM orders WHERE id = ?")
        statement.execute("1")
        cursor = Prepared(connection, "SELECT id, email FROM customers ORDER BY id")
        cursor.execute(cursor=True)
        cursor.fetch(1)
        cursor.fetch(5)
        cursor.close()
    shown = replayed()
    assert "1  | 2024-05-01 10:11:12.345 | 1.99" in shown
    assert "1  | ****@example.com" in shown
    assert "2  | ***@example.com" in shown


def test_an_approval_and_its_answer_stand_in_the_transcript(
    gateway: MysqlGateway, table: str, replayed: Callable[[], str], notes: Notes
) -> None:
    with gateway.connect() as connection, connection.cursor() as cursor:
        with gateway.api.deciding("approve", containing=table):
            cursor.execute(f"UPDATE {table} SET note = 'mail jane@example.com' WHERE id = 1")
        session = max(
            (each for each in gateway.api.call("/v1/sessions") if each["closed_at"] is None),
            key=lambda each: each["opened_at"],
        )["id"]
        entries = gateway.operator.call(f"/v1/sessions/{session}/transcript?limit=500")["entries"]
        assert "jane@example.com" not in json.dumps(entries)
    assert "OK, 1 row affected" in replayed()
    assert notes()[0] == "mail"
