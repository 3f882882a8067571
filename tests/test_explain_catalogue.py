"""`countersign explain --catalogue` against real servers: what a view is made of, and what comes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gateway.demo.postgres import Postgres
from tests.facts.mariadb import MariaDb

pytestmark = pytest.mark.live
POLICY = """
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:0
    upstream: postgresql://{postgres.host}:{postgres.port}/postgres?sslmode=disable
    credential: {{user: {postgres.user}, password: env:ASKED_POSTGRES}}
  billing:
    protocol: mysql
    listen: 127.0.0.1:0
    upstream: mysql://127.0.0.1:{mariadb}/billing?sslmode=disable
    credential: {{user: asker, password: env:ASKED_MARIADB}}
rules: [{{name: reads, when: {{effects: [read]}}, then: {{allow: true, mask: pii}}}}]
default: hold
masks: {{pii: {{columns: {{"customers.ssn": redact}}}}}}
"""
ROWS = [
    {"id": 1, "protocol": "postgres", "command": "SELECT * FROM cards"},
    {"id": 2, "protocol": "mysql", "command": "SELECT * FROM cards"},
    {"id": 3, "protocol": "postgres", "command": "SELECT purge()"},
    {
        "id": 4,
        "protocol": "postgres",
        "command": "SELECT 1",
        "session_before": ["CREATE TABLE later (a int)"],
    },
    {"id": 5, "protocol": "postgres", "command": "SELECT shout('a')"},
]


@pytest.fixture(scope="module")
def policy(tmp_path_factory) -> Iterator[str]:
    with Postgres() as postgres, MariaDb() as mariadb:
        postgres.psql("""
            CREATE TABLE customers (id int, ssn text);
            CREATE VIEW cards AS SELECT id AS number, ssn AS tail FROM customers;
            CREATE FUNCTION purge() RETURNS int LANGUAGE sql AS 'DELETE FROM customers RETURNING 1';
            CREATE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN upper($1); END';
        """)
        mariadb.run("""
            CREATE VIEW billing.cards AS SELECT id AS number, ssn AS tail FROM billing.customers;
            CREATE USER asker IDENTIFIED BY 'sekret'; GRANT SELECT, SHOW VIEW ON billing.* TO asker;
        """)
        path = tmp_path_factory.mktemp("policy") / "policies.yaml"
        path.write_text(POLICY.format(postgres=postgres.superuser, mariadb=mariadb.port))
        os.environ["ASKED_POSTGRES"] = postgres.superuser.password
        yield str(path)


def explain(policy: str, *options: str, mariadb: str = "sekret") -> tuple[dict[int, dict[str, object]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "explain", "--policy", policy, "--jsonl", *options],
        input="".join(json.dumps(row) + "\n" for row in ROWS),
        env={**os.environ, "ASKED_MARIADB": mariadb},
        capture_output=True,
        text=True,
        check=True,
    )
    return {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}, done.stderr


def test_views_and_functions_are_followed_into_what_the_targets_store(policy):
    told, said = explain(policy, "--catalogue")
    assert said == ""
    assert [told[row]["masked"] for row in (1, 2)] == [["tail"], ["tail"]]
    assert "destructive" in told[3]["effects"]
    assert told[5]["effects"] == ["read"]


def test_without_it_no_target_is_asked(policy):
    told, said = explain(policy)
    assert said == ""
    assert [told[row]["masked"] for row in (1, 2)] == [[], []]
    assert "unknown" in told[5]["effects"]


def test_a_target_that_refuses_is_named_and_read_without_its_catalogue(policy):
    told, said = explain(policy, "--catalogue", mariadb="wrong-one")
    assert said.startswith("billing: read without its catalogue: the target refused")
    assert "wrong-one" not in said
    assert [told[row]["masked"] for row in (1, 2)] == [["tail"], []]
