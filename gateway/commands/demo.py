"""`countersign demo`: the whole story on embedded defaults."""

from __future__ import annotations

import argparse
import asyncio
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
        try:
            async with stack() as running:
                story = Story(running, lambda line: print(line, flush=True))
                if arguments.auto:
                    await story.unattended()
                    print(f"\nEverything was so, in {time.monotonic() - began:.1f} s.")
                else:
                    await story.attended()
        except Exception as failure:
            # A terminal's Ctrl-C reaches the servers, too: what they say of it is no failure of the demo.
            if task.cancelling():
                raise asyncio.CancelledError from failure
            raise

    try:
        asyncio.run(tell())
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\nEnded.")
        # Attended, the story has no other end; unattended, not all of it was checked.
        return 1 if arguments.auto else 0
    except (Ended, NotSeen, OSError, PageRefused, PartFailed, PostgresFailed, StoryWrong) as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    return 0
