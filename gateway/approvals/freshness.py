"""Whether an approving vote is backed by a login that is fresh and strong enough for what it votes on."""

from __future__ import annotations

from collections.abc import Collection

from gateway.approvals.table import ANYBODY, may_answer
from gateway.contract import Approval, Choice, LoginView, StepUpView, VoteRequest

CLOCKS_APART = 60.0
"""How far the clock of an identity provider may be from ours, in seconds."""


class LoginFirst(Exception):
    """The click is not enough: this person has to prove afresh who they are. `wanted` says how."""

    def __init__(self, approval: Approval, wanted: StepUpView) -> None:
        super().__init__(
            f"approval {approval.id} needs a fresh login for a yes: open the address that only you were shown, "
            "log in, and your vote counts"
        )
        self.wanted = wanted


def check(
    approval: Approval, request: VoteRequest, *, groups: Collection[str], login: LoginView | None, now: float
) -> None:
    """Raises `LoginFirst`. Every ask that the vote could count for has its say; denying needs nothing."""
    wanted = needed(approval, groups)
    if request.choice is not Choice.APPROVE or wanted is None:
        return
    if login is None or not all(_enough(login, each, now) for each in _wishes(approval, groups)):
        raise LoginFirst(approval, wanted)


def needed(approval: Approval, groups: Collection[str]) -> StepUpView | None:
    """The login that a vote in the name of these groups needs; None where the click is enough."""
    wishes = _wishes(approval, groups)
    if not wishes:
        return None
    # Two strengths cannot be asked for at once. A login of the first does not meet the other: nobody slips through.
    return StepUpView(
        max_age=min(each.max_age for each in wishes), acr=next((each.acr for each in wishes if each.acr), "")
    )


def _wishes(approval: Approval, groups: Collection[str]) -> list[StepUpView]:
    return [
        ask.step_up
        for ask in approval.asks
        if ask.step_up is not None and (ask.approvers == ANYBODY or may_answer(groups, ask))
    ]


def _enough(login: LoginView, wanted: StepUpView, now: float) -> bool:
    return now - wanted.max_age - CLOCKS_APART <= login.at <= now + CLOCKS_APART and wanted.acr in {
        "",
        login.acr,
    }
