"""What is asked for, of whom it is, and how it is shown and kept until it is settled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.contract import CommandView
from gateway.model import Actor, Effect, Effects, Lineage
from gateway.policy.offers import BY_HAND, Offer
from gateway.words import words

REASON = 500
"""Characters of a reason."""
TICKET = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """More, for a while."""

    connection: str
    effects: Effects
    seconds: float
    commands: int | None = None
    """How many commands; None for as many as policy offers."""
    rows: int | None = None
    template: str = ""
    """The offer that is meant; "" for the first that fits."""
    ticket: str = ""
    extends: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A wish, for whom, and who asks."""

    lineage: Lineage
    wish: Wish
    asked_by: str

    @property
    def by_hand(self) -> bool:
        return self.lineage.agent == BY_HAND

    def view(self, offer: Offer) -> CommandView:
        """The wish as a command, so that it is shown, voted on and recorded like one."""
        wish, effects = self.wish, sorted(self.wish.effects)
        exact = json.dumps(
            [
                *(wish.connection, effects, wish.seconds, wish.commands, wish.rows, wish.reason, wish.ticket),
                *(offer.name, wish.extends, self.asked_by, self.lineage.person, _whose(self.lineage)),
            ],
            ensure_ascii=True,
        )
        digest = hashlib.sha256(b"elevation\0" + exact.encode()).hexdigest()
        whom = (
            f"{self.lineage.person}, by hand,"
            if self.by_hand
            else f"{self.lineage.agent} and everything it starts"
        )
        on = f", only {', '.join(offer.resources.patterns)}" if offer.resources is not None else ""
        rows = f", {wish.rows} rows" if wish.rows is not None else ""
        lines = [
            f"elevate {whom} on {wish.connection}{on}",
            f"to run without being held: {', '.join(effects)}",
            f"for {wish.seconds / 60:g} minutes and at most {wish.commands} commands{rows}",
        ]
        if offer.reveal is not None:
            lines.append(f"and to see unmasked: {', '.join(revealed(offer))}")
        if wish.extends:
            lines.append(f"so that the grant {wish.extends} goes on")
        if wish.ticket:
            lines.append(f"ticket {wish.ticket}")
        lines.append(f"asked by {self.asked_by}: {wish.reason}")
        return CommandView(text="\n".join(lines), effects=tuple(effects), digest=digest, words=words(digest))

    def document(self) -> dict[str, Any]:
        """As the store keeps it."""
        lineage = self.lineage
        return {
            "asked_by": self.asked_by,
            "wish": msgspec.to_builtins(self.wish) | {"effects": sorted(self.wish.effects)},
            "person": lineage.person,
            "groups": sorted(lineage.groups),
            "chain": [msgspec.to_builtins(actor) for actor in lineage.chain],
        }


def read(document: dict[str, Any]) -> Request:
    """What `Request.document` wrote."""
    return Request(
        lineage=Lineage(
            person=document["person"],
            chain=tuple(Actor(**actor) for actor in document["chain"]),
            groups=frozenset(document["groups"]),
        ),
        wish=Wish(**document["wish"] | {"effects": effects_of(document["wish"]["effects"])}),
        asked_by=document["asked_by"],
    )


def revealed(offer: Offer) -> tuple[str, ...]:
    """Columns and detectors that an offer shows."""
    return (*offer.reveal.columns, *offer.reveal.detect) if offer.reveal is not None else ()


def effects_of(names: Collection[str]) -> Effects:
    """Raises `ValueError` for a word that is no effect."""
    return frozenset(map(Effect, names))


def _whose(lineage: Lineage) -> tuple[str, ...]:
    """A person's own hands get a new token for every request: asked for again, it is the same request."""
    return (BY_HAND,) if lineage.agent == BY_HAND else lineage.token_ids
