"""`countersign links`: which Slack users are which people by a login of theirs, and how to end that."""

from __future__ import annotations

import argparse
import time

from gateway.commands.client import client, connection_options, part
from gateway.commands.options import Actions
from gateway.commands.sessions import table, when
from gateway.commands.token_client import left, run_verb
from gateway.contract import LinkView, RevokeRequest, encode
from gateway.recorder.visible import visible

HELP = "List the Slack users who were linked to people by a login, or end a link."


def options(parser: argparse.ArgumentParser) -> None:
    verbs = Actions(parser)
    listed = verbs.add("list", "every link, those that are over too")
    removed = verbs.add("remove", "end a link: that Slack user is nobody until they log in again")
    removed.add_argument("slack_id", metavar="SLACK_ID", help="as U012AB3CD")
    removed.add_argument("--reason", default="", metavar="TEXT", help="kept in the journal")
    for each in (listed, removed):
        connection_options(each)


def run(arguments: argparse.Namespace) -> int:
    return run_verb({"list": _list, "remove": _remove}[arguments.action], arguments)


def _list(arguments: argparse.Namespace) -> int:
    links = client(arguments).get("/v1/links", tuple[LinkView, ...])
    if arguments.json:
        print(encode(links).decode())
        return 0
    rows = [
        (
            link.slack_id,
            link.team,
            visible(link.person),
            link.provider,
            when(link.at),
            "over" if link.over else left(link.ends_at - time.time()) if link.ends_at is not None else "-",
        )
        for link in links
    ]
    table(("SLACK USER", "WORKSPACE", "PERSON", "PROVIDER", "SINCE", "LEFT"), rows)
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    wish = RevokeRequest(person="operator", reason=arguments.reason)
    link = client(arguments).post(f"/v1/links/{part(arguments.slack_id)}/end", wish, LinkView)
    print(
        encode(link).decode()
        if arguments.json
        else f"{link.slack_id} is not linked to {visible(link.person)} any more"
    )
    return 0
