"""What can happen to an approval: one table, pure.

             Joined, Left, Measured, Stepped, Approved(quorum missing)
                   ┌────┐
                   │    ▼       Approved (every ask met), Covered        Released
    opened ──────▶ PENDING ──────────────────────────────────▶ APPROVED ─────────▶ SPENT
                     │  │  └── Denied ──▶ DENIED ◀── Denied ──────┤ │
                     │  └───── Lapsed ──▶ EXPIRED ◀── Lapsed ─────┘ │
                     └───── Withdrawn ──▶ WITHDRAWN ◀── Withdrawn ──┘

Where the policy asks nobody, Waived leads from PENDING to SPENT. An approval that nobody has spent yet can still be denied: the stricter word wins while there is something to stop.
What is not in the table is `AlreadySettled`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from gateway.approvals.reach import agreed
from gateway.contract import Approval, AskView, Choice, Estimate, State, StepKind, Vote

ANYBODY = "*"
"""An ask that any declared group can meet."""


class AlreadySettled(Exception):
    """Too late: the approval is no longer in a state in which this can happen to it."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(f"approval {approval.id} is already {approval.state.value}")
        self.approval = approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """One more client waits for the same command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """`clients` of those that waited are gone."""

    clients: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The gateway's measurement of the command arrived or changed."""

    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An eligible person approves."""

    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """An eligible person denies, or denies and kills."""

    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """Its time is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Nobody wants it any more, or nobody may."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Those who wait, or the first who came back for it, run the command: once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A yes to another approval is for a while, and reaches this one."""

    grant: str
    person: str
    """Whose vote completed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """Nobody has decided, and so many of its steps are due."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """The policy says yes in everybody's place: `reason` says by which of its words."""

    reason: str


Event: TypeAlias = (
    Joined | Left | Measured | Approved | Denied | Lapsed | Withdrawn | Released | Covered | Waived | Stepped
)


def step(approval: Approval, event: Event, now: float) -> Approval:
    """The approval after `event`, with the next version. Raises `AlreadySettled` where the table has no entry."""
    try:
        transition = TRANSITIONS[approval.state, type(event)]
    except KeyError:
        raise AlreadySettled(approval) from None
    return replace(transition(approval, event, now), version=approval.version + 1)


def releases(approval: Approval) -> int:
    """How many runs an approving vote would let go: those that wait, or the one who may come back."""
    return max(approval.waiting, 1)


def met(asks: Sequence[AskView], votes: Sequence[Vote]) -> bool:
    """Whether every ask has its quorum, each from its own group, and each person counted for one ask alone.

    A matching of people to places (Kuhn's augmenting paths): the order of votes and asks cannot matter.
    """
    people = [vote for vote in votes if vote.choice is Choice.APPROVE]
    places = [ask for ask in asks for _ in range(ask.quorum)]
    if len(people) < len(places):
        return False
    taken: dict[int, int] = {}

    def place(number: int, tried: set[int]) -> bool:
        for candidate, vote in enumerate(people):
            if candidate in tried or not speaks_for(vote, places[number]):
                continue
            tried.add(candidate)
            if candidate not in taken or place(taken[candidate], tried):
                taken[candidate] = number
                return True
        return False

    return all(place(number, set()) for number in range(len(places)))


def speaks_for(vote: Vote, ask: AskView) -> bool:
    return may_answer(vote.groups, ask)


def may_answer(groups: Collection[str], ask: AskView) -> bool:
    """Whether somebody of these groups may answer an ask as it stands now."""
    if ask.approvers == ANYBODY:
        return bool(groups)
    return ask.approvers in groups or (ask.also != "" and ask.also in groups)


def first_asked(asks: Sequence[AskView]) -> tuple[AskView, ...]:
    """The asks as they were before they went on to others: what the policy asks for."""
    return tuple(replace(ask, also="") for ask in asks)


def _joined(approval: Approval, event: Joined, now: float) -> Approval:
    del event, now
    return _asking(approval, replace(approval, waiting=approval.waiting + 1))


def _left(approval: Approval, event: Left, now: float) -> Approval:
    del now
    return replace(approval, waiting=max(0, approval.waiting - event.clients))


def _measured(approval: Approval, event: Measured, now: float) -> Approval:
    del now
    return _asking(approval, replace(approval, estimate=event.estimate))


def _asking(before: Approval, after: Approval) -> Approval:
    """A vote cast on what was shown before no longer fits if it now asks for more."""
    if releases(after) > releases(before) or after.estimate != before.estimate:
        return replace(after, votable_from=before.version + 1)
    return after


def _approved(approval: Approval, event: Approved, now: float) -> Approval:
    votes = (*approval.votes, event.vote)
    if not met(approval.asks, votes):
        return replace(approval, votes=votes)
    settled = replace(
        approval, votes=votes, state=State.APPROVED, settled_at=now, settled_by=event.vote.person
    )
    return replace(settled, grant=settled.id) if agreed(votes) is not None else settled


def _covered(approval: Approval, event: Covered, now: float) -> Approval:
    return replace(
        approval,
        state=State.APPROVED,
        settled_at=now,
        settled_by=event.person,
        grant=event.grant,
        reason=f"the yes to approval {event.grant} is for a while, and reaches this",
    )


def _denied(approval: Approval, event: Denied, now: float) -> Approval:
    vote = event.vote
    return replace(
        approval,
        votes=(*approval.votes, vote),
        state=State.DENIED,
        settled_at=now,
        settled_by=vote.person,
        reason=vote.reason,
    )


def _stepped(approval: Approval, event: Stepped, now: float) -> Approval:
    del now
    due = approval.steps[approval.stepped : event.count]
    further = {step.rule: step.to for step in due if step.kind is StepKind.ESCALATE}
    asks = tuple(replace(ask, also=further.get(ask.rule, ask.also)) for ask in approval.asks)
    return replace(approval, asks=asks, stepped=max(approval.stepped, event.count))


def _lapsed(approval: Approval, event: Lapsed, now: float) -> Approval:
    del event
    reason = "nobody ran it in time" if approval.state is State.APPROVED else "nobody decided in time"
    return replace(approval, state=State.EXPIRED, settled_at=now, reason=reason)


def _withdrawn(approval: Approval, event: Withdrawn, now: float) -> Approval:
    return replace(approval, state=State.WITHDRAWN, settled_at=now, reason=event.reason)


def _waived(approval: Approval, event: Waived, now: float) -> Approval:
    return replace(approval, state=State.SPENT, settled_at=now, reason=event.reason)


def _released(approval: Approval, event: Released, now: float) -> Approval:
    del event, now
    return replace(approval, state=State.SPENT)


# Any: each entry takes the one event it stands under.
TRANSITIONS: dict[tuple[State, type[Any]], Callable[[Approval, Any, float], Approval]] = {
    (State.PENDING, Joined): _joined,
    (State.PENDING, Left): _left,
    (State.PENDING, Measured): _measured,
    (State.PENDING, Approved): _approved,
    (State.PENDING, Stepped): _stepped,
    (State.PENDING, Covered): _covered,
    (State.PENDING, Denied): _denied,
    (State.PENDING, Lapsed): _lapsed,
    (State.PENDING, Withdrawn): _withdrawn,
    (State.PENDING, Waived): _waived,
    (State.APPROVED, Denied): _denied,
    (State.APPROVED, Lapsed): _lapsed,
    (State.APPROVED, Withdrawn): _withdrawn,
    (State.APPROVED, Released): _released,
}
