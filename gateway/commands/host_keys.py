"""`countersign host-keys`: change the keys by which clients know the gateway, so that they learn the new one beforehand."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from gateway.commands.options import Actions, state_option
from gateway.hosting import hosts
from gateway.identity.host_keys import Numbers, numbers, secrets_of, write
from gateway.identity.private_files import KeysUnsafe
from gateway.identity.seed import look

HELP = "Show the gateway's host keys, announce the next ones, and switch to them."

RESTART = "It holds from the gateway's next start."


def options(parser: argparse.ArgumentParser) -> None:
    actions = Actions(parser)
    for name, words in (
        ("show", "the keys that are shown to clients, and the next ones where they are announced"),
        ("announce", "tell clients that come of the next keys, while the old ones still serve"),
        ("switch", "serve with the keys that were announced, and tell clients to forget the old ones"),
        ("withdraw", "announce nothing any more"),
    ):
        action = actions.add(name, words)
        action.add_argument("--json", action="store_true", help="as one JSON object")
        state_option(action)


def run(arguments: argparse.Namespace) -> int:
    directory: Path = arguments.state / "keys"
    try:
        seed, _ = look(directory)
        if seed is None:
            raise KeysUnsafe(f"{directory} has no keys yet: name the gateway's state directory by --state")
        before = numbers(directory)
        chosen = _chosen(arguments.action, before)
        if chosen != before:
            write(directory, chosen)
    except (KeysUnsafe, OSError) as error:
        print(f"countersign: {error}", file=sys.stderr)
        return 2
    except LookupError as error:
        print(f"countersign: {error.args[0]}", file=sys.stderr)
        return 1
    told = hosts(secrets_of(seed, chosen))
    if arguments.json:
        print(json.dumps({**told, "changed": chosen != before}))
        return 0
    for protocol, host in told.items():
        _print(protocol, host)
    if chosen != before:
        print(RESTART)
    return 0


def _chosen(action: str, now: Numbers) -> Numbers:
    """Raises `LookupError` with a sentence where the action has nothing to act on."""
    announcing = now.announced != now.shown
    match action:
        case "announce":
            return now if announcing else Numbers(shown=now.shown, announced=now.shown + 1)
        case "switch" if not announcing:
            raise LookupError(
                "No next key is announced, so no client knows it: `countersign host-keys announce` first."
            )
        case "switch":
            return Numbers(shown=now.announced, announced=now.announced)
        case "withdraw":
            return Numbers(shown=now.shown, announced=now.shown)
        case _:
            return now


def _print(protocol: str, host: Mapping[str, str]) -> None:
    print(f"{protocol}: {host['fingerprint']}  {host['host_key']}")
    if "next_host_key" in host:
        print(f"{protocol}, next: {host['next_fingerprint']}  {host['next_host_key']}")
