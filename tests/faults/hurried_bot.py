"""`python -m bot` with short waits: the same program, for tests that cannot wait for leases and for Slack's pace."""

from __future__ import annotations

import asyncio
import logging
import os

from bot.app import Timings, running
from bot.newest import Backoff
from bot.outbox import Pace
from bot.settings import read_settings

HURRIED = Timings(
    lease=1.0,
    batch=0.05,
    retry=Backoff(first=0.05, longest=0.5),
    pace=Pace(between_posts=0.01, between_edits=0.01, first_retry=0.05, longest_retry=0.5),
)


async def main() -> None:
    async with running(read_settings(os.environ), timings=HURRIED):
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
