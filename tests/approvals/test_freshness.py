"""Which login a yes needs, by the asks that it could count for."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from gateway.approvals.freshness import CLOCKS_APART, LoginFirst, check, needed
from gateway.contract import AskView, Choice, LoginView, StepUpView, VoteRequest
from tests.bot.examples import approval

FRESH = StepUpView(max_age=300.0, acr="strong")
NOW = 1_700_000_000.0


def ask(approvers, step_up=None, **more):
    return AskView(rule=approvers, approvers=approvers, quorum=1, step_up=step_up, **more)


@pytest.mark.parametrize(
    ("asks", "groups", "wanted"),
    [
        ((ask("dba"),), ("dba",), None),
        ((ask("dba", FRESH),), ("dba",), FRESH),
        ((ask("dba", FRESH), ask("security")), ("security",), None),
        ((ask("dba", FRESH), ask("security")), ("dba", "security"), FRESH),
        ((ask("*", FRESH),), ("idle",), FRESH),
        ((ask("dba", FRESH, also="leads"),), ("leads",), FRESH),
        ((ask("dba", FRESH),), ("leads",), None),
        (
            (ask("dba", StepUpView(max_age=60.0)), ask("*", FRESH)),
            ("dba",),
            StepUpView(max_age=60.0, acr="strong"),
        ),
    ],
)
def test_every_ask_that_a_vote_could_count_for_has_its_say(asks, groups, wanted):
    assert needed(approval(asks=asks), groups) == wanted


@pytest.mark.parametrize(
    ("login", "counts"),
    [
        (None, False),
        (LoginView(provider="corp", at=NOW, acr="strong"), True),
        (LoginView(provider="corp", at=NOW - 300 - CLOCKS_APART, acr="strong"), True),
        (LoginView(provider="corp", at=NOW - 301 - CLOCKS_APART, acr="strong"), False),
        (LoginView(provider="corp", at=NOW + 1 + CLOCKS_APART, acr="strong"), False),
        (LoginView(provider="corp", at=NOW, acr="stronger"), False),
        (LoginView(provider="corp", at=NOW), False),
    ],
)
def test_a_login_has_to_be_as_fresh_and_as_strong_as_is_wanted(login, counts):
    held = approval(asks=(ask("dba", FRESH),))
    vote = VoteRequest(person="sam@example.com", choice=Choice.APPROVE, seen_version=1)
    with nullcontext() if counts else pytest.raises(LoginFirst, match="needs a fresh login"):
        check(held, vote, groups=("dba",), login=login, now=NOW)


@pytest.mark.parametrize("choice", [Choice.DENY, Choice.KILL])
def test_a_no_needs_no_fresh_login(choice):
    held = approval(asks=(ask("dba", FRESH),))
    vote = VoteRequest(person="sam@example.com", choice=choice, seen_version=1)
    check(held, vote, groups=("dba",), login=None, now=NOW)
