"""`countersign demo`: the whole story on embedded defaults."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time

HELP = (
    "Play the whole story on this machine: a shop, a chain of agents, the gateway, the bot and a Slack page."
)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--auto",
        action="store_true",
        help="cast the votes through the page's own API, check everything, and end",
    )


def run(arguments: argparse.Namespace) -> int:
    from gateway.demo.migrator import Ended
    from gateway.demo.page import NotSeen, PageRefused
    from gateway.demo.postgres import PostgresFailed
    from gateway.demo.processes import PartFailed
    from gateway.demo.stack import stack
    from gateway.demo.story import Story, StoryWrong

    async def tell() -> None:
        began = time.monotonic()
        # Whoever ends the demo ends what it started: servers must not outlive it.
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        print("Starting PostgreSQL, the local workspace, the gateway and the bot ...", flush=True)
        async with stack() as running:
            story = Story(running, lambda line: print(line, flush=True))
            if arguments.auto:
                await story.unattended()
                print(f"\nEverything was so, in {time.monotonic() - began:.1f} s.")
            else:
                await story.attended()

    try:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(tell())
    except KeyboardInterrupt:
        print("\nEnded.")
    except (Ended, NotSeen, PageRefused, PartFailed, PostgresFailed, StoryWrong, TimeoutError) as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    return 0
