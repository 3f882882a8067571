"""`countersign login`: a person's own token, by a login in a browser anywhere (RFC 8628)."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import webbrowser
from typing import Any
from urllib.parse import urlsplit

from gateway.commands import kept_login
from gateway.commands.proving import Key
from gateway.commands.token_client import (
    Refused,
    TokenClient,
    Unreachable,
    client,
    readable,
    run_verb,
    url_option,
)
from gateway.commands.whoami import told

HELP = "Log in as a person, in a browser, and keep the token."

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL = 5.0


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scope", default="", metavar="SCOPE", help='"orders:read,write shop:read"; default: all there is'
    )
    parser.add_argument(
        "--task", default="", metavar="TEXT", help="what it is for, in one line; it stands on the page"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--json", action="store_true", help="print JSON; the address goes to stderr")
    url_option(parser)


def run(arguments: argparse.Namespace) -> int:
    return run_verb(_run, arguments)


def _run(arguments: argparse.Namespace) -> int:
    gateway = client(arguments)
    if gateway.key is not None:
        Key(gateway.key, make=True)
    wishes = {"scope": arguments.scope, "task": arguments.task}
    codes = gateway.post(
        "/oauth/device_authorization", {key: value for key, value in wishes.items() if value}
    )
    address, user_code = str(codes.get("verification_uri")), str(codes.get("user_code"))
    print(f"Open {readable(address)} and type the code  {readable(user_code)}", file=sys.stderr, flush=True)
    if not arguments.no_browser and sys.stderr.isatty() and _has_a_screen():
        complete = str(codes.get("verification_uri_complete", ""))
        # What the gateway answers is opened only where it is an address of the web.
        if urlsplit(complete).scheme in {"http", "https"}:
            webbrowser.open(complete)
    answer = _waited(gateway, codes)
    token = str(answer.get("access_token", ""))
    holder = gateway.get("/v1/connections", bearer=token)
    kept_login.keep(gateway.url, token, expires_at=float(holder["expires_at"]))
    print(json.dumps(holder) if arguments.json else f"Logged in as {told(holder)}")
    return 0


def _has_a_screen() -> bool:
    """Or a browser would open in the terminal itself, or on a machine where nobody sits."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _waited(gateway: TokenClient, codes: dict[str, Any]) -> dict[str, Any]:
    """The answer that holds the token. Raises `Refused`."""
    interval = float(codes.get("interval", INTERVAL))
    ends = time.monotonic() + float(codes.get("expires_in", 600))
    while time.monotonic() < ends:
        time.sleep(interval)
        try:
            return gateway.post(
                "/oauth/token",
                {"grant_type": DEVICE_CODE, "device_code": str(codes.get("device_code"))},
                proved=True,
            )
        except Unreachable:
            continue  # it may be starting again, and says itself if the login is over
        except Refused as refused:
            if refused.error == "slow_down":
                interval += INTERVAL
            elif refused.error != "authorization_pending":
                raise
    raise Refused("the login was not finished in time: begin again")
