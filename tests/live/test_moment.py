"""Rules of the moment, against a real server: estimates that decide, budgets that last, shadows that only tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live.house import Gateway, eventually, url

RULES = """rules:
  - name: small-writes
    when: {effects: [write], estimated_rows: {le: 10}}
    then: {allow: true}
  - name: huge-writes
    when: {effects: [write], estimated_rows: {gt: 500}}
    then: {block: "That is more than 500 rows."}
  - name: reads
    when: {effects: [read, session]}
    then: {allow: true, mask: pii}
  - name: enough-rows
    when: {effects: [read], resources: [numbers], budget: {rows: 100}}
    then: {block: "That is enough for an hour."}
  - name: someday
    when: {effects: [read], resources: [numbers]}
    then: {block: "Not yet."}
    enforce: false
default: hold
"""


@pytest.fixture(scope="module")
def house(
    postgres: Postgres, upstream: Account, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    postgres.psql(
        "CREATE TABLE numbers (id integer PRIMARY KEY, note text NOT NULL);"
        "INSERT INTO numbers SELECT n, 'first' FROM generate_series(1, 1000) AS n; ANALYZE numbers;",
        upstream,
    )
    gateway = Gateway(tmp_path_factory.mktemp("moment"), upstream)
    text = gateway.policy_file.read_text()
    before, _, rest = text.partition("rules:\n")
    gateway.policy_file.write_text(before + RULES + rest.partition("default: hold\n")[2])
    gateway.start()
    yield gateway
    gateway.stop()
    postgres.psql("DROP TABLE numbers", upstream)


@pytest.fixture
def run(house: Gateway) -> Callable[..., Any]:
    """One statement in a session of its own: its rows, or what it was refused with."""

    def run(statement: str, token: str | None = None) -> Any:
        with psycopg.connect(url(house.account(token)), autocommit=True) as client:
            try:
                answer = client.execute(statement)
            except psycopg.Error as error:
                return str(error)
            return answer.fetchall() if answer.description else answer.rowcount

    return run


def test_the_target_says_how_much_a_write_would_touch(house: Gateway, run: Callable[..., Any]) -> None:
    assert run("UPDATE numbers SET note = 'a' WHERE id = 7") == 1
    assert "That is more than 500 rows." in run("UPDATE numbers SET note = 'b' WHERE id > 3")
    with house.api.deciding("approve", containing="id BETWEEN 1 AND 40") as seen:
        assert run("UPDATE numbers SET note = 'c' WHERE id BETWEEN 1 AND 40") == 40
    assert seen[0]["estimate"]["rows"] > 10
    assert [ask["rule"] for ask in seen[0]["asks"]] == ["default"]


def test_what_cannot_be_estimated_is_never_small(run: Callable[..., Any]) -> None:
    statement = "WITH a AS (UPDATE numbers SET note = 'd' WHERE id = 1 RETURNING nowhere) SELECT 1 FROM a"
    assert "That is more than 500 rows." in run(statement)


def test_what_was_measured_is_in_the_recording(house: Gateway, run: Callable[..., Any]) -> None:
    run("UPDATE numbers SET note = 'measured' WHERE id = 9")
    assert "Measured: 1 rows. Allowed by small-writes." in transcript(house, "measured")


def test_a_shadow_is_seen_and_stops_nothing(house: Gateway, run: Callable[..., Any]) -> None:
    assert run("SELECT note FROM numbers WHERE id = 50", house.child(house.token(), "seer", "shop:read")) == [
        ("first",)
    ]
    assert "shadow: someday" in transcript(house, "id = 50")


def test_a_budget_follows_its_root_through_sessions_children_reloads_and_a_kill(
    house: Gateway, run: Callable[..., Any]
) -> None:
    root = house.token()
    assert len(run("SELECT id FROM numbers WHERE id <= 60", root)) == 60
    assert len(run("SELECT id FROM numbers WHERE id <= 60", house.child(root, "reader", "shop:read"))) == 60
    refused = "That is enough for an hour."
    assert refused in run("SELECT id FROM numbers WHERE id = 1", root)
    assert refused in run("SELECT id FROM numbers WHERE id = 1")
    assert run("SELECT 1") == [(1,)]
    house.policy_file.write_text(house.policy_file.read_text() + "\n# an edit\n")
    eventually(lambda: "policy reloaded" in house.log())
    assert refused in run("SELECT id FROM numbers WHERE id = 1")
    eventually(lambda: rows_kept(house) >= 100)
    house.kill()
    house.start()
    assert refused in run("SELECT id FROM numbers WHERE id = 1")


def rows_kept(house: Gateway) -> int:
    """What is durable of the budget that was spent."""
    budgets = json.loads((house.state / "live.json").read_text()).get("budgets", {})
    slices = budgets.get("enough-rows\nrelease-pipeline", {}).get("document", {})
    return sum(rows for _, rows in slices.values())


def test_an_answer_whose_end_nobody_saw_counts_as_all_of_it(
    postgres: Postgres, upstream: Account, tmp_path: Path, house: Gateway
) -> None:
    gateway = Gateway(tmp_path, upstream)
    gateway.policy_file.write_text(house.policy_file.read_text())
    gateway.start()
    try:
        client = psycopg.connect(url(gateway.account()), autocommit=True)
        pid = client.execute("SELECT pg_backend_pid()").fetchone()
        assert pid is not None
        client.pgconn.send_query(b"SELECT id, pg_sleep(0.01) FROM numbers")
        client.pgconn.flush()
        eventually(
            lambda: "numbers" in postgres.psql(f"SELECT query FROM pg_stat_activity WHERE pid = {pid[0]}")
        )
        client.close()

        def refused() -> bool:
            with psycopg.connect(url(gateway.account()), autocommit=True) as other:
                try:
                    other.execute("SELECT id FROM numbers WHERE id = 1")
                except psycopg.Error as error:
                    return "That is enough" in str(error)
            return False

        eventually(refused)
    finally:
        gateway.stop()


def transcript(house: Gateway, containing: str) -> str:
    """As `countersign sessions show` and `replay` print the session in which that was asked; both the same."""
    shown = ""

    def found() -> bool:
        nonlocal shown
        sessions = json.loads(house.countersign("sessions", "list", "--json").stdout)
        for session in sessions:
            shown = house.countersign("sessions", "show", session["id"]).stdout
            if containing in shown and session["closed_at"] is not None:
                replayed = house.countersign("replay", "--no-wait", session["id"]).stdout
                assert set(replayed.splitlines()) <= set(shown.splitlines())
                return True
        return False

    eventually(found)
    return shown
