"""`countersign approvals`: what waits for people, and deciding about it from a terminal.

A vote from here counts as any other: the person named has to be eligible, and a command that a card cannot show whole
is printed whole before it can be approved.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from gateway.commands.client import Client, client, connection_options, part, person, person_option
from gateway.commands.options import Actions
from gateway.commands.sessions import lineage, table, when
from gateway.commands.token_client import Misused, duration, left, run_verb
from gateway.contract import Approval, Choice, Reach, State, VoteRequest, WholeText, encode
from gateway.recorder.visible import visible

HELP = "List held commands, show one, approve or deny it."

WHICH = ("pending", "all", *(state.value for state in State if state is not State.PENDING))


def options(parser: argparse.ArgumentParser) -> None:
    verbs = Actions(parser)
    listed = verbs.add("list", "what waits for a decision")
    listed.add_argument("which", nargs="?", choices=WHICH, default="pending", help="default: pending")
    shown = verbs.add("show", "one approval, as its card shows it")
    approved = verbs.add("approve", "let the command run")
    approved.add_argument(
        "--words",
        default="",
        metavar="WORDS",
        help="the command's four words, to approve without being asked again",
    )
    approved.add_argument(
        "--reach",
        choices=[each.value for each in Reach],
        help="approve more, for a while: this call again, its shape, whatever the same rules hold of the agent, or of all that it starts; default: this command, once",
    )
    approved.add_argument(
        "--for",
        dest="seconds",
        type=duration,
        default="900",
        metavar="TIME",
        help="for a while: how long; default: 15m",
    )
    approved.add_argument(
        "--commands", type=int, default=10, metavar="N", help="for a while: how many; default: 10"
    )
    approved.add_argument(
        "--rows",
        type=int,
        default=None,
        metavar="N",
        help="for a while: how many rows may come back or change; default: what is offered",
    )
    denied = verbs.add("deny", "refuse the command")
    killed = verbs.add("kill", "refuse it, end its sessions and revoke the agent with all below it")
    for each in (shown, approved, denied, killed):
        each.add_argument(
            "approval",
            metavar="APPROVAL",
            help="its id, as `countersign approvals list` and the card show it",
        )
    for each in (approved, denied, killed):
        each.add_argument(
            "--reason",
            default="",
            metavar="TEXT",
            help="why; kept with the vote, and an agent that is denied reads it",
        )
        person_option(each)
    for each in (listed, shown, approved, denied, killed):
        connection_options(each)


def run(arguments: argparse.Namespace) -> int:
    verbs = {"list": _list, "show": _show, "approve": _approve, "deny": _refuse, "kill": _refuse}
    return run_verb(verbs[arguments.action], arguments)


def _list(arguments: argparse.Namespace) -> int:
    approvals = client(arguments).get("/v1/approvals", tuple[Approval, ...], state=arguments.which)
    if arguments.json:
        print(encode(approvals).decode())
        return 0
    rows = [
        (
            approval.id,
            approval.state.value,
            left(approval.expires_at - time.time()) if approval.state is State.PENDING else "",
            approval.connection,
            ", ".join(f"{ask.quorum} of {ask.approvers}" for ask in approval.asks),
            lineage(approval.lineage),
            _short(approval.command.text),
        )
        for approval in approvals
    ]
    table(("APPROVAL", "STATE", "LEFT", "CONNECTION", "ASKS", "WHO", "COMMAND"), rows)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    approval = _get(client(arguments), arguments)
    print(encode(approval).decode() if arguments.json else card(approval))
    return 0


def _approve(arguments: argparse.Namespace) -> int:
    gateway, name = client(arguments), person(arguments)
    approval = _get(gateway, arguments)
    proof = ""
    if approval.review_required and approval.state is State.PENDING:
        path = f"/v1/approvals/{part(approval.id)}/text"
        whole = gateway.get(path, WholeText, person=name)
        _confirm(approval, whole, words=arguments.words)
        proof = whole.opened
    elif arguments.words and arguments.words != approval.command.words:
        raise Misused(f"approval {approval.id} is about {approval.command.words}, not {arguments.words}")
    wide = (
        {}
        if arguments.reach is None
        else {
            "reach": Reach(arguments.reach),
            "seconds": float(arguments.seconds),
            "commands": arguments.commands,
            "rows": arguments.rows,
        }
    )
    return _vote(gateway, arguments, approval, Choice.APPROVE, name, proof, **wide)


def _refuse(arguments: argparse.Namespace) -> int:
    gateway = client(arguments)
    choice = Choice.KILL if arguments.action == "kill" else Choice.DENY
    return _vote(gateway, arguments, _get(gateway, arguments), choice, person(arguments), "")


def _get(gateway: Client, arguments: argparse.Namespace) -> Approval:
    return gateway.get(f"/v1/approvals/{part(arguments.approval)}", Approval)


def _confirm(approval: Approval, whole: WholeText, *, words: str) -> None:
    """Whoever approves has read the whole text: here and now, or before, and names its words. Raises `Misused`."""
    if words == whole.words:
        return
    print(f"The card of approval {approval.id} cannot show all of it. The whole command:", file=sys.stderr)
    print(visible(whole.text), file=sys.stderr)
    for number, value in enumerate(whole.parameters, start=1):
        print(f"${number} = {'NULL' if value is None else visible(value)}", file=sys.stderr)
    print(f"Its words are {whole.words}.", file=sys.stderr)
    if words or not sys.stdin.isatty():
        raise Misused(f"read it, then approve with --words {whole.words}")
    print("Type its first word to approve: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != whole.words.split("-")[0]:
        raise Misused("not approved")


def _vote(
    gateway: Client,
    arguments: argparse.Namespace,
    approval: Approval,
    choice: Choice,
    name: str,
    proof: str,
    **wide: Any,
) -> int:
    request = VoteRequest(
        person=name,
        choice=choice,
        reason=arguments.reason,
        seen_version=approval.version,
        opened=proof,
        **wide,
    )
    voted = gateway.post(f"/v1/approvals/{part(approval.id)}/votes", request, Approval)
    print(encode(voted).decode() if arguments.json else f"Approval {voted.id} is {_standing(voted)}.")
    return 0


def card(approval: Approval) -> str:
    """An approval for a terminal; everything in it that others wrote is made visible."""
    command = approval.command
    lines = [
        f"Approval {approval.id}: {_standing(approval)}",
        f"  connection  {approval.connection} ({approval.protocol})",
        f"  who         {lineage(approval.lineage)}",
        f"  effects     {', '.join(command.effects)}{'' if command.complete else ' (not read completely)'}",
        f"  words       {command.words}  (SHA-256 {command.digest[:16]}…)",
        f"  asks        {', '.join(f'{ask.quorum} of {ask.approvers} ({ask.rule})' for ask in approval.asks)}",
        f"  until       {when(approval.expires_at)}, {approval.waiting} waiting",
    ]
    if approval.message:
        lines.append(f"  message     {approval.message}")
    if approval.estimate is not None:
        rows = "unknown" if approval.estimate.rows is None else str(approval.estimate.rows)
        lines.append(f"  estimate    {rows} rows {approval.estimate.note}".rstrip())
    lines += [
        f"  vote        {vote.person}: {vote.choice.value} {vote.reason}".rstrip() for vote in approval.votes
    ]
    if approval.lasting is not None:
        what = ", ".join(approval.lasting.what)
        rows = f", {approval.lasting.rows} rows" if approval.lasting.rows is not None else ""
        lines.append(
            f"  a while     {what}; at most {left(approval.lasting.seconds)} and {approval.lasting.commands} commands{rows}"
        )
    if approval.review_required:
        lines.append("  review      the whole text has to be opened before it can be approved")
    shown = [visible(line).replace("\n", " ") for line in lines]
    shown.append("  command")
    shown += [f"    {line}" for line in visible(command.text).split("\n")]
    shown += [
        f"    ${number} = {'NULL' if value is None else visible(value)}"
        for number, value in enumerate(command.parameters, start=1)
    ]
    return "\n".join(shown)


def _standing(approval: Approval) -> str:
    if approval.state is State.PENDING:
        return f"pending, {left(approval.expires_at - time.time())} left"
    told = {State.SPENT: "approved and run", State.APPROVED: "approved, waiting for the client to come back"}
    by = f" by {approval.settled_by}" if approval.settled_by else ""
    reason = f": {approval.reason}" if approval.reason else ""
    return visible(f"{told.get(approval.state, approval.state.value)}{by}{reason}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
