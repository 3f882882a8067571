"""Conditions of the moment: windows of time, budgets and estimated rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Allow, Block, Hold
from gateway.policy.budgets import Budgets
from gateway.policy.evaluate import counting, evaluate, hinging, shadows
from gateway.policy.examples import failures
from gateway.policy.file import PolicyFileError
from gateway.policy.moment import NOTHING, SOME_MOMENT, Moment, Spent
from tests.policy.house import AGENT, READ, SHOP, WRITE, chain, does, patient

OFFICE = "{days: mon-fri, from: '09:00', to: '17:00', zone: Europe/Berlin}"
NIGHT = "{days: fri, from: '22:00', to: '06:00', zone: Europe/Berlin}"
ALLOW = "- {name: all, when: {effects: [read, write]}, then: {allow: true}}\n"


def at(text: str) -> Moment:
    return Moment(at=datetime.fromisoformat(text).timestamp())


@pytest.fixture
def judged(policy_of):
    def judge(rules: str, moment: Moment = SOME_MOMENT):
        return evaluate(policy_of(rules), AGENT, SHOP, does(WRITE), moment)

    return judge


@pytest.mark.parametrize(
    ("window", "when", "within"),
    [
        (OFFICE, "2026-01-05T09:00+01:00", True),
        (OFFICE, "2026-01-05T08:59:59+01:00", False),
        (OFFICE, "2026-01-05T16:59:59+01:00", True),
        (OFFICE, "2026-01-05T17:00+01:00", False),
        (OFFICE, "2026-01-04T12:00+01:00", False),
        (OFFICE, "2026-01-05T08:30Z", True),
        # In July Berlin is two hours ahead.
        (OFFICE, "2026-07-06T07:30Z", True),
        (OFFICE, "2026-07-06T06:30Z", False),
        (OFFICE, "2026-07-06T15:30Z", False),
        # Across midnight a window belongs to the day on which it begins.
        (NIGHT, "2026-01-09T23:00+01:00", True),
        (NIGHT, "2026-01-10T05:59+01:00", True),
        (NIGHT, "2026-01-10T06:00+01:00", False),
        (NIGHT, "2026-01-09T05:00+01:00", False),
        (NIGHT, "2026-01-10T23:00+01:00", False),
        # The night in which clocks go from 02:00 to 03:00, and the one in which they go back.
        ("{from: '01:30', to: '03:30', zone: Europe/Berlin}", "2026-03-29T00:45Z", True),
        ("{from: '01:30', to: '03:30', zone: Europe/Berlin}", "2026-03-29T01:15Z", True),
        ("{from: '01:30', to: '03:30', zone: Europe/Berlin}", "2026-03-29T01:45Z", False),
        ("{from: '02:00', to: '03:00', zone: Europe/Berlin}", "2026-03-29T01:00Z", False),
        ("{from: '02:00', to: '03:00', zone: Europe/Berlin}", "2026-10-25T00:30Z", True),
        ("{from: '02:00', to: '03:00', zone: Europe/Berlin}", "2026-10-25T01:30Z", True),
        ("{from: '02:00', to: '03:00', zone: Europe/Berlin}", "2026-10-25T02:00Z", False),
        ("{days: [sat, sun], zone: UTC}", "2026-01-11T23:59Z", True),
        ("{days: [sat, sun], zone: UTC}", "2026-01-12T00:00Z", False),
        ("{days: sat-mon, zone: UTC}", "2026-01-12T23:00Z", True),
        ("{days: sat-mon, zone: UTC}", "2026-01-13T00:00Z", False),
        ("{from: '09:00', to: '24:00', zone: UTC}", "2026-01-12T23:59Z", True),
        ("{from: '09:00', to: '24:00', zone: UTC}", "2026-01-12T00:00Z", False),
        ("[{days: mon, zone: UTC}, {days: wed, zone: UTC}]", "2026-01-14T12:00Z", True),
        ("[{days: mon, zone: UTC}, {days: wed, zone: UTC}]", "2026-01-13T12:00Z", False),
    ],
)
def test_windows_hold_by_the_clocks_of_their_zone(judged, window, when, within) -> None:
    during = ALLOW + f"- {{name: r, when: {{during: {window}}}, then: {{hold: {{approvers: dba}}}}}}"
    outside = during.replace("during", "outside")
    assert isinstance(judged(during, at(when)), Hold) == within
    assert isinstance(judged(outside, at(when)), Hold) != within


def test_a_time_that_nobody_knows_stops_and_allows_nothing(judged) -> None:
    for key in ("during", "outside"):
        stops = ALLOW + f"- {{name: r, when: {{{key}: {OFFICE}}}, then: {{block: 'No.'}}}}"
        assert isinstance(judged(stops), Block)
        allows = f"- {{name: r, when: {{{key}: {OFFICE}}}, then: {{allow: true}}}}"
        assert judged(allows).rules == ("default",)


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("during: {days: mon}", "`zone` is missing"),
        ("during: {zone: Europe/Berln}", "did you mean `Europe/Berlin`?"),
        ("during: {zone: Berlin}", "did you mean `Europe/Berlin`?"),
        ("during: {zone: '../../etc/passwd'}", "is no time zone"),
        ("during: {from: '25:00', to: '26:00', zone: UTC}", "is no time of day"),
        ("during: {from: 9, to: 17, zone: UTC}", "this must be text"),
        ("during: {from: '09:00', to: '09:00', zone: UTC}", "begins where it ends"),
        ("during: {days: [mon-xyz], zone: UTC}", "is no day"),
        ("during: {days: [], zone: UTC}", "this list is empty"),
        ("budget: {commands: 5, per: 2d}", "a day at most"),
        ("budget: {commands: 5, per: 1s}", "a minute at least"),
        ("budget: 5", "this must be a mapping"),
        ("estimated_rows: 5", "this must be a mapping"),
        ("estimated_rows: {gt: -1}", "out of range"),
    ],
)
def test_what_is_no_condition_is_said(policy_of, condition, says) -> None:
    with pytest.raises(PolicyFileError) as refused:
        policy_of(f"- {{name: r, when: {{{condition}}}, then: {{block: 'No.'}}}}")
    assert says in str(refused.value)


# budgets

LIMITED = """
- {name: free, when: {effects: [read], budget: {commands: 3}}, then: {allow: true}}
- {name: writes, when: {effects: [write]}, then: {allow: true}}
- {name: enough, when: {effects: [write], budget: {rows: 100}}, then: {block: "That is enough."}}
"""


class Asked:
    """Commands that are judged, counted and answered as the gate does it."""

    def __init__(self, policy) -> None:
        self.policy, self.budgets, self.now = policy, Budgets(), 1_000_000.0

    def __call__(self, facts, lineage=AGENT, *, rows: int = 0):
        moment = Moment(at=self.now, spent=self.budgets.spent(self.policy, lineage, self.now))
        verdict = evaluate(self.policy, lineage, SHOP, facts, moment)
        if isinstance(verdict, Allow):
            rules = counting(self.policy, lineage, SHOP, facts, moment)
            self.budgets.count(self.policy, rules, lineage, self.now, Spent(commands=1, rows=rows))
        return verdict


@pytest.fixture
def asked(policy_of) -> Asked:
    return Asked(policy_of(LIMITED))


def test_a_budget_allows_until_it_is_used_up(asked) -> None:
    verdicts = [type(asked(does(READ))) for _ in range(5)]
    assert verdicts == [Allow, Allow, Allow, Hold, Hold]


def test_a_budget_stops_once_it_is_used_up(asked) -> None:
    assert isinstance(asked(does(WRITE), rows=99), Allow)
    assert isinstance(asked(does(WRITE), rows=1), Allow)
    assert asked(does(WRITE)).rules == ("enough",)
    assert isinstance(asked(does(READ)), Allow), "another rule's budget is its own"


def test_children_new_tokens_and_other_people_share_the_budget_of_their_root(asked) -> None:
    for lineage in (AGENT, chain("release-pipeline"), chain("release-pipeline", "x", person="b@example.com")):
        assert isinstance(asked(does(READ), lineage), Allow)
    assert isinstance(asked(does(READ), chain("release-pipeline", "fresh")), Hold)
    assert isinstance(asked(does(READ), chain("other-root")), Allow)


def test_a_budget_comes_back_as_its_window_moves_on(asked) -> None:
    for _ in range(3):
        asked(does(READ))
    asked.now += 3_599
    assert isinstance(asked(does(READ)), Hold), "never early"
    asked.now += 62
    assert isinstance(asked(does(READ)), Allow)


def test_a_clock_put_back_gives_no_new_budget(asked) -> None:
    for _ in range(3):
        asked(does(READ))
    asked.now -= 10_000
    assert isinstance(asked(does(READ)), Hold)


def test_budgets_outlive_a_restart(asked) -> None:
    for _ in range(3):
        asked(does(READ))
    kept = dict(asked.budgets.changes())
    assert dict(asked.budgets.changes()) == {}
    asked.budgets = Budgets()
    asked.budgets.recall(kept)
    assert isinstance(asked(does(READ)), Hold)


def test_budgets_outlive_an_edit_of_other_rules(asked, policy_of) -> None:
    for _ in range(3):
        asked(does(READ))
    asked.policy = policy_of(LIMITED + "- {name: more, when: {effects: [ddl]}, then: {allow: true}}")
    assert isinstance(asked(does(READ)), Hold)
    asked.budgets.count(asked.policy, ["gone"], AGENT, asked.now, NOTHING)


def test_a_shadow_with_a_budget_counts_and_tells(policy_of) -> None:
    asked = Asked(
        policy_of(ALLOW + "- {name: s, when: {budget: {commands: 1}}, then: {block: 'No.'}, enforce: false}")
    )
    told = []
    for _ in range(2):
        spent = asked.budgets.spent(asked.policy, AGENT, asked.now)
        told.append(shadows(asked.policy, AGENT, SHOP, does(READ), Moment(spent=spent)))
        assert isinstance(asked(does(READ)), Allow)
    assert told == [(), ("s",)]


# estimated rows

MEASURED = """
- {name: small, when: {effects: [write], estimated_rows: {le: 10}}, then: {allow: true}}
- {name: huge, when: {effects: [write], estimated_rows: {gt: 1000}}, then: {block: "Too many rows."}}
"""


@pytest.mark.parametrize(
    ("rows", "verdict", "rules"),
    [
        (10, Allow, ("small",)),
        (11, Hold, ("default",)),
        (1000, Hold, ("default",)),
        (1001, Block, ("huge",)),
        (None, Block, ("huge",)),
    ],
)
def test_an_estimate_decides_and_a_missing_one_is_never_small(judged, rows, verdict, rules) -> None:
    found = judged(MEASURED, Moment(rows=rows))
    assert isinstance(found, verdict)
    assert found.rules == rules


def test_only_what_hangs_on_it_has_to_be_measured(policy_of) -> None:
    policy = policy_of(MEASURED + "- {name: reads, when: {effects: [read]}, then: {allow: true}}")
    assert hinging(policy, AGENT, SHOP, does(WRITE), Moment()) == ("small", "huge")
    assert hinging(policy, AGENT, SHOP, does(READ), Moment()) == ()
    assert hinging(policy, AGENT, SHOP, does(WRITE), Moment(rows=0)) == ()


# examples


def test_examples_say_what_the_moment_is(policy_of, vocabulary) -> None:
    rules = (
        ALLOW
        + f"- {{name: late, when: {{outside: {OFFICE}}}, then: {{hold: {{approvers: dba}}}}}}\n"
        + MEASURED.replace("allow: true", 'block: "x"').replace("small", "tiny")
        + "- {name: often, when: {budget: {commands: 10}}, then: {block: 'No.'}}\n"
    )
    examples = """\
examples:
  - {connection: shop, command: read, at: 2026-01-05T10:00+01:00, expect: allow}
  - {connection: shop, command: read, at: "2026-01-05T20:00+01:00", expect: hold, rules: [late]}
  - {connection: shop, command: read, expect: hold, rules: [late]}
  - {connection: shop, command: read, at: 2026-01-05T10:00+01:00, used: {commands: 10}, expect: block, rules: [often]}
  - {connection: shop, command: write, at: 2026-01-05T10:00+01:00, estimated_rows: 50, expect: allow}
  - {connection: shop, command: write, at: 2026-01-05T10:00+01:00, estimated_rows: 5000, expect: block, rules: [huge]}
"""
    assert failures(policy_of(rules, more=examples), vocabulary) == []
    with pytest.raises(PolicyFileError, match="is no moment"):
        policy_of(rules, more=examples.replace("2026-01-05T10:00+01:00", "2026-01-05T10:00", 1))


@pytest.mark.parametrize(
    "condition",
    [
        "budget: {commands: 1}",
        f"during: {OFFICE}",
        f"outside: {OFFICE}, during: {OFFICE}",
        "estimated_rows: {le: 1}",
    ],
)
def test_what_a_rule_masks_at_other_times_an_approval_does_not_show_at_this_one(policy_of, condition) -> None:
    policy = policy_of(
        f"- {{name: r, when: {{effects: [read], {condition}}}, then: {{allow: true, mask: pii}}}}"
    )
    sunday = Moment(at=1_767_506_400.0, rows=9, spent={"r": Spent(commands=1)})
    verdict = evaluate(policy, AGENT, SHOP, does(READ), sunday)
    assert isinstance(verdict, Hold)
    assert (verdict.rules, verdict.masks) == (("default",), ("pii",))
    elsewhere = policy_of(
        f"- {{name: r, when: {{labels: {{env: dev}}, {condition}}}, then: {{allow: true, mask: pii}}}}"
    )
    assert evaluate(elsewhere, AGENT, SHOP, does(READ), sunday).masks == ()  # type: ignore[union-attr]


conditions = st.sampled_from(
    [
        f"during: {OFFICE}",
        f"outside: {OFFICE}",
        f"during: {NIGHT}",
        "estimated_rows: {gt: 5}",
        "estimated_rows: {le: 5}",
        "budget: {commands: 5}",
        f"outside: {NIGHT}, estimated_rows: {{lt: 9}}",
    ]
)
outcomes = st.sampled_from(["{allow: true}", "{hold: {approvers: dba}}", "{block: 'No.'}"])
moments = st.builds(
    lambda at, rows, used: Moment(at=at, rows=rows, spent=dict.fromkeys("0123", Spent(commands=used))),
    st.floats(1_767_000_000, 1_769_000_000),
    st.integers(0, 10),
    st.integers(0, 10),
)


@patient
@given(rules=st.lists(st.tuples(conditions, outcomes), min_size=1, max_size=4), moment=moments)
def test_not_to_know_the_moment_is_never_milder_than_to_know_it(policy_of, rules, moment) -> None:
    policy = policy_of(
        "\n".join(
            f"- {{name: '{at}', when: {{{when}}}, then: {then}}}" for at, (when, then) in enumerate(rules)
        )
    )
    strict = (Allow, Hold, Block)
    known = evaluate(policy, AGENT, SHOP, does(WRITE), moment)
    unknown = evaluate(policy, AGENT, SHOP, does(WRITE), replace(moment, at=None, rows=None))
    assert strict.index(type(unknown)) >= strict.index(type(known))
    assert counting(policy, AGENT, SHOP, does(WRITE), moment) == tuple(
        rule.name for rule in policy.rules if rule.when.budget is not None
    )
