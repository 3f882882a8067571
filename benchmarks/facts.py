"""What reading a command costs: microseconds a statement, cold and remembered, in one run.

    python benchmarks/facts.py [--json] [--only postgres] [--rounds 9]

Cold is a text that was never read, remembered one that came before; the statements of one group are read in turn.
Beside them stands what the parser alone needs, where there is one, which the cold figure cannot go below; requests are
never remembered. It is the process's own CPU time that
is counted, so that a busy machine distorts it little; ratios still say more than times.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.facts import mysql, postgres, shell
from gateway.facts.postgres.resolving import resolved
from gateway.facts.postgres.tree import parse
from gateway.facts.schema import Table
from gateway.protocols import reader

Group = Mapping[str, Sequence[str]]

POSTGRES: Group = {
    "point reads and writes": (
        "SELECT id, status FROM orders WHERE id = 7",
        "UPDATE orders SET status = 'paid' WHERE id = 7",
        "INSERT INTO orders (customer_id, total) VALUES (7, 12.5) RETURNING id",
        "DELETE FROM carts WHERE id = 7 AND customer_id = 3",
        "SELECT * FROM orders WHERE customer_id = 7 ORDER BY placed DESC LIMIT 20",
    ),
    "what mappers write": (
        (
            'SELECT "orders"."id", "orders"."status", "orders"."total", "orders"."placed" FROM "orders" INNER JOIN '
            '"customers" ON ("orders"."customer_id" = "customers"."id") WHERE ("customers"."tier" = \'gold\' AND '
            '"orders"."placed" >= \'2026-01-01\'::timestamptz) ORDER BY "orders"."placed" DESC LIMIT 21'
        ),
        (
            "select o1_0.id,o1_0.status,c1_0.id,c1_0.name from orders o1_0 left join customers c1_0 on "
            "c1_0.id=o1_0.customer_id where o1_0.status in ('open','paid') and c1_0.tier=$1"
        ),
    ),
    "analysis": (
        (
            "WITH monthly AS (SELECT date_trunc('month', placed) AS month, customer_id, sum(total) AS revenue FROM orders "
            "WHERE status <> 'cancelled' GROUP BY 1, 2), ranked AS (SELECT month, customer_id, revenue, rank() OVER "
            "(PARTITION BY month ORDER BY revenue DESC) AS place, lag(revenue) OVER (PARTITION BY customer_id ORDER BY "
            "month) AS before FROM monthly) SELECT r.month, c.tier, count(*), avg(r.revenue - coalesce(r.before, 0)) FROM "
            "ranked r JOIN customers c ON c.id = r.customer_id WHERE r.place <= 100 AND EXISTS (SELECT 1 FROM refunds f "
            "WHERE f.customer_id = c.id) GROUP BY GROUPING SETS ((r.month, c.tier), (r.month)) HAVING count(*) > 3 "
            "ORDER BY 1, 2"
        ),
    ),
}
MYSQL: Group = {
    "point reads and writes": (
        "SELECT id, status FROM invoices WHERE id = 7",
        "UPDATE invoices SET status = 'paid' WHERE id = 7",
        "INSERT INTO invoices (customer_id, total) VALUES (7, 12.5)",
    ),
    "analysis": (
        (
            "WITH monthly AS (SELECT date_format(placed, '%Y-%m') AS m, customer_id, sum(total) AS revenue FROM invoices "
            "WHERE status <> 'void' GROUP BY 1, 2) SELECT m, count(*), avg(revenue) FROM monthly GROUP BY m ORDER BY 1"
        ),
    ),
}
SHELL: Group = {
    "looking around": (
        "ls -la /var/log",
        "systemctl status nginx --no-pager | head -20",
        "journalctl -u api -n 200 --no-pager | grep -i error | tail -20",
    ),
    "scripts of a line": (
        'for host in a b c; do echo "$host: $(dig +short "$host")"; done | sort > /tmp/hosts && wc -l < /tmp/hosts',
    ),
}
HTTP: Group = {
    "requests": ("GET /orders/7?fields=id,status", 'POST /orders {"total": 5}', "DELETE /orders/7"),
    "GraphQL": ('POST /graphql {"query": "query { orders(first: 10) { id total customer { name } } }"}',),
}
KUBERNETES: Group = {
    "requests": ("GET /api/v1/namespaces/prod/pods?limit=500", "DELETE /api/v1/namespaces/prod/pods/api-1"),
    "workloads": (
        (
            'POST /apis/apps/v1/namespaces/prod/deployments {"kind": "Deployment", "spec": {"template": {"spec": '
            '{"containers": [{"name": "api", "image": "api:4.2"}]}}}}'
        ),
    ),
}
KNOWN = resolved(
    {
        "public.orders": Table(columns=("id", "customer_id", "status", "total", "placed")),
        "public.customers": Table(columns=("id", "name", "tier", "ssn")),
        "public.refunds": Table(columns=("id", "customer_id")),
        "public.carts": Table(columns=("id", "customer_id")),
    },
    {},
    ("public",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way of reading a language, and the statements to read."""

    language: str
    groups: Group
    cold: Callable[[str], object]
    cached: Callable[[str], object] | None = None
    """None where nothing is remembered."""
    parser: Callable[[str], object] | None = None
    """The parser alone, where it is somebody else's."""


def readings() -> list[Reading]:
    return [
        Reading(
            language="postgres",
            groups=POSTGRES,
            cold=lambda text: postgres.Texts().read(text),
            cached=postgres.read,
            parser=parse,
        ),
        Reading(
            language="postgres, catalogue",
            groups=POSTGRES,
            cold=lambda text: postgres.Texts(KNOWN).read(text),
            cached=postgres.Texts(KNOWN).read,
            parser=parse,
        ),
        Reading(language="mysql", groups=MYSQL, cold=forgotten(mysql.read), cached=mysql.read),
        Reading(language="ssh", groups=SHELL, cold=forgotten(shell.read), cached=shell.read),
        Reading(language="http", groups=HTTP, cold=lambda text: reader("http").read_facts(request(text))),
        Reading(
            language="kubernetes",
            groups=KUBERNETES,
            cold=lambda text: reader("kubernetes").read_facts(request(text)),
        ),
    ]


def forgotten(read: Callable[[str], object]) -> Callable[[str], object]:
    """Reads each time a text that was never read: the same, with as many more blanks behind it."""
    times = itertools.count(1)
    return lambda text: read(text + " " * (next(times) % 4_000))


def request(text: str) -> dict[str, object]:
    method, _, rest = text.partition(" ")
    target, _, body = rest.partition(" ")
    path, _, query = target.partition("?")
    row: dict[str, object] = {"method": method, "path": path, "query": query}
    return row | ({"body": body, "headers": [["Content-Type", "application/json"]]} if body else {})


def microseconds(read: Callable[[str], object], texts: Sequence[str], *, rounds: int, times: int) -> float:
    """Of one text: the median of `rounds`, each the mean over all texts `times` times."""
    for text in texts:
        read(text)
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        for _ in range(times):
            for text in texts:
                read(text)
        found.append((time.process_time() - begun) / (times * len(texts)) * 1e6)
    return statistics.median(found)


def measure(only: str, rounds: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for reading in readings():
        if only and not reading.language.startswith(only):
            continue
        for group, texts in reading.groups.items():
            cold = microseconds(reading.cold, texts, rounds=rounds, times=20)
            figures = {"cold": round(cold, 1)}
            if reading.cached is not None:
                cached = microseconds(reading.cached, texts, rounds=rounds, times=2_000)
                figures |= {"cached": round(cached, 2), "cold_to_cached": round(cold / cached, 1)}
            if reading.parser is not None:
                parser = microseconds(reading.parser, texts, rounds=rounds, times=20)
                figures |= {"parser": round(parser, 1), "cold_to_parser": round(cold / parser, 2)}
            found[f"{reading.language}: {group}"] = figures
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--only", default="", help="a language, or how its name begins")
    arguments.add_argument("--rounds", type=int, default=9)
    options = arguments.parse_args()
    found = measure(options.only, options.rounds)
    if options.json:
        print(json.dumps(found))
        return
    print(f"{'microseconds a statement':<46}{'cold':>9}{'cached':>9}{'parser':>9}{'cold/parser':>13}")
    columns = (("cold", 9, 1), ("cached", 9, 2), ("parser", 9, 1), ("cold_to_parser", 13, 2))
    for name, figures in found.items():
        cells = (
            f"{figures[key]:>{width}.{places}f}" if key in figures else " " * width
            for key, width, places in columns
        )
        print(f"{name:<46}{''.join(cells)}")


if __name__ == "__main__":
    main()
