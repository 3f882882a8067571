"""Whether a vote counts: does it fit what its card showed, and was the whole text opened where that is needed."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.approvals import lasting
from gateway.approvals.electorate import same
from gateway.approvals.proof import ReviewFirst, shown_whole
from gateway.approvals.table import AlreadySettled, Approved, Denied
from gateway.changes import LIVE
from gateway.contract import Approval, Choice, LastingView, LoginView, Vote, VoteRequest

REASON = 1_000
"""Characters of a reason."""


class Stale(Exception):
    """The vote was cast on a card that has changed since in what it asks."""


def cast_before(approval: Approval, request: VoteRequest) -> bool:
    """Whether this person has cast this very vote."""
    return any(same(vote.person, request.person) and vote.choice is request.choice for vote in approval.votes)


def check(approval: Approval, request: VoteRequest, *, proof_key: bytes) -> None:
    """Raises `AlreadySettled`, `Stale`, `ReviewFirst` or `NotEligible`. Denying is never too late to be meant."""
    if approval.state not in LIVE:
        raise AlreadySettled(approval)
    if request.seen_version > approval.version:
        raise Stale(f"approval {approval.id} has no version {request.seen_version}: look at its card again")
    if request.choice is not Choice.APPROVE:
        return
    if request.seen_version < approval.votable_from:
        raise Stale(f"approval {approval.id} now asks for more than that card showed: look at it again")
    if approval.review_required and not shown_whole(proof_key, approval, request.person, request.opened):
        raise ReviewFirst(
            f"the card of approval {approval.id} cannot show all of it: open the whole text first"
        )
    lasting.check(approval.lasting, request)


def event(
    request: VoteRequest,
    *,
    offered: LastingView | None,
    groups: Sequence[str],
    through: str,
    now: float,
    login: LoginView | None = None,
) -> Approved | Denied:
    """What a vote that counts does."""
    vote = Vote(
        person=request.person.strip(),
        choice=request.choice,
        at=now,
        groups=tuple(groups),
        reason=request.reason.strip()[:REASON],
        through=through,
        reach=request.reach if request.choice is Choice.APPROVE else None,
        seconds=request.seconds,
        commands=request.commands,
        rows=lasting.rows(offered, request),
        login=login if request.choice is Choice.APPROVE else None,
    )
    return Approved(vote=vote) if request.choice is Choice.APPROVE else Denied(vote=vote)
