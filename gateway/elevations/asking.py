"""Asking for elevation: what policy offers is opened as an approval that people vote on as on any other.

A request is kept until it is settled, so that a restart takes it up again: it joins the approval that is still open, or
is granted if it was approved meanwhile. A crash between the yes and the grant asks once more. Where the policy asks
nobody, or the glass is broken, the approval is settled as it opens: the way to a grant is one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Any

from gateway.approvals import Approvals, HoldRefused, Question, Waiting
from gateway.contract import Approval, State
from gateway.elevations.grant import Grant, How
from gateway.elevations.grants import Grants
from gateway.elevations.past import Past
from gateway.elevations.showing import counted, elevation_view
from gateway.elevations.wish import Request, Wish, read
from gateway.facts.schema import Schema
from gateway.model import Actor, Lineage, Reveal, Session
from gateway.policy.evaluate import held
from gateway.policy.model import Policy, Target
from gateway.policy.offers import BY_HAND, Offer, within
from gateway.sessions import lineage_view

TABLE = "elevations"
REMEMBERED = 5_000
"""Approvals of which it is known which grant came of them."""


class NotOffered(Exception):
    """policies.yaml offers no such elevation; the message says what it does offer, `field` what of the wish is beyond that."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class AgentUnknown(Exception):
    """No live agent of that name is this person's to ask for."""


class Elevations:
    """Requests for more, from the first word to the grant."""

    def __init__(
        self,
        grants: Grants,
        approvals: Approvals,
        past: Past,
        *,
        policy: Callable[[], Policy],
        schema: Callable[[Target], Schema | None],
        still_valid: Callable[[Lineage], str],
        begin_by_hand: Callable[[Request], None],
        begin_review: Callable[[Approval, Request, Offer], None],
        clock: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        store: Any,
    ) -> None:
        """`schema(target)` is what is known of its tables; `still_valid(lineage)` says why a chain is no longer good, or "".

        `begin_by_hand(request)` makes the chain of a person's own hands good; `begin_review` has people look at what was
        had without asking.
        """
        self._grants = grants
        self._approvals = approvals
        self._past = past
        self._policy = policy
        self._schema = schema
        self._still_valid = still_valid
        self._begin_by_hand = begin_by_hand
        self._begin_review = begin_review
        self._clock = clock
        self._spawn = spawn
        self._store = store
        self._granted: dict[str, str] = {}
        self._counting = asyncio.Lock()
        self._settling: dict[str, asyncio.Task[None]] = {}
        self._unasked_now: Counter[tuple[str, str]] = Counter()
        """Offer and person, or root agent -> requests that nobody is asked about and that are no grants yet."""

    def grant_of(self, approval_id: str) -> str:
        """The grant that came of an approval, or ""."""
        return self._granted.get(approval_id, "")

    async def settled(self, approval_id: str, *, wait: float) -> None:
        """Return once a request is granted or refused, or after `wait` seconds."""
        if task := self._settling.get(approval_id):
            await asyncio.wait({task}, timeout=wait)

    async def start(self) -> None:
        """Take up what an earlier life left open. Call it once approvals have started."""
        for grant in self._grants.all():
            self._granted[grant.approval] = grant.id
        for key, document in list(self._store.all(TABLE).items()):
            try:
                await self._open(key, read(document))
            except (NotOffered, HoldRefused):
                self._store.delete(TABLE, key)

    async def ask(self, request: Request) -> Approval:
        """Open an approval for a wish, or join the one that is open. Raises `NotOffered` and `HoldRefused`."""
        offer = self._offer(request)
        wish = request.wish
        bounds = offer.unasked if self._unasked(offer, request) and offer.unasked is not None else offer
        bounded = replace(
            request,
            wish=replace(
                wish,
                template=offer.name,
                commands=min(wish.commands or bounds.commands, bounds.commands),
                rows=min(filter(None, (wish.rows, bounds.rows)), default=None),
            ),
        )
        key = secrets.token_hex(8)
        self._store.put(TABLE, key, bounded.document())
        try:
            return await self._open(key, bounded)
        except HoldRefused:
            self._store.delete(TABLE, key)
            raise

    def offers(self, lineage: Lineage) -> Iterator[tuple[Offer, str]]:
        """What may be asked for now for this chain: each offer with each connection that it is for."""
        policy, now = self._policy(), self._clock()
        for offer in policy.elevations:
            if not offer.is_open(now):
                continue
            for name, target in policy.targets.items():
                if offer.is_for(target.connection, lineage):
                    yield offer, name

    async def _open(self, key: str, request: Request) -> Approval:
        offer = self._offer(request)
        lineage = request.lineage
        how, waived = How.VOTES, ""
        if offer.break_glass is not None:
            how, waived = How.GLASS, f"{request.asked_by} broke the glass"
        elif self._unasked(offer, request):
            how, waived = How.UNASKED, f"within the bounds of {offer.name} nobody is asked"
        reserved = (offer.name, _whose(lineage)) if how is How.UNASKED else None
        if reserved is not None:
            # Before anything is waited for: requests that come at once have one bound together.
            self._unasked_now[reserved] += 1
        try:
            return await self._held(key, request, offer, how, waived)
        finally:
            if reserved is not None:
                self._unasked_now[reserved] -= 1

    async def _held(self, key: str, request: Request, offer: Offer, how: How, waived: str) -> Approval:
        """Opened, and where nobody is asked granted, when this returns."""
        policy, now = self._policy(), self._clock()
        wish, lineage = request.wish, request.lineage
        target = policy.targets[wish.connection]
        view, asked = request.view(offer), held([(offer.name, offer.hold)])
        elevation = elevation_view(
            request,
            offer,
            policy=policy,
            past=self._past.of_person(lineage.person or request.asked_by),
            how=how,
            now=now,
        )
        schema = self._schema(target)
        if schema is not None and not waived:
            # Thousands of tables take seconds: beside the loop that carries sessions, and one request at a time.
            async with self._counting:
                tables = await asyncio.to_thread(counted, request, offer, policy, schema, now=now)
            elevation = replace(elevation, tables=tables)
        waiting = await self._approvals.hold(
            Question(
                session=Session(
                    id="",
                    lineage=lineage,
                    connection=target.connection,
                    scope=frozenset(),
                    opened_at=now,
                    expires_at=now + asked.expires_in,
                ),
                digest=view.digest,
                lineage_key=lineage.person if request.by_hand else lineage.key,
                view=view,
                whole_text=view.text,
                verdict=replace(asked, asks=(), steps=()) if waived else asked,
                lineage_view=lineage_view(lineage),
                channel=target.approvals_channel or policy.slack.approvals,
                elevation=elevation,
            ),
            waived=waived,
        )
        approval_id = waiting.approval.id
        task = self._spawn(self._settled(key, waiting, request, how))
        self._settling[approval_id] = task
        task.add_done_callback(lambda _: self._settling.pop(approval_id, None))
        if waived:
            await self.settled(approval_id, wait=asked.expires_in)
        return waiting.approval

    async def _settled(self, key: str, waiting: Waiting, request: Request, how: How) -> None:
        approval = await waiting.outcome()
        if approval.state is State.SPENT and approval.id not in self._granted:
            self._granted[approval.id] = ""
            if len(self._granted) > REMEMBERED:
                del self._granted[next(iter(self._granted))]
            grant = await self._grant(key, approval, request, how)
            if grant is not None:
                self._granted[approval.id] = grant.id
                return
        self._store.delete(TABLE, key)
        await self._store.commit()

    async def _grant(self, key: str, approval: Approval, request: Request, how: How) -> Grant | None:
        """Between the yes and this moment the chain may have ended, and the policy may offer less: then None."""
        wish, lineage = request.wish, request.lineage
        try:
            offer = self._offer(request)
        except NotOffered:
            return None
        if request.by_hand:
            self._begin_by_hand(request)
        if self._still_valid(lineage):
            return None
        if how is How.GLASS:
            self._begin_review(approval, request, offer)
        reveal = offer.reveal
        return await self._grants.open(
            answers=(TABLE, key),
            approval=approval.id,
            template=offer.name,
            how=how,
            connection=wish.connection,
            effects=wish.effects,
            resources=offer.resources.patterns if offer.resources is not None else (),
            token_id=lineage.token_ids[-1],
            agent=lineage.agent,
            root=lineage.chain[0].name,
            person=lineage.person,
            asked_by=request.asked_by,
            reason=wish.reason,
            ticket=wish.ticket,
            extends=wish.extends,
            seconds=wish.seconds,
            commands=wish.commands or 0,
            rows=wish.rows,
            ending=offer.ending,
            reveal=Reveal(columns=reveal.columns, detect=reveal.detect) if reveal is not None else None,
            reveal_to=tuple(sorted(reveal.to)) if reveal is not None else (),
        )

    def _unasked(self, offer: Offer, request: Request) -> bool:
        """The request is within the bounds within which nobody has to be asked."""
        bounds, wish, lineage, now = offer.unasked, request.wish, request.lineage, self._clock()
        return (
            bounds is not None
            and wish.seconds <= bounds.longest
            and (wish.commands is None or wish.commands <= bounds.commands)
            and (wish.rows is None or bounds.rows is None or wish.rows <= bounds.rows)
            and (bounds.agents is None or all(bounds.agents.match(actor.name) for actor in lineage.chain))
            and (bounds.groups is None or not bounds.groups.isdisjoint(lineage.groups))
            and within(now, bounds.during, bounds.outside)
            and self._past.unasked_today(
                offer.name, person=lineage.person, root=lineage.chain[0].name, now=now
            )
            + self._unasked_now[offer.name, _whose(lineage)]
            < bounds.per_day
        )

    def _offer(self, request: Request) -> Offer:
        """The offer that covers a wish; the glass is broken only where that is named.

        Raises `NotOffered`, saying what is offered instead.
        """
        wish, lineage = request.wish, request.lineage
        here = [offer for offer, connection in self.offers(lineage) if connection == wish.connection]
        meant = [offer for offer in here if wish.template in {"", offer.name}]
        for offer in meant:
            if (
                wish.effects <= offer.effects
                and 0 < wish.seconds <= offer.longest
                and (offer.break_glass is None or _breaks(request, offer))
            ):
                if offer.ticket and not wish.ticket:
                    raise NotOffered(f"{offer.name} asks for a ticket: name one", field="ticket")
                return offer
        offered = "; ".join(
            f"{', '.join(sorted(offer.effects))} for at most {offer.longest / 60:.0f} minutes ({offer.name})"
            for offer in here
        )
        raise NotOffered(
            f"policies.yaml offers no such elevation on {wish.connection}"
            + (
                f"; it offers {offered}"
                if offered
                else f" now to {lineage.person if request.by_hand else lineage.agent}"
            ),
            field=_beyond(wish, here, meant),
        )


def _beyond(wish: Wish, here: Sequence[Offer], meant: Sequence[Offer]) -> str:
    """The field of a wish that no offer goes far enough for: the first to be mended."""
    if not meant:
        return "template" if here else "connection"
    wide = [offer for offer in meant if wish.effects <= offer.effects]
    if not wide:
        return "effects"
    return "template" if any(0 < wish.seconds <= offer.longest for offer in wide) else "seconds"


def _breaks(request: Request, offer: Offer) -> bool:
    """A person breaks the glass, for what they answer for, and says that they mean it."""
    return request.wish.template == offer.name and request.asked_by == request.lineage.person


def _whose(lineage: Lineage) -> str:
    """Whose bound it is: the person's, or the root agent's where no person stands above it."""
    return lineage.person.lower() or lineage.chain[0].name


def by_hand(person: str, groups: frozenset[str]) -> Lineage:
    """A person's own hands, with a token of their own that nobody has yet."""
    return Lineage(person=person, chain=(Actor(name=BY_HAND, token_id=secrets.token_hex(12)),), groups=groups)
