"""`python -m bot`: the Slack bot where people decide. Everything it needs is in its environment."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys

from bot.app import SlackLoginError, run
from bot.manifest import manifest_text
from bot.settings import VARIABLES, Settings, SettingsError, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Run the bot until it is told to stop: 0 then, 2 where its environment or its token is not usable."""
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="Shows what is held in Slack and carries people's votes to the gateway.",
        epilog="Environment:\n" + "\n".join(f"  {name:22} {what}" for name, what in VARIABLES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--manifest", action="store_true", help="print the Slack app's manifest and end")
    parser.add_argument("--verbose", action="store_true", help="log what Slack and the gateway answer")
    options = parser.parse_args(arguments)
    if options.manifest:
        print(manifest_text(), end="")
        return 0
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("bot").setLevel(logging.INFO)
    try:
        asyncio.run(_until_stopped(read_settings(os.environ)))
    except (SettingsError, SlackLoginError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _until_stopped(settings: Settings) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await run(settings)


if __name__ == "__main__":
    sys.exit(main())
