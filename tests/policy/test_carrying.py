"""Values that a mask hides, carried past it: `exfil` where the policy masks them, and nowhere else."""

from __future__ import annotations

import pytest

from gateway.facts.postgres import read
from gateway.model import Connection, Effect, Hold
from gateway.policy.evaluate import judge
from gateway.policy.examples import lineage_of
from gateway.policy.file import load
from gateway.vocabulary import known

POLICY = """
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:15432
    upstream: postgresql://127.0.0.1/shop
    credential: {user: gateway, password: env:SHOP_PASSWORD}
rules:
  - name: everything-but-exfil
    when: {effects: [read, write, ddl, session]}
    then: {allow: true, mask: pii}
default: hold
masks:
  pii:
    columns: {"*.ssn": redact, "customers.name": partial, "crm.people.*": "null"}
    except: ["public_figures.ssn"]
"""
SHOP = Connection(name="shop", protocol="postgres")


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    path = tmp_path_factory.mktemp("policy") / "policies.yaml"
    path.write_text(POLICY)
    return load(path, known())


CARRYING = [
    "create table t as select ssn as x from customers",
    "create table t (a, b) as select * from customers",
    "create view v as select md5(ssn) as h from customers",
    "select ssn as x into t from customers",
    "insert into notes select ssn from customers",
    "insert into notes select * from customers",
    "insert into notes (body) values ((select ssn from customers limit 1))",
    "update customers set tier = ssn where id = 1 returning tier",
    "insert into customers (id) values (1) on conflict (id) do update set tier = excluded.ssn",
    "merge into notes n using customers c on n.id = c.id when matched then update set body = c.ssn",
    "create table t as select name from customers",
    "create table t as select * from crm.people",
    "alter table customers rename ssn to x",
    "alter table customers add x text generated always as (ssn) stored",
    "alter table everybody attach partition crm.people default",
    "select pg_notify('a', ssn) from customers",
    "select set_config('a.b', ssn, false) from customers",
    "select lo_from_bytea(0, ssn::bytea) from customers",
    "select pg_sleep(ascii(ssn)) from customers",
    "select id from customers where ssn like '1%'",
    "select id from customers order by ssn",
    "select count(nullif(ssn = '1', false)) from customers",
    "select (case when ssn = '1' then 1 end) is null from customers",
    "select case when ssn like '1%' then 1 / 0 end from customers",
    "select case ssn when '1' then pg_typeof(1) end from customers",
    "select ssn = '1' and 1 / (id - 7) > 0 from customers",
    "select 1 / (ascii(ssn) - 49) from customers",
    "select sqrt((ssn < '5')::int - 1) from customers",
    "select nullif(ssn, '1')::int from customers",
    "select least(ssn, '5')::date from customers",
    "select (ssn between '1' and '2')::int from customers",
    "select replace(ssn, '219', 'x')::int from customers",
    "select chr(strpos(ssn, '219')) from customers",
    "select chr(strpos(ssn, $1)) from customers",
    "select repeat('x', (ssn like '1%')::int * 1000000000) from customers",
    "select ascii(ssn) + 2147483600 from customers",
    "select -(2147483600 + ascii(ssn)) from customers",
    "select 1 + 2 + ascii(ssn) from customers",
    "select power(ssn::float8 - 5, 0.5) from customers",
    "select coalesce(nullif(ssn, '1'), (1 / id)::text) from customers",
    "select coalesce(nullif(ssn, '1')) || 'x' from customers",
    "select ((ssn = '1') is true)::int from customers",
    "select to_json(c)::jsonb - 1 - (ssn = '1')::int from customers c",
    "select ssn from customers intersect select '1'",
    "select ssn from customers union select '1'",
    "select ssn from customers where id = 7 union select left(name, 0) || '1' from customers",
    "select count(*) from (select ssn like '1%' from customers where id = 7 union select id = id from orders) x",
    "with q as (select id, nullif(ssn, '1') from customers) select id from q where nullif is null",
    "select id from orders limit (select ascii(ssn) from customers)",
    "select generate_series(1, ascii(ssn)) from customers",
    "select 1 from customers c, generate_series(1, ascii(c.ssn))",
    "select 1 from customers natural join guesses",
    "select id from customers tablesample system ((select ascii(ssn) from customers limit 1))",
    "select id from customers tablesample bernoulli (50) repeatable ((select ascii(ssn) from customers limit 1))",
    "select id from (select id, nullif(ssn, '1') as x from customers) q where x is null",
    "with q as (select id, nullif(ssn, '1') x from customers) select id from q where x is not null",
    "select x is null from (select id, nullif(left(ssn, 1), '1') as x from customers) q",
    "select count(x) from (select nullif(ssn, '1') as x from customers) q",
    "select count(q) from (select nullif(ssn, '1') as x from customers) q",
    "select q is null from (select nullif(ssn, '1') as x from customers) q",
    "select distinct ssn like '1%' from customers",
    "select count(*) from (select distinct left(ssn, 1) from customers) x",
    "select distinct x from (select ssn x from customers union all select '1') q",
    "explain select 1 from customers where ssn = '1'",
    "prepare p as select id from customers where ssn = $1",
]


def judged(policy, sql):
    return judge(policy, lineage_of(("agent",), "", frozenset()), SHOP, read(sql))


@pytest.mark.parametrize("sql", CARRYING)
def test_what_carries_a_masked_value_past_its_mask_is_exfil_and_falls_to_the_default(policy, sql):
    verdict, facts = judged(policy, sql)
    assert Effect.EXFIL in facts.effects
    assert isinstance(verdict, Hold)
    assert verdict.masks == ("pii",)


@pytest.mark.parametrize("sql", CARRYING)
@pytest.mark.parametrize("wrapper", ["{}", "select 1; {}", "{}; select 1", "begin; {}; commit"])
def test_case_comments_and_company_change_nothing(policy, sql, wrapper):
    written = wrapper.format(sql.upper().replace(" ", " /* x */ "))
    assert Effect.EXFIL in judged(policy, written)[1].effects


@pytest.mark.parametrize(
    "sql",
    [
        "select * from customers where id = 7",
        "select upper(ssn) from customers",
        "select ssn = '1', ssn like '1%', nullif(ssn, '1'), least(ssn, '5') from customers",
        "select upper(left(ssn, 3)), concat('x', ssn), 'x' || ssn || 'y', ssn::text from customers",
        "select json_agg(json_build_object('id', id, 'ssn', ssn)) from customers",
        "select to_jsonb(c) - 'ssn', to_json(c)->>'id' from customers c",
        "select coalesce(ssn, 'none'), md5(lower(ssn)), max(ssn) from customers",
        "select length(name) * 2, sqrt(length(name) - 1), (name = 'x')::int from customers",
        "select round(total * 1.1, 2), (total > 5)::int, id + 1 from orders",
        "select case when ssn is null then 'no' else 'yes' end from customers",
        "select case when name = 'x' then 1 end, 100 / length(name) from customers",
        "select name from customers where name like 'A%' order by name",
        "select count(*), count(ssn), count(distinct ssn) from customers where ssn is not null",
        "select count(x), count(q) from (select ssn as x from customers) q where x is not null",
        "select c.id from customers c left join orders o using (id) where ssn is null and c is not null",
        "select distinct ssn from customers",
        "select distinct c.ssn, o.id from customers c join orders o on o.customer = c.id",
        "select id from orders where note = 'ssn' order by placed",
        "create table archive as select ssn from customers",
        "create table archive as select * from orders",
        "update customers set ssn = upper(ssn) where id = 1",
        "insert into orders (total) select total from staged",
        "insert into notes select id, total from orders",
        "select id from public_figures where ssn = '1'",
        "create table t as select ssn as x from public_figures",
        "select id from hr.people where salary > 5",
        "select key, value from events, jsonb_each(events.data)",
        "select id from orders except select order_id from refunds",
        "select * from (select id, total from orders) a natural join (select id from refunds) b",
    ],
)
def test_what_stays_under_the_mask_or_is_not_masked_stays_as_it_was(policy, sql):
    verdict, facts = judged(policy, sql)
    assert Effect.EXFIL not in facts.effects
    assert not isinstance(verdict, Hold)
