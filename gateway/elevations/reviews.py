"""Reviews of broken glass: each stays open, with reminders, until enough people have looked at what was done.

It is an approval like any other, so that its card, four eyes, quorum and record are theirs. Who finds something wrong
denies it: that is told, ends the grant where it still holds, and the review begins anew.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.approvals import Approvals, Question, Waiting
from gateway.contract import Approval, Choice, CommandView, ElevationView, State
from gateway.elevations.wish import Request, read
from gateway.model import Actor, Connection, Lineage, Session
from gateway.policy.evaluate import held
from gateway.policy.model import ANY_GROUP, DAY, AskedGroup, Holding, Policy
from gateway.policy.offers import Offer, Review
from gateway.sessions import lineage_view
from gateway.words import words

TABLE = "reviews"
ANYBODY_TWICE = (AskedGroup(approvers=ANY_GROUP, quorum=2),)
"""Who looks where the policy names nobody any more."""
LOOK = "This was had without asking. Look at what was done under it."
OPEN_FOR = 7 * DAY
"""Seconds after which the card of a review that nobody ended is posted anew."""


class Reviews:
    """Open reviews, by the approval that was settled without asking."""

    def __init__(
        self,
        approvals: Approvals,
        *,
        policy: Callable[[], Policy],
        announce: Callable[[str, str], None],
        end: Callable[[str, str], Coroutine[Any, Any, object]],
        clock: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        store: Any,
    ) -> None:
        """`announce(level, text)` tells operators; `end(approval_id, why)` ends the grant that came of an approval."""
        self._approvals = approvals
        self._policy = policy
        self._announce = announce
        self._end = end
        self._clock = clock
        self._spawn = spawn
        self._store = store

    def start(self) -> None:
        """Take up the reviews that are open. Call it once approvals have started."""
        for key in self._store.all(TABLE):
            self._spawn(self._until_seen(key))

    def begin(self, approval: Approval, request: Request, offer: Offer) -> None:
        """Durable with the next commit: that of the grant itself."""
        self._store.put(TABLE, approval.id, request.document() | {"at": self._clock(), "offer": offer.name})
        self._spawn(self._until_seen(approval.id))
        self._announce(
            "error",
            f"{request.asked_by} broke the glass: {', '.join(sorted(request.wish.effects))} on "
            f"{request.wish.connection} for {request.wish.seconds / 60:g} minutes. Reason: {request.wish.reason} "
            f"(approval {approval.id}). Two others have to look at it.",
        )

    async def _until_seen(self, key: str) -> None:
        while (document := self._store.get(TABLE, key)) is not None:
            request = read(document)
            review = self._review(str(document["offer"]))
            waiting = await self._open(key, request, review, at=float(document["at"]))
            approval = await self._reminding(waiting, key, request, review)
            if approval.state is State.SPENT:
                self._store.delete(TABLE, key)
                await self._store.commit()
                return
            if approval.state is State.DENIED:
                against = next(vote for vote in approval.votes if vote.choice is not Choice.APPROVE)
                why = f"{against.person} objects" + (f": {against.reason}" if against.reason else "")
                self._announce("error", f"Broken glass of {request.asked_by} (approval {key}): {why}.")
                await self._end(key, why)

    async def _reminding(self, waiting: Waiting, key: str, request: Request, review: Review) -> Approval:
        while True:
            try:
                async with asyncio.timeout(review.every):
                    return await waiting.outcome()
            except TimeoutError:
                seen = sum(vote.choice is Choice.APPROVE for vote in waiting.approval.votes)
                self._announce(
                    "warning",
                    f"{request.asked_by} broke the glass (approval {key}), and {seen} of "
                    f"{sum(ask.quorum for ask in waiting.approval.asks)} have looked at it: approval "
                    f"{waiting.approval.id} waits.",
                )

    def _review(self, offer_name: str) -> Review:
        """As the policy in force has it; where it has it no longer, anybody who may vote."""
        policy = self._policy()
        for offer in policy.elevations:
            if offer.name == offer_name and offer.break_glass is not None:
                return offer.break_glass
        return Review(asks=ANYBODY_TWICE)

    async def _open(self, key: str, request: Request, review: Review, *, at: float) -> Waiting:
        policy, now = self._policy(), self._clock()
        target = policy.targets.get(request.wish.connection)
        lineage = Lineage(
            person=request.lineage.person,
            # Tokens of its own: the review outlives those that the glass was broken for.
            chain=tuple(
                Actor(name=actor.name, token_id=f"review-{key}-{depth}")
                for depth, actor in enumerate(request.lineage.chain)
            ),
            groups=request.lineage.groups,
        )
        wish = request.wish
        view = _view(key, request, at)
        return await self._approvals.hold(
            Question(
                session=Session(
                    id="",
                    lineage=lineage,
                    connection=target.connection
                    if target is not None
                    else Connection(name=wish.connection, protocol=""),
                    scope=frozenset(),
                    opened_at=now,
                    expires_at=now + OPEN_FOR,
                ),
                digest=view.digest,
                lineage_key=lineage.key,
                view=view,
                whole_text=view.text,
                verdict=held([("break-glass", Holding(asks=review.asks, message=LOOK, within=OPEN_FOR))]),
                lineage_view=lineage_view(lineage),
                channel=(target.approvals_channel if target is not None else "") or policy.slack.approvals,
                elevation=ElevationView(
                    asked_by=request.asked_by,
                    effects=tuple(sorted(wish.effects)),
                    seconds=wish.seconds,
                    commands=wish.commands or 0,
                    reason=wish.reason,
                    template=wish.template,
                    rows=wish.rows,
                    by_hand=request.by_hand,
                    ticket=wish.ticket,
                    how="review",
                ),
            ),
        )


def _view(key: str, request: Request, at: float) -> CommandView:
    wish = request.wish
    effects = tuple(sorted(wish.effects))
    text = (
        f"{request.asked_by} broke the glass: {', '.join(effects)} on {wish.connection}\n"
        f"for {wish.seconds / 60:g} minutes and at most {wish.commands} commands\n"
        f"granted at once as approval {key}\n"
        f"reason: {wish.reason}"
    )
    digest = hashlib.sha256(f"review\0{key}\0{at}\0{text}".encode()).hexdigest()
    return CommandView(text=text, effects=effects, digest=digest, words=words(digest))
