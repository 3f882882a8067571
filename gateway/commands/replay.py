"""`countersign replay`: a recording as it happened, from the state directory; no gateway has to run."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gateway.commands.options import state_option
from gateway.commands.sessions import print_entry
from gateway.contract import encode
from gateway.protocols import timed
from gateway.recorder.cast import cast
from gateway.recorder.chain import ChainBroken
from gateway.recorder.read import find
from gateway.recorder.transcript import entries

HELP = "Play a recorded session, as fast as it went or faster."

LONGEST_PAUSE = 5.0
"""Seconds that a replay waits at most for the next entry."""


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="a session's id, or the file of its recording")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="N times as fast; default: 1")
    pace.add_argument("--no-wait", action="store_true", help="all at once")
    parser.add_argument(
        "--cast", action="store_true", help="print it as an asciicast (v2) for asciinema and other players"
    )
    parser.add_argument("--json", action="store_true", help="one entry a line, without waiting")
    state_option(parser)


def run(arguments: argparse.Namespace) -> int:
    path = recording(arguments.session, arguments.state)
    if path is None:
        print(
            f"countersign: no recording of {arguments.session!a} below {arguments.state / 'recordings'}: "
            "name its file, or --state",
            file=sys.stderr,
        )
        return 2
    speed = None if arguments.no_wait or arguments.json else arguments.speed
    try:
        if arguments.cast:
            for line in cast(path, timed):
                print(line)
            return 0
        play(path, speed=speed, as_json=arguments.json, sleep=time.sleep)
    except ChainBroken as broken:
        print(f"countersign: {path}: {broken}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"countersign: {path}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def play(path: Path, *, speed: float | None, as_json: bool, sleep: Callable[[float], None]) -> None:
    """Print every entry; with a `speed`, in the rhythm in which they were recorded. Raises `ChainBroken`."""
    from gateway.protocols import served

    before: float | None = None
    for entry in entries(path, lambda protocol: served(protocol).render):
        if speed is not None and before is not None:
            sleep(min(max(0.0, entry.at - before) / speed, LONGEST_PAUSE))
        before = entry.at
        if as_json:
            print(encode(entry).decode(), flush=True)
        else:
            print_entry(entry)


def recording(name: str, state: Path) -> Path | None:
    """The file of a recording, named by itself or by its session."""
    path = Path(name)
    return path if path.is_file() else find(state / "recordings", name)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed: write 2 for twice as fast")
    return speed
