"""Each event and each interaction is worked on once, though Slack may deliver it several times.

Events carry an event_id, interactions a trigger_id; a redelivery, a duplicated envelope and a replayed signed
request repeat it. The second one is acknowledged and goes no further.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.response import BoltResponse

KEPT = 20_000
KEPT_SECONDS = 3_600.0
"""Longer than Slack's last redelivery (about 5 minutes) and than a signature is good for."""


class Seen:
    """Which deliveries have been taken."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def first(self, name: str) -> bool:
        """Whether this is the first delivery of that name; from now on it is not."""
        now = self._clock()
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < KEPT and now - self._seen[oldest] < KEPT_SECONDS:
                break
            del self._seen[oldest]
        if name in self._seen:
            return False
        self._seen[name] = now
        return True

    async def middleware(
        self, body: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        """Bolt's global middleware: what was seen before is acknowledged and dropped."""
        name = delivery(body)
        if name and not self.first(name):
            return BoltResponse(status=200, body="")
        await next_()
        return None


def delivery(body: Mapping[str, Any]) -> str:
    """What is the same for every delivery of one thing, "" where nothing is."""
    return str(body.get("event_id") or body.get("trigger_id") or "")
