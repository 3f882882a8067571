"""What the target's catalogue adds: stars, views, positional aliases, bare names and functions of the target's own."""

from __future__ import annotations

import pytest

from gateway.facts.postgres import Texts
from gateway.facts.postgres.resolving import resolved
from gateway.facts.schema import Cast, Function, Table
from gateway.model import Effect

SSN = "public.customers.ssn"
TABLES = {
    "public.customers": Table(columns=("id", "name", "ssn", "data")),
    "public.orders": Table(columns=("id", "customer_id", "total", "note")),
    "public.notes": Table(columns=("id", "body")),
    "crm.people": Table(columns=("id", "ssn")),
    "public.patients": Table(columns=("id", "ssn", "hint"), generated={"hint": '"left"(ssn, 2)'}),
    "public.customers_old": Table(columns=("ssn", "id"), parents=("public.customers",)),
    "public.cards": Table(
        columns=("id", "tail"), definition='SELECT c.id, "right"(c.ssn, 4) AS tail FROM public.customers c'
    ),
    "public.tails": Table(columns=("t",), definition="SELECT cards.tail FROM public.cards"),
    "public.broken": Table(columns=("a",), definition="SELECT FROM FROM"),
    "public.round": Table(columns=("a",), definition="SELECT round.a FROM public.round"),
    "public.busy": Table(
        columns=("id", "x"), definition="SELECT orders.id, public.secret() AS x FROM public.orders"
    ),
    "public.purging": Table(columns=("x",), definition="SELECT public.purge() AS x"),
    "public.deeper": Table(columns=("id",), definition="SELECT busy.id FROM public.busy"),
    "public.kept": Table(columns=("x",), definition="SELECT public.secret() AS x", believed=True),
    "public.early": Table(columns=("x",), definition="SELECT public.tail_of() AS x"),
    "public.shown": Table(columns=("x",), definition="SELECT public.mistaken() AS x"),
    "public.plain": Table(
        columns=("x", "y"),
        definition="SELECT lower('A'::text) AS x, ('a'::text OPERATOR(public.%) 'b'::text) AS y",
    ),
}
OPERATORS = {
    "public.===": ("public.secret",),
    "public.!!!": ("pg_catalog.pg_cancel_backend",),
    "public.<=": ("public.purge",),
    "public.<->": ("public.fullname",),
    "public.%": (),
}
TYPES = {
    "public.checked": Cast(checks=("(VALUE <> ''::text) AND public.secret(VALUE)",)),
    "public.short": Cast(checks=("length(VALUE) < 9",)),
    "public.pair": Cast(calls=("public.purge",)),
}
FUNCTIONS = {
    "public.fullname": (
        Function(language="plpgsql", immutable=True, body="begin return upper(coalesce($1.name, '')); end"),
    ),
    "public.mistaken": (
        Function(
            language="plpgsql", immutable=True, body="begin return (select ssn from customers limit 1); end"
        ),
    ),
    "public.roundabout": (
        Function(language="plpgsql", immutable=True, body="begin execute 'select 1'; return 1; end"),
    ),
    "public.unseen": (Function(language="plpgsql", immutable=True),),
    "public.c_code": (Function(language="c", immutable=True),),
    "public.ssn_of": (
        Function(language="sql", immutable=False, body="select ssn from customers where id = $1"),
    ),
    "public.purge": (Function(language="sql", immutable=False, body="delete from orders"),),
    "public.secret": (Function(language="plpgsql", immutable=False),),
    "public.tail_of": (Function(language="sql", immutable=False, body="select tail from cards limit 1"),),
    "public.again": (Function(language="sql", immutable=False, body="select again()"),),
    "public.lower": (Function(language="plpgsql", immutable=False),),
    "public.initcap": (Function(language="sql", immutable=False, body="delete from orders"),),
    "public.max": (Function(language="", immutable=True, extension=True),),
    "public.parsed": (Function(language="sql", immutable=True),),
    "public.filled": (Function(language="sql", immutable=True, body="select $1", defaults="secret()"),),
    "public.dated": (Function(language="sql", immutable=False, body="select $1", defaults="now(), 7"),),
    "public.either_of": (
        Function(language="plpgsql", immutable=True),
        Function(language="plpython3u", immutable=True),
    ),
}
SCHEMA = resolved(TABLES, FUNCTIONS, ("pg_catalog", "public"), operators=OPERATORS, types=TYPES)
read = Texts(SCHEMA).read
OLD = "public.customers_old.ssn"


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("select b from customers as c (a, b)", [("b", {"public.customers.name"}, True)]),
        ("select c from customers as t (a, b, c)", [("c", {SSN, OLD}, True)]),
        ("select t.c from public.customers as t (a, b, c)", [("c", {SSN, OLD}, True)]),
        ("select note from customers, orders", [("note", {"public.orders.note"}, True)]),
        ("select (select note) from customers, orders", [("note", {"public.orders.note"}, True)]),
        ("select tail from cards", [("tail", {SSN, OLD, "public.cards.tail"}, False)]),
        ("select * from tails", [("t", {SSN, OLD, "public.cards.tail", "public.tails.t"}, False)]),
        ("select to_json(n) from notes n", [("to_json", {"public.notes.id", "public.notes.body"}, False)]),
        ("select n.to_json from notes n", [("to_json", {"public.notes.id", "public.notes.body"}, False)]),
        ("select hint from patients", [("hint", {"public.patients.hint", "public.patients.ssn"}, False)]),
        ("select ssn from customers_old", [("ssn", {SSN, OLD}, True)]),
        ("select a from broken", [("a", {"*"}, False)]),
        ("select a from round", [("a", {"*", "public.round.a"}, False)]),
        ("select ctid from orders", [("ctid", set(), True)]),
        ("select o.ctid, o.xmin from orders o", [("ctid", set(), True), ("xmin", set(), True)]),
        ("select ssn from crm.people", [("ssn", {"crm.people.ssn"}, True)]),
        ("select x from elsewhere", [("x", {"elsewhere.x"}, True)]),
        ("select later from orders", [("later", {"later"}, True)]),
        ("copy notes to stdout", [("id", {"public.notes.id"}, True), ("body", {"public.notes.body"}, True)]),
        ("select ssn_of(7)", [("ssn_of", {SSN, OLD}, False)]),
        ("select mistaken()", [("mistaken", {SSN, OLD}, False)]),
        (
            "update orders set note = 'x' where id = 1 returning *",
            [(column, {f"public.orders.{column}"}, True) for column in TABLES["public.orders"].columns],
        ),
    ],
)
def test_names_lead_to_what_is_stored(sql, wanted):
    assert [(o.name, set(o.sources), o.exact) for o in read(sql).outputs] == wanted


def test_what_is_inserted_goes_by_place():
    carried = read("insert into notes select id, ssn from customers").carried
    assert {(moved.name, frozenset(moved.sources)) for moved in carried} == {
        ("notes.id", frozenset({"public.customers.id", "public.customers_old.id"})),
        ("notes.body", frozenset({SSN, OLD})),
    }


def test_only_columns_of_both_sides_of_a_natural_join_are_compared():
    facts = read("select 1 from orders natural join notes")
    assert {r.name for r in facts.resources if r.kind == "condition"} == {
        "public.orders.id",
        "public.notes.id",
    }


@pytest.mark.parametrize(
    ("sql", "effects"),
    [
        ("select fullname(c) from customers c", {Effect.READ}),
        ("select public.fullname(c) from customers c", {Effect.READ}),
        ("select c.fullname from customers c", {Effect.READ}),
        ("select ssn_of(7)", {Effect.READ}),
        ("select mistaken(), c_code()", {Effect.READ}),
        ("select roundabout()", {Effect.READ, Effect.UNKNOWN}),
        ("select unseen()", {Effect.READ, Effect.UNKNOWN}),
        ("select purge()", {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE}),
        ("select o.purge from orders o", {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE}),
        ("select secret()", {Effect.READ, Effect.UNKNOWN}),
        ("select c.secret from customers c", {Effect.READ, Effect.UNKNOWN}),
        ("select again()", {Effect.READ, Effect.UNKNOWN}),
        ("select either_of(1)", {Effect.READ, Effect.UNKNOWN}),
        ("select crm.fullname(1)", {Effect.READ, Effect.UNKNOWN}),
        ("select stranger()", {Effect.READ, Effect.UNKNOWN}),
        ("select (c.id).purge from customers c", {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE}),
        ("select (1).secret", {Effect.READ, Effect.UNKNOWN}),
        ("select lower('A'::varchar)", {Effect.READ, Effect.UNKNOWN}),
        ("select initcap(name) from customers", {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE}),
        ("select pg_catalog.lower('A'), max(id) from customers", {Effect.READ}),
    ],
)
def test_functions_of_the_targets_own_do_what_their_text_does(sql, effects):
    assert read(sql).effects == effects


UNKNOWN = {Effect.READ, Effect.UNKNOWN}
PURGES = {Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE}


@pytest.mark.parametrize(
    ("sql", "effects"),
    [
        # Bodies that cannot be had, and arguments that are filled in.
        ("select parsed()", UNKNOWN),
        ("select filled()", UNKNOWN),
        ("select dated()", {Effect.READ}),
        # Views run their queries.
        ("select id from busy", UNKNOWN),
        ("table deeper", UNKNOWN),
        ("select 1 from orders where id in (select id from public.deeper)", UNKNOWN),
        ("select x from purging", PURGES),
        ("copy busy to stdout", UNKNOWN),
        ("explain select x from busy", UNKNOWN),
        ("select x from kept", {Effect.READ}),
        ("select x, y from plain", {Effect.READ}),
        ("select a from broken", UNKNOWN),
        ("select tail from cards", {Effect.READ}),
        # Operators call functions.
        ("select 1 === 2", UNKNOWN),
        ("select id from orders where note === 'x'", UNKNOWN),
        ("select 1 operator(public.===) 2", UNKNOWN),
        ("select 1 operator(crm.===) 2", UNKNOWN),
        ("select 1 operator(pg_catalog.=) 2", {Effect.READ}),
        ("select !!! 4711", PURGES - {Effect.WRITE}),
        ("select 1 between 0 and 2", PURGES),
        ("select id from orders order by id using <=", PURGES),
        ("select 1 <-> 2", {Effect.READ}),
        ("select 'a' % 'b', 'a' operator(public.%) 'b'", {Effect.READ}),
        # Casts call functions, and domains check.
        ("select 'x'::checked", UNKNOWN),
        ("select 'x'::public.checked[]", UNKNOWN),
        ("select checked 'x'", UNKNOWN),
        ("select cast(note as checked) from orders", UNKNOWN),
        ("select * from json_to_record('{}') as r (a checked)", UNKNOWN),
        ("select pg_input_is_valid('x', ' public.checked ')", UNKNOWN),
        ("select pg_input_is_valid('x', note) from orders", UNKNOWN),
        ("select pg_input_is_valid('x', 'int')", {Effect.READ}),
        ("select 'x'::short, 'x'::text", {Effect.READ}),
        ("select 'x'::pair", PURGES),
    ],
)
def test_what_the_text_calls_without_a_call_counts(sql, effects):
    assert read(sql).effects == effects


def test_a_rule_may_name_the_view_that_nobody_can_tell_of():
    facts = read("select b.id from public.busy b join orders o on o.id = b.id")
    unknown = [(r.kind, r.name) for r in facts.resources if r.effect is Effect.UNKNOWN]
    assert ("table", "public.busy") in unknown
    assert ("table", "orders") not in unknown


def test_what_a_check_looks_at_is_no_column():
    assert not read("select 'x'::short").resources


def test_a_view_shows_what_its_functions_bring_by_views_that_come_later():
    (output,) = read("select x from early").outputs
    assert {SSN, OLD} <= output.sources


def test_a_plan_shows_what_it_was_computed_from():
    for sql in ("explain verbose select mistaken()", "explain select x from shown"):
        (plan,) = read(sql).outputs
        assert plan.sources == {SSN, OLD}, sql
    (plan,) = read("explain verbose select ssn from customers where ssn = '1'").outputs
    assert not plan.sources


def test_where_functions_may_be_new_views_that_call_them_are_not_believed():
    wary = Texts(SCHEMA.wary()).read
    assert wary("select x from shown").effects == UNKNOWN
    assert wary("select 1 <-> 2").effects == UNKNOWN
    assert wary("select tail from cards").effects == {Effect.READ}
    assert wary("select 'x'::short").effects == {Effect.READ}


LOOSE = Texts(SCHEMA.loosened()).read


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("select tail from cards", [("tail", {SSN, OLD, "public.cards.tail", "cards.tail"}, False)]),
        ("select t from public.tails", [("t", {SSN, OLD, "public.cards.tail", "public.tails.t"}, False)]),
        (
            "select tail from crm.cards",
            [("tail", {SSN, OLD, "public.cards.tail", "cards.tail", "crm.cards.tail"}, False)],
        ),
        ("select ssn from people", [("ssn", {"crm.people.ssn", "people.ssn"}, True)]),
        ("select name from customers", [("name", {"public.customers.name", "customers.name"}, True)]),
        ("select later from customers", [("later", {"customers.later"}, True)]),
        (
            "select * from notes",
            [
                ("*", {"notes.*"}, True),
                ("id", {"public.notes.id", "notes.id"}, True),
                ("body", {"public.notes.body", "notes.body"}, True),
                ("*", {"notes.*"}, True),
            ],
        ),
        ("select x from elsewhere", [("x", {"elsewhere.x"}, True)]),
    ],
)
def test_where_names_may_mean_something_else_they_lead_to_all_that_they_may_mean(sql, wanted):
    assert [(o.name, set(o.sources), o.exact) for o in LOOSE(sql).outputs] == wanted


def test_where_names_may_mean_something_else_no_place_says_which_column_is_written():
    carried = LOOSE("insert into notes select id, ssn from customers").carried
    assert {moved.name for moved in carried} == {"notes.*"}


def test_where_names_may_mean_something_else_any_view_of_that_name_may_be_run():
    assert LOOSE("select x from busy").effects == UNKNOWN
    assert LOOSE("select x from crm.busy").effects == UNKNOWN
    assert LOOSE("select tail from cards").effects == {Effect.READ}


def test_what_a_view_does_is_not_the_readers_condition():
    tables = TABLES | {
        "public.known": Table(
            columns=("id",), definition="SELECT c.id FROM public.customers c WHERE c.ssn IS DISTINCT FROM '0'"
        )
    }
    facts = Texts(resolved(tables, {}, ("public",))).read("select id from known")
    assert not [r for r in facts.resources if r.kind == "condition"]


def test_each_schema_is_remembered_apart():
    other = Texts(resolved({"public.orders": Table(columns=("id",))}, {}, ("public",)))
    sql = "select note from customers, orders"
    assert read(sql).outputs != other.read(sql).outputs
    assert read(sql) is read(sql)
