"""What the catalogue of a MySQL or MariaDB target adds: stars, views, joins by name, bare names; and what shadows it."""

from __future__ import annotations

import pytest

from gateway.facts.mysql import Context, Texts, follow, read
from gateway.facts.mysql.resolving import resolved
from gateway.facts.schema import Table
from gateway.model import Effect
from gateway.policy.carrying import under_masks
from gateway.policy.file import load
from gateway.vocabulary import known

SSN = "billing.customers.ssn"
TAIL = {SSN, "billing.cards.tail"}
TABLES = {
    "billing.customers": Table(columns=("id", "name", "ssn")),
    "billing.orders": Table(columns=("id", "customer_id", "note")),
    "billing.notes": Table(columns=("note", "id", "body")),
    "crm.people": Table(columns=("id", "ssn")),
    "billing.patients": Table(columns=("id", "ssn", "hint"), generated={"hint": "left(`ssn`,2)"}),
    "billing.escaped": Table(
        columns=("id", "ssn", "note", "full"),
        generated={"full": r"concat(_utf8mb4\'\\\'\',`ssn`,_utf8mb4\'\\\' \',`id`)"},
    ),
    "billing.cards": Table(
        columns=("id", "tail"),
        definition="select `c`.`id` AS `id`,right(`c`.`ssn`,4) AS `tail` from `billing`.`customers` `c`",
    ),
    "billing.tails": Table(
        columns=("t",), definition="select `billing`.`cards`.`tail` AS `t` from `billing`.`cards`"
    ),
    "billing.plain": Table(
        columns=("id", "note"),
        definition="select `o`.`id` AS `id`,`o`.`note` AS `note` from (`billing`.`orders` `o` join `billing`.`customers` `c`"
        " on(`c`.`id` = `o`.`customer_id`)) where `c`.`ssn` <> _utf8mb4'0'",
    ),
    "billing.broken": Table(columns=("a",), definition="select from from"),
    "billing.hidden": Table(columns=("a",), definition=" "),
    "billing.round": Table(
        columns=("a",), definition="select `billing`.`round`.`a` AS `a` from `billing`.`round`"
    ),
}
POLICY = """
connections:
  billing: {protocol: mysql, upstream: "mysql://127.0.0.1:1/billing", listen: "127.0.0.1:0", credential: {user: gateway}}
rules: [{name: reads, when: {effects: [read]}, then: {allow: true, mask: [hidden]}}]
default: hold
"""
KNOWN = Texts(resolved(TABLES, ("billing",)))


def told(facts):
    return [(o.name, set(o.sources), o.exact) for o in facts.outputs]


def columns(table, *names):
    return [(name, {f"{table}.{name}"}, True) for name in names]


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("select * from customers", columns("billing.customers", "id", "name", "ssn")),
        ("table customers", columns("billing.customers", "id", "name", "ssn")),
        ("select c.* from orders o join customers c", columns("billing.customers", "id", "name", "ssn")),
        ("select x from (select * from orders) o (a, b, x)", [("x", {"billing.orders.note"}, True)]),
        ("with q (a, b, x) as (select * from customers) select x from q", [("x", {SSN}, True)]),
        ("select note from customers, orders", [("note", {"billing.orders.note"}, True)]),
        ("select tail from cards", [("tail", TAIL, False)]),
        ("select billing.cards.tail from cards", [("tail", TAIL, False)]),
        ("select billing.k.tail from cards k", [("tail", TAIL, False)]),
        ("select CARDS.TAIL from `Cards`", [("tail", TAIL, False)]),
        ("select * from tails", [("t", TAIL | {"billing.tails.t"}, False)]),
        (
            "select * from plain",
            [(c, {f"billing.orders.{c}", f"billing.plain.{c}"}, True) for c in ("id", "note")],
        ),
        ("select hint from patients", [("hint", {"billing.patients.hint", "billing.patients.ssn"}, False)]),
        (
            "select full from escaped",
            [("full", {f"billing.escaped.{column}" for column in ("full", "ssn", "id")}, False)],
        ),
        ("select a from broken", [("a", {"*"}, False)]),
        ("select a from hidden", [("a", {"*"}, False)]),
        ("select a from round", [("a", {"*", "billing.round.a"}, False)]),
        ("select ssn from crm.people", [("ssn", {"crm.people.ssn"}, True)]),
        ("select ssn from people", [("ssn", {"people.ssn"}, True)]),
        ("select x from elsewhere", [("x", {"elsewhere.x"}, True)]),
        ("select later from orders", [("later", {"later"}, True)]),
        ("select crm.c.ssn from orders c join crm.people c", [("ssn", {"crm.people.ssn"}, True)]),
        ("select c.ssn from orders c join crm.people c", [("ssn", {"crm.people.ssn"}, True)]),
        ("delete from notes where id = 1 returning *", columns("billing.notes", "note", "id", "body")),
    ],
)
def test_names_lead_to_what_is_stored(sql, wanted):
    assert told(KNOWN.read(sql)) == wanted


@pytest.mark.parametrize(
    "join",
    [
        "orders natural join notes",
        "orders join notes using (note, id)",
        "orders left join notes using (id, note)",
    ],
)
def test_shared_columns_stand_first_in_the_order_of_the_side_that_is_kept(join):
    found = KNOWN.read(f"select * from {join}").outputs
    assert [output.name for output in found] == ["id", "note", "customer_id", "body"]
    assert found[0].sources == {"billing.orders.id", "billing.notes.id"}
    other = KNOWN.read("select * from orders natural right join notes").outputs
    assert [output.name for output in other] == ["note", "id", "body", "customer_id"]


def test_of_more_than_two_joined_tables_the_order_is_the_targets_to_tell():
    assert [
        output.name for output in KNOWN.read("select * from orders natural join notes, cards").outputs
    ] == ["*"]


def test_only_columns_of_both_sides_of_a_natural_join_are_compared():
    facts = KNOWN.read("select 1 from orders natural join customers")
    assert {r.name for r in facts.resources if r.kind == "condition"} == {
        "billing.orders.id",
        "billing.customers.id",
    }


def test_what_a_view_does_is_not_the_readers_condition():
    facts = KNOWN.read("select id from plain")
    assert not [r for r in facts.resources if r.kind == "condition"]
    assert (facts.effects, facts.complete) == ({Effect.READ}, True)


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        (
            "insert into notes select * from customers",
            {("notes.note", "id"), ("notes.id", "name"), ("notes.body", "ssn")},
        ),
        ("create table copied as select * from customers", {(f"copied.{c}", c) for c in ("id", "name", "ssn")}),
        ("update orders o join customers c on c.id = o.customer_id set o.note = c.ssn", {("orders.note", "ssn")}),
        ("insert into notes (id) values (1) on duplicate key update body = (select ssn from customers limit 1)",
         {("notes.body", "ssn")}),
    ],
)  # fmt: skip
def test_what_is_stored_goes_by_place(sql, wanted):
    moved = {(m.name, source) for m in KNOWN.read(sql).carried for source in m.sources}
    assert moved == {(to, f"billing.customers.{column}") for to, column in wanted}


def test_a_view_under_a_new_name_still_shows_what_it_showed():
    moved = KNOWN.read("rename table cards to c2").carried
    assert [(m.name, m.exact, SSN in m.sources) for m in moved] == [("c2.*", False, True)]


@pytest.mark.parametrize("known", [KNOWN, Texts()], ids=["known", "unknown"])
def test_an_alias_may_be_called_by_its_tables_database(known):
    for sql in ("select billing.c.ssn from billing.customers c", "select billing.c.ssn from customers c"):
        [output] = known.read(sql).outputs
        assert {source.removeprefix("billing.") for source in output.sources} == {"customers.ssn"}


def test_bare_names_are_of_the_database_that_is_in_use():
    elsewhere = follow("use crm", Context())
    assert told(KNOWN.read("select * from people", elsewhere)) == columns("crm.people", "id", "ssn")
    assert told(KNOWN.read("select tail from cards", elsewhere)) == [("tail", {"cards.tail"}, True)]
    assert told(KNOWN.read("use crm; select * from people")) == columns("crm.people", "id", "ssn")


def test_a_temporary_table_shadows_the_one_of_its_name_alone():
    made = "create temporary table notes (ssn text, id int)"
    for facts in (KNOWN.read("select * from notes", follow(made, Context())),
                  KNOWN.read(f"{made}; select * from notes")):  # fmt: skip
        [star] = facts.outputs
        assert (star.name, star.exact) == ("*", True)
        assert star.sources >= {"billing.notes.*"}
    behind = follow(made, Context())
    assert told(KNOWN.read("select * from orders", behind))[0] == ("id", {"billing.orders.id"}, True)


@pytest.mark.parametrize(
    "defining",
    [
        "alter table orders add column first_of_all int first",
        "create or replace table orders (note int, id int)",
        "rename table notes to orders",
        "alter table notes rename to orders",
        "begin not atomic create temporary table orders (note int); end",
    ],
)
def test_what_a_session_defined_is_no_longer_in_the_order_of_the_catalogue(defining):
    [star] = KNOWN.read("select * from orders", follow(defining, Context())).outputs
    assert (star.name, star.exact) == ("*", True)
    assert star.sources >= {"billing.orders.*", "billing.orders.note"}


def test_a_view_stays_followed_behind_a_temporary_table_of_its_name():
    gone = "create temporary table cards (a int); drop table cards; select tail from cards"
    assert told(KNOWN.read(gone)) == [("tail", TAIL, False)]
    [output] = KNOWN.read("create temporary table cards as select tail t from cards").carried
    assert output.sources == TAIL


def test_after_code_that_nobody_saw_any_name_may_mean_a_temporary_table():
    behind = follow("call tidy()", Context())
    [star] = KNOWN.read("select * from orders", behind).outputs
    assert star.sources >= {"billing.orders.*", "billing.orders.note"}
    assert told(KNOWN.read("select tail from cards", behind)) == [("tail", TAIL, False)]


def test_each_catalogue_is_remembered_apart():
    sql = "select * from customers"
    assert KNOWN.read(sql) is KNOWN.read(sql)
    assert told(KNOWN.read(sql)) != told(Texts(resolved({}, ())).read(sql)) == told(read(sql))


@pytest.mark.parametrize("masked", ["customers.ssn", "cards.tail"])
@pytest.mark.parametrize(
    ("sql", "past"),
    [
        ("select * from cards", False),
        ("select id from cards where id = 7", False),
        ("select * from orders where note like 'a%'", False),
        ("insert into notes select * from orders", False),
        ("select id from cards where tail = '1234'", True),
        ("select id from cards order by billing.cards.tail", True),
        ("insert into notes (body) select tail from cards", True),
        ("create table copied as select * from cards", True),
        ("rename table cards to shown", True),
        ("update orders o join cards c on c.id = o.id set o.note = c.tail where o.id = 7", True),
    ],
)
def test_what_carries_a_masked_column_past_its_mask_is_found_behind_a_view(tmp_path, masked, sql, past):
    path = tmp_path / "policies.yaml"
    path.write_text(f"masks: {{hidden: {{columns: {{{masked}: redact}}}}}}\n{POLICY}")
    facts = under_masks(load(path, known()), ["hidden"], KNOWN.read(sql))
    assert (Effect.EXFIL in facts.effects) is past
