"""How much may be held at once: no agent takes the place of all others, and memory is bounded."""

from __future__ import annotations

from collections import Counter

from gateway.approvals.waiting import Live

LIVE_MOST = 10_000
"""Approvals that may be open at once."""
LINEAGE_MOST = 2_500
"""Of these, those of one lineage."""
TEXT_MOST = 64 * 1024 * 1024
"""Characters of command text that all open approvals may hold."""


class HoldRefused(Exception):
    """So much is held already that nothing more can be; the command has to be blocked."""


class Capacity:
    """What the open approvals take up."""

    def __init__(self) -> None:
        self._of_lineage: Counter[str] = Counter()
        self._characters = 0

    def check(self, live: Live) -> None:
        """Raises `HoldRefused` where there is no room for one more."""
        held = self._of_lineage.total()
        if held >= LIVE_MOST or self._characters + live.characters > TEXT_MOST:
            raise HoldRefused(f"{held} commands are held already; let some be decided first")
        if self._of_lineage[live.lineage_key] >= LINEAGE_MOST:
            raise HoldRefused(
                f"{LINEAGE_MOST} commands of this agent are held already; let some be decided first"
            )

    def take(self, live: Live) -> None:
        self._of_lineage[live.lineage_key] += 1
        self._characters += live.characters

    def give_back(self, live: Live) -> None:
        self._characters -= live.characters
        self._of_lineage[live.lineage_key] -= 1
        if not self._of_lineage[live.lineage_key]:
            del self._of_lineage[live.lineage_key]
