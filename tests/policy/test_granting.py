"""A grant covers what it names, exactly as it is written, and nothing that comes along."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Effect, Hold
from gateway.policy.evaluate import evaluate
from gateway.policy.granting import covered, satisfied
from gateway.policy.kinds import Patterns
from tests.policy.house import AGENT, DDL, READ, SHOP, UNKNOWN, WRITE, does, on

ORDERS = Patterns(("orders",))
EFFECTS = st.frozensets(st.sampled_from(list(Effect)))


@given(EFFECTS, EFFECTS)
def test_it_covers_a_command_exactly_when_every_effect_was_granted(done, granted) -> None:
    assert covered(does(*done), granted) is (done - {Effect.SESSION} <= granted)


@pytest.mark.parametrize(
    ("facts", "covers"),
    [
        (on(("orders", WRITE)), True),
        (on(("invoices", WRITE)), False),
        (on(("orders", WRITE), ("invoices", WRITE)), False),
        (on(("orders", WRITE), ("invoices", READ)), False),
        (does(WRITE), False),
        (does(), True),
    ],
)
def test_it_is_for_its_things_alone(facts, covers) -> None:
    assert covered(facts, frozenset({READ, WRITE}), ORDERS) is covers


HOLDING = """
- {name: writes, when: {effects: [write]}, then: {hold: {approvers: dba}}}
- {name: reads, when: {effects: [read]}, then: {allow: true}}
"""


@pytest.mark.parametrize(
    ("facts", "granted", "goes"),
    [
        (on(("orders", WRITE), ("customers", READ)), {WRITE}, True),
        (on(("orders", WRITE)), {READ}, False),
        (on(("orders", DDL)), {WRITE}, False),
        (on(("orders", DDL)), {DDL}, True),
        (on(("orders", WRITE), ("orders", DDL)), {DDL}, False),
        (on(("orders", WRITE), ("orders", DDL)), {WRITE}, False),
        (on(("orders", WRITE), ("orders", DDL)), {WRITE, DDL}, True),
        (does(WRITE, UNKNOWN, complete=False), {UNKNOWN}, False),
        (does(WRITE, UNKNOWN, complete=False), {WRITE}, False),
        (does(WRITE, UNKNOWN, complete=False), {WRITE, UNKNOWN}, True),
    ],
)
def test_it_satisfies_every_rule_that_holds_or_none(policy_of, facts, granted, goes) -> None:
    policy = policy_of(HOLDING, default="hold")
    verdict = evaluate(policy, AGENT, SHOP, facts)
    assert isinstance(verdict, Hold)
    assert satisfied(policy, verdict, facts, frozenset(granted)) is goes


def test_a_rule_that_holds_a_thing_is_satisfied_by_a_grant_for_that_thing(policy_of) -> None:
    policy = policy_of(HOLDING, default="hold")
    for name, goes in (("orders", True), ("invoices", False)):
        facts = on((name, WRITE), ("customers", READ))
        verdict = evaluate(policy, AGENT, SHOP, facts)
        assert isinstance(verdict, Hold)
        assert satisfied(policy, verdict, facts, frozenset({WRITE}), ORDERS) is goes


RULES = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from(["read", "write", "ddl", "unknown"]), min_size=1),
        st.sampled_from(["", "orders", "invoices"]),
        st.sampled_from(["allow: true", "hold: {approvers: dba}"]),
    ),
    max_size=4,
)
DEEDS = st.lists(
    st.tuples(st.sampled_from(["orders", "invoices"]), st.sampled_from([READ, WRITE, DDL, UNKNOWN])),
    min_size=1,
    max_size=3,
)


@settings(max_examples=250)
@given(
    RULES,
    DEEDS,
    st.frozensets(st.sampled_from([READ, WRITE, DDL, UNKNOWN])),
    st.sampled_from([None, ORDERS]),
    st.sampled_from(["hold", "{hold: {approvers: dba}}"]),
)
def test_what_it_lets_go_was_granted_or_is_allowed_anyway_deed_by_deed(
    policy_of, rules, done, granted, things, default
) -> None:
    written = "\n".join(
        f"- {{name: r{number}, when: {{effects: [{', '.join(sorted(effects))}]"
        f"{f', resources: [{thing}]' if thing else ''}}}, then: {{{then}}}}}"
        for number, (effects, thing, then) in enumerate(rules)
    )
    policy = policy_of(
        written or "- {name: none, when: {effects: [exec]}, then: {allow: true}}", default=default
    )
    facts = on(*done)
    verdict = evaluate(policy, AGENT, SHOP, facts)
    if not isinstance(verdict, Hold) or not satisfied(policy, verdict, facts, granted, things):
        return
    for name, effect in done:
        given_ = effect in granted and (things is None or name == "orders")
        speaking = [then for effects, thing, then in rules if effect in effects and thing in {"", name}]
        assert given_ or (bool(speaking) and all(then == "allow: true" for then in speaking)), (name, effect)
