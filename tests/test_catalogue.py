"""What a real server's catalogue says, and how sessions read by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.demo.postgres import Postgres
from gateway.facts.postgres import read
from gateway.model import Effect
from gateway.protocols.postgres import catalogue
from gateway.protocols.postgres.catalogue import survey
from gateway.protocols.postgres.knowing import Knowing, Known
from gateway.wire import Login
from tests.targets import Where

pytestmark = pytest.mark.live
SSN = "public.customers.ssn"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as postgres:
        postgres.psql("""
            CREATE TABLE customers (id int PRIMARY KEY, gone text, name text, ssn text, hint text GENERATED ALWAYS AS (left(ssn, 2)) STORED);
            ALTER TABLE customers DROP COLUMN gone;
            CREATE TABLE orders (id int PRIMARY KEY, customer_id int, note text);
            CREATE VIEW cards AS SELECT c.*, o.note FROM customers c JOIN orders o ON o.customer_id = c.id;
            CREATE VIEW tails (t) AS SELECT right(ssn, 4) FROM cards;
            CREATE MATERIALIZED VIEW kept AS SELECT ssn AS k FROM tails JOIN customers ON t = name;
            CREATE TABLE parts (id int, ssn text) PARTITION BY RANGE (id);
            CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (1) TO (9);
            CREATE TABLE "Twice" (a int); CREATE TABLE twice (b int);
            CREATE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN upper($1); END';
            CREATE FUNCTION ssn_of(int) RETURNS text STABLE LANGUAGE sql AS 'SELECT ssn FROM customers WHERE id = $1';
            CREATE FUNCTION purge() RETURNS int LANGUAGE sql AS 'DELETE FROM orders RETURNING 1';
            CREATE FUNCTION purge(customers) RETURNS int LANGUAGE sql AS 'DELETE FROM orders RETURNING 1';
            CREATE FUNCTION lent() RETURNS int STABLE SECURITY DEFINER LANGUAGE sql AS 'SELECT 1';
            CREATE FUNCTION set_up() RETURNS int STABLE LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1';
            CREATE ROLE little LOGIN PASSWORD 'sekret';
            CREATE FUNCTION busy(text DEFAULT 'x') RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
            CREATE FUNCTION filled(a boolean DEFAULT busy()) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1';
            CREATE FUNCTION parsed(i int) RETURNS text IMMUTABLE RETURN (SELECT ssn FROM customers WHERE id = i);
            CREATE FUNCTION atomic() RETURNS int BEGIN ATOMIC DELETE FROM orders; SELECT 1; END;
            CREATE FUNCTION mistaken() RETURNS text IMMUTABLE LANGUAGE plpgsql
                AS 'BEGIN RETURN (SELECT ssn FROM public.customers LIMIT 1); END';
            CREATE VIEW running AS SELECT id, busy(name) AS b FROM customers;
            CREATE VIEW over_it AS SELECT id FROM running;
            CREATE MATERIALIZED VIEW ran AS SELECT id, busy(name) AS b FROM customers;
            CREATE VIEW showing AS SELECT parsed(1) AS p;
            CREATE VIEW calm AS SELECT upper(name) AS u, name = 'x' AS e, shout(name) AS s FROM customers;
            CREATE FUNCTION compared(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
            CREATE OPERATOR === (FUNCTION = compared, LEFTARG = text, RIGHTARG = text);
            CREATE OPERATOR !!! (FUNCTION = pg_cancel_backend, RIGHTARG = int);
            CREATE VIEW comparing AS SELECT name === 'x' AS c FROM customers;
            CREATE DOMAIN checked AS text CHECK (busy(VALUE)) CHECK (VALUE <> 'q');
            CREATE DOMAIN above AS checked;
            CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);
            CREATE TYPE holding AS (a int, b above[]);
            CREATE TYPE pair AS (a text, b text);
            CREATE FUNCTION to_pair(text) RETURNS pair LANGUAGE plpgsql AS 'BEGIN RETURN ($1, $1)::pair; END';
            CREATE CAST (text AS pair) WITH FUNCTION to_pair(text);
            CREATE EXTENSION vector;
            CREATE VIEW brought AS SELECT busy('x') AS b;
            ALTER EXTENSION vector ADD VIEW brought;
            CREATE VIEW near AS SELECT '[1]'::vector <-> '[2]'::vector AS far;
        """)
        yield postgres


@pytest.fixture
async def known(server):
    known = Known()
    await ask(server, known)
    return known


async def ask(server, known, *, port=None, user=None, password=None):
    account = server.superuser
    where = Where(host=account.host, port=port or account.port)
    login = Login(user=user or account.user, password=password or account.password, database="postgres")
    return await survey(where, login, known)


def sources(texts, sql):
    return [(o.name, set(o.sources), o.exact) for o in texts.read(sql).outputs]


async def test_columns_of_tables_views_partitions_and_generated_ones_are_known(known):
    texts = known.texts
    assert [name for name, _, _ in sources(texts, "select * from customers")] == ["id", "name", "ssn", "hint"]
    assert sources(texts, "select c from customers as x (a, b, c)") == [("c", {SSN}, True)]
    assert sources(texts, "select hint from customers") == [("hint", {SSN, "public.customers.hint"}, False)]
    assert sources(texts, "select ssn from cards") == [("ssn", {SSN, "public.cards.ssn"}, True)]
    assert sources(texts, "select t from tails") == [
        ("t", {SSN, "public.cards.ssn", "public.tails.t"}, False)
    ]
    assert sources(texts, "select k from kept") == [("k", {SSN, "public.kept.k"}, True)]
    assert sources(texts, "select ssn from part_1") == [
        ("ssn", {"public.part_1.ssn", "public.parts.ssn"}, True)
    ]
    assert sources(texts, "select to_json(o) from orders o")[0][1] == {
        "public.orders.id",
        "public.orders.customer_id",
        "public.orders.note",
    }
    assert sources(texts, "select b from twice") == [("b", {"twice.b"}, True)]


async def test_answers_tell_by_number_where_their_columns_are_stored(server, known):
    found = server.psql(
        "SELECT attrelid::int8, attnum FROM pg_attribute WHERE attname = 'ssn' AND attrelid = 'customers'::regclass"
    )
    table, number = map(int, found.split("|"))
    assert known.told.places[table, number] == SSN
    assert "public.cards.ssn" not in known.told.places.values()


@pytest.mark.parametrize(
    ("sql", "effects"),
    [
        ("select shout('x')", {Effect.READ}),
        ("select ssn_of(1)", {Effect.READ}),
        ("select purge()", {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE}),
        ("select c.purge from customers c", {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE}),
        ("select lent()", {Effect.READ, Effect.UNKNOWN}),
        ("select set_up()", {Effect.READ, Effect.UNKNOWN}),
        ("select filled()", {Effect.READ, Effect.UNKNOWN}),
        ("select parsed(1)", {Effect.READ}),
        ("select atomic()", {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE}),
        ("select id from running", {Effect.READ, Effect.UNKNOWN}),
        ("select id from over_it", {Effect.READ, Effect.UNKNOWN}),
        ("select b from ran", {Effect.READ}),
        ("select u, e, s from calm", {Effect.READ}),
        ("select c from comparing", {Effect.READ, Effect.UNKNOWN}),
        ("select 'a' === 'b'", {Effect.READ, Effect.UNKNOWN}),
        ("select !!! 1", {Effect.READ, Effect.DESTRUCTIVE}),
        ("select 'x'::checked", {Effect.READ, Effect.UNKNOWN}),
        ("select 'x'::above", {Effect.READ, Effect.UNKNOWN}),
        ("select '(1,{x})'::holding", {Effect.READ, Effect.UNKNOWN}),
        ("select '{x}'::_checked", {Effect.READ, Effect.UNKNOWN}),
        ("select 'x'::short", {Effect.READ}),
        ("select 'x'::text::pair", {Effect.READ, Effect.UNKNOWN}),
    ],
)
async def test_functions_are_what_the_catalogue_says(known, sql, effects):
    assert known.texts.read(sql).effects == effects


async def test_what_parsed_bodies_and_plans_bring_is_followed(known):
    assert {SSN} <= sources(known.texts, "select parsed(1)")[0][1]
    assert {SSN} <= sources(known.texts, "select p from showing")[0][1]
    assert {SSN} <= sources(known.texts, "explain verbose select p from showing")[0][1]
    assert {SSN} <= sources(known.texts, "explain verbose select mistaken()")[0][1]


async def test_what_came_with_an_extension_is_believed(known):
    assert known.told.operators["public.==="] == ("public.compared",)
    assert known.told.operators["public.<->"] == ()
    for sql in (
        "select '[1]'::vector <-> '[2]' where 1 = 1",
        "select far from near",
        "select b from brought",
    ):
        assert known.texts.read(sql).effects == {Effect.READ}, sql


async def test_one_who_may_do_little_may_still_ask(server):
    known = Known()
    assert await ask(server, known, user="little", password="sekret") == ""
    assert known.told is not None


async def test_a_target_that_cannot_be_asked_is_read_with_doubt_again(server, known):
    assert "could not be asked" in await ask(server, known, port=1)
    assert known.told is None
    assert known.texts.read("select * from tails").outputs == read("select * from tails").outputs
    assert "28P01" in await ask(server, known, password="wrong", user="little")
    assert known.told is None


async def test_a_catalogue_without_end_is_not_loaded(server, monkeypatch):
    monkeypatch.setattr(catalogue, "RELATIONS", 3)
    known = Known()
    assert "more than 3 tables" in await ask(server, known)
    assert known.told is None


async def test_facts_are_kept_while_the_catalogue_stays_the_same(server, known):
    before = known.texts
    await ask(server, known)
    assert known.texts is before


async def test_after_a_definition_functions_are_doubted_until_the_catalogue_was_read_twice(server, known):
    defining, other = Knowing(known), Knowing(known)
    call, create = "select shout('x')", "create function shout(int) returns int language sql as 'select 1'"
    eras = [defining.era]
    assert defining.read(call).complete
    defining.released(defining.read(create), create)
    eras.append(defining.era)
    for knowing in (defining, other):
        assert not knowing.read(call).complete
        assert knowing.read("select t from tails").outputs[0].sources >= {SSN}
    await ask(server, known)
    assert not other.read(call).complete
    await ask(server, known)
    assert other.read(call).complete
    assert not defining.read(call).complete
    assert len(set(map(id, eras))) == len(eras)


async def test_a_commit_after_a_definition_counts_as_one(server, known):
    defining, other = Knowing(known), Knowing(known)
    create = "create view v as select 1"
    defining.released(defining.read(create), create)
    await ask(server, known)
    await ask(server, known)
    defining.released(defining.read("commit"), "commit")
    assert not other.read("select shout('x')").complete


@pytest.mark.parametrize(
    "sql",
    [
        "set search_path = crm",
        "set search_path = pg_temp, public",
        "update pg_settings set setting = 'crm' where name = 'search_path'",
        "create temp table customers (a int)",
        "do 'begin end'",
        "call tidy()",
    ],
)
async def test_a_session_that_may_have_changed_what_names_mean_is_read_both_ways(known, sql):
    knowing = Knowing(known)
    knowing.released(knowing.read(sql), sql)
    assert knowing.read("select a from customers").outputs == read("select a from customers").outputs
    assert {SSN, "tails.t"} <= knowing.read("select t from tails").outputs[0].sources
    assert not knowing.read("select shout('x')").complete
