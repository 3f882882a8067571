"""One grant: wider scope for a while."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.approvals.lasting import Narrow
from gateway.model import Connection, Effect, Effects, Reveal
from gateway.policy.kinds import Patterns
from gateway.policy.offers import BY_HAND, Ending, Offer
from gateway.store import StoreFailed


class How(StrEnum):
    """Who said yes."""

    VOTES = "votes"
    UNASKED = "unasked"
    """The policy: within its bounds nobody is asked."""
    GLASS = "break-glass"
    """Nobody; people look afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Times are Unix seconds."""

    id: str
    approval: str
    """The approval by which it was granted."""
    template: str = ""
    """The offer of policies.yaml that it came of."""
    how: How = How.VOTES
    connection: str
    effects: Effects
    resources: tuple[str, ...] = ()
    """Patterns of the only things that it is for; none: all."""
    token_id: str
    """The token it belongs to; what was derived from that has it too."""
    agent: str
    root: str = ""
    """The agent at the top of the chain."""
    person: str = ""
    """Who is accountable for the chain."""
    asked_by: str
    reason: str
    ticket: str = ""
    extends: str = ""
    """The grant that was to go on."""
    starts_at: float
    ends_at: float
    commands: int
    """How many commands may run under it."""
    used: int = 0
    rows: int | None = None
    """How many rows they may bring or change together."""
    rows_used: int = 0
    ending: Ending = "hold"
    reveal: Reveal | None = None
    reveal_to: tuple[str, ...] = ()
    narrow: Narrow | None = None
    """Where votes on one command made it: what it is bound to beside the effects."""
    things: Patterns | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.resources:
            object.__setattr__(self, "things", Patterns(self.resources))

    @property
    def by_hand(self) -> bool:
        """It is a person's own, and has a token of its own."""
        return self.agent == BY_HAND

    @property
    def is_spent(self) -> bool:
        return self.used >= self.commands or (self.rows is not None and self.rows_used >= self.rows)

    def shows_to(self, groups: Collection[str]) -> bool:
        """It shows what masks would hide to whoever is in these groups now."""
        return self.reveal is not None and not set(groups).isdisjoint(self.reveal_to)

    def is_within(self, offer: Offer, connection: Connection) -> bool:
        """The offer, as it is now, would still give all of it to the same agent and person.

        Groups that only Slack knows cannot be asked about here; that they let somebody ask was seen when they asked.
        """
        reveal, shown = self.reveal, offer.reveal
        return (
            self.effects <= offer.effects
            and offer.fits(
                connection,
                agents=(self.agent,) if self.by_hand else (self.root, self.agent),
                person=self.person,
                groups=offer.groups or frozenset(),
            )
            and (
                offer.resources is None
                or (bool(self.resources) and set(self.resources) <= set(offer.resources.patterns))
            )
            and (
                reveal is None
                or (
                    shown is not None
                    and set(reveal.columns) <= set(shown.columns)
                    and set(reveal.detect) <= set(shown.detect)
                    and set(self.reveal_to) <= shown.to
                )
            )
        )

    def document(self) -> dict[str, Any]:
        """As the store and the journal keep it."""
        made = {name: getattr(self, name) for name in KEPT} | {"effects": sorted(self.effects)}
        if self.reveal is not None:
            made["reveal"] = {"columns": list(self.reveal.columns), "detect": list(self.reveal.detect)}
        if self.narrow is not None:
            made["narrow"] = self.narrow.document()
        return made


KEPT = tuple(name for name in Grant.__slots__ if name != "things")


def read(document: Mapping[str, Any]) -> Grant:
    """Raises `StoreFailed`."""
    try:
        known = {name: document[name] for name in KEPT if name in document}
        reveal = known.get("reveal")
        narrow = known.get("narrow")
        return Grant(
            **known
            | {
                "effects": frozenset(map(Effect, document["effects"])),
                "how": How(known.get("how", How.VOTES)),
                "resources": tuple(known.get("resources", ())),
                "reveal_to": tuple(known.get("reveal_to", ())),
                "narrow": None if narrow is None else Narrow.read(narrow),
                "reveal": reveal and Reveal(columns=tuple(reveal["columns"]), detect=tuple(reveal["detect"])),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreFailed(f"a grant in the store is not readable ({error}): put back a copy of it") from error
