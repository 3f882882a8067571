"""Asking for elevation: what policy offers is opened as an approval that people vote on as on any other.

A request is kept until it is settled, so that a restart takes it up again: it joins the approval that is still open, or
is granted if it was approved meanwhile. A crash between the yes and the grant asks once more.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.approvals import Approvals, HoldRefused, Waiting
from gateway.contract import Approval, CommandView, ElevationView, State
from gateway.elevations.grants import Grants
from gateway.model import Actor, Ask, Connection, Effect, Effects, Hold, Lineage, Session
from gateway.policy.model import Offer, Policy
from gateway.sessions import lineage_view
from gateway.words import words

TABLE = "elevations"
REASON = 500
"""Characters of a reason."""


class NotOffered(Exception):
    """policies.yaml offers no such elevation; the message says what it does offer."""


class AgentUnknown(Exception):
    """No live agent of that name is this person's to ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for."""

    connection: str
    effects: Effects
    seconds: float
    commands: int | None = None
    """How many commands; None for as many as policy offers."""
    reason: str


class Elevations:
    """Requests for more, from the first word to the grant."""

    def __init__(
        self,
        grants: Grants,
        approvals: Approvals,
        *,
        policy: Callable[[], Policy],
        still_valid: Callable[[Lineage], str],
        clock: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        store: Any,
    ) -> None:
        """`still_valid(lineage)` says why a chain is no longer good, or ""."""
        self._grants = grants
        self._approvals = approvals
        self._policy = policy
        self._still_valid = still_valid
        self._clock = clock
        self._spawn = spawn
        self._store = store
        self._granted: dict[str, str] = {}

    def grant_of(self, approval_id: str) -> str:
        """The grant that came of an approval, or ""."""
        return self._granted.get(approval_id, "")

    async def start(self) -> None:
        """Take up what an earlier life left open. Call it once approvals have started."""
        for key, document in list(self._store.all(TABLE).items()):
            lineage, wish, asked_by = _read(document)
            try:
                await self._open(key, lineage, wish, asked_by=asked_by)
            except (NotOffered, HoldRefused):
                self._store.delete(TABLE, key)

    async def ask(self, lineage: Lineage, wish: Wish, *, asked_by: str) -> Approval:
        """Open an approval for `wish`, or join the one that is open. Raises `NotOffered` and `HoldRefused`."""
        offer = self._offer(lineage, wish)
        key = secrets.token_hex(8)
        bounded = Wish(
            connection=wish.connection,
            effects=wish.effects,
            seconds=wish.seconds,
            commands=min(wish.commands or offer.commands, offer.commands),
            reason=wish.reason,
        )
        self._store.put(TABLE, key, _document(lineage, bounded, asked_by))
        try:
            return await self._open(key, lineage, bounded, asked_by=asked_by)
        except HoldRefused:
            self._store.delete(TABLE, key)
            raise

    async def _open(self, key: str, lineage: Lineage, wish: Wish, *, asked_by: str) -> Approval:
        offer = self._offer(lineage, wish)
        policy = self._policy()
        target = policy.targets[wish.connection]
        now = self._clock()
        view = _view(lineage, wish, asked_by)
        waiting = await self._approvals.hold(
            session=Session(
                id="",
                lineage=lineage,
                connection=target.connection,
                scope=frozenset(),
                opened_at=now,
                expires_at=now + offer.within,
            ),
            digest=view.digest,
            lineage_key=lineage.key,
            view=view,
            whole_text=view.text,
            whole_parameters=(),
            verdict=Hold(
                rules=(offer.name,),
                message=offer.message,
                asks=tuple(
                    Ask(rule=offer.name, approvers=ask.approvers, quorum=ask.quorum, step_up=ask.step_up)
                    for ask in offer.asks
                ),
                expires_in=offer.within,
            ),
            lineage_view=lineage_view(lineage),
            channel=target.approvals_channel or policy.slack.approvals,
            estimate=None,
            review_required=False,
            elevation=ElevationView(
                asked_by=asked_by,
                effects=tuple(sorted(wish.effects)),
                seconds=wish.seconds,
                commands=wish.commands or 0,
                reason=wish.reason,
            ),
        )
        self._spawn(self._settled(key, waiting, lineage, wish, asked_by))
        return waiting.approval

    async def _settled(self, key: str, waiting: Waiting, lineage: Lineage, wish: Wish, asked_by: str) -> None:
        approval = await waiting.outcome()
        # Between the yes and this moment the chain may have ended, and the policy may offer less.
        if approval.state is State.SPENT and not self._still_valid(lineage) and self._offered(lineage, wish):
            grant = await self._grants.open(
                approval=approval.id,
                connection=wish.connection,
                effects=wish.effects,
                token_id=lineage.token_ids[-1],
                agent=lineage.agent,
                asked_by=asked_by,
                reason=wish.reason,
                seconds=wish.seconds,
                commands=wish.commands or 0,
            )
            self._granted[approval.id] = grant.id
        self._store.delete(TABLE, key)
        await self._store.commit()

    def _offered(self, lineage: Lineage, wish: Wish) -> bool:
        try:
            self._offer(lineage, wish)
        except NotOffered:
            return False
        return True

    def _offer(self, lineage: Lineage, wish: Wish) -> Offer:
        """The offer that covers the wish. Raises `NotOffered`, saying what is offered instead."""
        policy = self._policy()
        target = policy.targets.get(wish.connection)
        here = (
            []
            if target is None
            else [each for each in policy.elevations if _for(each, lineage, target.connection)]
        )
        for offer in here:
            if wish.effects <= offer.effects and 0 < wish.seconds <= offer.longest:
                return offer
        offered = "; ".join(
            f"{', '.join(sorted(offer.effects))} for at most {offer.longest / 60:.0f} minutes"
            for offer in here
        )
        raise NotOffered(
            f"policies.yaml offers no such elevation on {wish.connection}"
            + (f"; it offers {offered}" if offered else f" to {lineage.agent}")
        )


def _for(offer: Offer, lineage: Lineage, connection: Connection) -> bool:
    """An offer is for whom it names: every agent of the chain, as for a rule that allows."""
    return (offer.connections is None or offer.connections.match(connection.name)) and (
        offer.agents is None or all(offer.agents.match(actor.name) for actor in lineage.chain)
    )


def _view(lineage: Lineage, wish: Wish, asked_by: str) -> CommandView:
    """The wish as a command, so that it is shown, voted on and recorded like one."""
    effects = sorted(wish.effects)
    exact = json.dumps(
        [wish.connection, effects, wish.seconds, wish.commands, wish.reason, asked_by, lineage.token_ids],
        ensure_ascii=True,
    )
    digest = hashlib.sha256(b"elevation\0" + exact.encode()).hexdigest()
    text = (
        f"elevate {lineage.agent} and everything it starts on {wish.connection}\n"
        f"to run without being held: {', '.join(effects)}\n"
        f"for {wish.seconds / 60:g} minutes and at most {wish.commands} commands\n"
        f"asked by {asked_by}: {wish.reason}"
    )
    return CommandView(text=text, effects=tuple(effects), digest=digest, words=words(digest))


def _document(lineage: Lineage, wish: Wish, asked_by: str) -> dict[str, Any]:
    return {
        "asked_by": asked_by,
        "wish": msgspec.to_builtins(wish) | {"effects": sorted(wish.effects)},
        "person": lineage.person,
        "groups": sorted(lineage.groups),
        "chain": [msgspec.to_builtins(actor) for actor in lineage.chain],
    }


def _read(document: dict[str, Any]) -> tuple[Lineage, Wish, str]:
    lineage = Lineage(
        person=document["person"],
        chain=tuple(Actor(**actor) for actor in document["chain"]),
        groups=frozenset(document["groups"]),
    )
    wish = Wish(**document["wish"] | {"effects": frozenset(map(Effect, document["wish"]["effects"]))})
    return lineage, wish, document["asked_by"]


def effects_of(names: Collection[str]) -> Effects:
    """Raises `ValueError` for a word that is no effect."""
    return frozenset(map(Effect, names))
