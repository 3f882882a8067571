"""A MariaDB server of its own: on a socket and a free port, in a directory that goes with it."""

from __future__ import annotations

import base64
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from tests.ports import free_port

SCHEMA = """
CREATE DATABASE billing;
USE billing;
CREATE TABLE customers (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), country CHAR(2), ssn VARCHAR(20));
CREATE TABLE invoices (
    id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL, total DOUBLE, status VARCHAR(9), note VARCHAR(40),
    created_at DATETIME DEFAULT NOW(), KEY idx_status (status), FOREIGN KEY (customer_id) REFERENCES customers (id)
);
INSERT INTO customers (name, country, ssn) VALUES ('a', 'DE', '1'), ('b', NULL, '2'), (NULL, 'FR', '3');
INSERT INTO invoices (id, customer_id, total, status, note) VALUES
    (1, 1, NULL, 'x', 'a'), (2, 1, 5, 'open', NULL), (3, 2, -7, 'paid', ''), (4, 3, 0, '', 'abc'), (5, 1, 1e9, NULL, 'zz%'),
    (6, 2, -1e9, '0', '1'), (7, 3, 1, 'paid', '-1'), (17, 1, 2.5, 'a', '5x'), (90000000, 2, 3, 'b', '0');
CREATE VIEW v_open AS SELECT * FROM invoices WHERE status = 'open';
CREATE PROCEDURE close_month() SELECT 1;
CREATE TRIGGER t1 BEFORE INSERT ON invoices FOR EACH ROW SET NEW.total = 1;
CREATE EVENT e1 ON SCHEDULE EVERY 1 DAY DO SELECT 1;
CREATE SEQUENCE s;
"""


class MariaDb:
    """A running server; `with MariaDb() as server:` starts it, and stops it and removes its files at the end."""

    def __init__(self, *options: str) -> None:
        self._options = options

    def __enter__(self) -> MariaDb:
        self._directory = tempfile.TemporaryDirectory(prefix="countersign-mariadb-")
        data = Path(self._directory.name)
        user = pwd.getpwuid(os.geteuid()).pw_name
        if user == "root":
            user = "mysql"
            shutil.chown(data, user)
        options = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
        subprocess.run(
            ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            check=True,
        )
        self._socket = data / "socket"
        self._log = (data / "log").open("wb")
        self.port = free_port()
        small = [
            "--innodb-buffer-pool-size=16M",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--log-output=TABLE",
            "--general-log=1",
        ]
        self._process = subprocess.Popen(
            [_server(), *options, *small, *self._options, f"--socket={self._socket}"], stderr=self._log
        )
        deadline = time.monotonic() + 60
        while self.run("SELECT 1", check=False) != "1\n":
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.05)
        self.run(SCHEMA)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(60)
        self._log.close()
        self._directory.cleanup()

    def tool(self, name: str, *arguments: str, text: str = "", check: bool = True) -> str:
        """What a client program prints."""
        done = subprocess.run(
            [name, "--no-defaults", "--user=root", f"--socket={self._socket}", *arguments],
            input=text.encode("utf-8", "surrogatepass"),
            capture_output=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.decode("utf-8", "replace")

    def run(self, text: str, *, database: str = "", check: bool = True) -> str:
        """The rows that `text` brings, tabs between their columns; without `check` it goes on behind errors."""
        force = [] if check else ["--force"]
        return self.tool(
            "mariadb",
            "--batch",
            "--skip-column-names",
            "--comments",
            *force,
            database,
            text=text,
            check=check,
        )

    def statements(self) -> list[str]:
        """What clients have sent so far."""
        rows = self.run(
            "SELECT TO_BASE64(argument) FROM mysql.general_log WHERE command_type IN ('Query', 'Execute')"
        )
        return [_decoded(row) for row in rows.splitlines()]


def _decoded(row: str) -> str:
    return base64.b64decode(row.replace("\\n", "")).decode("utf-8", "replace")


def _server() -> str:
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    assert found, "the Debian package mariadb-server is not installed"
    return found
