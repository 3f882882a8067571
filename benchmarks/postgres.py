"""PostgreSQL through Countersign, beside a direct connection and PgBouncer (session mode), in one run.

Prints tables of ratios; `--json` prints the same as one object. Rounds are interleaved and medians are compared, so that
whatever else the machine does falls on all alike. Countersign judges, records and masks throughout unless a row says
that masking is off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
from held import click_to_resume, held_at_once
from house import House, house

from gateway.demo.postgres import Account

TPS = re.compile(r"tps = ([0-9.]+)")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each pgbench run (default: %(default)s)")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of the bulk reads (default: %(default)s)"
    )
    parser.add_argument(
        "--held", type=int, default=2_000, help="commands held at once (default: %(default)s)"
    )
    parser.add_argument("--only", choices=["pgbench", "bulk", "connect", "memory", "resume", "held"])
    arguments = parser.parse_args()
    say: Callable[[str], None] = (lambda _: None) if arguments.json else print

    parts: dict[str, Callable[[House], dict[str, Any]]] = {
        "pgbench": lambda home: short_queries(home, arguments.rounds, arguments.seconds, say),
        "bulk": lambda home: bulk(home, arguments.rounds, say),
        "connect": lambda home: connection_rate(home, arguments.rounds, arguments.seconds, say),
        "memory": lambda home: memory(home, say),
        "resume": lambda home: resume(home, say),
        "held": lambda home: held(home, arguments.held, arguments.seconds, say),
    }
    result: dict[str, Any] = {}
    with house(scale=10, rows=arguments.rows) as home:
        if home.pgbouncer is None:
            say("PgBouncer is not installed: its columns are missing.")
        for name, measure in parts.items():
            if arguments.only in {None, name}:
                result[name] = measure(home)
    if arguments.json:
        print(json.dumps(result, indent=1))
    return 0


def short_queries(home: House, rounds: int, seconds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """pgbench -S, simple and prepared, at 1, 8 and 64 clients."""
    for account in home.reached.values():  # the first round is for warming up
        pgbench(home, account, ["-S", "-c", "8", "-T", str(seconds)])
    say(f"\n{'pgbench -S':24}" + "".join(f"{name:>14}" for name in home.reached) + f"{'/ pgbouncer':>14}")
    result: dict[str, Any] = {}
    for mode in ("simple", "prepared"):
        for clients in (1, 8, 64):
            rates: dict[str, list[float]] = {name: [] for name in home.reached}
            for _ in range(rounds):
                for name, account in home.reached.items():
                    rates[name].append(
                        pgbench(home, account, ["-S", "-M", mode, "-c", str(clients), "-T", str(seconds)])
                    )
            result[f"{mode} {clients}"] = row(f"{mode}, {clients} clients", rates, say)
    return result


def connection_rate(home: House, rounds: int, seconds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """A new connection for each query."""
    rates: dict[str, list[float]] = {name: [] for name in home.reached}
    for _ in range(rounds):
        for name, account in home.reached.items():
            rates[name].append(pgbench(home, account, ["-S", "-C", "-c", "4", "-T", str(seconds)]))
    return {"4 clients": row("connections, 4 clients", rates, say)}


def pgbench(home: House, account: Account, arguments: list[str]) -> float:
    """Transactions a second, connection time included only with -C."""
    done = subprocess.run(
        [home.postgres.binary("pgbench"), "-n", "-j", "2" if "1" not in arguments else "1", *arguments],
        env={**os.environ, **account.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    found = TPS.search(done.stdout)
    if done.returncode != 0 or found is None:
        raise SystemExit(f"pgbench failed: {done.stderr[-1000:]}")
    return float(found[1])


def row(title: str, rates: Mapping[str, list[float]], say: Callable[[str], None]) -> dict[str, float]:
    """One line of a table: medians, and the ratio to PgBouncer."""
    medians = {name: statistics.median(values) for name, values in rates.items()}
    base = medians.get("pgbouncer", medians["direct"])
    shown = "".join(f"{value:>14,.0f}" for value in medians.values())
    say(f"{title:24}{shown}{medians['countersign'] / base:>14.2f}")
    return {
        **{f"{name}_tps": value for name, value in medians.items()},
        "of_pgbouncer": medians["countersign"] / base,
        "of_direct": medians["countersign"] / medians["direct"],
    }


def bulk(home: House, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """A whole table by SELECT (read by libpq) and by COPY, each beside a direct run of the same."""
    cases = {
        "masking off": (home.plain, "clean"),
        "on, no hits": (home.masked, "clean"),
        "on, 1 % hits": (home.masked, "hits"),
    }
    say(f"\n{'bulk, x direct':24}{'SELECT':>14}{'COPY':>14}")
    result: dict[str, Any] = {}
    for title, (account, table) in cases.items():
        ratios: dict[str, float] = {}
        for kind, read in (("select", select_all), ("copy", copy_all)):
            direct, through = [], []
            read(account, table)
            for _ in range(rounds):
                direct.append(read(home.direct, table))
                through.append(read(account, table))
            ratios[kind] = statistics.median(direct) / statistics.median(through)
        result[title] = ratios
        say(f"{title:24}{ratios['select']:>14.2f}{ratios['copy']:>14.2f}")
    return result


def select_all(account: Account, table: str) -> float:
    """Seconds until libpq holds every row."""
    with connect(account) as connection:
        began = time.perf_counter()
        answer = connection.pgconn.exec_(f"SELECT * FROM {table}".encode())
        taken = time.perf_counter() - began
        if answer.ntuples == 0:
            raise SystemExit(f"no rows: {answer.error_message!r}")
        return taken


def copy_all(account: Account, table: str) -> float:
    with connect(account) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        size = 0
        with cursor.copy(f"COPY {table} TO STDOUT") as copy:
            for block in copy:
                size += len(block)
        return time.perf_counter() - began


def connect(account: Account) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=account.host,
        port=account.port,
        user=account.user,
        password=account.password,
        dbname=account.database,
        autocommit=True,
    )


def memory(home: House, say: Callable[[str], None], *, sessions: int = 500) -> dict[str, Any]:
    """What the gateway's memory grows by for each idle session."""
    open_connections = [connect(home.masked) for _ in range(50)]
    before = resident(home.gateway_pid)
    open_connections += [connect(home.masked) for _ in range(sessions)]
    each = (resident(home.gateway_pid) - before) / sessions
    for connection in open_connections:
        connection.close()
    say(f"\nan idle session takes {each / 1024:.1f} KiB")
    return {"bytes_per_idle_session": each}


def resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


def resume(home: House, say: Callable[[str], None]) -> dict[str, Any]:
    taken = sorted(asyncio.run(click_to_resume(home, times=200)))
    p50, p99 = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    say(f"\nfrom a vote to the client's answer: median {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms")
    return {"p50_seconds": p50, "p99_seconds": p99}


def held(home: House, count: int, seconds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """The rate of reads on other sessions while `count` commands are held, against the same sessions idle."""
    arguments = ["-S", "-M", "prepared", "-c", "8", "-T", str(seconds)]

    def rate() -> float:
        return statistics.median(pgbench(home, home.masked, arguments) for _ in range(3))

    rate()  # the first round is for warming up
    before, during, opened = asyncio.run(held_at_once(home, count, rate))
    say(f"\nwith {count} commands held (in {opened:.1f} s), reads keep {during / before:.2f} of their rate")
    return {"held": count, "seconds_to_hold": opened, "reads_keep": during / before}


if __name__ == "__main__":
    sys.exit(main())
