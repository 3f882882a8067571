"""What the verbs' command lines have in common."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from gateway.commands.help import epilog

STATE = "COUNTERSIGN_STATE"


class Actions:
    """The actions of a verb that has several, each with a `--help` of its own."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._verb = parser.prog.split()[-1]
        self._parsers = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(self, name: str, does: str) -> argparse.ArgumentParser:
        """`does` says it in a line, as the list of actions shows it."""
        return self._parsers.add_parser(
            name,
            help=does,
            description=f"{does[:1].upper()}{does[1:]}.",
            epilog=epilog(f"{self._verb} {name}"),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )


def policy_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("policies.yaml"),
        metavar="FILE",
        help="the policy file; default: %(default)s",
    )


def policy_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--policy",
        type=Path,
        default=Path("policies.yaml"),
        metavar="FILE",
        help="the policy file; default: %(default)s",
    )


def state_option(parser: argparse.ArgumentParser, holds: str = "the gateway's state directory") -> None:
    """`holds` says what of the directory the verb needs."""
    parser.add_argument(
        "--state",
        type=Path,
        default=Path(os.environ.get(STATE, "var")),
        metavar="DIR",
        help=f"{holds}; default: ${STATE} or ./var",
    )
