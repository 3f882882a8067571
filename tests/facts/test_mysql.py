"""What MySQL and MariaDB statements are read to do: by server, by session, by result column."""

from __future__ import annotations

import base64
import json

import pytest

from gateway.facts.mysql import Context, Server, Texts, follow, read
from gateway.facts.mysql.lexer import LexUnclear, Modes, tokens
from gateway.facts.mysql.servers import Version
from gateway.facts.mysql.truth import like
from gateway.model import Effect
from gateway.protocols.mysql.module import read_facts

SSN = "customers.ssn"
NEW = Version(Server.MYSQL, 90_000)


def effects(sql, *before, **row):
    found = read_facts({"command": sql, "session_before": list(before), **row})
    return " ".join(sorted(found.effects))


def texts(sql, version=NEW, **modes):
    return [token.text for token in tokens(sql, version, Modes(**modes))]


@pytest.mark.parametrize(
    ("sql", "mysql", "mariadb", "either"),
    [
        ("/*! drop table t */", "ddl destructive", "ddl destructive", "ddl destructive"),
        ("/*!50699 drop table t */", "ddl destructive", "ddl destructive", "ddl destructive"),
        ("/*!50700 drop table t */", "ddl destructive", "session", "ddl destructive session unknown"),
        ("/*!M drop table t */", "unknown", "unknown", "unknown"),
        ("/*M! drop table t */", "session", "ddl destructive", "ddl destructive session unknown"),
        ("/*M!100100 set @a = 1 */", "session", "session", "session"),
        ("select 1 /*!99999 , 2 */", "read unknown", "read", "read unknown"),
        ("delete from t /*!50500 where id = 1 */", "write", "write", "write"),
        ("delete from t /*!90100 where id = 1 */", "destructive unknown write", "destructive write", "destructive unknown write"),
        ("delete from t where id = 1 /*!100000 or 1 */", "destructive unknown write", "destructive write", "destructive unknown write"),
    ],
)  # fmt: skip
def test_executable_comments_count_as_each_server_reads_them(sql, mysql, mariadb, either):
    assert effects(sql, dialect="mysql") == mysql
    assert effects(sql, dialect="mariadb") == mariadb
    assert effects(sql) == either


def test_a_text_of_too_many_versions_is_not_read():
    text = "select 1" + "".join(f"/*!{version} , 1 */" for version in range(80_000, 80_040))
    assert effects(text) == "unknown"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1--1", ["select", "1", "-", "-", "1"]),
        ("select 1 -- 1", ["select", "1"]),
        ("select 1 --\x011\n+2", ["select", "1", "+", "2"]),
        ("select 1 --\x7f1", ["select", "1"]),
        ("select 1 # x\n, 2", ["select", "1", ",", "2"]),
        ("a/*b*/c", ["a", "c"]),
        ("/*! a /* b */ c */", ["a", "c"]),
        ("/*!99999 a /* b */ c */ d", ["d"]),
        (r"'a\'b' 'c''d' '\%'", ["a'b", "c'd", r"\%"]),
        ("`a``b`.`c`", ["a`b", ".", "c"]),
        ("1e5 1e 1.5e-3 .5 1abc t.1a", ["1e5", "1e", "1.5e-3", ".5", "1abc", "t", ".", "1a"]),
        ("0x1F 0X1F 0b01 x'1f' b'01' n'a'", ["0x1F", "0X1F", "0b01", "x'1f'", "b'01'", "a"]),
        ("@a @'b c' @@global.x @@`sql_mode` @@session.`y`", ["@a", "@b c", "@@global.x", "@@sql_mode", "@@session.y"]),
        (r"\N \G", ["NULL", ";"]),
    ],
)  # fmt: skip
def test_texts_are_cut_as_the_server_cuts_them(sql, expected):
    assert texts(sql) == expected


def test_modes_decide_where_strings_end_and_what_they_are():
    assert texts(r'"a\"b"') == ['a"b']
    assert [token.kind for token in tokens('"a"', NEW, Modes(ansi_quotes=True))] == ["name"]
    assert texts(r"'a\'", no_backslash_escapes=True) == ["a\\"]


@pytest.mark.parametrize(
    "sql", ["'a", '"a', "`a", "/* a", "/*! a", "select \x01", "a \0 b", "select £"[:-1] + "\x02"]
)
def test_what_has_no_end_or_no_token_is_unclear(sql):
    with pytest.raises(LexUnclear):
        texts(sql)


def test_statements_before_what_cannot_be_cut_count():
    assert effects("drop table t; select 'a") == "ddl destructive unknown"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select /*+ set_var(foreign_key_checks=off) */ 1", "privilege read session"),
        ("select /*+ max_execution_time(5) */ 1", "read"),
        ("set session wsrep_on = 0", "privilege session"),
        ("set session wsrep_sync_wait = 1", "session"),
        ("set names utf8mb4, sql_log_bin = 0", "privilege session"),
        ("set @@global.read_only = 0", "privilege"),
        ("set foreign_key_checks = 1", "session"),
        ("set sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES')", "session"),
        ("set sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')", "session unknown"),
        ("set statement max_statement_time = 1 for delete from t", "destructive session write"),
    ],
)
def test_settings_that_are_guards_are_told_from_those_that_are_none(sql, expected):
    assert effects(sql) == expected


def test_a_function_is_plain_only_by_its_whole_name():
    assert effects("select st_x(p), count(*), coalesce(a, 1) from t") == "read"
    for call in ("st_evil(1)", "`count`(1)", "billing.count(1)", "purge (1)"):
        assert effects(f"select {call}") == "read unknown"


def test_hints_are_comments_to_mariadb():
    assert effects("select /*+ set_var(foreign_key_checks=off) */ 1", dialect="mariadb") == "read"


@pytest.mark.parametrize(
    ("before", "sql", "expected"),
    [
        (["prepare p from 'drop table t'"], "execute p", "ddl destructive session"),
        (["prepare p from 'select 1'", "deallocate prepare p"], "execute p", "session unknown"),
        (["set @a = 'drop '", "set @b = concat(@a, 'table t')", "prepare p from @b"], "execute p", "ddl destructive session"),
        (["set @a = 'select 1'", "select 'x' into @a"], "prepare p from @a", "exec session unknown"),
        (["set @a = 'select 1'", "select @a := note from t"], "prepare p from @a", "exec session unknown"),
        (["set @a = 'select 1'", "call f(@a)"], "prepare p from @a", "exec session unknown"),
        (["set @a = 'select 1'", "call f()"], "prepare p from @a", "exec session unknown"),
        (["prepare p from 'select 1'", "call f()"], "execute p", "session unknown"),
        (["use mysql"], "select authentication_string from user", "exfil read"),
        (["use mysql"], "select host from user", "read"),
        (["use mysql"], "update user set plugin = '' where user = 'x'", "privilege write"),
        (["use mysql", "use billing"], "select authentication_string from user", "read"),
        (["set names gbk"], "select '\u7e17'", "unknown"),
        (["set names gbk"], "select 'a'", "read"),
        (["set names gbk", "set names utf8mb4"], "select '\u7e17'", "read"),
        (["set character_set_client = sjis"], "select '\u7e17'", "unknown"),
        (["set sql_mode = 'ansi_quotes'"], 'delete from "t"', "destructive write"),
        (["set sql_mode = 'ansi_quotes'", "set sql_mode = ''"], 'select "a"', "read"),
        (["set sql_mode = 'ansi_quotes'"], r'select 1 from "a\"; drop table t; -- "', "ddl destructive read"),
        (["set sql_mode = 'no_backslash_escapes'"], r"select '\'; drop table t; -- '", "ddl destructive read"),
        (["set sql_mode = 'pipes_as_concat'"], "select 1 || 2", "unknown"),
        (["set sql_mode = 'oracle'"], "select 1", "unknown"),
        (["set sql_mode = 4"], "select 1", "unknown"),
        (["set sql_mode = @x"], "select 1", "unknown"),
        (["set @old = @@sql_mode", "set sql_mode = 'ansi_quotes'", "set sql_mode = @old"], 'select "a\\"b"', "read"),
        (["set global sql_mode = 'ansi_quotes'"], 'select "a\\"b"', "read"),
    ],
)  # fmt: skip
def test_what_went_through_before_counts(before, sql, expected):
    assert effects(sql, *before) == expected


def test_following_a_text_leaves_the_context_before_it_alone():
    context = Context()
    follow("set sql_mode = 'ansi_quotes'", context)
    assert context == Context()
    assert read("select 1", context) == read("select 1")


def test_bytes_that_are_no_text_are_read_as_far_as_they_matter():
    row = {"command_b64": base64.b64encode(b"insert into t values (_binary '\xff\xfe')").decode()}
    assert read_facts(row).effects == {Effect.WRITE}
    row = {"command_b64": base64.b64encode(b"drop table t; select '\xff").decode()}
    assert read_facts(row).effects == {Effect.DDL, Effect.DESTRUCTIVE, Effect.UNKNOWN}
    with pytest.raises(ValueError, match="neither"):
        read_facts({})


OUTPUTS = [
    ("select ssn from customers", [("ssn", {SSN}, True)]),
    ("select c.SSN as X from Crm.Customers c", [("x", {"crm.customers.ssn"}, True)]),
    ("select ssn 'a', ssn `b` from customers", [("a", {SSN}, True), ("b", {SSN}, True)]),
    ("select upper(ssn) from customers", [("upper(ssn)", {SSN}, False)]),
    ("select ssn + 0 as n, (ssn) from customers", [("n", {SSN}, False), ("ssn", {SSN}, True)]),
    ("select * from customers", [("*", {"customers.*"}, True)]),
    ("table customers", [("*", {"customers.*"}, True)]),
    ("select c.*, 1 as n from customers c, t", [("*", {"customers.*"}, True), ("n", set(), False)]),
    ("select customers.* from billing.customers", [("*", {"billing.customers.*"}, True)]),
    ("select user from mysql.user", [("user", {"mysql.user.user"}, True)]),
    ("select x from (select ssn as x from customers) d", [("x", {SSN}, True)]),
    ("select * from (select ssn as x from customers) d", [("x", {SSN}, True)]),
    ("select b from (select id, ssn from customers) d (a, b)", [("b", {SSN}, True)]),
    ("with c as (select ssn from customers) select * from c", [("ssn", {SSN}, True)]),
    ("with c (a) as (select ssn from customers) select a from c", [("a", {SSN}, True)]),
    (
        "with recursive r (a, b) as (select ssn, 1 from customers union all select b, a from r) select a from r",
        [("a", {SSN}, False)],
    ),
    ("select id from a union all select ssn from customers", [("id", {"a.id", SSN}, True)]),
    ("select (select max(ssn) from customers) as m", [("m", {SSN}, False)]),
    ("select json_object('a', ssn) as j from customers", [("j", {SSN}, False)]),
    ("select group_concat(ssn order by id separator '-') as g from customers", [("g", {SSN, "customers.id"}, False)]),
    ("select ssn from customers, orders", [("ssn", {SSN, "orders.ssn"}, True)]),
    ("select count(*) as n, count(ssn) as m, ssn is null as k from customers", [("n", set(), False), ("m", set(), False), ("k", set(), False)]),
    ("select j.a from customers c, json_table(c.data, '$' columns (a int path '$.a' null on empty, nested path '$.b' columns (b int path '$'))) j", [("a", {"customers.data"}, False)]),
    ("select max(ssn) over (partition by country) as w from customers", [("w", {SSN}, False)]),
    ("select ssn as a from customers left join (select '1' as ssn) q using (ssn)", [("a", {SSN}, False)]),
    ("select ssn as a from customers natural left join (select '1' as ssn) q", [("a", {SSN}, False)]),
    ("select max(ssn) as m from first", [("m", {"first.ssn"}, False)]),
    ("select nth_value(ssn, 2) from first over (order by id) as n from customers", [("n", {SSN}, False)]),
    ("select full.ssn from customers full join orders o on 1", [("ssn", {SSN}, True)]),
    ("select semi.ssn from customers semi join orders o on 1", [("ssn", {SSN}, True)]),
    ("select ssn isnull from customers", [("isnull", {SSN}, True)]),
    ("values (1, 2), (3, 4)", [("column_0", set(), False), ("column_1", set(), False)]),
    ("delete from customers where id = 1 returning ssn", [("ssn", {SSN}, True)]),
    ("replace into customers values (1) returning *", [("*", {"customers.*"}, True)]),
    ("execute immediate 'select ssn from customers'", [("ssn", {SSN}, True)]),
    ("select ssn into @a from customers limit 1; select @a as b", [("b", {SSN}, False)]),
    ("set @a = (select ssn from customers limit 1); select concat(@a) as b", [("b", {SSN}, False)]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), OUTPUTS, ids=[sql for sql, _ in OUTPUTS])
def test_result_columns_are_followed_to_stored_columns(sql, expected):
    found = read(sql)
    assert found.complete, found.attributes
    assert [(o.name, set(o.sources), o.exact) for o in found.outputs or ()] == expected


@pytest.mark.parametrize(
    "sql", ["insert into t values (1)", "select 1 into @a", "select 1; select 2", "set @a = 1"]
)
def test_no_result_columns_are_told_where_there_are_none_or_several_sets(sql):
    assert read(sql).outputs is None


@pytest.mark.parametrize(
    ("sql", "to", "sources"),
    [
        ("insert into notes (body) select ssn from customers", "notes.body", {SSN}),
        ("insert into notes select * from customers", "notes.*", {"customers.*"}),
        ("insert into notes set body = (select ssn from customers limit 1)", "notes.body", {SSN, "notes.ssn"}),
        ("insert into t (a) values (1) on duplicate key update b = ssn", "t.b", {"t.ssn"}),
        ("update customers c set c.tier = c.ssn where id = 1", "customers.tier", {SSN}),
        ("create table t as select ssn as x from customers", "t.x", {SSN}),
        ("create or replace view v (a) as select ssn from customers", "v.a", {SSN}),
        ("alter table customers rename column ssn to x", "customers.x", {SSN}),
        ("alter table customers change column ssn x int", "customers.x", {SSN}),
        ("rename table customers to c2, a to b", "c2.*", {"customers.*"}),
        ("select sleep(ascii(ssn)) from customers", "", {SSN}),
        ("select if(ssn like '1%', sleep(1), 0) from customers", "", {SSN}),
        ("set @a = (select ssn from customers); signal sqlstate '45000' set message_text = @a", "", {SSN}),
    ],
)  # fmt: skip
def test_values_that_go_elsewhere_are_carried(sql, to, sources):
    assert (to, sources) in [(moved.name, set(moved.sources)) for moved in read(sql).carried]


@pytest.mark.parametrize(
    ("sql", "kind", "name", "effect"),
    [
        ("select a from Billing.Orders where b = 1", "table", "billing.orders", "read"),
        ("select a from orders where b = 1", "condition", "orders.b", "read"),
        ("select a from orders o join customers c on o.x = c.y", "condition", "customers.y", "read"),
        ("update orders set total = 1 where id = 1", "column", "orders.total", "write"),
        ("update a join b on a.id = b.id set a.x = 1 where b.y = 2", "table", "b", "read"),
        ("delete a from a join b on a.id = b.id where b.y = 2", "table", "a", "write"),
        ("delete from orders", "table", "orders", "destructive"),
        ("drop table a, b.c", "table", "b.c", "destructive"),
        ("create index i on orders (a)", "table", "orders", "ddl"),
        ("call tidy.up(1)", "procedure", "tidy.up", "exec"),
        ("select load_file('x')", "function", "load_file", "exfil"),
        ("set session sql_log_bin = 0", "setting", "sql_log_bin", "privilege"),
        ("drop user 'a'@'b'", "user", "", "privilege"),
    ],
)
def test_resources_name_what_is_touched(sql, kind, name, effect):
    found = {(each.kind, each.name, str(each.effect)) for each in read(sql).resources}
    assert (kind, name, effect) in found or not name


def test_attributes_count_statements_and_tell_of_where():
    facts = read("begin; update t set a = 1 where id = 1; delete from t where 1; commit")
    assert facts.attributes == {
        "sql.statements": 4,
        "sql.verbs": "begin, update, delete, commit",
        "sql.has_where": True,
        "sql.where_restricts": False,
    }
    assert read("").attributes["sql.statements"] == 0
    assert read("-- nothing").effects == {Effect.SESSION}
    assert read("prepare p from 'select 1'").attributes["sql.prepare"] == "p"


@pytest.mark.parametrize(
    "sql",
    [
        "select '" + "x" * 10_000_000 + "'",
        "select " + "(" * 100_000 + "1" + ")" * 100_000,
        "select " + "(" * 30_000 + "1" + ")" * 30_000,
        "select " + "(" * 5_000 + "1" + ")" * 5_000,
        "select " + "not " * 9_000 + "1",
        "select " + "- " * 9_000 + "1",
        "select 1" + "+1" * 9_000,
        "select 1" + " union select 1" * 4_000,
        "select " + "case when 1 then " * 3_000 + "1" + " end" * 3_000,
        "select * from " + "(select * from " * 2_000 + "t" + ") x" * 2_000,
        "select a" + "->'$.a'" * 6_000,
        "select "
        + ",".join(f"c{n}" for n in range(1_500))
        + " from "
        + ",".join(f"t{n}" for n in range(1_500)),
        "set @a = " + "concat('a'," * 3_000 + "'b'" + ")" * 3_000 + "; prepare p from @a",
        "set @a = 'aaaaaaaaaa';" + "set @a = concat(@a, @a);" * 100 + "prepare p from @a",
        "/*!" * 20_000,
        "/*!99999 " + "/*" * 20_000,
        "'" + "\\" * 60_001,
        "prepare p from '" + "prepare p from ''" * 5 + "'",
    ],
    ids=lambda sql: sql[:24],
)
def test_a_text_that_is_made_to_be_slow_is_unknown_in_time(sql):
    assert Effect.UNKNOWN in read(sql).effects


@pytest.mark.parametrize(
    ("value", "pattern", "matches"),
    [
        ("abc", "a%", True), ("abc", "%c", True), ("abc", "a_c", True), ("abc", "a", False), ("a%c", r"a\%c", True),
        ("abc", r"a\%c", False), ("", "%", True), ("ab", "%abab", False), ("xabc", "abc", False), ("aXbXc", "a%b%c", True),
    ],
)  # fmt: skip
def test_like_matches_piece_by_piece(value, pattern, matches):
    assert like(value, pattern) is matches


def test_facts_say_why_and_hold_no_value_of_the_text():
    for sql in ("select secret_9('x')", "select 'secret_9", "call secret_9()", "prepare p from @secret_9"):
        assert "secret_9" not in json.dumps(dict(read(sql).attributes)).replace('"p"', "")


MARIADB = Context(servers=(Server.MARIADB,))


def test_each_statement_of_a_text_has_facts_of_its_own():
    text = "set @x = (select ssn from customers limit 1); select @x; select id from orders; show tables;"
    each = Texts().read_each(text, MARIADB)
    assert [facts.attributes["sql.verbs"] for facts in each] == ["set", "select", "select", "show"]
    sources = [[*output.sources] for facts in each for output in facts.outputs or ()]
    assert sources == [["customers.ssn"], ["orders.id"]]


@pytest.mark.parametrize(
    "text",
    [
        "select 1; call p()", "select 1; execute p", "select 1; execute immediate 'select 2'", "select 1; if 1 then select 2; end if",
        "select 1; /*!50000 select 2; */ select 3", "select f(1); select 2", "select 1; select 'open", "select 1; prepare p from @q",
    ],
)  # fmt: skip
def test_where_answers_cannot_be_counted_no_statement_has_facts_of_its_own(text):
    assert Texts().read_each(text, MARIADB) == ()
