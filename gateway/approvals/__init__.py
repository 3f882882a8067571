"""Held commands, the people who decide about them, and the one place where that is settled.

`table` says what can happen to an approval, `electorate` who may vote, `proof` that somebody opened the whole text,
`voting` what a vote does, and `room` keeps the approvals: durable before anything is told, released once, gone to the
journal when settled.
"""

from __future__ import annotations

from gateway.approvals.ballot import Stale
from gateway.approvals.capacity import HoldRefused
from gateway.approvals.electorate import NotEligible
from gateway.approvals.freshness import LoginFirst
from gateway.approvals.opening import Question
from gateway.approvals.proof import ReviewFirst
from gateway.approvals.room import Approvals
from gateway.approvals.settled import NotFound
from gateway.approvals.table import AlreadySettled, step
from gateway.approvals.waiting import Waiting

__all__ = [
    "AlreadySettled",
    "Approvals",
    "HoldRefused",
    "LoginFirst",
    "NotEligible",
    "NotFound",
    "Question",
    "ReviewFirst",
    "Stale",
    "Waiting",
    "step",
]
