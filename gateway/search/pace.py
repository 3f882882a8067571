"""Background work in short slices, so that it does not delay the event loop."""

from __future__ import annotations

import asyncio
from time import monotonic, thread_time


async def rest(seconds: float) -> float:
    """Wait; the share of that time for which the event loop's thread was at work."""
    began, worked = monotonic(), thread_time()
    await asyncio.sleep(seconds)
    return (thread_time() - worked) / max(monotonic() - began, 1e-9)
