"""What reading a command costs: microseconds a statement, cold and remembered, in one run.

    python benchmarks/facts.py [--json] [--only postgres] [--rounds 9]

Cold is a text that was never read, remembered one that came before; the statements of one group are read in turn.
Beside them stands what the parser alone needs, which the cold figure cannot go below. Ratios say more than times.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.facts import postgres
from gateway.facts.postgres.resolving import resolved
from gateway.facts.postgres.schema import Table
from gateway.facts.postgres.tree import parse

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
    cached: Callable[[str], object]
    parser: Callable[[str], object]
    """The parser alone."""


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
    ]


def microseconds(read: Callable[[str], object], texts: Sequence[str], *, rounds: int, times: int) -> float:
    """Of one text: the median of `rounds`, each the mean over all texts `times` times."""
    for text in texts:
        read(text)
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(times):
            for text in texts:
                read(text)
        found.append((time.perf_counter() - begun) / (times * len(texts)) * 1e6)
    return statistics.median(found)


def measure(only: str, rounds: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for reading in readings():
        if only and not reading.language.startswith(only):
            continue
        for group, texts in reading.groups.items():
            cold = microseconds(reading.cold, texts, rounds=rounds, times=20)
            cached = microseconds(reading.cached, texts, rounds=rounds, times=2_000)
            parser = microseconds(reading.parser, texts, rounds=rounds, times=20)
            found[f"{reading.language}: {group}"] = {
                "cold": round(cold, 1),
                "cached": round(cached, 2),
                "parser": round(parser, 1),
                "cold_to_parser": round(cold / parser, 2),
                "cold_to_cached": round(cold / cached, 1),
            }
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
    for name, figures in found.items():
        print(
            f"{name:<46}{figures['cold']:>9.1f}{figures['cached']:>9.2f}{figures['parser']:>9.1f}"
            f"{figures['cold_to_parser']:>13.2f}"
        )


if __name__ == "__main__":
    main()
