"""Why a rule does or does not speak of a command."""

from __future__ import annotations

import pytest

from gateway.policy.moment import Moment, Spent
from gateway.policy.reasons import reasons
from tests.policy.house import AGENT, READ, SHOP, WRITE, on

OFFICE = "{days: mon-fri, from: '09:00', to: '17:00', zone: UTC}"


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            "when: {effects: [read]}, then: {allow: true}",
            "allows a part, read of orders; it does not speak of write of orders",
        ),
        ("when: {effects: [exec]}, then: {allow: true}", "does not speak of read of orders, write of orders"),
        (
            "when: {effects: [exec]}, then: {allow: true, mask: pii}",
            "does not speak of read of orders, write of orders; its masks apply all the same",
        ),
        ("then: {allow: true}", "allows"),
        ("then: {hold: {approvers: dba}}", "holds"),
        ("then: {block: No.}", "blocks"),
        ("when: {connections: lab}, then: {block: No.}", "is for other connections than shop"),
        ("when: {labels: {env: dev}}, then: {block: No.}", "is for connections labelled env: dev"),
        ("when: {effects: [ddl]}, then: {block: No.}", "speaks of ddl; the command does read, write"),
        (
            "when: {resources: [customers]}, then: {block: No.}",
            "speaks of customers; the command touches orders",
        ),
        (
            "when: {agents: [planner]}, then: {allow: true}",
            "wants every agent of the chain to be planner; release-pipeline → planner → migrator asks",
        ),
        (
            "when: {persons: [a@b.example]}, then: {allow: true}",
            "is for a@b.example; maria.lopez@example.com is",
        ),
        ("when: {groups: [dba]}, then: {allow: true}", "is for the groups dba; the person is in none"),
        ("when: {min_depth: 4}, then: {allow: true}", "begins at depth 4; the chain has 3"),
        (
            "when: {attributes: {sql.has_where: false}}, then: {block: No.}",
            "compares attributes: sql.has_where is true, not false",
        ),
        (
            "when: {attributes: {sql.verbs: X}}, then: {block: No.}",
            "compares attributes: this command has no sql.verbs",
        ),
        (
            "when: {attributes: {sql.has_where: 1}}, then: {allow: true}",
            "blocks, because it cannot be judged: it compares",
        ),
    ],
)
def test_each_rule_says_why(policy_of, rule, sentence) -> None:
    policy = policy_of(f"- {{name: r, {rule}}}")
    facts = on(("orders", READ), ("orders", WRITE), attributes={"sql.has_where": True})
    reason, *default = reasons(policy, AGENT, SHOP, facts)
    assert reason.sentence.startswith(sentence)
    assert (reason.file, reason.line) == ("policies.yaml", 21)
    assert all(each.rule == "default" and each.decides for each in default)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            f"when: {{during: {OFFICE}}}, then: {{allow: true}}",
            "is for mon, tue, wed, thu, fri 09:00-17:00 UTC",
        ),
        (f"when: {{outside: {OFFICE}}}, then: {{block: No.}}", "blocks read of orders, write of orders"),
        ("when: {outside: {zone: UTC}}, then: {block: No.}", "is for times outside every day UTC"),
        (
            "when: {budget: {rows: 9}}, then: {block: No.}",
            "does not speak of it now: its budget is not used up (3 commands and 5 rows were had)",
        ),
        (
            "when: {budget: {commands: 3}}, then: {allow: true}",
            "does not speak of it now: its budget is used up (3 commands and 5 rows were had)",
        ),
        ("when: {estimated_rows: {gt: 9}}, then: {block: No.}", "is for gt 9 estimated rows; 7 are expected"),
        ("when: {where: 'depth > 9'}, then: {block: No.}", "has a `where` that is false of it"),
        ("then: {block: No.}, enforce: false", "is a shadow: it blocks read of orders, write of orders"),
    ],
)
def test_conditions_of_the_moment_say_why(policy_of, rule, sentence) -> None:
    policy = policy_of(f"- {{name: r, {rule}}}")
    sunday = Moment(at=1_767_506_400.0, rows=7, spent={"r": Spent(commands=3, rows=5)})
    reason, *_ = reasons(policy, AGENT, SHOP, on(("orders", READ), ("orders", WRITE)), sunday)
    assert reason.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("estimated_rows: {gt: 9}", "since nobody knows here how many rows it would touch"),
        (f"during: {OFFICE}", "since the time is not known"),
    ],
)
def test_what_is_not_known_is_said(policy_of, condition, why) -> None:
    policy = policy_of(f"- {{name: r, when: {{{condition}}}, then: {{block: No.}}}}")
    (reason,) = reasons(policy, AGENT, SHOP, on(("orders", WRITE)))
    assert reason.sentence == f"blocks write of orders, {why}"


def test_the_default_says_what_was_left_to_it(policy_of) -> None:
    policy = policy_of("- {name: reads, when: {effects: [read]}, then: {allow: true}}")
    *_, default = reasons(policy, AGENT, SHOP, on(("orders", READ), ("log", WRITE)))
    assert (default.rule, default.line) == ("default", 22)
    assert default.sentence == "holds: no rule speaks of write of log"
