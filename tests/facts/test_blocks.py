"""Statements that stand in blocks of PL/pgSQL."""

from __future__ import annotations

import pytest

from gateway.facts.postgres.blocks import is_static, statements


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("BEGIN DELETE FROM t; END", ["DELETE FROM t"]),
        (
            "BEGIN IF a THEN UPDATE t SET x = 1; ELSE PERFORM f(2); END IF; END",
            ["SELECT a", "UPDATE t SET x = 1", "SELECT f ( 2 )"],
        ),
        (
            "BEGIN FOR r IN SELECT * FROM t LOOP DROP TABLE u; END LOOP; END",
            ["SELECT * FROM t", "DROP TABLE u"],
        ),
        ("BEGIN EXECUTE 'TRUNCATE t'; EXECUTE $x$ DROP TABLE u $x$; END", ["TRUNCATE t", " DROP TABLE u "]),
        ("BEGIN SELECT a, b INTO STRICT x, y.z FROM t; END", ["SELECT a , b FROM t"]),
        (
            "BEGIN INSERT INTO t VALUES (1) RETURNING id INTO n; END",
            ["INSERT INTO t VALUES ( 1 ) RETURNING id"],
        ),
        ("BEGIN n := (SELECT 1); RETURN QUERY SELECT 2; END", ["SELECT ( SELECT 1 )", "SELECT 2"]),
        ("begin -- drop table t\n /* drop table u */ null; end", []),
        ("BEGIN RAISE NOTICE 'DROP TABLE t'; END", ["SELECT NOTICE 'DROP TABLE t'"]),
        ("BEGIN RAISE '%', (SELECT x FROM t); END", ["SELECT '%' , ( SELECT x FROM t )"]),
        ("BEGIN \u00e4 := pg_read_file('\u00e4'); END", ["SELECT pg_read_file ( '\u00e4' )"]),
        ("BEGIN 'unfinished", []),
    ],
)
def test_each_piece_that_reads_as_sql_is_found(body, found):
    assert [
        sql for sql in statements(body) if sql not in {"SELECT IF", "SELECT LOOP", "SELECT null"}
    ] == found


@pytest.mark.parametrize(
    ("body", "static"),
    [
        ("BEGIN RETURN upper($1); END", True),
        ("BEGIN EXECUTE 'SELECT 1'; END", False),
        ("BEGIN /* execute */ RETURN 'execute'; END", True),
        ("BEGIN 'unfinished", False),
        ("", False),
    ],
)
def test_a_block_is_static_where_it_makes_no_sql(body, static):
    assert is_static(body) is static
