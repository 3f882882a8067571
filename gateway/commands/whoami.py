"""`countersign whoami`: whose token is at hand, until when, and what it reaches."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

from gateway.commands.token_client import client, left, own_token, readable, run_verb, url_option

HELP = "Say whose token is at hand, and what it reaches."


def options(parser: argparse.ArgumentParser) -> None:
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--json", action="store_true", help="print JSON")
    said.add_argument("--token", action="store_true", help="print the token itself, for a client's password")
    url_option(parser)


def run(arguments: argparse.Namespace) -> int:
    return run_verb(_run, arguments)


def _run(arguments: argparse.Namespace) -> int:
    gateway = client(arguments)
    token = own_token(gateway.url)
    if arguments.token:
        print(token)
        return 0
    holder = gateway.get("/v1/connections", bearer=token)
    print(json.dumps(holder) if arguments.json else told(holder))
    return 0


def told(holder: Mapping[str, Any]) -> str:
    """`ada@example.com for 7h 59m; reaches orders (read, write), shop (read).`"""
    agent, person = str(holder.get("agent", "")), str(holder.get("person", ""))
    name = agent if agent == person or not person else f"{agent} for {person}"
    reaches = ", ".join(
        f"{each.get('name')} ({', '.join(map(str, each.get('effects', [])))})"
        for each in holder.get("connections", [])
    )
    remaining = left(float(holder.get("expires_at", 0)) - time.time())
    return readable(f"{name}, {remaining} left; reaches {reaches or 'nothing'}.")
