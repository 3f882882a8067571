"""A vote that needs a fresh login: the click begins it, and the login that follows casts the vote.

The vote waits nowhere but in the login: for the person who clicked, the approval, and the version of it that they saw. What
has changed meanwhile is judged when it is cast, as with every vote; what was denied, withdrawn or expired stays so.
"""

from __future__ import annotations

from collections.abc import Collection

from gateway.approvals import (
    AlreadySettled,
    Approvals,
    LoginFirst,
    NotEligible,
    NotFound,
    ReviewFirst,
    Stale,
)
from gateway.approvals.electorate import same
from gateway.contract import Approval, LoginView, State, VoteRequest
from gateway.identity.logins import LoginRefused, Logins, Proven, Wishes

TEXT = 400
"""Characters of the command on the login's page; the card shows more."""


class LoginOffered(Exception):
    """The vote was not counted: `url` is where its voter logs in, and by that casts it."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


class SteppingUp:
    """Votes with their logins, where approvals ask for them."""

    def __init__(self, approvals: Approvals, logins: Logins) -> None:
        self._approvals = approvals
        self._logins = logins

    async def vote(
        self, approval_id: str, request: VoteRequest, *, through: str, vouched: Collection[str]
    ) -> Approval:
        """As `Approvals.vote`; raises `LoginOffered` in place of `LoginFirst`."""
        try:
            return await self._approvals.vote(approval_id, request, through=through, vouched=vouched)
        except LoginFirst as missing:
            approval = self._approvals.get(approval_id)
            assert approval is not None
            wishes = Wishes(max_age=missing.wanted.max_age, acr=missing.wanted.acr)
            ballot = _Ballot(self._approvals, approval, request, wishes, through, vouched)
            try:
                url = self._logins.begin(ballot)
            except LoginRefused as refused:
                raise NotEligible(f"a yes to approval {approval_id} needs a fresh login. {refused}") from None
            raise LoginOffered(str(missing), url) from None


class _Ballot:
    """One vote that waits for its voter's login (`gateway.identity.logins.Purpose`)."""

    title = "Approve with a fresh login"

    def __init__(
        self,
        approvals: Approvals,
        approval: Approval,
        request: VoteRequest,
        wishes: Wishes,
        through: str,
        vouched: Collection[str],
    ) -> None:
        self._approvals = approvals
        self._approval = approval
        self._request = request
        self._through = through
        self._vouched = vouched
        self.wishes = wishes

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        approval = self._approval
        shown = " ".join(approval.command.text.split())
        return (
            ("You vote as", self._request.person),
            (
                "Asked by",
                " → ".join([approval.lineage.person, *(one.name for one in approval.lineage.chain)]),
            ),
            ("On", approval.connection),
            ("Command", shown if len(shown) <= TEXT else f"{shown[:TEXT]}…"),
            ("In four words", approval.command.words),
            ("Approval", approval.id),
        )

    async def done(self, proven: Proven) -> str:
        if not same(proven.person, self._request.person):
            raise LoginRefused(
                f"You logged in as {proven.person}, and {self._request.person} clicked: no vote was cast."
            )
        login = LoginView(provider=proven.provider, at=proven.at, acr=proven.acr)
        try:
            approval = await self._approvals.vote(
                self._approval.id, self._request, through=self._through, vouched=self._vouched, login=login
            )
        except (NotFound, NotEligible, AlreadySettled, Stale, ReviewFirst, LoginFirst) as refused:
            raise LoginRefused(f"You are logged in, but your vote does not count: {refused}.") from None
        more = " More votes are needed." if approval.state is State.PENDING else ""
        return f"Your yes to approval {approval.id} counts.{more}"
