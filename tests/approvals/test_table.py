from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.approvals import AlreadySettled, step
from gateway.approvals.table import (
    TRANSITIONS,
    Approved,
    Denied,
    Joined,
    Lapsed,
    Left,
    Measured,
    Released,
    Waived,
    Withdrawn,
    met,
)
from gateway.contract import Approval, AskView, Choice, Estimate, State, Vote

from .conftest import LINEAGE_VIEW, view

ONE_DBA = (AskView(rule="r", approvers="dba", quorum=1),)


def approval(state=State.PENDING, asks=ONE_DBA, **changes):
    return Approval(
        **{
            "id": "a1",
            "version": 4,
            "state": state,
            "command": view("UPDATE t SET x = 1"),
            "lineage": LINEAGE_VIEW,
            "session": "s1",
            "connection": "orders",
            "protocol": "postgres",
            "asks": asks,
            "opened_at": 0.0,
            "expires_at": 900.0,
            **changes,
        }
    )


def vote(person="sam", choice=Choice.APPROVE, groups=("dba",), reason=""):
    return Vote(person=person, choice=choice, at=1.0, groups=groups, reason=reason)


EVENTS = [
    Joined(),
    Left(),
    Measured(estimate=Estimate(rows=3)),
    Approved(vote=vote()),
    Denied(vote=vote(choice=Choice.DENY)),
    Lapsed(),
    Withdrawn(reason="gone"),
    Released(),
    Waived(reason="within bounds"),
]
ENDS = {
    (State.PENDING, Joined): State.PENDING,
    (State.PENDING, Left): State.PENDING,
    (State.PENDING, Measured): State.PENDING,
    (State.PENDING, Approved): State.APPROVED,
    (State.PENDING, Denied): State.DENIED,
    (State.PENDING, Lapsed): State.EXPIRED,
    (State.PENDING, Withdrawn): State.WITHDRAWN,
    (State.PENDING, Waived): State.SPENT,
    (State.APPROVED, Denied): State.DENIED,
    (State.APPROVED, Lapsed): State.EXPIRED,
    (State.APPROVED, Withdrawn): State.WITHDRAWN,
    (State.APPROVED, Released): State.SPENT,
}


@pytest.mark.parametrize(
    ("state", "event"),
    [(state, event) for state in State for event in EVENTS],
    ids=lambda each: getattr(each, "name", type(each).__name__),
)
def test_every_pair_of_state_and_event_is_in_the_table_or_too_late(state, event):
    before = approval(state)
    end = ENDS.get((state, type(event)))
    if end is None:
        with pytest.raises(AlreadySettled) as settled:
            step(before, event, 5.0)
        assert settled.value.approval is before
        return
    after = step(before, event, 5.0)
    assert after.state is end
    assert after.version == before.version + 1


def test_nothing_leads_to_spent_but_an_approval_or_a_waiver_of_what_nobody_touched():
    assert {state for (state, event) in TRANSITIONS if event is Waived} == {State.PENDING}
    assert {state for (state, event) in TRANSITIONS if event is Released} == {State.APPROVED}
    assert {event for (state, event) in TRANSITIONS if state is State.SPENT} == set()


def test_who_settled_it_and_why_is_kept():
    denied = step(approval(), Denied(vote=vote("lee", Choice.DENY, reason="not on a Friday")), 7.0)
    assert (denied.settled_by, denied.reason, denied.settled_at) == ("lee", "not on a Friday", 7.0)
    lapsed = step(approval(), Lapsed(), 900.0)
    assert (lapsed.settled_by, lapsed.reason) == ("", "nobody decided in time")


def test_asking_for_more_makes_older_votes_stale_and_coming_back_does_not():
    first = approval(waiting=1, votable_from=1)
    left = step(first, Left(), 1.0)
    assert (left.waiting, left.votable_from) == (0, 1)
    back = step(left, Joined(), 2.0)
    assert (back.waiting, back.votable_from) == (1, 1)
    second = step(back, Joined(), 3.0)
    assert (second.waiting, second.votable_from) == (2, second.version)
    fewer = step(second, Left(), 4.0)
    assert fewer.votable_from == second.version


def test_another_estimate_makes_older_votes_stale_and_the_same_does_not():
    measured = step(approval(), Measured(estimate=Estimate(rows=3)), 1.0)
    assert measured.votable_from == measured.version
    again = step(measured, Measured(estimate=Estimate(rows=3)), 1.0)
    assert again.votable_from == measured.version


def ask(approvers, quorum=1):
    return AskView(rule="r", approvers=approvers, quorum=quorum)


@pytest.mark.parametrize(
    ("asks", "votes", "enough"),
    [
        ([ask("dba")], [("sam", "dba")], True),
        ([ask("dba")], [], False),
        ([ask("dba")], [("lee", "security")], False),
        ([ask("dba", 2)], [("sam", "dba")], False),
        ([ask("dba", 2)], [("sam", "dba"), ("kim", "dba")], True),
        # One person in both groups stands for one ask alone.
        ([ask("dba"), ask("security")], [("both", "dba security")], False),
        ([ask("dba"), ask("security")], [("both", "dba security"), ("sam", "dba")], True),
        ([ask("dba"), ask("security")], [("both", "dba security"), ("lee", "security")], True),
        ([ask("dba"), ask("security")], [("sam", "dba"), ("kim", "dba")], False),
        # Two rules that ask the same group ask it twice.
        ([ask("dba"), ask("dba")], [("sam", "dba")], False),
        ([ask("dba"), ask("dba")], [("sam", "dba"), ("kim", "dba")], True),
        ([ask("*")], [("x", "anything")], True),
        ([ask("*")], [("x", "")], False),
        ([ask("*", 2), ask("dba")], [("a", "x"), ("b", "dba"), ("c", "x")], True),
        ([ask("*", 2), ask("dba")], [("a", "x"), ("b", "x"), ("c", "x")], False),
    ],
)
def test_each_ask_is_met_by_its_own_group_and_each_person_counts_once(asks, votes, enough):
    cast = [vote(person, groups=tuple(groups.split())) for person, groups in votes]
    for order in itertools.permutations(cast):
        for asked in itertools.permutations(asks):
            assert met(asked, order) is enough


GROUPS = ["a", "b", "c"]


@given(
    st.lists(st.builds(ask, st.sampled_from([*GROUPS, "*"]), st.integers(1, 2)), min_size=1, max_size=3),
    st.lists(st.sets(st.sampled_from(GROUPS)), max_size=5),
)
def test_enough_means_that_some_way_to_seat_the_voters_exists(asks, people):
    votes = [vote(str(number), groups=tuple(groups)) for number, groups in enumerate(people)]
    places = [each.approvers for each in asks for _ in range(each.quorum)]
    seated = any(
        all(
            groups and (place == "*" or place in groups) for place, groups in zip(places, chosen, strict=True)
        )
        for chosen in itertools.permutations(people, len(places))
    )
    assert met(asks, votes) is seated


def test_a_denial_is_no_approving_vote():
    assert not met([ask("dba", 2)], [vote("sam"), vote("kim", Choice.DENY)])
