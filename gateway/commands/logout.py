"""`countersign logout`: end the token that `countersign login` kept, and everything derived from it."""

from __future__ import annotations

import argparse
import json

from gateway.commands import kept_login
from gateway.commands.token_client import Misused, client, run_verb, url_option

HELP = "End the login that is kept here, and what was started by it."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    url_option(parser)


def run(arguments: argparse.Namespace) -> int:
    return run_verb(_run, arguments)


def _run(arguments: argparse.Namespace) -> int:
    gateway = client(arguments)
    token = kept_login.token(gateway.url)
    if not token:
        raise Misused(f"nobody is logged in to {gateway.url} here")
    answer = gateway.post("/oauth/revoke", {"token": token, "reason": "logged out"})
    kept_login.forget(gateway.url)
    ended = len(answer.get("revoked", []))
    print(json.dumps(answer) if arguments.json else f"Logged out; {ended} token{'s'[: ended != 1]} ended.")
    return 0
