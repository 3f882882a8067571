"""The `countersign` command line: each verb is one module under `gateway/commands/`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from gateway import __version__
from gateway.commands.help import epilog

VERBS = (
    "serve",
    "bot",
    "demo",
    "check",
    "explain",
    "policy",
    "blast-radius",
    "mask",
    "login",
    "logout",
    "whoami",
    "links",
    "token",
    "run",
    "connect",
    "elevate",
    "sessions",
    "approvals",
    "replay",
    "verify",
    "host-keys",
    "doctor",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 is yes or done, 1 is no or failed, 2 is a call that cannot be understood or served."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Only the verb that is called pays for its imports.
    wanted = arguments[:1] if arguments and arguments[0] in VERBS else VERBS
    options = parser_of(wanted).parse_args(arguments)
    try:
        return int(importlib.import_module(_module(options.verb)).run(options))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def parser_of(wanted: Sequence[str]) -> argparse.ArgumentParser:
    """The command line of these verbs."""
    parser = argparse.ArgumentParser(
        prog="countersign",
        description="A gateway in the data path between chains of agents and what they reach.",
        epilog="`countersign VERB --help` says more about each verb. Exit codes: 0 done or yes, 1 failed or no, 2 not understood or not possible.",
    )
    parser.add_argument("--version", action="version", version=f"countersign {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in wanted:
        module = importlib.import_module(_module(name))
        module.options(
            verbs.add_parser(
                name,
                help=module.HELP,
                description=module.HELP,
                epilog=epilog(name),
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser


def _module(verb: str) -> str:
    return f"gateway.commands.{verb.replace('-', '_')}"


if __name__ == "__main__":
    sys.exit(main())
