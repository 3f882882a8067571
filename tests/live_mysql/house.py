"""A real MariaDB with a shop in it, a real gateway process in front of it, and the stock clients."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql

from gateway.demo.postgres import Account
from tests.certificates import Issued
from tests.facts.mariadb import MariaDb
from tests.live.house import WITHIN, Gateway
from tests.live.psql import Terminal
from tests.ports import free_port

POLICY = """
connections:
  shop:
    protocol: mysql
    listen: 127.0.0.1:{listen}
    upstream: mysql://127.0.0.1:{port}/shop?sslmode={sslmode}
    credential: {{user: gateway, password: env:SHOP_PASSWORD}}
    labels: {{env: prod}}
agents:
  release-pipeline:
    secret: env:RELEASE_PIPELINE_SECRET
    person: maria.lopez@example.com
    scope: {{shop: [read, write, ddl, destructive, privilege, exec, exfil, unknown]}}
    max_depth: 4
groups:
  dba: {{members: [ana.silva@example.com, ben.okafor@example.com]}}
  security: {{members: [sam.chen@example.com]}}
operators: [security]
rules:
  - name: destructive-never
    when: {{labels: {{env: prod}}, effects: [destructive, privilege, exfil]}}
    then: {{block: "Destructive statements never run through an agent."}}
  - name: writes-need-a-dba
    when: {{effects: [write, ddl, exec, unknown]}}
    then: {{hold: {{approvers: dba, within: 15m, message: "A DBA looks at writes on prod."}}, mask: pii}}
  - name: reads
    when: {{effects: [read, session]}}
    then: {{allow: true, mask: pii}}
default: hold
masks:
  pii: {{detect: [email, phone, payment_card, iban, secrets],
        columns: {{"*.ssn": redact, "customers.name": partial, "customers.born": partial, "customers.limit_": redact}}}}
limits: {{rejoin: 2s}}
api: {{listen: 127.0.0.1:{api}}}
{more}
"""
SHOP = """
CREATE DATABASE shop CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE customers (
    id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40) NOT NULL, email VARCHAR(60) NOT NULL, ssn VARCHAR(20),
    card BIGINT, born DATE, limit_ DECIMAL(10,2), tier ENUM('standard','gold') NOT NULL DEFAULT 'standard', profile JSON,
    photo BLOB, UNIQUE KEY by_email (email)
);
INSERT INTO customers (name, email, ssn, card, born, limit_, profile, photo) VALUES
    ('Jane Doe', 'jane@example.com', '219-09-9999', 4111111111111111, '1980-05-17', 1234.50,
     '{"phone": "+1 202-555-0143", "n": 1}', x'89504e470d0a'),
    ('Zoë Müller', 'zoe@example.com', NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE orders (
    id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL, total DECIMAL(10,2) NOT NULL, note VARCHAR(80),
    placed DATETIME(3) NOT NULL DEFAULT '2024-05-01 10:11:12.345', FOREIGN KEY (customer_id) REFERENCES customers (id)
);
INSERT INTO orders (customer_id, total, note) SELECT 1 + seq % 2, seq + 0.99, CONCAT('order ', seq) FROM seq_1_to_300;
CREATE VIEW people AS SELECT id, ssn AS number, email FROM customers;
CREATE PROCEDURE tell(IN wanted INT) SELECT ssn AS s, email AS e FROM customers WHERE id = wanted;
"""


@contextlib.contextmanager
def shop(*, certificate: Issued | None = None) -> Iterator[tuple[MariaDb, Account]]:
    """A MariaDB with the shop in it, and the account that the gateway logs in with."""
    password = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="countersign-certificate-") as directory:
        options = ["--max-allowed-packet=64M"]
        if certificate is not None:
            own, key = certificate.write(Path(directory), "server")
            options += [f"--ssl-cert={own}", f"--ssl-key={key}", "--require-secure-transport=ON"]
            if os.geteuid() == 0:
                for path in (Path(directory), own, key):
                    shutil.chown(path, "mysql")
        with _with_shop(MariaDb(*options), password) as running:
            yield running


@contextlib.contextmanager
def _with_shop(made: MariaDb, password: str) -> Iterator[tuple[MariaDb, Account]]:
    with made as server:
        server.run(SHOP)
        server.run(f"CREATE USER gateway@'%' IDENTIFIED BY '{password}'; GRANT ALL ON *.* TO gateway@'%'")
        yield (
            server,
            Account(host="127.0.0.1", port=server.port, user="gateway", password=password, database="shop"),
        )


class MysqlGateway(Gateway):
    """A gateway whose one connection is the shop."""

    def __init__(
        self,
        directory: Path,
        account: Account,
        *,
        sslmode: str = "disable",
        more: str = "",
        policy: str = POLICY,
    ) -> None:
        super().__init__(directory, account)
        self.policy_file.write_text(
            policy.format(listen=free_port(), port=account.port, api=free_port(), sslmode=sslmode, more=more)
        )

    def connect(self, account: Account | None = None, **more: Any) -> pymysql.Connection[Any]:
        """PyMySQL, in front of the gateway."""
        account = account or self.account()
        settings = {
            "host": account.host, "port": account.port, "user": account.user, "password": account.password,
            "database": account.database, "autocommit": True, "read_timeout": WITHIN,
        }  # fmt: skip
        return pymysql.connect(**settings | more)

    def run(
        self, *arguments: str, stdin: str = "", account: Account | None = None, program: str = "mariadb"
    ) -> subprocess.CompletedProcess[str]:
        """One of MariaDB's own clients, which finds its password in its environment."""
        account = account or self.account()
        quiet = ("--batch", "--skip-column-names") if program == "mariadb" else ()
        return subprocess.run(
            [program, "--no-defaults", *reached(account), *quiet, *arguments],
            input=stdin,
            env={**os.environ, "MYSQL_PWD": account.password, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=WITHIN,
            check=False,
        )

    def sit(self, account: Account | None = None) -> Sitting:
        """Sit down at a mariadb: `with gateway.sit() as mariadb:`."""
        account = account or self.account()
        return Sitting("mariadb", {"MYSQL_PWD": account.password}, *reached(account), account.database)


class Sitting(Terminal):
    """One mariadb at a terminal of its own."""

    PROMPT = r"\[\w+\]> "
    ARGUMENTS = (
        "--no-defaults",
        "--prompt=[\\d]> ",
        "--skip-auto-rehash",
        "--skip-pager",
        "--skip-column-names",
        "--silent",
    )


def reached(account: Account) -> tuple[str, ...]:
    return ("--protocol=TCP", f"--host={account.host}", f"--port={account.port}", f"--user={account.user}")


@contextlib.contextmanager
def gateway(directory: Path, account: Account, **settings: Any) -> Iterator[MysqlGateway]:
    running = MysqlGateway(directory, account, **settings)
    running.start()
    try:
        yield running
    finally:
        running.stop()
