"""The routes by which people decide: the feed, approvals, votes, whole texts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from aiohttp import web

from gateway.api.access import CALLER, Caller
from gateway.api.answers import BadRequest, answer, body, whole_number
from gateway.api.stepping import SteppingUp
from gateway.approvals import Approvals, NotEligible, NotFound
from gateway.changes import WAIT_LONGEST, Feed
from gateway.contract import State, VoteRequest

LOOK_EVERY = 1.0
"""Seconds after which a long poll looks whether its client is still there."""
REASON_CHARACTERS = 1_000
GROUPS = 200


class Deciding:
    """Handlers over the approvals and their feed."""

    def __init__(
        self,
        approvals: Approvals,
        votes: SteppingUp,
        feed: Feed,
        *,
        speaks_for: Callable[[str, str], bool],
        about: Callable[[], frozenset[str]],
    ) -> None:
        """`about()`: the ids that the follower keeps notes on; `speaks_for` knows Slack users and whom they are."""
        self._speaks_for = speaks_for
        self._votes = votes
        self._approvals = approvals
        self._feed = feed
        self._about = about

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/changes?after=SEQ&wait=SECONDS`: what came after, waiting for it if need be."""
        after = whole_number(request, "after", default=0, most=2**53)
        wait = _seconds(request.query.get("wait", "0"))
        noted = _among(self._about)
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            left = min(until - loop.time(), LOOK_EVERY)
            changes = await self._feed.after(after, max(0.0, left), noted=noted)
            gone = request.transport is None or request.transport.is_closing()
            if changes.changes or changes.next != after or loop.time() >= until or gone or self._feed.stopped:
                return answer(changes)

    async def approvals(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/approvals?state=STATE`: the open ones, or those in one state; settled ones as far as remembered.

        With `family=ID` those that belong on one card, in any state.
        """
        wanted = request.query.get("state", "")
        if family := request.query.get("family", ""):
            every = [*self._approvals.settled(), *self._approvals.open()]
            return answer([each for each in every if each.family == family])
        if not wanted:
            return answer(self._approvals.open())
        if wanted not in {*State, "all"}:
            raise BadRequest(f"state is one of all, {', '.join(State)}")
        every = [*self._approvals.settled(), *self._approvals.open()]
        return answer([each for each in every if wanted in {"all", each.state}])

    async def approval(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/approvals/{id}`"""
        approval = self._approvals.get(request.match_info["id"])
        if approval is None:
            raise NotFound(f"there is no approval {request.match_info['id']}")
        return answer(approval)

    async def vote(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/approvals/{id}/votes`: the approval after the vote."""
        caller = request[CALLER]
        vote = await body(request, VoteRequest)
        if len(vote.reason) > REASON_CHARACTERS:
            raise BadRequest(f"a reason has at most {REASON_CHARACTERS} characters")
        if vote.slack_id and not self._speaks_for(vote.slack_id, vote.person):
            raise NotEligible(f"{vote.slack_id} is not {vote.person} to the gateway, or not any more")
        approval = await self._votes.vote(
            request.match_info["id"], vote, through=caller.value, vouched=vouched(caller, vote.groups)
        )
        return answer(approval)

    async def twins(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/approvals/{id}/twins`: how many others a yes for a while would release."""
        return answer(self._approvals.twins(request.match_info["id"]))

    async def whole_text(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/approvals/{id}/text?person=&groups=a,b`: all that would run, for one who may vote."""
        caller = request[CALLER]
        groups = tuple(filter(None, request.query.get("groups", "").split(",")))
        return answer(
            self._approvals.whole_text(
                request.match_info["id"], request.query.get("person", ""), vouched(caller, groups)
            )
        )


def vouched(caller: Caller, groups: tuple[str, ...]) -> frozenset[str]:
    """The groups that a caller vouches for: only the bot sees who is in a Slack group."""
    if len(groups) > GROUPS:
        raise BadRequest(f"at most {GROUPS} groups")
    return frozenset(groups) if caller is Caller.BOT else frozenset()


def _among(about: Callable[[], frozenset[str]]) -> Callable[[str], bool]:
    """Whether a name is in `about()`, which is asked once, and only when somebody wants to know."""
    names: list[frozenset[str]] = []

    def among(name: str) -> bool:
        if not names:
            names.append(about())
        return name in names[0]

    return among


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise BadRequest("wait has to be a number of seconds") from None
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), WAIT_LONGEST)
