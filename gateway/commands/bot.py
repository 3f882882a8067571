"""`countersign bot`: the Slack bot, as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys

HELP = "Run the Slack bot; it takes its settings from the environment (see `countersign bot -- --help`)."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "rest", nargs=argparse.REMAINDER, metavar="-- OPTION ...", help="passed on to `python -m bot`"
    )


def run(arguments: argparse.Namespace) -> int:
    rest = arguments.rest[1:] if arguments.rest[:1] == ["--"] else arguments.rest
    os.execv(sys.executable, [sys.executable, "-m", "bot", *rest])
