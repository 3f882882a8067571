from __future__ import annotations

import pytest

from gateway.model import Hold, StepKind
from gateway.policy.evaluate import evaluate
from gateway.policy.file import PolicyFileError
from tests.policy.house import AGENT, SHOP, WRITE, does, rule

CALL, REMIND, ESCALATE = StepKind.CALL, StepKind.REMIND, StepKind.ESCALATE
ANA, BEN = "ana.silva@example.com", "ben.okafor@example.com"


def steps(policy_of, *holds: str) -> list[tuple[float, StepKind, str, str]]:
    rules = "\n".join(rule(f"r{number}", hold) for number, hold in enumerate(holds))
    verdict = evaluate(policy_of(rules), AGENT, SHOP, does(WRITE))
    assert isinstance(verdict, Hold)
    return [(step.after, step.kind, step.to, step.rule) for step in verdict.steps]


def test_nothing_is_said_twice_unless_a_rule_says_so(policy_of) -> None:
    assert steps(policy_of, "approvers: dba") == []


def test_reminders_come_until_it_is_over(policy_of) -> None:
    assert steps(policy_of, "approvers: dba, within: 15m, remind: 5m") == [
        (300.0, REMIND, "", ""),
        (600.0, REMIND, "", ""),
    ]


def test_people_are_called_one_after_the_other_then_all_are_reminded(policy_of) -> None:
    said = f"approvers: dba, within: 12m, remind: 4m, on_call: [{ANA}, {BEN}]"
    assert steps(policy_of, said) == [
        (0.0, CALL, ANA, ""),
        (240.0, CALL, BEN, ""),
        (480.0, REMIND, "", ""),
    ]


def test_each_rule_goes_on_to_its_own_group_until_the_first_is_over(policy_of) -> None:
    first = "approvers: dba, within: 10m, escalate: {to: security, after: 5m}"
    second = "approvers: security, within: 1h, remind: 20m, escalate: {to: dba, after: 6m}"
    assert steps(policy_of, first, second) == [
        (300.0, ESCALATE, "security", "r0"),
        (360.0, ESCALATE, "dba", "r1"),
    ]


@pytest.mark.parametrize(
    ("said", "key", "message"),
    [
        ("remind: 15m", "remind", "remind sooner"),
        ("remind: 1m", "remind", "remind less often"),
        ("remind: 5", "remind", "did you mean `5s`?"),
        (f"on_call: [{ANA}]", "on_call", "`on_call` needs `remind`"),
        ("remind: 5m, on_call: [sam.chen@example.com]", "on_call[0]", "is in no group that is asked"),
        ("remind: 5m, on_call: ana", "on_call", "no e-mail address"),
        ("escalate: {to: dba, after: 5m}", "escalate.to", "is asked from the beginning"),
        ("escalate: {to: secruity, after: 5m}", "escalate.to", "did you mean `security`?"),
        ("escalate: {to: security, after: 15m}", "escalate.after", "over by then"),
        ("escalate: {to: security}", "escalate", "`after` is missing"),
        ("escalate: security", "escalate", ""),
    ],
)
def test_what_cannot_happen_is_told(policy_of, said, key, message) -> None:
    with pytest.raises(PolicyFileError) as refused:
        policy_of(rule("r", f"approvers: dba, within: 15m, {said}"))
    told = [(fault.key.partition("hold.")[2], fault.message) for fault in refused.value.errors]
    assert any(where == key and message in words for where, words in told), told
