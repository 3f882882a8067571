"""The rate model: one message a second per channel, and tiers per method and minute.

Slack documents the tiers as "N or more a minute" and chat.postMessage as about one a second per
channel with short bursts. `strict` allows no burst, so that an app which paces itself properly is
told apart from one that is lucky. https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from bot.workspace.seed import Rate

POSTS_PER_MINUTE = 300
BURST = {Rate.NORMAL: 4, Rate.STRICT: 1}


class Tier(IntEnum):
    """Calls a minute; POST is chat.postMessage's own rule."""

    POST = 0
    T1 = 1
    T2 = 20
    T3 = 50
    T4 = 100


@dataclass(slots=True)
class Bucket:
    """A token bucket: `room` calls at once, refilled at `rate` a second."""

    room: float
    rate: float
    level: float
    at: float

    def wait(self, now: float) -> float:
        """Seconds until a call fits; 0 when it does now. Takes nothing."""
        self.level = min(self.room, self.level + (now - self.at) * self.rate)
        self.at = now
        # A caller that slept exactly as long as it was told must not fail by a rounding error.
        return 0.0 if self.level >= 1 - 1e-6 else (1 - self.level) / self.rate

    def take(self) -> None:
        self.level = max(0.0, self.level - 1)


class RateLimiter:
    """Counts calls; says how long a caller has to wait."""

    def __init__(self, *, clock: Callable[[], float], mode: Rate) -> None:
        self._clock = clock
        self.mode = mode
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def set_mode(self, mode: Rate) -> None:
        """Switch the model; counting starts afresh."""
        self.mode = mode
        self._buckets.clear()

    def ask(self, *, token: str, method: str, tier: Tier, channel: str) -> int:
        """0 when the call may go ahead (and is counted), else whole seconds to wait."""
        if self.mode is Rate.OFF:
            return 0
        if tier is Tier.POST:
            wanted = [
                self._bucket(token, f"{method} {channel}", BURST[self.mode], 1.0),
                self._bucket(token, method, POSTS_PER_MINUTE, POSTS_PER_MINUTE / 60),
            ]
        else:
            wanted = [self._bucket(token, method, float(tier), float(tier) / 60)]
        now = self._clock()
        wait = max(bucket.wait(now) for bucket in wanted)
        if wait > 0:
            return math.ceil(wait)
        for bucket in wanted:
            bucket.take()
        return 0

    def _bucket(self, token: str, name: str, room: float, rate: float) -> Bucket:
        now = self._clock()
        return self._buckets.setdefault((token, name), Bucket(room, rate, room, now))
