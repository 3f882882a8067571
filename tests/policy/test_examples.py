"""Examples in the file are promises: each that does not hold is told with its place."""

from __future__ import annotations

import pytest

from gateway.policy.examples import failures

RULES = """
- {name: reads, when: {effects: [read]}, then: {allow: true, mask: pii}}
- {name: writes, when: {effects: [write]}, then: {hold: {approvers: dba}}}
- {name: ours, when: {effects: [ddl], agents: [planner, migrator], groups: dba}, then: {allow: true}}
"""


def told(policy_of, vocabulary, example: str) -> list[str]:
    policy = policy_of(RULES, default="block", more=f"examples:\n  - {example}\n")
    return [str(fault) for fault in failures(policy, vocabulary)]


@pytest.mark.parametrize(
    "example",
    [
        "{connection: shop, command: read, expect: allow, rules: [reads]}",
        "{connection: shop, command: read>ssn, expect: allow, masked: [SSN]}",
        "{connection: shop, command: read>name, expect: allow, masked: []}",
        "{connection: lab, command: write, expect: hold}",
        "{connection: lab, command: exec, expect: block, rules: [default]}",
        "{connection: shop, command: ddl, agent: [planner, migrator], groups: dba, expect: allow}",
        "{connection: shop, command: ddl, agent: migrator, expect: block}",
    ],
)
def test_an_example_that_holds_is_silent(policy_of, vocabulary, example) -> None:
    assert told(policy_of, vocabulary, example) == []


@pytest.mark.parametrize(
    ("example", "says"),
    [
        ("{connection: shop, command: write, expect: allow}", "is to be allowed, but it is held by writes"),
        ("{connection: shop, command: read, expect: allow, rules: [writes]}", "reads decides, not writes"),
        (
            "{connection: shop, command: read>ssn, expect: allow, masked: []}",
            "no column masked, but the masks touch ssn",
        ),
        (
            "{connection: shop, command: read>name, expect: allow, masked: [name]}",
            "but the masks touch no column",
        ),
        ("{connection: shop, command: exec>ssn, expect: block, masked: [ssn]}", "touch no column"),
    ],
)
def test_an_example_that_fails_says_what_came_instead(policy_of, vocabulary, example, says) -> None:
    (fault,) = told(policy_of, vocabulary, example)
    assert says in fault
    assert fault.startswith("26:5: examples[0]: ")
