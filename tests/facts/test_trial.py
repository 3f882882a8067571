"""Conditions tried on rows: which of them no row fails."""

from __future__ import annotations

import time

import pytest

from gateway.facts.postgres.conditions import restricts
from gateway.facts.postgres.tree import parse


def where(condition, table="orders"):
    statement = parse(f"DELETE FROM {table} WHERE {condition}")[0]["DeleteStmt"]
    return restricts(statement["whereClause"], table, table, joined=statement.get("usingClause", ()))


@pytest.mark.parametrize(
    "condition",
    [
        "id::text ~ '^[0-9]+$'",
        "sign(id) IN (-1, 0, 1)",
        "note SIMILAR TO '%'",
        "position('' IN note) > 0",
        "starts_with(note, '')",
        "status LIKE concat('%', '')",
        "placed < now() + interval '1000 years'",
        "placed > '0001-01-01' AND placed < '9999-12-31'",
        "placed BETWEEN '-infinity' AND 'infinity'",
        "total > -1 OR total < 5",
        "CASE WHEN total > 0 THEN 1 ELSE 1 END = 1",
        "note = 'a' OR note <> 'a' OR note IS NULL",
        "paid IS TRUE OR paid IS NOT TRUE",
        "random() < 2",
        "extract(year FROM placed) > 0",
        "date_trunc('day', placed) <= placed",
        "total IS DISTINCT FROM 5 OR total = 5",
    ],
)
def test_a_condition_that_every_row_meets_restricts_nothing(condition):
    assert not where(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "status <> 'paid' OR note <> 'x'",
        "status !~ '^[0-9]{3}$'",
        "note NOT LIKE '%spam%'",
        "length(note) <> 5",
        "total * 2 <> 10",
        "10 <> total * 2",
        "id % 1000 <> 500",
        "placed < now()",
        "extract(year FROM placed) < 2026",
        "extract(hour FROM placed) < 12",
        "date_trunc('month', placed) <> '2026-01-01'",
        "placed > '2020-01-01' OR placed IS NULL",
        "paid",
        "NOT paid",
        "random() < 0.9",
        "a <> 1 OR b <> 2 OR c <> 3 OR d <> 4 OR e <> 5",
        "unheard_of(note) IS NOT NULL",
        "note > 'a'",
    ],
)
def test_a_condition_that_some_row_may_fail_restricts(condition):
    assert where(condition)


def test_a_condition_of_great_length_is_given_up_in_time():
    began = time.process_time()
    where(" OR ".join(f"(a = {n} AND b <> {n} AND c > {n})" for n in range(300)))
    where(" OR ".join(f"note LIKE '%{n}%{n}%{n}%{n}%'" for n in range(90)))
    assert time.process_time() - began < 20
