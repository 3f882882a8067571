"""What a policy says without a command in hand: coverage, rules that never decide, quorums that cannot be met."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway.model import Effect
from gateway.policy.coverage import Sender, cell, coverage
from gateway.policy.file import parse
from gateway.policy.lint import warnings
from tests.policy.conftest import HEAD

AGENTS = """\
agents:
  root: {secret: env:ROOT, person: maria.lopez@example.com, scope: {shop: [read, write], lab: [read]}, max_depth: 2}
operators: [dba]
examples: [{connection: shop, command: session, expect: hold}]
"""
SHOP_READ = ("shop", Effect.READ)
OFFICE = "{days: mon-fri, from: '09:00', to: '17:00', zone: UTC}"


@pytest.fixture
def said(policy_of):
    """What lint says of some rules, `line: message`, without what is not about them."""

    def tell(rules: str, *, more: str = AGENTS, default: str = "hold") -> list[str]:
        found = warnings(policy_of(rules, more=more, default=default))
        return [f"{fault.key}: {fault.message}" for fault in found if not fault.key.startswith("masks.")]

    return tell


@pytest.fixture
def at(policy_of):
    """One cell of some rules."""

    def look(rules: str, sender: Sender | None = None, *, connection="shop", effect=Effect.READ):
        policy = policy_of(rules)
        return cell(policy, policy.targets[connection].connection, effect, sender)

    return look


# coverage


def test_every_connection_and_effect_has_a_cell_and_what_no_rule_speaks_of_is_marked(policy_of) -> None:
    policy = policy_of(
        "- {name: reads, when: {labels: {env: prod}, effects: [read]}, then: {allow: true, mask: pii}}"
    )
    cells = {(each.connection, each.effect): each for each in coverage(policy)}
    assert set(cells) == {(name, effect) for name in ("shop", "lab") for effect in Effect}
    assert (cells[SHOP_READ].verdict, cells[SHOP_READ].rules) == ("allow", ("reads",))
    assert cells[SHOP_READ].masks == ("pii",)
    assert all(each.is_default and each.verdict == "hold" for key, each in cells.items() if key != SHOP_READ)


def test_what_only_a_command_decides_is_told_as_what_may_come(at) -> None:
    found = at(
        "- {name: reads, when: {effects: [read]}, then: {allow: true}}\n"
        "- {name: payroll, when: {resources: ['payroll.*']}, then: {block: 'No.'}}\n"
        "- {name: much, when: {budget: {rows: 5}}, then: {hold: {approvers: dba}}}\n"
    )
    assert found.verdict == "allow"
    assert [(each.rule, each.verdict, each.on) for each in found.may] == [
        ("payroll", "block", ("resources",)),
        ("much", "hold", ("budget",)),
    ]
    assert found.words == {"allow", "hold", "block"}


def test_a_shadow_covers_nothing(at) -> None:
    found = at("- {name: s, when: {effects: [read]}, then: {block: 'No.'}, enforce: false}")
    assert found.is_default
    assert found.may == ()


@pytest.mark.parametrize(
    ("condition", "sender", "matches"),
    [
        ("agents: [root, 'fix-*']", Sender(agents=("root", "fix-1")), True),
        ("agents: [root]", Sender(agents=("root", "fix-1")), False),
        ("persons: '*@example.com'", Sender(agents=("a",), person="M@example.com"), True),
        ("persons: '*@example.com'", Sender(agents=("a",)), False),
        ("groups: dba", Sender(agents=("a",), groups=frozenset({"dba"})), True),
        ("groups: dba", Sender(agents=("a",)), False),
        ("ancestors: root", Sender(agents=("root", "x")), True),
        ("ancestors: root", Sender(agents=("root",)), False),
        ("ancestors: root", Sender(agents=("evil", "root", "x")), False),
        ("min_depth: 2", Sender(agents=("a",)), False),
        ("max_depth: 1", Sender(agents=("a",)), True),
        ("max_depth: 1", Sender(agents=("a", "b")), False),
    ],
)
def test_a_known_sender_decides_conditions_about_senders(at, condition, sender, matches) -> None:
    found = at(f"- {{name: r, when: {{effects: [read], {condition}}}, then: {{allow: true}}}}", sender)
    assert (found.verdict == "allow") == matches
    assert found.may == ()


def test_a_known_time_decides_windows(at) -> None:
    rule = f"- {{name: r, when: {{effects: [read], during: {OFFICE}}}, then: {{allow: true}}}}"
    noon, night = (
        Sender(agents=("a",), at=datetime.fromisoformat(text).timestamp())
        for text in ("2026-01-05T12:00Z", "2026-01-05T23:00Z")
    )
    assert at(rule, noon).verdict == "allow"
    assert at(rule, night).verdict == "hold"
    assert at(rule.replace("during", "outside"), night).verdict == "allow"
    assert at(rule, Sender(agents=("a",))).may[0].on == ("during",)


# rules that never decide


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (
            "- {name: r, when: {labels: {env: test}}, then: {block: 'No.'}}",
            "rules[0].when: the rule r can never match",
        ),
        (
            "- {name: r, when: {agents: [stranger], effects: [read]}, then: {allow: true}}",
            "none of the agents that begin one does",
        ),
        (
            "- {name: r, when: {ancestors: [stranger], effects: [read]}, then: {allow: true}}",
            "every agent above the one that asks to fit",
        ),
        ("- {name: r, when: {min_depth: 3}, then: {block: 'No.'}}", "no agent's chains grow deeper than 2"),
        ("- {name: r, when: {min_depth: 2, max_depth: 1}, then: {block: 'No.'}}", "before it begins"),
        ("- {name: r, when: {persons: ['x@example.com']}, then: {block: 'No.'}}", "nobody it names"),
        ("- {name: r, when: {estimated_rows: {gt: 5, lt: 6}}, then: {block: 'No.'}}", "no number is all"),
        (
            "- {name: r, when: {attributes: {sql.statements: {ge: 5, le: 4}}}, then: {block: 'No.'}}",
            "no number is all",
        ),
        ("- {name: r, when: {effects: [exec]}, then: {hold: {approvers: dba}}}", "no agent's scope has exec"),
        (
            (
                "- {name: r, when: {effects: [read], agents: [root]}, then: {allow: true}}\n"
                "- {name: no, when: {effects: [read, write]}, then: {block: 'No.'}}"
            ),
            "everything it allows is met by no (line 22), which blocks",
        ),
        (
            (
                "- {name: r, when: {effects: [read], where: 'depth > 1'}, then: {allow: true}}\n"
                "- {name: no, when: {where: 'depth > 1'}, then: {hold: {approvers: dba}}}"
            ),
            "everything it allows is met by no (line 22), which holds",
        ),
        (
            (
                "- {name: r, when: {effects: [read], max_depth: 1}, then: {allow: true}}\n"
                "- {name: no, when: {max_depth: 2}, then: {hold: {approvers: dba}}}"
            ),
            "everything it allows is met by no",
        ),
    ],
)
def test_a_rule_that_never_decides_is_told(said, rules, says) -> None:
    assert any(says in each for each in said(rules)), said(rules)


@pytest.mark.parametrize(
    "stricter",
    [
        "{name: no, when: {effects: [read], connections: lab}, then: {block: 'No.'}}",
        "{name: no, when: {effects: [write]}, then: {block: 'No.'}}",
        "{name: no, when: {where: 'depth > 1'}, then: {block: 'No.'}}",
        "{name: no, when: {max_depth: 1}, then: {block: 'No.'}}",
        "{name: no, when: {budget: {commands: 5}}, then: {block: 'No.'}}",
        "{name: no, when: {ancestors: root}, then: {block: 'No.'}}",
        "{name: no, then: {block: 'No.'}, enforce: false}",
    ],
)
def test_a_rule_that_can_decide_is_not(said, stricter) -> None:
    told = said(
        f"- {{name: r, when: {{effects: [read], max_depth: 2}}, then: {{allow: true}}}}\n- {stricter}"
    )
    assert not any("the rule r " in each for each in told), told


def test_a_rule_about_children_where_there_are_none_is_told(said) -> None:
    alone = AGENTS.replace("max_depth: 2", "max_depth: 1")
    for condition, says in (
        ("ancestors: root", "so none has an ancestor"),
        ("agents: kid", "no agent fits, and none"),
    ):
        told = said(f"- {{name: r, when: {{{condition}}}, then: {{block: 'No.'}}}}", more=alone)
        assert any(says in each for each in told), told


def test_an_agent_whose_scope_nothing_comes_through_is_told(said) -> None:
    rules = "- {name: no, when: {effects: [read, write]}, then: {block: 'No.'}}"
    assert any(each.startswith("agents.root.scope: no rule allows or holds") for each in said(rules))


def test_masks_that_nothing_uses_are_told(policy_of) -> None:
    policy = policy_of("- {name: r, when: {effects: [read]}, then: {allow: true, mask: pii}}")
    assert [fault.key for fault in warnings(policy) if fault.key.startswith("masks.")] == ["masks.cards"]


# quorums


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        ("approvers: dba, quorum: 3", "3 votes are asked of dba, which has 2"),
        (
            "asks: [{approvers: dba, quorum: 2}, {approvers: security, quorum: 2}]",
            "2 votes are asked of security",
        ),
        ("asks: [{approvers: dba, quorum: 2}, {approvers: both}]", "these groups have too few"),
        ("approvers: marias", "maria.lopez@example.com, who is accountable for it, may not"),
        ("approvers: nobody", "groups.nobody: nobody is in this group"),
    ],
)
@pytest.mark.parametrize("where", ["rule", "default", "elevation"])
def test_asks_that_nobody_can_meet_are_told(vocabulary, asks, says, where) -> None:
    more = "  both: {members: [ana.silva@example.com]}\n  marias: {members: [maria.lopez@example.com]}\n  nobody: {}\n"
    hold = f"{{hold: {{{asks}}}}}"
    rule = hold if where == "rule" else "{allow: true}"
    text = HEAD.replace("masks:\n", more + "masks:\n") + (
        f"rules:\n  - {{name: r, when: {{effects: [write]}}, then: {rule}}}\n"
        f"default: {hold if where == 'default' else 'block'}\n" + AGENTS.replace("hold}]", "block}]")
    )
    if where == "elevation":
        text += f"elevations: [{{name: more, effects: [write], hold: {{{asks}}}}}]\n"
    told = [f"{fault.key}: {fault.message}" for fault in warnings(parse(text, "p.yaml", vocabulary))]
    expected = "accountable" not in says or where != "elevation"
    assert any(says in each for each in told) == expected, told
