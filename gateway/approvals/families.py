"""Requests that belong on one card: siblings that wait at once for the same people under the same rules.

Siblings are of one shape, or of agents that the same agent started. Each stays an approval of its own, bound to its own
digest; a family only says what is shown together. It is named for its first, takes so many, and ends when none waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gateway.approvals.table import first_asked
from gateway.approvals.waiting import Live
from gateway.contract import State

MOST = 10
"""Requests on one card: what people can take in, and what one message has room for."""


class Families:
    """Those in which somebody waits."""

    def __init__(self) -> None:
        self._of_key: dict[tuple[object, ...], str] = {}
        self._keys: dict[str, set[tuple[object, ...]]] = {}
        self._joined: Counter[str] = Counter()
        self._waiting: dict[str, set[str]] = {}

    def name(self, live: Live) -> str:
        """The family that a new approval belongs to: its own where it is the first; "" for what is no command."""
        if live.approval.elevation is not None:
            return ""
        found = (self._of_key.get(key) for key in _keys(live))
        return next((name for name in found if name and self._joined[name] < MOST), live.approval.id)

    def join(self, live: Live) -> None:
        """It belongs to its family from now on."""
        name = live.approval.family
        if not name or live.approval.state is not State.PENDING:
            return
        self._joined[name] += 1
        self._waiting.setdefault(name, set()).add(live.approval.id)
        for key in _keys(live):
            self._of_key[key] = name
            self._keys.setdefault(name, set()).add(key)

    def settle(self, live: Live) -> None:
        """It no longer waits; later calls change nothing."""
        name = live.approval.family
        waiting = self._waiting.get(name)
        if waiting is None:
            return
        waiting.discard(live.approval.id)
        if not waiting:
            del self._waiting[name], self._joined[name]
            for key in self._keys.pop(name, ()):
                if self._of_key.get(key) == name:
                    del self._of_key[key]


def _keys(live: Live) -> Iterator[tuple[object, ...]]:
    approval = live.approval
    common = (first_asked(approval.asks), approval.connection, approval.channel)
    if live.shape:
        yield ("shape", live.shape, *common)
    chain = approval.lineage.chain
    if chain:
        parent = chain[-2] if len(chain) > 1 else chain[-1]
        yield ("parent", parent.token_id, *common)
