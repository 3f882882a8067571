"""`countersign verify`: whether recordings, and the journal, still say what the gateway wrote.

0: every record holds, and the seal. 1: one does not, or the end is missing; the line names it. 2: nothing to verify.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.commands.options import state_option
from gateway.commands.replay import recording
from gateway.identity.keys import public_key, public_keys, thumbprint
from gateway.journal import JournalFailed
from gateway.journal import verify as verify_journal
from gateway.recorder.read import Verified, recordings, verify

HELP = "Check that recordings were not changed, cut or made up."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recording", nargs="*", metavar="RECORDING", help="the file of a recording, or a session's id"
    )
    parser.add_argument(
        "--all", action="store_true", help="every recording of the state directory, and the journal"
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="the gateway's public keys as a JWK set; default: those of the state directory",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    state_option(parser)


def run(arguments: argparse.Namespace) -> int:
    if not arguments.recording and not arguments.all:
        print("countersign: name a recording or a session, or --all", file=sys.stderr)
        return 2
    if arguments.all and not any((arguments.state / each).is_dir() for each in ("recordings", "keys")):
        print(
            f"countersign: {arguments.state} has no recordings: name the gateway's state directory by --state",
            file=sys.stderr,
        )
        return 2
    named = [(name, recording(name, arguments.state)) for name in arguments.recording]
    missing = [name for name, path in named if path is None]
    for name in missing:
        print(f"countersign: there is no recording {name!a}: name its file, or --state", file=sys.stderr)
    paths = [path for _, path in named if path is not None]
    if arguments.all:
        paths += recordings(arguments.state / "recordings")
    try:
        held = [_one(path, _keys(arguments, path), as_json=arguments.json) for path in paths]
    except (OSError, ValueError) as error:
        print(f"countersign: {error}", file=sys.stderr)
        return 2
    if arguments.all:
        held.append(_journal(arguments.state / "journal", as_json=arguments.json))
    if missing:
        return 2
    return 0 if all(held) else 1


def _one(path: Path, keys: dict[str, Ed25519PublicKey], *, as_json: bool) -> bool:
    found = verify(path, keys)
    print(_json(found) if as_json else f"{found}", flush=True)
    return found.good


def _json(found: Verified) -> str:
    return orjson.dumps(
        {
            "recording": str(found.path),
            "session": found.session.id if found.session is not None else None,
            "standing": found.standing,
            "holds": found.good,
            "records": found.held,
            "record": found.number,
            "fault": found.fault,
            "key": found.key_id,
            "head": found.head,
        }
    ).decode()


def _journal(directory: Path, *, as_json: bool) -> bool:
    fault, count = "", 0
    try:
        count = verify_journal(directory)
    except JournalFailed as failure:
        fault = str(failure)
    if as_json:
        print(
            orjson.dumps(
                {"journal": str(directory), "holds": not fault, "records": count, "fault": fault}
            ).decode()
        )
    else:
        print(fault or f"{directory}: {count} records hold")
    return not fault


def _keys(arguments: argparse.Namespace, path: Path) -> dict[str, Ed25519PublicKey]:
    """The keys that a seal is checked against: those given, or those of the state that the recording lies in."""
    if arguments.keys is not None:
        return _jwk_set(arguments.keys)
    beside = path.resolve().parents
    keys = public_keys(beside[2] / "keys") if len(beside) > 2 else {}
    return keys or public_keys(arguments.state / "keys")


def _jwk_set(path: Path) -> dict[str, Ed25519PublicKey]:
    """Raises `OSError` and `ValueError`."""
    try:
        keys = [public_key(each) for each in orjson.loads(path.read_bytes())["keys"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{path} is no set of Ed25519 keys: save /.well-known/jwks.json there") from None
    return {thumbprint(key): key for key in keys}
