"""Result columns, and the stored columns that they are made of."""

from __future__ import annotations

import pytest

from gateway.facts.postgres import read

SSN = "customers.ssn"
CASES = [
    ("select ssn from customers", [("ssn", {SSN}, True)]),
    ("select c.ssn as x from crm.customers c", [("x", {"crm.customers.ssn"}, True)]),
    ('select "SSN" from "Customers"', [("ssn", {SSN}, True)]),
    ("select md5(ssn), ssn::text from customers", [("md5", {SSN}, False), ("ssn", {SSN}, False)]),
    ('select ssn collate "C" from customers', [("ssn", {SSN}, True)]),
    ("select * from customers", [("*", {"customers.*"}, True)]),
    ("select c.* from customers c, orders o", [("*", {"customers.*"}, True)]),
    ("select * from customers, orders", [("*", {"customers.*"}, True), ("*", {"orders.*"}, True)]),
    (
        "select * from customers c, generate_series(1, 3) g",
        [("*", {"customers.*"}, True), ("g", set(), False)],
    ),
    (
        "select * from customers c, lateral (select 1 as n) l",
        [("*", {"customers.*"}, True), ("n", set(), False)],
    ),
    ("select g from customers c, generate_series(1, 3) g", [("g", set(), False)]),
    ("select key from customers c, json_each('{}') e", [("key", set(), False)]),
    ("select value from customers c, json_each(c.data) e", [("value", {"customers.data"}, False)]),
    ("select g.n from generate_series(1, 3) with ordinality g (n)", [("n", set(), False)]),
    ("table customers", [("*", {"customers.*"}, True)]),
    ("select ssn from customers, orders", [("ssn", {SSN, "orders.ssn"}, True)]),
    ("select ssn from crm.customers c, orders", [("ssn", {"crm.customers.ssn", "orders.ssn"}, True)]),
    ("select ssn", [("ssn", {"ssn"}, True)]),
    ("select customers.ssn from customers, orders", [("ssn", {SSN}, True)]),
    ("select public.customers.ssn from public.customers", [("ssn", {"public.customers.ssn"}, True)]),
    ("select row(c.*)::text from customers c", [("row", {"customers.*"}, False)]),
    ("select row_to_json(x) from (select ssn from customers) x", [("row_to_json", {SSN}, False)]),
    (
        "select x.* from (select ssn, id + 1 as n from customers) x",
        [("ssn", {SSN}, True), ("n", {"customers.id"}, False)],
    ),
    ("select y from (select ssn from customers) x (y)", [("y", {SSN}, True)]),
    ("select b from customers as c (a, b)", [("b", {"customers.*"}, False)]),
    ("with t as (select ssn s from customers) select s from t", [("s", {SSN}, True)]),
    ("with t (a) as (select * from customers) select a from t", [("a", {"customers.*"}, False)]),
    ("with t as (select * from customers) select ssn from t", [("ssn", {SSN}, True)]),
    ("with customers as (select 1 as ssn) select ssn from customers", [("ssn", set(), False)]),
    ("with x as (delete from customers where id = 1 returning *) select ssn from x", [("ssn", {SSN}, True)]),
    ("select name from a union select ssn from customers", [("name", {"a.name", SSN}, True)]),
    ("select * from a union all select ssn from customers", [("*", {"a.*", SSN}, True)]),
    (
        "select a.ssn from (select * from customers union all select * from old) a",
        [("ssn", {SSN, "old.ssn"}, True)],
    ),
    (
        "with recursive t (a, b) as (select ssn, name from customers union all select b, a from t) select a from t",
        [("a", {SSN, "customers.name"}, True)],
    ),
    (
        "with recursive t as (select id, name from customers union all select t.id, c.name from t, customers c) table t",
        [("id", {"customers.id"}, True), ("name", {"customers.name"}, True)],
    ),
    ("select (select ssn from customers limit 1)", [("ssn", {SSN}, True)]),
    (
        "select (select o.ssn from orders o where o.id = c.id) from customers c",
        [("ssn", {"orders.ssn"}, True)],
    ),
    ("select array(select ssn from customers)", [("array", {SSN}, False)]),
    ("select exists (select ssn from customers)", [("exists", set(), False)]),
    (
        "select count(ssn), count(*), ssn is null from customers",
        [("count", set(), False)] * 2 + [("?column?", set(), False)],
    ),
    ("select ssn = '1' from customers", [("?column?", {SSN}, False)]),
    ("select case when ssn like '1%' then 1 end from customers", [("case", {SSN}, False)]),
    ("select case when true then 1 else ssn end from customers", [("ssn", {SSN}, False)]),
    ("select coalesce(ssn, name) from customers", [("coalesce", {SSN, "customers.name"}, False)]),
    (
        "select string_agg(ssn, ',' order by name) from customers",
        [("string_agg", {SSN, "customers.name"}, False)],
    ),
    ("select max(ssn) over w from customers window w as (order by id)", [("max", {SSN}, False)]),
    ("select jsonb_build_object('a', ssn) from customers", [("jsonb_build_object", {SSN}, False)]),
    ("select json_object('k': ssn) from customers", [("?column?", {SSN}, False)]),
    ("select xmlelement(name x, ssn) from customers", [("?column?", {SSN}, False)]),
    ("select data ->> 'ssn' from customers", [("?column?", {"customers.data"}, False)]),
    ("select data['ssn'] from customers", [("data", {"customers.data"}, False)]),
    ("select v.x from customers c, lateral (values (c.ssn)) v (x)", [("x", {SSN}, False)]),
    (
        "select a.x from (customers c join orders o using (id)) as a (x, y)",
        [("x", {"customers.*", "orders.*"}, False)],
    ),
    ("select * from customers natural join (select 1 as id) q", [("*", {"customers.*"}, False)]),
    (
        "select ssn as x from customers left join (select '1' as ssn) q using (ssn)",
        [("x", {SSN}, False)],
    ),
    (
        "with q as (select '1' as ssn) select upper(ssn) as x from q full join customers using (ssn)",
        [("x", {SSN}, False)],
    ),
    ("select ssn as x from customers natural left join (select '1' as ssn) q", [("x", {SSN}, False)]),
    (
        "select j.ssn as x from (customers left join (select '1' as ssn) q using (ssn)) as j",
        [("x", {SSN}, False)],
    ),
    (
        "select j.ssn as x from (customers natural left join (select '1' as ssn) q) as j",
        [("x", {SSN}, False)],
    ),
    (
        "select id as x from customers left join (select '1' as ssn, 2 as id) q using (ssn)",
        [("x", set(), False)],
    ),
    (
        "select x.xx from docs d, xmltable('/a' passing d.body columns xx text path 'b') x",
        [("xx", {"docs.body"}, False)],
    ),
    (
        "update customers set a = 1 where id = 2 returning ssn, *",
        [("ssn", {SSN}, True), ("*", {"customers.*"}, True)],
    ),
    ("update customers set a = 1 where id = 2 returning old.ssn", [("ssn", {SSN}, True)]),
    (
        "update customers set a = 1 where id = 2 returning with (old as before) before.ssn",
        [("ssn", {SSN}, True)],
    ),
    ("insert into customers (ssn) values (1) returning ssn", [("ssn", {SSN}, True)]),
    ("insert into customers (ssn) values (1)", None),
    (
        "delete from customers c using orders o where c.id = o.c returning o.total",
        [("total", {"orders.total"}, True)],
    ),
    (
        "merge into customers c using s on c.id = s.id when matched then do nothing returning c.ssn",
        [("ssn", {SSN}, True)],
    ),
    ("copy customers to stdout", [("*", {"customers.*"}, True)]),
    ("copy customers (id, ssn) to stdout", [("id", {"customers.id"}, True), ("ssn", {SSN}, True)]),
    ("copy (select ssn from customers) to stdout", [("ssn", {SSN}, True)]),
    ("copy customers from stdin", None),
    ("declare c cursor for select ssn from customers", [("ssn", {SSN}, True)]),
    ("prepare p as select ssn from customers", [("ssn", {SSN}, True)]),
    ("explain select ssn from customers", [("QUERY PLAN", set(), False)]),
    ("show server_version", [("server_version", set(), False)]),
    ("select query_to_xml('select ssn from customers', true, true, '')", [("query_to_xml", {SSN}, False)]),
    ("select table_to_xml('customers', true, true, '')", [("table_to_xml", {"customers.*"}, False)]),
    ("begin; select ssn from customers; commit", [("ssn", {SSN}, True)]),
    ("select 1; select ssn from customers", None),
    ("execute p", None),
    ("begin", None),
]


@pytest.mark.parametrize(("sql", "wanted"), CASES, ids=[sql[:80] for sql, _ in CASES])
def test_columns_are_followed_to_where_their_values_are_stored(sql, wanted):
    outputs = read(sql).outputs
    assert (None if outputs is None else [(o.name, set(o.sources), o.exact) for o in outputs]) == wanted


CARRIERS = [
    "select c.to_json from customers c",
    "select c.json_agg from customers c",
    "select (c).row_to_json from customers c",
    "select c from customers c",
    "select c::text from customers c",
    "select (c).* from customers c",
    "select to_json(c) from customers c",
    "select json_agg(c) from customers c",
    "select array_agg(c) from customers c",
    "select row(c) from customers c",
    "select (x.r).ssn from (select c as r from customers c) x",
    "select j.value from customers c, json_each(to_json(c)) j",
    "select j.value from (select to_json(c) doc from customers c) d, json_each_text(d.doc) j",
    "select (json_each(to_json(c))).value from customers c",
    "select * from json_each((select to_json(c) from customers c limit 1))",
    "select * from (select * from json_each((select to_json(c) from customers c limit 1))) x",
    "with t as (select * from customers) select t from t",
    "with t as (select to_jsonb(c) j from customers c) select j -> 'ssn' from t",
    "with recursive t as (select to_json(c) j, 1 n from customers c union all select j, n + 1 from t) select j from t",
    "select string_agg(c::text, ',') from customers c",
    "select coalesce(null, c::text) from customers c",
    "select array(select c from customers c)",
    "select (select c from customers c limit 1)",
    "select x from customers c, lateral (select c.*) x",
    "select encode(c::text::bytea, 'hex') from customers c",
    "select format('%s', c) from customers c",
    "values ((select to_json(c) from customers c))",
    "update customers c set a = 1 where id = 3 returning to_json(c)",
    "select jsonb_path_query(to_jsonb(c), '$.*') from customers c",
    "copy (select to_json(c) from customers c) to stdout",
    "select first_value(c) over () from customers c",
    "select j.a from (customers c cross join orders) as j (a)",
    "select z.z from (select c from customers c) as z (z)",
]


@pytest.mark.parametrize("sql", CARRIERS)
def test_a_whole_row_in_whatever_form_still_says_whose_row_it_is(sql):
    outputs = read(sql).outputs
    assert outputs is not None
    assert any("customers.*" in output.sources for output in outputs), outputs


def conditions(sql):
    return {resource.name for resource in read(sql).resources if resource.kind == "condition"}


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from customers where ssn like '1%'",
        "select 1 from customers order by ssn",
        "select ssn, 1 from customers order by 1",
        "select ssn as x from customers order by x",
        "select distinct on (ssn) id from customers",
        "select count(*) from customers group by ssn",
        "select count(*) from customers group by id having max(ssn) > '5'",
        "select count(*) filter (where ssn = '5') from customers",
        "select 1 from orders o join customers c on c.ssn = o.ref",
        "select 1 from orders join customers using (ssn)",
        "select count(nullif(ssn = '1', false)) from customers",
        "select (case when ssn = '1' then 1 end) is null from customers",
        "select 1 / (ascii(ssn) - 49) from customers",
        "select ssn from customers except select '1'",
        "select 1 from orders limit (select ascii(ssn) from customers)",
        "select 1 from customers c, generate_series(1, ascii(c.ssn))",
        "select 1 from customers natural join (select '1' as ssn) guesses",
        "select 1 from customers join (select '1' as ssn) guesses using (ssn)",
        "with guesses as (select '1' as ssn) select 1 from guesses left join customers using (ssn)",
        "select 1 from orders where ref in (select ssn from customers)",
        "select rank() over (order by ssn) from customers",
        "delete from customers where ssn = '5'",
        "update customers set a = 1 where ssn = '5'",
        "merge into customers c using s on c.ssn = s.ssn when matched then do nothing",
        "merge into customers c using s on c.id = s.id when matched and c.ssn = '1' then delete",
        "with x as (select 1 from customers where ssn = '5') select * from x",
        "copy (select 1 from customers where ssn = '5') to stdout",
    ],
)
def test_columns_that_decide_about_rows_are_named_as_conditions(sql):
    assert "customers.ssn" in conditions(sql)


@pytest.mark.parametrize(
    ("sql", "carried"),
    [
        (
            "insert into notes (id, body) select id, ssn from customers",
            [("notes.id", {"customers.id"}), ("notes.body", {SSN})],
        ),
        ("insert into notes select * from customers", [("notes.*", {"customers.*"})]),
        ("create table t as select ssn as x from customers", [("t.x", {SSN})]),
        ("create view v (a) as select ssn from customers", [("v.a", {SSN})]),
        ("select ssn as x into t from customers", [("t.x", {SSN})]),
        ("update notes set body = c.ssn from customers c where notes.id = 1", [("notes.body", {SSN})]),
        ("alter table customers rename ssn to x", [("customers.x", {SSN})]),
        ("alter table customers alter note type text using ssn || ''", [("customers.note", {SSN})]),
        ("alter table customers alter note set expression as (left(ssn, 2))", [("customers.note", {SSN})]),
        ("alter table customers set schema crm", [("crm.customers.*", {"customers.*"})]),
        ("alter table crm.customers set schema old", [("old.customers.*", {"crm.customers.*"})]),
        ("alter table customers_2020 no inherit customers", [("customers_2020.*", {"customers.*"})]),
        ("alter table customers detach partition c2 concurrently", [("c2.*", {"customers.*"})]),
        (
            "create rule r as on update to customers do also insert into notes (body) values (new.ssn)",
            [("notes.body", {SSN})],
        ),
        (
            "create rule r as on delete to customers do also (notify c; insert into notes select old.*)",
            [("notes.*", {"customers.*"})],
        ),
        ("alter table crm.customers rename to people", [("crm.people.*", {"crm.customers.*"})]),
        ("select pg_notify('a', ssn) from customers", [("", {SSN})]),
        ("select upper(ssn) from customers", []),
        ("insert into notes (body) values ('x')", []),
    ],
)
def test_what_is_stored_elsewhere_says_where(sql, carried):
    assert [(moved.name, set(moved.sources)) for moved in read(sql).carried] == carried
