"""Why a rule does or does not speak of a command."""

from __future__ import annotations

import pytest

from gateway.policy.reasons import reasons
from tests.policy.house import AGENT, READ, SHOP, WRITE, on


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            "when: {effects: [read]}, then: {allow: true}",
            "allows a part; it does not speak of write of orders",
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
    (reason,) = reasons(policy, AGENT, SHOP, facts)
    assert reason.sentence.startswith(sentence)
    assert reason.line == 21
