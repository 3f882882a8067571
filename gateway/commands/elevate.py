"""`countersign elevate`: an agent, or a person by hand, asks for more for a while; people decide, and it ends by itself.

With a token, an agent's or that of a login: `ask` and `state`; with a login `access`. With the operators' credential, or such a
token where there is none: `grants` and `end`. With a code from Slack: `open`.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
from collections.abc import Iterator, Mapping

from gateway.commands.client import Client, client, connection_options, part, person, person_option
from gateway.commands.options import Actions
from gateway.commands.proving import own_key
from gateway.commands.sessions import table
from gateway.commands.token_client import (
    DEFAULT_URL,
    URL,
    Misused,
    TokenClient,
    duration,
    left,
    operator_credential,
    own_token,
    run_verb,
)
from gateway.contract import (
    AccessView,
    Approval,
    CredentialView,
    ElevationRequest,
    ElevationState,
    ElevationView,
    GrantView,
    OfferView,
    RevokeRequest,
    State,
    encode,
)

HELP = "Ask for wider scope for a while, see what was granted, end it."

BECOMES: Mapping[str, str] = {"": "out of reach", "allow": "runs", "hold": "held", "block": "blocked"}
WAIT = 10
"""Seconds that the gateway may take for one look at a request that is waited for."""
CODE_CHARACTERS = 1_024


def options(parser: argparse.ArgumentParser) -> None:
    verbs = Actions(parser)
    asked = verbs.add("ask", "ask, for this agent and what it starts; logged in: for yourself, by hand")
    asked.add_argument(
        "connection", metavar="CONNECTION", help="its name, as `countersign elevate offers` shows it"
    )
    asked.add_argument(
        "effects", metavar="EFFECTS", help="what should no longer be held: write, or write,ddl"
    )
    asked.add_argument(
        "--for", dest="seconds", type=duration, default="1800", metavar="TIME", help="how long; default: 30m"
    )
    asked.add_argument(
        "--commands",
        type=int,
        default=None,
        metavar="N",
        help="how many at most; default: all that is offered",
    )
    asked.add_argument(
        "--rows",
        type=int,
        default=None,
        metavar="N",
        help="how many rows may come back or change; default: what is offered",
    )
    asked.add_argument(
        "--template",
        default="",
        metavar="NAME",
        help="the offer of policies.yaml that is meant; default: the first that fits",
    )
    asked.add_argument(
        "--agent",
        default="",
        metavar="NAME",
        help="logged in: for which agent of yours, by name or its token's id",
    )
    asked.add_argument(
        "--ticket", default="", metavar="ID", help="the ticket that it is for, where the offer asks for one"
    )
    asked.add_argument("--extends", default="", metavar="GRANT", help="the grant that should go on")
    asked.add_argument("--reason", required=True, metavar="TEXT", help="why; approvers read it")
    asked.add_argument("--wait", action="store_true", help="until people have decided")
    offered = verbs.add("offers", "what may be asked for now")
    shown = verbs.add("state", "how a request stands")
    shown.add_argument("approval", metavar="APPROVAL", help="its id, as `countersign elevate ask` printed it")
    listed = verbs.add("grants", "what is granted now")
    ended = verbs.add("end", "end a grant now")
    ended.add_argument("grant", metavar="GRANT", help="its id, as `countersign elevate grants` shows it")
    ended.add_argument("--reason", default="", metavar="TEXT", help="why; it is recorded")
    person_option(ended)
    entered = verbs.add("access", "logged in: get in by what was granted to you by hand; user and password")
    entered.add_argument("grant", metavar="GRANT", help="its id, as `countersign elevate grants` shows it")
    opened = verbs.add(
        "open", "open a code from Slack, asked for or read from stdin: user and password, once"
    )
    for each in (asked, offered, shown, listed, ended, entered, opened):
        connection_options(each)


def run(arguments: argparse.Namespace) -> int:
    verbs = {
        "ask": _ask,
        "offers": _offers,
        "state": _state,
        "grants": _grants,
        "end": _end,
        "access": _access,
        "open": _open,
    }
    return run_verb(verbs[arguments.action], arguments)


def _ask(arguments: argparse.Namespace) -> int:
    gateway = _with_token(arguments)
    wish = ElevationRequest(
        connection=arguments.connection,
        effects=tuple(filter(None, arguments.effects.replace(" ", ",").split(","))),
        seconds=float(arguments.seconds),
        reason=arguments.reason,
        commands=arguments.commands,
        rows=arguments.rows,
        template=arguments.template,
        agent=arguments.agent,
        ticket=arguments.ticket,
        extends=arguments.extends,
    )
    approval = gateway.post("/v1/elevations", wish, Approval)
    if not arguments.json and approval.elevation is not None:
        for line in _preview(approval.elevation):
            print(line, file=sys.stderr)
    if not arguments.wait:
        print(encode(approval).decode() if arguments.json else f"asked: approval {approval.id}")
        return 0
    print(f"asked: approval {approval.id}; waiting for people", file=sys.stderr)
    while (state := _look(gateway, approval.id, wait=WAIT)).approval.state in {State.PENDING, State.APPROVED}:
        pass  # the gateway answers when something has happened, or after that time
    return _tell(arguments, state)


def _preview(elevation: ElevationView) -> Iterator[str]:
    """What becomes possible that was not, as the card says it."""
    for each in elevation.possible:
        if each.before != each.after:
            yield f"{each.effect}: {BECOMES.get(each.before, each.before)} -> {BECOMES.get(each.after, each.after)}"
    tables = elevation.tables
    if tables is not None:
        before, after = tables.before, tables.after
        yield (
            f"tables without asking, of {tables.total}: read {before.read} -> {after.read}, "
            f"written {before.written} -> {after.written}; masked columns {before.masked} of {before.columns} -> "
            f"{after.masked} of {after.columns}"
        )
    elif elevation.how == "votes":
        yield "tables are not counted: the gateway knows no catalogue of this target"


def _offers(arguments: argparse.Namespace) -> int:
    offers = _with_token(arguments).get("/v1/elevations", tuple[OfferView, ...])
    if arguments.json:
        print(encode(offers).decode())
        return 0
    rows = [
        (
            offer.template,
            offer.connection,
            ",".join(offer.effects),
            left(offer.longest),
            f"{offer.commands}" + (f", {offer.rows} rows" if offer.rows is not None else ""),
            ", ".join(["by hand"] * offer.by_hand + [each.name for each in offer.holders]),
            " and ".join(f"{ask.quorum} of {ask.approvers}" for ask in offer.asks)
            or "nobody: looked at afterwards",
        )
        for offer in offers
    ]
    table(("TEMPLATE", "CONNECTION", "EFFECTS", "LONGEST", "COMMANDS", "FOR", "DECIDED BY"), rows)
    return 0


def _state(arguments: argparse.Namespace) -> int:
    return _tell(arguments, _look(_with_token(arguments), arguments.approval))


def _grants(arguments: argparse.Namespace) -> int:
    grants = _looking(arguments)[0].get("/v1/grants", tuple[GrantView, ...])
    if arguments.json:
        print(encode(grants).decode())
        return 0
    rows = [
        (
            grant.id,
            grant.person if grant.by_hand else grant.agent,
            grant.connection,
            ",".join(grant.effects),
            left(grant.ends_at - time.time()),
            f"{grant.used} of {grant.commands}",
            grant.asked_by,
            grant.reason,
        )
        for grant in grants
    ]
    table(("GRANT", "AGENT", "CONNECTION", "EFFECTS", "LEFT", "COMMANDS", "ASKED BY", "REASON"), rows)
    return 0


def _end(arguments: argparse.Namespace) -> int:
    gateway, operator = _looking(arguments)
    # Who is logged in acts for themselves.
    who = person(arguments) if operator else arguments.person
    wish = RevokeRequest(person=who, reason=arguments.reason)
    grant = gateway.post(f"/v1/grants/{part(arguments.grant)}/end", wish, GrantView)
    print(encode(grant).decode() if arguments.json else f"ended: grant {grant.id} of {grant.agent}")
    return 0


def _access(arguments: argparse.Namespace) -> int:
    """A code for the grant, opened at once."""
    path = f"/v1/grants/{part(arguments.grant)}/access"
    access = _with_token(arguments).post(path, RevokeRequest(person=""), AccessView)
    return _spend(arguments, access.code)


def _open(arguments: argparse.Namespace) -> int:
    # Never an argument: those can be read by everybody on the machine, and a code is as good as the credential.
    code = ""
    if sys.stdin is not None:
        code = getpass.getpass("code: ") if sys.stdin.isatty() else sys.stdin.readline(CODE_CHARACTERS)
    if not code.strip():
        raise Misused("no code came: paste the one from Slack when asked, or write it to stdin")
    return _spend(arguments, code.strip())


def _spend(arguments: argparse.Namespace, code: str) -> int:
    """What a code opens is printed once; nobody else may see it, so nothing keeps it."""
    gateway = Client(_url(arguments), "-")
    shown = gateway.post(f"/v1/access/{part(code)}", {}, CredentialView)
    if arguments.json:
        print(encode(shown).decode())
        return 0
    print(f"user      {shown.user}\npassword  {shown.password}\nthen      {shown.line}")
    print(f"it ends in {left(shown.expires_at - time.time())}", file=sys.stderr)
    return 0


def _look(gateway: Client, approval_id: str, *, wait: int = 0) -> ElevationState:
    return gateway.get(f"/v1/elevations/{part(approval_id)}", ElevationState, wait=f"{wait}")


def _tell(arguments: argparse.Namespace, state: ElevationState) -> int:
    if arguments.json:
        print(encode(state).decode())
    elif state.grant is not None:
        grant = state.grant
        print(
            f"granted: {', '.join(grant.effects)} on {grant.connection} for {left(grant.ends_at - time.time())}, "
            f"{grant.commands - grant.used} commands (grant {grant.id})"
        )
        if grant.by_hand:
            print(f"get in with: countersign elevate access {grant.id}", file=sys.stderr)
    else:
        reason = f": {state.approval.reason}" if state.approval.reason else ""
        word = "over" if state.approval.state is State.SPENT else state.approval.state.value
        print(f"{word}{reason} (approval {state.approval.id})")
    return 0 if state.grant is not None or state.approval.state is State.PENDING else 1


def _looking(arguments: argparse.Namespace) -> tuple[Client, bool]:
    """The gateway, and whether it is asked with the operators' credential: else with a token. Raises `Misused`."""
    if operator_credential(arguments.state):
        return client(arguments), True
    return _with_token(arguments), False


def _with_token(arguments: argparse.Namespace) -> Client:
    """The gateway, asked with the token that we were started with, or that of a login. Raises `Misused`."""
    token = own_token(_url(arguments))
    if "\n" in token:
        raise Misused("a token is one line")
    return Client(_url(arguments), token, gateway=TokenClient(_url(arguments), key=own_key()))


def _url(arguments: argparse.Namespace) -> str:
    return str(arguments.url or os.environ.get(URL, "") or DEFAULT_URL)
