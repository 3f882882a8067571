"""Who has just failed to authenticate, so that guessing at an agent's secret is slow.

Counted by network and presented name: a misconfigured agent does not lock out others behind the same address, nobody
can lock out an agent from elsewhere, and a name that no agent has is counted like any other, so that waiting tells
nothing. The table is bounded; when it is full, the one that failed longest ago is forgotten.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable

FAILURES = 10
"""That many within the window, and the next attempt has to wait."""
WINDOW = 60.0
ENTRIES = 4_096


class Failures:
    """A leaky bucket for each network and name: it holds `FAILURES`, and empties in `WINDOW` seconds."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._levels: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def wait(self, address: str, name: str) -> int:
        """Whole seconds before the next attempt may be made; 0 for now."""
        beyond = self._level((network(address), name)) - (FAILURES - 1)
        return max(0, math.ceil(beyond * WINDOW / FAILURES))

    def failed(self, address: str, name: str) -> None:
        key = (network(address), name)
        self._levels[key] = (self._level(key) + 1, self._clock())
        self._levels.move_to_end(key)
        if len(self._levels) > ENTRIES:
            self._levels.popitem(last=False)

    def _level(self, key: tuple[str, str]) -> float:
        level, at = self._levels.get(key, (0.0, 0.0))
        # A clock that was set back leaks nothing, rather than filling the bucket.
        return max(0.0, level - max(0.0, self._clock() - at) * FAILURES / WINDOW)


def network(address: str) -> str:
    """What one host may choose from freely counts as one: an IPv4 address, an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
