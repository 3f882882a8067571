"""What is true of the moment at which a command is judged, and not of the command: the time, how much of a budget is
used up, and how many rows the target expects.

What is not known is read in the safe direction: it keeps a rule that allows from speaking, and never one that stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as wall
from zoneinfo import ZoneInfo

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
HOUR = 3_600.0
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of some days, by the clocks of a zone. One that ends no later than it begins ends on the next day."""

    zone: str
    days: frozenset[int] = EVERY_DAY
    """The days it begins on; Monday is 0."""
    begins: wall = wall(0)
    ends: wall = wall(0)

    def __str__(self) -> str:
        """`mon, tue 09:00-17:00 Europe/Berlin`"""
        days = "every day" if self.days == EVERY_DAY else ", ".join(WEEK[day] for day in sorted(self.days))
        whole = self.begins == self.ends
        return f"{days}{'' if whole else f' {self.begins:%H:%M}-{self.ends:%H:%M}'} {self.zone}"

    def holds(self, at: float) -> bool:
        """At these Unix seconds. Where clocks are put back, an hour that comes twice counts twice."""
        local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(self.zone))
        today, clock = local.weekday(), local.time()
        if self.begins < self.ends:
            return today in self.days and self.begins <= clock < self.ends
        return (today in self.days and clock >= self.begins) or (
            (local - _DAY).weekday() in self.days and clock < self.ends
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the chains of one root have had of a rule's budget."""

    commands: int = 0
    rows: int = 0


NOTHING = Spent()
EVERYTHING = Spent(rows=1_000_000_000)
"""More rows than any budget has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """So much in so many seconds, of what a rule speaks of."""

    commands: int | None = None
    rows: int | None = None
    per: float = HOUR

    def is_used_up(self, spent: Spent) -> bool:
        return (self.commands is not None and spent.commands >= self.commands) or (
            self.rows is not None and spent.rows >= self.rows
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """None is what nobody knows."""

    at: float | None = None
    """Unix seconds."""
    rows: int | None = None
    """What the target expects the command to touch."""
    spent: Mapping[str, Spent] = field(default_factory=dict)
    """Of the budget of each rule; of one that is not here nothing."""


SOME_MOMENT = Moment()
"""A moment of which nothing is known, with budgets that nobody has touched."""
