"""The numbers on the card are what the policy would say of each table, before the grant and while it lasts."""

from __future__ import annotations

import pytest

from gateway.contract import ReachedView, TablesView
from gateway.elevations import Request, Wish, showing
from gateway.elevations.asking import by_hand
from gateway.facts.schema import Schema
from gateway.model import Actor, Effect, Lineage, Output
from gateway.policy.file import parse
from gateway.vocabulary import known

POLICY = """
connections:
  shop: {protocol: postgres, listen: 127.0.0.1:1, upstream: "postgresql://127.0.0.1/shop?sslmode=disable", credential: {user: g}}
agents: {fixer: {scope: {shop: [SCOPE]}}}
groups: {dba: {members: [ana@example.com]}, support: {members: [dana@example.com]}}
rules:
  - {name: reads, when: {effects: [read]}, then: {allow: true, mask: pii}}
  - {name: carts, when: {effects: [write], resources: [public.carts]}, then: {allow: true}}
  - {name: writes, when: {effects: [write], resources: ["public.orders", "public.customers"]}, then: {hold: {approvers: dba}}}
  - {name: payroll, when: {resources: ["payroll.*"], effects: [write]}, then: {block: "No."}}
  - {name: salaries, when: {resources: ["payroll.salaries"], effects: [read]}, then: {hold: {approvers: dba}}}
default: {hold: {approvers: dba}}
masks: {pii: {detect: [email], columns: {"*.ssn": redact, "customers.email": partial}}}
elevations:
  - {name: fix, by_hand: true, effects: [read, write], OFFER hold: {approvers: dba}}
"""


def table(name: str, *columns: str) -> tuple[Output, ...]:
    return tuple(Output(name=each, sources=frozenset({f"{name}.{each}"})) for each in columns)


SCHEMA = Schema(
    path=("pg_catalog", "public"),
    relations={
        "public.carts": table("public.carts", "id"),
        "public.orders": table("public.orders", "id", "paid"),
        "public.customers": table("public.customers", "id", "email", "ssn"),
        # A view shows another table's column under another name.
        "public.people": (Output(name="number", sources=frozenset({"public.customers.ssn"})),),
        "payroll.salaries": table("payroll.salaries", "id", "ssn"),
    },
)
AGENT = Lineage(person="dana@example.com", chain=(Actor(name="fixer", token_id="t1"),))


def counted(
    *effects: Effect,
    lineage: Lineage = AGENT,
    scope: str = "read, write",
    offer: str = "",
) -> TablesView:
    policy = parse(POLICY.replace("SCOPE", scope).replace("OFFER", offer), "policies.yaml", known())
    wish = Wish(connection="shop", effects=frozenset(effects), seconds=600.0, reason="x")
    request = Request(lineage=lineage, wish=wish, asked_by="dana@example.com")
    return showing.counted(request, policy.elevations[0], policy, SCHEMA, now=1_700_000_000.0)


READ_FREELY = {"read": 4, "columns": 7, "masked": 3}


def test_writes_that_are_held_are_counted_while_it_lasts_and_blocked_ones_never() -> None:
    assert counted(Effect.WRITE) == TablesView(
        total=5,
        before=ReachedView(**READ_FREELY, written=1),
        after=ReachedView(**READ_FREELY, written=4),
    )


def test_reads_that_are_held_are_counted_with_their_masked_columns() -> None:
    found = counted(Effect.READ)
    assert found.before == ReachedView(**READ_FREELY, written=1)
    assert found.after == ReachedView(read=5, columns=9, masked=4, written=1)


def test_only_what_the_offer_is_for_is_counted() -> None:
    found = counted(Effect.WRITE, offer="resources: [public.orders],")
    assert (found.before.written, found.after.written) == (1, 2)


def test_what_lies_outside_of_the_scope_stays_there() -> None:
    found = counted(Effect.READ, Effect.WRITE, scope="read")
    assert (found.before.written, found.after.written, found.after.read) == (0, 0, 5)


@pytest.mark.parametrize(("groups", "masked"), [(("support",), 3), ((), 4)])
def test_by_hand_one_begins_with_nothing_and_sees_what_is_revealed(
    groups: tuple[str, ...], masked: int
) -> None:
    found = counted(
        Effect.READ,
        lineage=by_hand("dana@example.com", frozenset(groups)),
        offer='reveal: {columns: ["customers.email"], to: support},',
    )
    assert found.before == ReachedView()
    assert found.after == ReachedView(read=5, columns=9, masked=masked)


def test_a_bare_name_means_the_first_in_the_path() -> None:
    schema = Schema(path=("a", "b"), relations={"b.one": (), "a.one": (), "b.two": (), "c.three": ()})
    assert [names for names, _ in schema.names()] == [
        ("b.one",),
        ("a.one", "one"),
        ("b.two", "two"),
        ("c.three",),
    ]
