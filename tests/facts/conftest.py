"""One real PostgreSQL for the tests that ask it."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.demo.postgres import Postgres

SCHEMA = """
CREATE TABLE customers (id serial PRIMARY KEY, name text, email text UNIQUE, ssn text, data jsonb);
CREATE TABLE orders (
    id serial PRIMARY KEY, customer_id int REFERENCES customers, total numeric, status text, note text, placed timestamptz
);
CREATE TABLE people (id int PRIMARY KEY, paid bool);
CREATE TABLE staged (id int, total numeric);
CREATE VIEW open_orders AS SELECT * FROM orders WHERE status = 'open';
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS a;
CREATE TYPE mood AS ENUM ('calm', 'tense');
CREATE FUNCTION purge() RETURNS int LANGUAGE sql AS 'DELETE FROM people RETURNING 1';
CREATE STATISTICS st ON id, name FROM customers;
CREATE POLICY everyone ON orders USING (true);
CREATE TABLE parts (a int) PARTITION BY RANGE (a);
INSERT INTO customers (name, email, ssn) SELECT 'n' || i, 'e' || i, i::text FROM generate_series(1, 1000) i;
INSERT INTO orders (customer_id, total, status) SELECT i, i, 'open' FROM generate_series(1, 1000) i;
ANALYZE;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    postgres: Postgres
    logs: Path

    def dsn(self, database: str = "postgres") -> str:
        account = self.postgres.superuser
        return f"postgresql://{account.user}:{account.password}@{account.host}:{account.port}/{database}"

    def statements(self) -> list[str]:
        """Every statement that any client has sent so far, from the server's own log, which is written a little later."""
        mark = f"SELECT '{secrets.token_hex(8)}'"
        self.postgres.psql(mark)
        deadline = time.monotonic() + 20
        while mark not in (found := self._logged()):
            assert time.monotonic() < deadline, "the server's log does not grow"
            time.sleep(0.02)
        return found[: found.index(mark)]

    def _logged(self) -> list[str]:
        found = []
        for path in sorted(self.logs.glob("*.json")):
            for line in path.read_text().splitlines(keepends=True):
                if not line.endswith("\n"):
                    continue  # still being written
                message = json.loads(line).get("message", "")
                kind, _, text = message.partition(": ")
                if kind == "statement" or kind.startswith("execute "):
                    found.append(text)
        return found


@pytest.fixture(scope="session")
def logs() -> Iterator[Path]:
    """A directory that the server may write to whoever it runs as."""
    with tempfile.TemporaryDirectory(prefix="countersign-logs-") as directory:
        path = Path(directory)
        path.chmod(0o777)
        yield path


@pytest.fixture(scope="session")
def server(logs: Path) -> Iterator[Server]:
    settings = {
        "logging_collector": "on",
        "log_destination": "jsonlog",
        "log_directory": f"'{logs}'",
        "log_file_mode": "0644",
        "log_statement": "'all'",
        "max_prepared_transactions": "2",
    }
    with Postgres(settings=settings) as postgres:
        postgres.psql(SCHEMA)
        yield Server(postgres=postgres, logs=logs)
