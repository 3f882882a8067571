"""`countersign logout`: end the token that `countersign login` kept, and everything derived from it.

Operators end everybody's: `--person` takes from a person at once what identity providers said of them.
"""

from __future__ import annotations

import argparse
import json

from gateway.commands import kept_login
from gateway.commands.options import state_option
from gateway.commands.token_client import (
    OPERATOR_TOKEN,
    Misused,
    client,
    operator_credential,
    run_verb,
    url_option,
)

HELP = "End the login that is kept here, and what was started by it."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--person", default="", metavar="EMAIL", help="end this person's logins everywhere; for operators"
    )
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="kept with the tokens that end; for operators"
    )
    url_option(parser)
    state_option(parser)


def run(arguments: argparse.Namespace) -> int:
    return run_verb(_run, arguments)


def _run(arguments: argparse.Namespace) -> int:
    gateway = client(arguments)
    if arguments.person:
        credential = operator_credential(arguments.state)
        if not credential:
            raise Misused(f"set {OPERATOR_TOKEN}, or --state to the gateway's state directory")
        form = {"person": arguments.person, "reason": arguments.reason}
        answer = gateway.post("/v1/people/logout", form, bearer=credential)
    else:
        token = kept_login.token(gateway.url)
        if not token:
            raise Misused(f"nobody is logged in to {gateway.url} here")
        answer = gateway.post("/oauth/revoke", {"token": token, "reason": "logged out"})
        kept_login.forget(gateway.url)
    ended = len(answer.get("revoked", []))
    print(json.dumps(answer) if arguments.json else f"Logged out; {ended} token{'s'[: ended != 1]} ended.")
    return 0
