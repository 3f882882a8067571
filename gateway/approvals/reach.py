"""How far the votes on an approval reach together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.contract import Choice, Reach, Vote

WIDTH = {reach: width for width, reach in enumerate(Reach)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What all who said yes agree to beyond the one command."""

    reach: Reach
    seconds: float
    commands: int
    rows: int | None


def agreed(votes: Sequence[Vote]) -> Agreed | None:
    """The narrowest, the shortest and the fewest of all yeses; None where that is this command, once."""
    yes = [vote for vote in votes if vote.choice is Choice.APPROVE]
    reaches = [vote.reach for vote in yes if vote.reach is not None]
    if not reaches or len(reaches) < len(yes):
        return None
    return Agreed(
        reach=min(reaches, key=WIDTH.__getitem__),
        seconds=min(vote.seconds for vote in yes),
        commands=min(vote.commands for vote in yes),
        rows=min((vote.rows for vote in yes if vote.rows is not None), default=None),
    )
