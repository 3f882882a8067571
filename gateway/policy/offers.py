"""An offer of the file's `elevations`: what may be asked for, by whom, when, who decides, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from gateway.model import Connection, Effects, Lineage, Reveal
from gateway.policy.globs import Globs
from gateway.policy.kinds import Patterns
from gateway.policy.moment import HOUR, Window

if TYPE_CHECKING:
    from gateway.policy.model import AskedGroup, Holding

BY_HAND = "by-hand"
"""The name of a person's own hands where a chain has to have an agent; no agent of the file bears it."""

Ending: TypeAlias = Literal["hold", "kill"]
"""What becomes of sessions that used a grant: their next command is held, or they end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealing:
    """What a grant shows that masks would hide, and to whom."""

    columns: tuple[str, ...] = ()
    """Column patterns that masks leave alone."""
    detect: tuple[str, ...] = ()
    """Detectors that masks do without."""
    to: frozenset[str]
    """Groups of which the person of the chain has to be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked:
    """Within which bounds nobody has to be asked."""

    longest: float
    commands: int
    rows: int | None = None
    per_day: int
    """How often a day, for one root agent or one person."""
    agents: Globs | None = None
    groups: frozenset[str] | None = None
    during: tuple[Window, ...] | None = None
    outside: tuple[Window, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Who looks at it afterwards where it was had at once."""

    asks: tuple[AskedGroup, ...]
    every: float = 4 * HOUR
    """Seconds between two reminders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An elevation that may be asked for: more, for a while, if people say yes."""

    name: str
    effects: Effects
    resources: Patterns | None = None
    """The only things that it is for."""
    connections: Globs | None = None
    agents: Globs | None = None
    """Whom it is for: every agent of the chain has to match."""
    persons: Globs | None = None
    groups: frozenset[str] | None = None
    """Groups of which the person of the chain has to be one."""
    by_hand: bool = False
    """A person may have it without an agent."""
    ticket: bool = False
    """A request has to name one."""
    during: tuple[Window, ...] | None = None
    outside: tuple[Window, ...] | None = None
    hold: Holding
    """Who decides about a request, and what happens while nobody does; who breaks the glass asks nobody."""
    longest: float = HOUR
    commands: int = 100
    """How many commands may run under it at most."""
    rows: int | None = None
    """How many rows they may bring or change together."""
    ending: Ending = "hold"
    reveal: Revealing | None = None
    unasked: Unasked | None = None
    break_glass: Review | None = None

    def is_for(self, connection: Connection, lineage: Lineage) -> bool:
        """As for a rule that allows: every agent of the chain, and its person."""
        return self.fits(
            connection,
            agents=tuple(actor.name for actor in lineage.chain),
            person=lineage.person,
            groups=lineage.groups,
        )

    def fits(
        self, connection: Connection, *, agents: tuple[str, ...], person: str, groups: frozenset[str]
    ) -> bool:
        return (
            (self.connections is None or self.connections.match(connection.name))
            and (self.by_hand or BY_HAND not in agents)
            and (self.agents is None or agents == (BY_HAND,) or all(map(self.agents.match, agents)))
            and (self.persons is None or bool(person and self.persons.match(person.lower())))
            and (self.groups is None or not self.groups.isdisjoint(groups))
        )

    def shows_to(self, groups: frozenset[str]) -> Reveal | None:
        """What it shows that masks would hide, to whoever is in these groups."""
        if self.reveal is None or self.reveal.to.isdisjoint(groups):
            return None
        return Reveal(columns=self.reveal.columns, detect=self.reveal.detect)

    def is_open(self, at: float) -> bool:
        """It may be asked for, and used, at these Unix seconds."""
        return within(at, self.during, self.outside)


def within(at: float, during: tuple[Window, ...] | None, outside: tuple[Window, ...] | None) -> bool:
    return (during is None or any(window.holds(at) for window in during)) and not (
        outside is not None and any(window.holds(at) for window in outside)
    )
