from __future__ import annotations

import pytest

from gateway.model import Hold, Lasting, Reach
from gateway.policy.evaluate import evaluate
from gateway.policy.file import PolicyFileError
from tests.policy.house import AGENT, SHOP, WRITE, does, rule

WIDE = "approvers: dba, for_a_while: {up_to: 2h, commands: 50, what: [call, shape, agent, subtree]}"
NARROW = "approvers: security, for_a_while: {up_to: 10m, commands: 90, what: shape}"


def lasting(policy_of, *holds: str) -> Lasting | None:
    rules = "\n".join(rule(f"r{number}", hold) for number, hold in enumerate(holds))
    verdict = evaluate(policy_of(rules), AGENT, SHOP, does(WRITE))
    assert isinstance(verdict, Hold)
    return verdict.lasting


def test_a_rule_that_says_nothing_lets_a_yes_be_for_one_command(policy_of) -> None:
    assert lasting(policy_of, "approvers: dba") is None
    assert lasting(policy_of, "approvers: dba", WIDE) is None


def test_it_is_as_wide_as_every_rule_that_holds_lets_it(policy_of) -> None:
    assert lasting(policy_of, WIDE) == Lasting(what=frozenset(Reach), longest=7_200.0, commands=50)
    assert lasting(policy_of, WIDE, NARROW) == Lasting(
        what=frozenset({Reach.SHAPE}), longest=600.0, commands=50
    )


def test_rows_are_counted_where_a_rule_says_so_and_the_fewest_of_all(policy_of) -> None:
    counted = WIDE.replace("commands: 50", "commands: 50, rows: 1000")
    fewer = NARROW.replace("commands: 90", "rows: 200")
    found = [lasting(policy_of, *holds) for holds in ((WIDE,), (counted,), (WIDE, counted), (counted, fewer))]
    assert [each.rows for each in found if each is not None] == [None, 1_000, 1_000, 200]


def test_what_two_rules_offer_may_have_nothing_in_common(policy_of) -> None:
    assert lasting(policy_of, NARROW, "approvers: dba, for_a_while: {up_to: 1h, what: [call, agent]}") is None


@pytest.mark.parametrize(
    ("said", "key", "at", "message"),
    [
        ("{up_to: 1h}", "for_a_while", "for_a_while", "`what`"),
        ("{what: call}", "for_a_while", "for_a_while", "`up_to`"),
        ("{up_to: 25h, what: call}", "for_a_while.up_to", "25h", "a day at most"),
        ("{up_to: 1, what: call}", "for_a_while.up_to", "1,", "did you mean `1s`?"),
        ("{up_to: 1h, what: calls}", "for_a_while.what", "calls", "did you mean `call`?"),
        ("{up_to: 1h, what: [shape, call, shape]}", "for_a_while.what[2]", "shape]", "already in this list"),
        ("{up_to: 1h, what: call, commands: 0}", "for_a_while.commands", "0}", "1"),
        ("{up_to: 1h, what: call, rows: 0}", "for_a_while.rows", "0}", "1"),
        ("{up_to: 1h, what: call, upto: 1h}", "for_a_while.upto", "upto", "did you mean `up_to`?"),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(policy_of, said, key, at, message) -> None:
    text = rule("r", f"approvers: dba, for_a_while: {said}")
    with pytest.raises(PolicyFileError) as refused:
        policy_of(text)
    (fault,) = refused.value.errors
    assert message in fault.message
    assert fault.key.partition("hold.")[2] == key
    assert fault.column == len("  ") + text.index(at) + 1


def test_an_elevation_lasts_for_a_while_already(policy_of) -> None:
    offer = f"elevations:\n- {{name: more, effects: [write], hold: {{{WIDE}}}}}\n"
    with pytest.raises(PolicyFileError) as refused:
        policy_of(rule("r", "approvers: dba"), more=offer)
    assert any("unknown key `for_a_while`" in fault.message for fault in refused.value.errors)
