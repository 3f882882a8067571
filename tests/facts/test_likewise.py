"""What differs in values alone is alike, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.likewise import LONGEST
from gateway.facts.postgres.likewise import likeness

ALIKE = [
    ("UPDATE orders SET status = 'paid' WHERE id = 7", "update  orders set status='o''pen' /* c */ where ID = 8 -- x"),
    ("SELECT * FROM t WHERE id IN (1, 2, 3)", "SELECT * FROM t WHERE id IN (9)"),
    ("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')", "INSERT INTO t (a, b) VALUES (3, 'z'), (4, E'w\\n')"),
    ("SELECT 1 FROM t WHERE a BETWEEN 1 AND 5 AND b = 3", "SELECT 1 FROM t WHERE a BETWEEN 7 AND 9 AND b = 4"),
    ("UPDATE t SET a = $1 WHERE id = $2", "UPDATE t SET a = 'x' WHERE id = 5"),
    ("UPDATE t SET a = a - 5 WHERE f > 1.5", "UPDATE t SET a = a - 6 WHERE f > .7"),
    ("UPDATE t SET a = -5, b = 1 WHERE c IN (1, -2) AND d > + 3", "UPDATE t SET a = 5, b = -1 WHERE c IN (-7) AND d > 3"),
    ("SELECT a FROM t WHERE n LIKE 'a%' OR n ~ '^b'", "SELECT a FROM t WHERE n LIKE 'b%' OR n ~ '^c'"),
    ("WITH x AS (SELECT 1 FROM t WHERE a = 1) DELETE FROM y WHERE b = 2", "WITH x AS (SELECT 1 FROM t WHERE a = 3) DELETE FROM y WHERE b = 4"),
]  # fmt: skip
UNLIKE = [
    ("UPDATE t SET a = 1 WHERE id = 1", "UPDATE t SET a = 1 WHERE id > 1"),
    ("UPDATE t SET a = 1 WHERE id = 1", "UPDATE t SET a = 1 WHERE id = 1 OR id = 2"),
    ("UPDATE t SET a = 1 WHERE id = 1", "UPDATE t SET a = 1"),
    ("UPDATE t SET a = 1 WHERE id = 1", "UPDATE t SET a = 1 WHERE id = id"),
    ("UPDATE t SET a = 1 WHERE id = 1", "UPDATE t SET a = 1 WHERE id = 1; UPDATE t SET a = 1 WHERE id = 2"),
    ("SELECT f(a, b) FROM t", "SELECT f(b, a) FROM t"),
    ("SELECT f((1))", "SELECT f((2))"),
    ("SELECT query_to_xml('SELECT 1', true, true, '')", "SELECT query_to_xml('DELETE FROM x', true, true, '')"),
    ("SELECT dblink_exec('a', 'b')", "SELECT dblink_exec('a', 'c')"),
    ("SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 10000"),
    ("SELECT a FROM t ORDER BY 1", "SELECT a FROM t ORDER BY 2"),
    ("DELETE FROM t WHERE at < now() - interval '30 days'", "DELETE FROM t WHERE at < now() - interval '0 days'"),
    ("SELECT d->>'name' FROM t", "SELECT d->>'ssn' FROM t"),
    ("SELECT d #>> '{a}' FROM t WHERE d ? 'b'", "SELECT d #>> '{a}' FROM t WHERE d ? 'c'"),
    ("DO $$begin end$$", "DO $$begin delete from t; end$$"),
    ("DO 'begin end'", "DO 'begin delete from t; end'"),
    ("UPDATE t SET a = $$x$$", "UPDATE t SET a = $$y$$"),
    ("COPY t TO PROGRAM 'a'", "COPY t TO PROGRAM 'b'"),
    ("SET row_security = 1", "SET row_security = 0"),
    ("ALTER ROLE a CONNECTION LIMIT 5", "ALTER ROLE a CONNECTION LIMIT 6"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'"),
    ("SELECT 1 FROM t WHERE a = 1; SET row_security = 1", "SELECT 1 FROM t WHERE a = 1; SET row_security = 0"),
    ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1), (2)"),
    ("INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (1)"),
    ('SELECT 1 FROM "T"', "SELECT 1 FROM t"),
    ("SELECT 1 FROM straße", "SELECT 1 FROM strasse"),
    ("UPDATE t SET a = 'b'", 'UPDATE t SET a = "b"'),
    ("UPDATE t SET a = 'b'", "UPDATE t SET a = NULL"),
    ("UPDATE t SET a = a - 5", "UPDATE t SET a = a + 5"),
    ("UPDATE t SET a = b", "UPDATE t SET a = -b"),
    ("SELECT f(E'a')", "SELECT f(E'A')"),
    ('SELECT U&"a"', 'SELECT U&"A"'),
    ("SELECT f(N'a')", "SELECT f(N'A')"),
    ("SELECT a FROM t LIMIT 1 + 1", "SELECT a FROM t LIMIT 1 + 100000"),
    ("SELECT a FROM t WHERE b = 1 LIMIT 1 * 1", "SELECT a FROM t WHERE b = 1 LIMIT 1 * 100000"),
    ("SELECT a FROM t WHERE b = 1 OFFSET 5 - 5", "SELECT a FROM t WHERE b = 1 OFFSET 5 - 4"),
    ("SELECT d->>('s' || 'ize') FROM t", "SELECT d->>('s' || 'sn') FROM t"),
    ("SELECT 1 FROM t WHERE a = d -> 0 - 1", "SELECT 1 FROM t WHERE a = d -> 0 - 2"),
    ("SELECT 1 FROM t WHERE a = b[1 + 1]", "SELECT 1 FROM t WHERE a = b[1 + 2]"),
    ("SELECT 1 FROM t WHERE ~ 5", "SELECT 1 FROM t WHERE ~ 0"),
    ("SELECT 1 FROM t WHERE a IN (SELECT b FROM u LIMIT 1, 2)", "SELECT 1 FROM t WHERE a IN (SELECT b FROM u LIMIT 1, 200)"),
    ("SELECT CASE WHEN a = 1 THEN 5 + 3 END FROM t", "SELECT CASE WHEN a = 1 THEN 5 + 4 END FROM t"),
]  # fmt: skip


def key(text: str) -> str:
    found = likeness(text)
    return found.key if found is not None else ""


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_statements_that_differ_in_values_are_of_one_shape(one: str, other: str) -> None:
    assert key(one) == key(other) != ""


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_statements_that_do_different_things_are_not_of_one_shape(one: str, other: str) -> None:
    assert key(one) != key(other)
    assert "" not in {key(one), key(other)}


BOUND = "UPDATE t SET a = $1 WHERE d ->> $2 = $3 AND f($4) IN ($5)"


@pytest.mark.parametrize(("place", "free"), [(1, True), (2, False), (3, True), (4, False), (5, True)])
def test_a_bound_value_is_free_where_a_written_one_is(place: int, free: bool) -> None:
    values: list[str | None] = ["a", "b", "c", "d", "e"]
    asked = bound_key(values)
    assert (bound_key([*values[: place - 1], "other", *values[place:]]) == asked) is free
    assert bound_key([*values[: place - 1], None, *values[place:]]) != asked


def bound_key(values: list[str | None]) -> str:
    found = likeness(BOUND, values)
    assert found is not None
    return found.key


@pytest.mark.parametrize("text", ["SELECT 'open", "SELECT \0", "SELECT \ud800", " " * LONGEST + "SELECT 1"])
def test_what_cannot_be_cut_has_no_likeness(text: str) -> None:
    assert key(text) == ""


@given(st.text(max_size=20).filter(lambda each: "\0" not in each))
def test_no_value_says_more_than_a_value(value: str) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    assert key(f"UPDATE t SET a = {quoted} WHERE id = 1") in {
        key("UPDATE t SET a = 'x' WHERE id = 1"),
        "",
    }
