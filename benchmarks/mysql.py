"""MariaDB through Countersign, beside a direct connection, in one run.

Prints tables of ratios; `--json` prints the same as one object. Rounds are interleaved and medians are compared, so that
whatever else the machine does falls on all alike. Countersign judges, records and masks throughout unless a row says
that masking is off. The clients are those of the servers' own packages: mysqlslap and mariadb.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house import POLICY, free_port, running, token

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.demo.postgres import Account
from tests.facts.mariadb import MariaDb

AVERAGE = re.compile(r"Average number of seconds to run all queries: ([0-9.]+)")
POINT = "SELECT id, name, amount FROM clean WHERE id = 4711"
FILL = """
CREATE DATABASE bench CHARACTER SET utf8mb4; USE bench;
CREATE TABLE clean (id INT PRIMARY KEY, name VARCHAR(40), contact VARCHAR(60), amount INT, day DATE, note VARCHAR(80));
INSERT INTO clean SELECT seq, CONCAT('customer ', seq), CONCAT('no address here ', seq), seq * 7919 % 100000,
    '2024-01-01' + INTERVAL seq % 700 DAY, CONCAT('note on order ', MD5(seq)) FROM seq_1_to_{rows};
CREATE TABLE hits LIKE clean;
INSERT INTO hits SELECT id, name, IF(id % 100, contact, CONCAT('ada', id, '@example.com')), amount, day, note FROM clean;
CREATE USER bench IDENTIFIED BY '{password}'; GRANT ALL ON bench.* TO bench; ANALYZE TABLE clean, hits;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """How one server is reached."""

    direct: Account
    plain: Account
    masked: Account

    @property
    def reached(self) -> Mapping[str, Account]:
        return {"direct": self.direct, "countersign": self.masked}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=20_000, help="of each run (default: %(default)s)")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of the bulk reads (default: %(default)s)"
    )
    arguments = parser.parse_args()
    say: Callable[[str], None] = (lambda _: None) if arguments.json else print
    with house(rows=arguments.rows) as home:
        result = {
            "selects": selects(home, arguments.rounds, arguments.queries, say),
            "bulk": bulk(home, arguments.rounds, say),
            "connect": connections(home, arguments.rounds, arguments.queries // 20, say),
        }
    if arguments.json:
        print(json.dumps(result, indent=1))
    return 0


@contextlib.contextmanager
def house(*, rows: int) -> Iterator[House]:
    """A MariaDB with tables of so many rows, and a gateway in front of it."""
    settings = (
        "--general-log=0",
        "--innodb-buffer-pool-size=512M",
        "--max-connections=500",
        "--skip-log-bin",
    )
    with contextlib.ExitStack() as parts:
        directory = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="countersign-bench-")))
        server = parts.enter_context(MariaDb(*settings))
        password, secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        server.run(FILL.format(rows=rows, password=password))
        direct = Account(
            host="127.0.0.1", port=server.port, user="bench", password=password, database="bench"
        )
        ports = {name: free_port() for name in ("plain", "masked", "api")}
        policy = POLICY.replace("protocol: postgres", "protocol: mysql").replace("postgresql://", "mysql://")
        (directory / "policies.yaml").write_text(policy.format(upstream=direct.port, **ports))
        parts.enter_context(
            running(
                [sys.executable, "-m", "gateway", "serve", "--policy", str(directory / "policies.yaml")]
                + ["--json", "--state", str(directory / "state")],
                {
                    "BENCH_PASSWORD": password,
                    "BENCH_SECRET": secret,
                    "COUNTERSIGN_BOT_TOKEN": secrets.token_urlsafe(32),
                },
                directory / "gateway.log",
                ready=True,
            )
        )
        held = token(f"http://127.0.0.1:{ports['api']}", secret)
        reach = {
            name: Account(host="127.0.0.1", port=ports[name], user="bench", password=held, database="bench")
            for name in ("plain", "masked")
        }
        yield House(direct=direct, plain=reach["plain"], masked=reach["masked"])


def selects(home: House, rounds: int, queries: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Reads of one row by its key."""
    say(f"\n{'point selects, a second':26}{'direct':>12}{'countersign':>14}{'/ direct':>10}")
    return {
        f"{clients} clients": row(f"{clients} clients", rates(home, rounds, queries, clients), say)
        for clients in (1, 8)
    }


def connections(home: House, rounds: int, queries: int, say: Callable[[str], None]) -> dict[str, Any]:
    """A new connection for each query."""
    say(f"\n{'connections, a second':26}{'direct':>12}{'countersign':>14}{'/ direct':>10}")
    return {"4 clients": row("4 clients", rates(home, rounds, queries, 4, "--detach=1"), say)}


def rates(home: House, rounds: int, queries: int, clients: int, *more: str) -> Mapping[str, list[float]]:
    """Queries a second, of which the first round is for warming up."""
    found: dict[str, list[float]] = {name: [] for name in home.reached}
    for number in range(rounds + 1):
        for name, account in home.reached.items():
            rate = slap(account, queries, clients, *more)
            if number:
                found[name].append(rate)
    return found


def slap(account: Account, queries: int, clients: int, *more: str) -> float:
    said = run(
        account,
        "mysqlslap",
        f"--concurrency={clients}",
        f"--number-of-queries={queries}",
        f"--query={POINT}",
        f"--create-schema={account.database}",
        "--no-drop",
        *more,
    )
    found = AVERAGE.search(said.decode())
    if found is None:
        raise SystemExit(f"mysqlslap said nothing of its time: {said[-500:]!r}")
    return queries / float(found[1])


def bulk(home: House, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """A whole table, read row by row by the stock client, each beside a direct run of the same."""
    cases = {
        "masking off": (home.plain, "clean"),
        "on, no hits": (home.masked, "clean"),
        "on, 1 % hits": (home.masked, "hits"),
    }
    say(f"\n{'bulk SELECT':26}{'x direct':>12}")
    result: dict[str, Any] = {}
    for title, (account, table) in cases.items():
        direct, through = [], []
        read(account, table)
        for _ in range(rounds):
            direct.append(read(home.direct, table))
            through.append(read(account, table))
        result[title] = {"of_direct": statistics.median(direct) / statistics.median(through)}
        say(f"{title:26}{result[title]['of_direct']:>12.2f}")
    return result


def read(account: Account, table: str) -> float:
    began = time.perf_counter()
    if not run(
        account, "mariadb", "--quick", "--batch", "--execute", f"SELECT * FROM {table}", account.database
    ):
        raise SystemExit("no rows")
    return time.perf_counter() - began


def run(account: Account, program: str, *arguments: str) -> bytes:
    reach = ["--protocol=TCP", f"--host={account.host}", f"--port={account.port}", f"--user={account.user}"]
    done = subprocess.run(
        [program, "--no-defaults", *reach, *arguments],
        env={**os.environ, "MYSQL_PWD": account.password},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{program} failed: {done.stderr[-1000:].decode(errors='replace')}")
    return done.stdout


def row(title: str, found: Mapping[str, list[float]], say: Callable[[str], None]) -> dict[str, float]:
    """One line of a table: medians, and their ratio."""
    medians = {name: statistics.median(values) for name, values in found.items()}
    ratio = medians["countersign"] / medians["direct"]
    say(f"{title:26}{medians['direct']:>12,.0f}{medians['countersign']:>14,.0f}{ratio:>10.2f}")
    return {**{f"{name}_a_second": value for name, value in medians.items()}, "of_direct": ratio}


if __name__ == "__main__":
    sys.exit(main())
