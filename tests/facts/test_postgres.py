"""What is read beside effects and result columns: resources, attributes, several statements, bounds, the cache."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.facts import postgres
from gateway.facts.postgres import ATTRIBUTES, combine, read, read_each
from gateway.facts.postgres.tree import LARGEST
from gateway.facts.shapes import blanked
from gateway.model import Effect


def named(sql, kind="table"):
    return {(r.name, r.effect.value) for r in read(sql).resources if r.kind == kind}


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select * from orders o join crm.people p on true", {("orders", "read"), ("crm.people", "read")}),
        ("with t as (select 1) select * from t", set()),
        ("with t as (select 1) select * from public.t", {("public.t", "read")}),
        ("with t as (select * from t) select * from t", {("t", "read")}),
        ("with recursive t as (select 1 union select * from t) select * from t", set()),
        ("with t as (select 1) select * from (select * from t) x, t", set()),
        ("with t as (select 1) delete from t where id = 5", {("t", "write")}),
        ("select (with t as (select 1) select * from t), (select 1 from t)", {("t", "read")}),
        ('select * from "Orders"', {("orders", "read")}),
        ("insert into a select * from b", {("a", "write"), ("b", "read")}),
        ("delete from a", {("a", "write"), ("a", "destructive")}),
        ("update a set x = 1 from b where a.id = b.id", {("a", "write"), ("b", "read")}),
        ("truncate a, s.b", {("a", "destructive"), ("s.b", "destructive")}),
        ("drop table a, s.b", {("a", "destructive"), ("s.b", "destructive")}),
        ("alter table a add column b int", {("a", "ddl")}),
        ("create table a (b int references c)", {("a", "ddl"), ("c", "ddl")}),
        ("create view v as select * from t", {("v", "ddl"), ("t", "read")}),
        ("create index on a (b)", {("a", "ddl")}),
        ("grant select on a to b", {("a", "privilege")}),
        ("lock table a", {("a", "session")}),
        ("copy a from stdin", {("a", "write")}),
        ("copy a to stdout", {("a", "read")}),
        ("select * into a from b", {("a", "ddl"), ("b", "read")}),
        (
            "merge into a using b on a.id = b.id when not matched then insert values (1)",
            {("a", "write"), ("b", "read")},
        ),
        ("explain delete from a", {("a", "read")}),
        ("vacuum a", {("a", "write")}),
    ],
)
def test_every_table_is_named_and_no_cte_is_taken_for_one(sql, tables):
    assert named(sql) == tables


@pytest.mark.parametrize(
    ("sql", "kind", "wanted"),
    [
        ("grant all on all tables in schema s to x", "schema", ("s", "privilege")),
        ("grant usage on schema s to x", "schema", ("s", "privilege")),
        ("revoke execute on function s.f(int) from public", "function", ("s.f", "privilege")),
        ("comment on table s.t is 'x'", "table", ("s.t", "ddl")),
        ("comment on column s.t.c is 'x'", "column", ("s.t.c", "ddl")),
        ("alter function s.f() owner to eve", "function", ("s.f", "privilege")),
        ("alter schema s rename to r", "schema", ("s", "ddl")),
        ("alter type s.t set schema r", "type", ("s.t", "ddl")),
        ("drop trigger x on s.t", "trigger", ("s.t.x", "destructive")),
        ("drop schema s", "schema", ("s", "destructive")),
        ("drop function s.f(int)", "function", ("s.f", "destructive")),
        ("drop database d", "database", ("d", "destructive")),
        ("create role eve", "role", ("eve", "privilege")),
        ("grant a to b", "role", ("b", "privilege")),
        ("select nextval('s')", "sequence", ("s", "write")),
        ("select s.f(1)", "function", ("s.f", "unknown")),
        ("select pg_read_file('x')", "function", ("pg_read_file", "exfil")),
        ("call p()", "procedure", ("p", "exec")),
        ("create extension dblink", "extension", ("dblink", "exec")),
        ("notify c", "channel", ("c", "write")),
        ("set search_path = evil", "setting", ("search_path", "unknown")),
        ("select set_config('role', 'x', false)", "setting", ("role", "privilege")),
        ("alter system set x = 1", "setting", ("x", "privilege")),
        ("insert into a (b) values (1)", "column", ("a.b", "write")),
        ("update a set b = 1 where c = 2", "column", ("a.b", "write")),
    ],
)
def test_other_things_that_are_touched_are_named_by_their_kind(sql, kind, wanted):
    assert wanted in named(sql, kind)


@pytest.mark.parametrize(
    ("sql", "attributes"),
    [
        ("select 1", {"sql.statements": 1, "sql.verbs": "select"}),
        ("", {"sql.statements": 0}),
        ("begin; select 1; select 2", {"sql.statements": 3, "sql.verbs": "begin, select"}),
        ("delete from a", {"sql.has_where": False, "sql.where_restricts": False}),
        ("delete from a where true", {"sql.has_where": True, "sql.where_restricts": False}),
        ("delete from a where b = 1", {"sql.has_where": True, "sql.where_restricts": True}),
        ("delete from a where b = 1; delete from a", {"sql.has_where": False, "sql.where_restricts": False}),
        ("with x as (delete from a) update b set c = 1 where d = 2", {"sql.has_where": False}),
        ("prepare p as select 1", {"sql.prepare": "p", "sql.verbs": "prepare, select"}),
        ("execute p(1)", {"sql.execute": "p"}),
        ("declare c cursor for select 1", {"sql.cursor": "c"}),
        ("fetch 5 from c", {"sql.cursor": "c", "sql.verbs": "fetch"}),
        ("drop materialized view v", {"sql.verbs": "drop matview"}),
        ("select f()", {"sql.why_unknown": "function f has a body that cannot be seen"}),
        ("selec", {"sql.statements": 0, "sql.why_unknown": "the text does not parse as PostgreSQL"}),
    ],
)
def test_attributes_say_what_rules_may_ask(sql, attributes):
    found = read(sql).attributes
    assert attributes.items() <= found.items()
    assert found.keys() <= ATTRIBUTES


def test_two_prepared_names_in_one_text_name_neither():
    facts = read("execute a; execute b")
    assert "sql.execute" not in facts.attributes
    assert not facts.complete


def test_why_something_is_unknown_holds_no_value_of_the_text():
    for sql in ("selec 'sekret'", "select f('sekret')", "select query_to_xml('sekret', true, true, '')"):
        assert "sekret" not in str(read(sql).attributes)


def test_each_statement_has_its_own_facts():
    first, second, third = read_each("select ssn from a; delete from b; select 1")
    assert first.outputs is not None
    assert first.effects == {Effect.READ}
    assert second.effects == {Effect.WRITE, Effect.DESTRUCTIVE}
    assert third.effects == {Effect.READ}
    assert read_each("select 1") == (read("select 1"),)
    assert len(read_each("select (")) == 1


def test_executing_a_prepared_statement_does_what_it_does():
    asked = read("execute p(1)")
    done = combine(asked, read("delete from orders where id = $1"))
    assert done.effects == {Effect.WRITE}
    assert done.complete
    assert done.attributes["sql.execute"] == "p"
    assert done.attributes["sql.has_where"] is True
    assert "sql.why_unknown" not in done.attributes
    assert {r.name for r in done.resources if r.kind == "table"} == {"orders"}


def test_an_executed_query_brings_its_result_columns():
    assert (
        combine(read("execute p"), read("select ssn from customers")).outputs
        == read("select ssn from customers").outputs
    )


def test_executing_settles_no_other_doubt():
    harmless = read("select 1")
    for sql in (
        "execute p(f(1))",
        "execute p; select f()",
        "explain analyze execute p(f())",
        "execute a; execute b",
    ):
        combined = combine(read(sql), harmless)
        assert not combined.complete, sql
        assert Effect.UNKNOWN in combined.effects


def test_what_is_executed_may_itself_be_unknown():
    assert not combine(read("execute p"), read("select f()")).complete


@pytest.mark.parametrize(
    "sql",
    [
        "select '" + "x" * 10_000_000 + "'",
        "select " + "(" * 100_000 + "1" + ")" * 100_000,
        "select " + "(" * 30_000 + "1" + ")" * 30_000,
        "select " + "+".join(["1"] * 32_000),
        "select 1" + "::a" * 21_000,
        "select " + "not " * 9_000 + "true",
        "select 1" + " union select 1" * 4_000,
        "select 1 from a" + " join b on a" * 5_000,
        "delete from t where " + "case when a then " * 200 + "true" + " end" * 200,
        "/*" * 30_000,
        "/*" * 15_000 + "*/" * 15_000 + "drop table x",
        "select 1 " + "*" * 60_000,
        "select 1\0; drop table x",
        "select '\ud800'",
    ],
    ids=lambda sql: f"{sql[:24]!r} of {len(sql)}",
)
def test_what_is_too_large_too_deep_or_broken_is_unknown_within_a_bound(sql):
    start = time.process_time()
    facts = read(sql)
    assert time.process_time() - start < 20
    assert Effect.UNKNOWN in facts.effects
    assert not facts.complete
    assert facts.attributes["sql.why_unknown"]


@pytest.mark.parametrize(
    "sql",
    [
        "delete from t where " + " or ".join(f"a = {i}" for i in range(2_000)),
        "delete from t where " + " or ".join(f"a <> b{i}" for i in range(1_500)),
        "delete from t where a in (" + ",".join(str(i) for i in range(10_000)) + ")",
        "delete from t where " + "(" * 150 + "a=b" + ")=(c=d)" * 150,
        "select " + ",".join(f"a{i}" for i in range(9_000)) + " from t, u, v",
        "with "
        + ",".join(f"a{i} as (select x.*, y.* from a{i - 1} x, a{i - 1} y)" for i in range(1, 1_000))
        + " select 1",
        "".join(f"with recursive a{i} as (" for i in range(120))
        + "select 1"
        + "".join(f" union select * from a{i}) select * from a{i}" for i in reversed(range(120))),
        "delete from t;" * 4_500,
        "insert into t values " + ",".join("(1,2,3)" for _ in range(8_000)),
    ],
    ids=lambda sql: f"{sql[:40]!r} of {len(sql)}",
)
def test_large_texts_that_can_be_read_are_read_within_a_bound(sql):
    start = time.process_time()
    read(sql)
    assert time.process_time() - start < 20


def test_deep_texts_do_not_break_the_stack_of_a_thread():
    script = """
import threading
from gateway.facts.postgres import read
threading.stack_size(3 * 1024 * 1024)
for sql in ("select " + "+".join(["1"] * 32_000), "select " + "+".join(["1"] * 4_000), "select 1" + "::a" * 21_000,
            "select " + "not " * 9_000 + "true", "select " + "1+" * 5_900 + "1", "select 1" + " union select 1" * 3_900):
    thread = threading.Thread(target=read, args=(sql,))
    thread.start()
    thread.join()
print("whole")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "whole\n", done.stderr


def test_a_text_just_within_the_limit_is_read():
    sql = "select '" + "x" * (LARGEST - 9) + "'"
    assert len(sql) == LARGEST
    assert read(sql).complete
    assert not read(sql + " ").complete


@settings(max_examples=300, deadline=None)
@given(st.text())
@example("select $1")
@example("\0")
@example("\ud800")
def test_no_text_raises_and_every_text_has_an_effect(text):
    facts = read(text)
    assert facts.effects
    assert facts.attributes.keys() <= ATTRIBUTES
    assert facts.complete == (Effect.UNKNOWN not in facts.effects)


WORDS = """select from where delete update set insert into values with as ( ) , * ; . = id orders t a 1 'x' "q" $1 $$ and or
    not true null union all join on using group by order limit returning case when then end :: int [ ] - -- /* */
    explain analyze prepare execute copy to stdout program create table drop function f( exists in between like"""
FRAGMENTS = st.sampled_from(WORDS.split())


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS, max_size=25).map(" ".join))
def test_no_heap_of_sql_words_raises(text):
    facts = read(text)
    assert facts.effects
    assert read_each(text)


def test_integers_do_not_change_what_a_plain_query_means_and_are_read_once():
    first = read("select a1, b from t2 where id = 17 limit 5")
    assert read("select a1, b from t2 where id = 99 limit 6") is first
    assert read("select a2, b from t2 where id = 17 limit 5") is not first
    assert {r.name for r in read("select a2, b from t3 where id = 1").resources} >= {"t3", "t3.a2"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("delete from t where 1 = 1", "delete from t where 1 = 2"),
        ("with x as (delete from t where 1 = 2) select 1", "with x as (delete from t where 1 = 1) select 1"),
        (
            "with x as (delete from t where 1 = 2) insert into u values (1)",
            "with x as (delete from t where 1 = 1) insert into u values (1)",
        ),
        (
            "with x as (merge into t using s on 1 = 2 when matched then delete) select 1",
            "with x as (merge into t using s on 1 = 1 when matched then delete) select 1",
        ),
        ("explain (analyze 0) insert into t values (1)", "explain (analyze 1) insert into t values (1)"),
        ("set row_security = 1", "set row_security = 0"),
        ("select a, b from t order by 1", "select a, b from t order by 2"),
        ("select distinct on (1) a, b from t", "select distinct on (2) a, b from t"),
        ("select a, b from t group by 1", "select a, b from t group by 2"),
        ("select '1' from t1", "select '1' from t2"),
        ("select 1 from é1", "select 1 from é2"),
        ("select 1 from €1", "select 1 from €2"),
        ('select "a 1" from t', 'select "a 2" from t'),
        ("update t set a = 1 where 5 < 6", "update t set a = 1 where 6 < 5"),
        ("select a.b1 from a", "select a.b2 from a"),
    ],
)
def test_integers_that_matter_are_kept_apart(one, other):
    assert read(one) != read(other)


NUMBERED = st.sampled_from(
    """select from where group by order limit offset distinct on ( ) , * + = t a1 t.b2 7 42 1000000 0 1.5 .5 1e3 7_0 [ ] union
    all join with as c( c2 ) delete update set returning insert into values in between and or not case when then else end exists cast int4(8) ::numeric(5) @ % lo_get(3)""".split()  # noqa: SIM905
)


@settings(max_examples=400, deadline=None)
@given(st.lists(NUMBERED, max_size=16).map(lambda words: "select " + " ".join(words)))
def test_texts_with_the_same_shape_mean_the_same(text):
    shape = blanked(text)
    facts, counts_integers = postgres._parsed(text)
    if shape is None or counts_integers:
        return
    for number in ("1", "3", "987654"):
        other = shape.replace("\0", number)
        assert blanked(other) == shape
        again = postgres._parsed(other)
        assert again == (facts, False), other


def test_names_are_cut_where_the_server_cuts_them():
    assert named(f"select * from {'a' * 70}") == {("a" * 63, "read")}


def test_a_text_cannot_pose_as_a_remembered_shape():
    read("select a from t where id = 5")
    assert not read("select a from t where id = \0").complete


def test_what_is_remembered_is_not_read_again():
    exact = "select a from t where name = 'x' and id = 5"
    assert read(exact) is read(exact)
    first, *others = [f"select a from t where id = {i}" for i in range(50)]
    assert all(read(other) is read(first) for other in others)


def test_threads_may_read_at_once():
    texts = [f"select a{i % 50} from t where b = '{i}'" for i in range(400)]
    wanted = [postgres._parsed(text)[0][0] for text in texts]
    got: list[list[object]] = []

    def work():
        got.append([read(text) for text in texts])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [wanted] * 4
