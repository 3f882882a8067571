"""Random conditions, and a real server that says which rows meet them."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.facts.postgres.conditions import restricts
from gateway.facts.postgres.tree import parse
from tests.facts.test_postgres_live import DIVERSE

pytestmark = pytest.mark.live

NUMBERS = st.sampled_from(["0", "1", "5", "-1", "100", "2147483647"])
WORDS = st.sampled_from(["''", "'a'", "'x'", "'spam'", "'%'", "'paid'", "'%a%'", "'7'"])
DAYS = st.sampled_from(
    [
        "'2026-01-01'",
        "'1900-01-01'",
        "'2200-01-01'",
        "now() - interval '1 year'",
        "now() + interval '500 years'",
        "'infinity'",
    ]
)
COMPARED = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
MAYBE_NOT = st.sampled_from(["", "NOT "])
NUMBER = st.recursive(
    st.sampled_from(["id", "total", "length(note)"]),
    lambda inner: st.one_of(
        st.builds("abs({})".format, inner),
        st.builds("sign({})".format, inner),
        st.builds("greatest({}, {})".format, inner, NUMBERS),
        st.builds("least({}, {})".format, inner, NUMBERS),
        st.builds("coalesce({}, {})".format, inner, NUMBERS),
        st.builds("({} + {})".format, inner, NUMBERS),
    ),
    max_leaves=3,
)
WORD = st.one_of(
    st.sampled_from(["note", "status", "id::text", "lower(note)"]),
    st.builds("coalesce(note, {})".format, WORDS),
    st.builds("(status || {})".format, WORDS),
)
SIMPLE = st.one_of(
    st.builds("{} {} {}".format, NUMBER, COMPARED, st.one_of(NUMBERS, NUMBER)),
    st.builds("{} {}BETWEEN {} AND {}".format, NUMBER, MAYBE_NOT, NUMBERS, NUMBERS),
    st.builds("{} {}IN ({}, {})".format, NUMBER, MAYBE_NOT, NUMBERS, NUMBERS),
    st.builds("{} {} {}".format, WORD, st.sampled_from(["=", "<>"]), WORDS),
    st.builds("{} {}{} {}".format, WORD, MAYBE_NOT, st.sampled_from(["LIKE", "ILIKE"]), WORDS),
    st.builds(
        "{} {} '{}'".format,
        WORD,
        st.sampled_from(["~", "!~", "~*"]),
        st.sampled_from([".", "^a", "[0-9]", ".*", "x+", "^"]),
    ),
    st.builds("placed {} {}".format, COMPARED, DAYS),
    st.just("paid"),
    st.builds("{} IS {}NULL".format, st.sampled_from(["note", "id", "total"]), MAYBE_NOT),
)
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds("NOT ({})".format, inner),
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("({}) IS {}TRUE".format, inner, MAYBE_NOT),
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, inner, inner, inner),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def rows(server):
    """A connection on which `orders` holds rows that conditions can tell apart."""
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("ALTER TABLE orders ADD paid bool")
        connection.execute(DIVERSE)
        yield connection
        connection.rollback()


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(condition=CONDITIONS)
def test_what_is_said_to_restrict_nothing_is_met_by_every_row(rows, condition):
    where = parse(f"DELETE FROM orders WHERE {condition}")[0]["DeleteStmt"]["whereClause"]
    if restricts(where, "orders", "orders"):
        return
    try:
        with rows.transaction():
            kept = rows.execute(f"SELECT count(*) FROM orders WHERE ({condition}) IS NOT TRUE").fetchone()[0]
    except psycopg.Error:
        return  # a number out of range
    assert not kept
