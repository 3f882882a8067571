"""`countersign sessions`: who is connected, who was, and how to end it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from gateway.commands.client import client, connection_options, part, person, person_option
from gateway.commands.options import Actions
from gateway.commands.token_client import run_verb
from gateway.contract import LineageView, RevokeRequest, SessionView, Transcript, encode
from gateway.recorder.visible import visible

HELP = "List sessions, show one with its transcript, or end it."

PAGE = 200


def options(parser: argparse.ArgumentParser) -> None:
    verbs = Actions(parser)
    listed = verbs.add("list", "open sessions, and the newest that are over")
    listed.add_argument(
        "--closed", type=int, default=20, metavar="N", help="at most so many that are over; default: 20"
    )
    shown = verbs.add("show", "one session and its transcript")
    shown.add_argument("session", metavar="SESSION", help="its id, as `countersign sessions list` shows it")
    killed = verbs.add("kill", "end a session")
    killed.add_argument("session", metavar="SESSION", help="its id, as `countersign sessions list` shows it")
    killed.add_argument("--reason", default="", metavar="TEXT", help="why; it is recorded")
    person_option(killed)
    for each in (listed, shown, killed):
        connection_options(each)


def run(arguments: argparse.Namespace) -> int:
    return run_verb({"list": _list, "show": _show, "kill": _kill}[arguments.action], arguments)


def _list(arguments: argparse.Namespace) -> int:
    views = client(arguments).get(
        "/v1/sessions", tuple[SessionView, ...], closed=str(max(0, arguments.closed))
    )
    if arguments.json:
        print(encode(views).decode())
        return 0
    rows = [
        (
            view.id,
            "open" if view.closed_at is None else "over",
            when(view.opened_at),
            view.connection,
            f"{view.commands} ({view.blocked} blocked, {view.held} held)",
            lineage(view.lineage),
        )
        for view in views
    ]
    table(("SESSION", "STATE", "OPENED", "CONNECTION", "COMMANDS", "WHO"), rows)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    gateway = client(arguments)
    path = f"/v1/sessions/{part(arguments.session)}"
    view = gateway.get(path, SessionView)
    pages: list[Transcript] = []
    after = 0
    while True:
        page = gateway.get(f"{path}/transcript", Transcript, after=str(after), limit=str(PAGE))
        pages.append(page)
        if page.next <= after:
            break
        after = page.next
    entries = [entry for page in pages for entry in page.entries]
    entries += pages[-1].running
    if arguments.json:
        print(encode({"session": view, "entries": entries}).decode())
        return 0
    print(f"{view.id} on {view.connection} ({view.protocol}), opened {when(view.opened_at)}")
    print(visible(f"by {lineage(view.lineage)} from {view.client or 'an unknown address'}"))
    for entry in entries:
        print_entry(entry)
    if view.closed_at is None:
        print("(still open)")
    return 0


def _kill(arguments: argparse.Namespace) -> int:
    wish = RevokeRequest(person=person(arguments), reason=arguments.reason)
    answer = client(arguments).post(f"/v1/sessions/{part(arguments.session)}/kill", wish, dict[str, Any])
    print(encode(answer).decode() if arguments.json else f"Session {visible(arguments.session)} was ended.")
    return 0


def print_entry(entry: Any) -> None:
    """One transcript entry, as a person reads it. Its text is already safe for a terminal."""
    mark = (
        f" [{entry.verdict}{': ' + ', '.join(entry.rules) if entry.rules else ''}]" if entry.verdict else ""
    )
    first, *more = entry.text.split("\n")
    print(visible(f"{when(entry.at)}  {entry.kind}{mark}  ") + first)
    for line in more:
        print(f"    {line}")
    sys.stdout.flush()


def lineage(view: LineageView) -> str:
    names = [actor.name for actor in view.chain]
    return " → ".join([view.person, *names] if view.person else names)


def when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as they need to be; control characters made visible."""
    lines = [head, *(tuple(visible(cell).replace("\n", " ") for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
