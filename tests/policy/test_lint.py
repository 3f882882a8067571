"""What is in order and still doubtful."""

from __future__ import annotations

import re

import pytest

from gateway.policy.file import PolicyFileError, parse
from gateway.policy.lint import warnings
from tests.policy.house import WHOLE


def said(text: str, vocabulary) -> list[str]:
    return [str(fault) for fault in warnings(parse(text, "policies.yaml", vocabulary))]


def test_a_policy_in_order_has_no_warnings(vocabulary) -> None:
    assert said(WHOLE, vocabulary) == []


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("labels: {env: prod}, eff", "labels: {evn: prod}, eff", "20:5: rules[0].when", "can never match"),
        ("labels: {env: prod}, eff", "labels: {env: prd}, eff", "20:5: rules[0].when", "can never match"),
        ("effects: [read, session], ", "", "23:5: rules[1].when", "every effect but unknown"),
        ("quorum: 1", "step_up: {max_age: 5m}", "21:5: rules[0].then", "needs a fresh login"),
        ("quorum: 1", "quorum: 2", "21:5: rules[0].then", "2 votes are asked of dba"),
        (
            '{slack: "@dba", members: [ana.silva@example.com]}',
            "{}",
            "16:3: groups.dba",
            "nobody is in this group",
        ),
        (
            "    person: maria.lopez@example.com\n",
            "",
            "10:3: agents.release-pipeline",
            "no person is accountable",
        ),
        ("    secret: env:RELEASE_PIPELINE_SECRET\n", "", "10:3: agents.release-pipeline", "has no secret"),
        (
            "127.0.0.1:5433/shop",
            "db.internal/shop?sslmode=require",
            "5:5: connections.shop.upstream",
            "verify-full",
        ),
        ("operators: [dba]\n", "", "1:1: operators", "end other people's sessions"),
        ("retention:", "  old: {detect: [email]}\nretention:", "28:3: masks.old", "no rule uses this mask"),
    ],
)
def test_doubts_are_told_with_their_place(vocabulary, old, new, place, says) -> None:
    assert old in WHOLE
    text = WHOLE.replace(old, new)
    if "votes" in says:
        text = text.replace('slack: "@dba", ', "")
    told = said(text, vocabulary)
    assert any(each.startswith(place + ":") and says in each for each in told), told


def test_an_open_address_without_tls_is_doubtful(vocabulary) -> None:
    text = WHOLE.replace("listen: 127.0.0.1:15432", "listen: 0.0.0.0:15432")
    assert said(text, vocabulary) == []
    (told,) = said(text.replace("tls: {certificate: /etc/cert.pem, key: /etc/key.pem}\n", ""), vocabulary)
    assert told.startswith("4:5: connections.shop.listen: 0.0.0.0:15432 is reached from other machines")


@pytest.mark.parametrize(
    ("offer", "says"),
    [
        ("{name: x, effects: [write], hold: {approvers: dba}}", ""),
        ("{name: x, effects: [write], connections: [shop-*], hold: {approvers: dba}}", "for no connection"),
        ("{name: x, effects: [write, destructive], hold: {approvers: dba}}", "destructive is held nowhere"),
        ("{name: x, effects: [read, write], hold: {approvers: dba}}", "read is held nowhere"),
        ("{name: x, effects: [read, write], by_hand: true, hold: {approvers: dba}}", ""),
        ('{name: x, effects: [write], break_glass: {approvers: "*"}}', "anybody who is known may break"),
        ('{name: x, effects: [write], groups: dba, break_glass: {approvers: "*"}}', ""),
    ],
)
def test_elevations_that_give_nothing_or_all_to_anybody_are_doubtful(vocabulary, offer, says) -> None:
    members = "[ana.silva@example.com, ben.okafor@example.com, sam.chen@example.com]"
    text = WHOLE.replace("members: [ana.silva@example.com]", f"members: {members}")
    text = text.replace(", attributes: {sql.has_where: true}", "").replace("default: hold", "default: block")
    told = said(f"{text}\nelevations: [{offer}]\n", vocabulary)
    assert [says in each for each in told] == ([True] if says else [])


@pytest.mark.parametrize(("members", "doubts"), [("{}", 1), ("{members: [sam.chen@example.com]}", 0)])
def test_a_second_group_of_an_elevation_has_to_have_somebody(vocabulary, members, doubts) -> None:
    text = WHOLE.replace("groups:\n", f"groups:\n  security: {members}\n")
    offer = "{name: x, effects: [write], hold: {approvers: dba, escalate: {to: security, after: 9m}}}"
    told = said(f"{text}\nelevations: [{offer}]\n", vocabulary)
    assert sum("nobody is in this group" in each for each in told) == doubts


@pytest.mark.parametrize(
    ("offer", "says"),
    [
        ("{name: x, effects: [write]}", "`hold` is missing"),
        ("{name: x, effects: [write], hold: {approvers: dba}, break_glass: {approvers: dba}}", "two offers"),
        (
            "{name: x, effects: [write], groups: dba, break_glass: {approvers: dba, quorum: 1}}",
            "two people at least",
        ),
        (
            "{name: x, effects: [write], break_glass: {approvers: dba}, unasked: {longest: 1m, commands: 1, per_day: 1}}",
            "nobody is asked anyway",
        ),
        ("{name: x, effects: [write], hold: {approvers: dba}, longest: 2d}", "a day at most"),
        (
            "{name: x, effects: [write], hold: {approvers: dba}, unasked: {longest: 2h, commands: 1, per_day: 1}}",
            "more than `longest`",
        ),
        (
            "{name: x, effects: [write], hold: {approvers: dba}, unasked: {longest: 1m, commands: 1}}",
            "`per_day` is missing",
        ),
        (
            "{name: x, effects: [write], hold: {approvers: dba}, reveal: {detect: email, to: dba}}",
            "add `read`",
        ),
        ("{name: x, effects: [read], hold: {approvers: dba}, reveal: {to: dba}}", "say what is shown"),
        ("{name: x, effects: [read], hold: {approvers: dba}, reveal: {detect: emial, to: dba}}", "emial"),
        ("{name: x, effects: [read], hold: {approvers: dba}, reveal: {detect: email, to: nobody}}", "nobody"),
        ("{name: x, effects: [read], hold: {approvers: dba}, ending: never}", "never"),
        ("{name: x, effects: [write], hold: {approvers: dba, remind: 15m}}", "remind sooner"),
        (
            "{name: x, effects: [write], hold: {approvers: dba, escalate: {to: dba, after: 5m}}}",
            "from the beginning",
        ),
    ],
)
def test_elevations_that_say_too_much_or_too_little_are_refused(vocabulary, offer, says) -> None:
    with pytest.raises(PolicyFileError, match=re.escape(says)):
        parse(f"{WHOLE}\nelevations: [{offer}]\n", "policies.yaml", vocabulary)


def test_nobody_bears_the_name_of_a_persons_own_hands(vocabulary) -> None:
    text = WHOLE.replace("  release-pipeline:", "  by-hand:")
    with pytest.raises(PolicyFileError, match="own hands"):
        parse(text, "policies.yaml", vocabulary)


@pytest.mark.parametrize(
    ("first", "second", "contradict"),
    [
        ("effects: [write]|dba|phr", "effects: [write, ddl]|dba|mfa", True),
        ("effects: [write], agents: [release-pipeline]|dba|phr", "effects: [write]|dba|mfa", True),
        ("effects: [write]|dba|phr", 'effects: [write]|"*"|mfa', True),
        ("effects: [write]|dba|phr", "effects: [write]|dba|phr", False),
        ("effects: [write]|dba|phr", "effects: [ddl]|dba|mfa", False),
        (
            "effects: [write], resources: [table:a]|dba|phr",
            "effects: [write], resources: [table:b]|dba|mfa",
            False,
        ),
        ("effects: [write]|dba|phr", "effects: [write]|sec|mfa", False),
        (
            "effects: [write], labels: {env: dev}|dba|phr",
            "effects: [write], labels: {env: prod}|dba|mfa",
            False,
        ),
    ],
)
def test_two_strengths_of_login_for_one_yes_are_doubtful(vocabulary, first, second, contradict) -> None:
    rules = "".join(
        f"  - {{name: r{at}, when: {{{when}}}, then: {{hold: {{approvers: {who}, step_up: {{max_age: 5m, acr: {acr}}}}}}}}}\n"
        for at, (when, who, acr) in enumerate(each.split("|") for each in (first, second))
    )
    text = WHOLE.replace("groups:\n", "groups:\n  sec: {members: [bo@example.com]}\n", 1)
    told = [
        each
        for each in said(text.replace("rules:\n", f"rules:\n{rules}", 1), vocabulary)
        if "no login is both" in each
    ]
    assert bool(told) == contradict, told


def test_an_address_binds_nobody_who_enters_by_a_key(vocabulary) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ x"
    text = WHOLE.replace(
        "    secret: env:RELEASE_PIPELINE_SECRET\n",
        f"    secret: env:RELEASE_PIPELINE_SECRET\n    keys: {key}\n    bound: [BOUND]\n",
        1,
    )
    assert not [
        each for each in said(text.replace("BOUND", "session, proof"), vocabulary) if "new token" in each
    ]
    (told,) = [each for each in said(text.replace("BOUND", "address"), vocabulary) if "new token" in each]
    assert "agents.release-pipeline.bound" in told
