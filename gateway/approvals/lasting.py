"""A yes for a while: what the votes on one command agree to beyond it, and whether that covers another.

Votes of different reach count for the narrowest, the shortest and the fewest of all: a quorum stands behind every
part of what it lets go. It answers the questions that were asked and no others: another rule, another group, a rule
that no longer offers this, or somebody who voted and now stands in the chain that asks, and people are asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.approvals.electorate import NotEligible, same
from gateway.approvals.table import first_asked
from gateway.contract import Approval, AskView, Choice, LastingView, LineageView, Reach, VoteRequest
from gateway.model import Effects

SHORTEST = 1.0
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow:
    """Why a grant that votes on one command made does not reach farther."""

    reach: Reach
    digest: str
    shape: str
    """"" where nobody can tell what differs from the command in its values alone."""
    asks: tuple[AskView, ...]
    voters: tuple[str, ...]

    @classmethod
    def read(cls, document: object) -> Narrow:
        """What `document` wrote. Raises `ValueError`."""
        return msgspec.convert(document, cls)

    def document(self) -> Any:
        return msgspec.to_builtins(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yielded:
    """What the votes on a command yield beyond it, to become a grant."""

    approval: str
    connection: str
    effects: Effects
    token_id: str
    agent: str
    root: str
    person: str
    reason: str
    starts_at: float
    seconds: float
    commands: int
    rows: int | None = None
    narrow: Narrow


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A command that is held, as far as it matters here."""

    lineage: LineageView
    digest: str
    shape: Callable[[], str]
    effects: frozenset[str]
    asks: tuple[AskView, ...]
    offered: Sequence[Reach]
    """What the policy in force lets a yes to it be."""


def check(offered: LastingView | None, request: VoteRequest) -> None:
    """Raises `NotEligible` where a vote wants to reach farther than policy lets it."""
    if request.reach is None:
        return
    if offered is None or request.reach not in offered.what:
        may = ", ".join(offered.what) if offered is not None else "this one command"
        raise NotEligible(f"a yes to this may be for {may}, not for {request.reach}")
    if not SHORTEST <= request.seconds <= offered.seconds:
        raise NotEligible(f"a yes to this may last {offered.seconds / 60:g} minutes at most")
    if not 1 <= request.commands <= offered.commands:
        raise NotEligible(f"a yes to this may let {offered.commands} commands go at most")
    if request.rows is not None and not 1 <= request.rows <= (offered.rows or request.rows):
        most = f"at most {offered.rows} rows" if offered.rows is not None else "as many rows as you like"
        raise NotEligible(f"a yes to this may be for {most}, and for 1 at least")


def rows(offered: LastingView | None, request: VoteRequest) -> int | None:
    """How many rows a vote is for: who says nothing means what is offered."""
    if request.reach is None or offered is None:
        return None
    return request.rows if request.rows is not None else offered.rows


def narrowed(approval: Approval, reach: Reach, shape: str) -> Narrow:
    """The bounds of a grant of that reach."""
    return Narrow(
        reach=reach,
        digest=approval.command.digest,
        shape=shape,
        asks=first_asked(approval.asks),
        voters=tuple(vote.person for vote in approval.votes if vote.choice is Choice.APPROVE),
    )


def covers(narrow: Narrow, token_id: str, effects: frozenset[str], wanted: Wanted) -> bool:
    """Whether a grant of `token_id`, for these effects, lets the command go."""
    chain = wanted.lineage.chain
    if not chain or not wanted.asks or narrow.reach not in wanted.offered:
        return False
    below = token_id in {actor.token_id for actor in chain}
    if not (below if narrow.reach is Reach.SUBTREE else chain[-1].token_id == token_id):
        return False
    if not set(wanted.asks) <= set(narrow.asks) or not wanted.effects <= effects:
        return False
    asking = (wanted.lineage.person, *(actor.name for actor in chain))
    if any(same(voter, name) for voter in narrow.voters for name in asking):
        return False
    match narrow.reach:
        case Reach.CALL:
            return wanted.digest == narrow.digest
        case Reach.SHAPE:
            return bool(narrow.shape) and wanted.shape() == narrow.shape
        case _:
            return True
