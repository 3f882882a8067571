"""`countersign serve`: the gateway."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import sys

from gateway.commands.options import policy_option, state_option

HELP = "Run the gateway: every connection of policies.yaml, and the API for the bot and for token holders."


def options(parser: argparse.ArgumentParser) -> None:
    policy_option(parser)
    state_option(parser, "keys, live approvals, recordings")
    parser.add_argument("--json", action="store_true", help="say that it is ready, and log, as JSON lines")
    parser.add_argument("--verbose", action="store_true", help="log each admission and refusal too")


def run(arguments: argparse.Namespace) -> int:
    import uvloop

    from gateway.policy.file import PolicyFileError
    from gateway.serve import StartFailed, serve

    _log_to_stderr(as_json=arguments.json, verbose=arguments.verbose)
    # What start-up made stays; what each command makes is mostly gone when it ends. Looking through it less often is
    # worth a tenth of the rate of short commands.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    arguments.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        uvloop.run(serve(arguments.policy, arguments.state, as_json=arguments.json))
    except (PolicyFileError, StartFailed) as failure:
        print(failure, file=sys.stderr)
        return 2
    return 0


class _Line(logging.Formatter):
    """One line a record: time, level, what happened, and what it is about. Control characters stay visible."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        about = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            about["error"] = self.formatException(record.exc_info)
        if self._as_json:
            head = {"at": record.created, "level": record.levelname.lower(), "event": record.getMessage()}
            return json.dumps({**head, **about}, default=str)
        time = self.formatTime(record, "%H:%M:%S")
        shown = " ".join(f"{key}={json.dumps(value, default=str)}" for key, value in about.items())
        return f"{time} {record.levelname.lower():8} {json.dumps(record.getMessage())[1:-1]} {shown}".rstrip()


_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


def _log_to_stderr(*, as_json: bool, verbose: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(as_json=as_json))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("countersign").setLevel(logging.DEBUG if verbose else logging.INFO)
