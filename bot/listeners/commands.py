"""`/countersign`: what waits, what is open, who one is, and ending a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from slack_bolt.app.async_app import AsyncApp

from bot import home, modals, refusals
from bot.blocks import Block, Element, bold, code, lines, rich, section, text
from bot.card_ids import COMMAND, ModalState
from bot.cards import agent_of, tree
from bot.desk import Click, Desk, Trouble, lazily, only_ack
from bot.gateway_client import GatewayError
from bot.listeners import looking
from bot.safe_text import inline, literal
from bot.typed import typed_text
from bot.votes import counted
from gateway.contract import RevokeRequest, SessionView

LISTED = 15
LONGEST_ID = 100

HELP: Sequence[tuple[str, str]] = (
    ("pending", "the approvals that wait for your vote"),
    ("sessions", "the sessions that are open"),
    ("session ID", "one session: lineage, counts, how to replay it"),
    ("kill SESSION", "end a session, or everything below its agent, after showing how much that is"),
    ("whoami", "who you are to the gateway, and which groups you vote for"),
    ("link", "log in once, so that the gateway knows who you are"),
    ("unlink", "the gateway no longer knows you by that login"),
    ("help", "these lines"),
)

LINK = "Log in once, and the gateway knows your Slack user by that login. The address is for you alone and works for ten minutes."

Answer: TypeAlias = list[Block]
Verb: TypeAlias = Callable[[Desk, Click, str], Awaitable[Answer]]


def register(app: AsyncApp, desk: Desk) -> None:
    app.command(COMMAND)(ack=only_ack, lazy=[lazily(desk, countersign)])


async def countersign(desk: Desk, click: Click) -> None:
    """Run one verb; its answer is seen by the person alone."""
    verb, _, rest = typed_text(str(click.body.get("text") or "")).partition(" ")
    verb, argument = verb.lower(), rest.strip()[:LONGEST_ID]
    if verb == "kill" and argument:
        await kill(desk, click, argument)
        return
    try:
        blocks = await VERBS.get(verb or "help", unknown)(desk, click, argument)
    except Trouble as trouble:
        blocks = [rich(section(text(refusals.sentence(trouble))))]
    await desk.answer(click, blocks)


async def kill(desk: Desk, click: Click, session_id: str, *, from_home: bool = False) -> None:
    """Show what ending a session, or its agent's subtree, would stop; the modal's button does it."""
    view_id = await desk.open(click, modals.loading("End a session"))
    try:
        member = await desk.member(click)
        groups = await desk.people.vouched(member)
        session = await desk.gateway.session_of(session_id, member.person, groups)
        subtree = await desk.stopped_by(session.lineage)
    except Trouble as trouble:
        await desk.fill(view_id, modals.note("End a session", refusals.sentence(trouble)))
        return
    state = ModalState(
        session=session.id,
        token_id=subtree.token_id if subtree else "",
        channel=click.channel,
        home=from_home,
    )
    await desk.fill(view_id, modals.kill_session(session, subtree, state))


async def show_help(_: Desk, __: Click, ___: str) -> Answer:
    rows: list[list[Element]] = [[code(f"{COMMAND} {verb}"), text(f"  {what}")] for verb, what in HELP]
    return [rich(lines(rows))]


async def which_to_kill(_: Desk, __: Click, ___: str) -> Answer:
    return _which("kill SESSION")


def _which(usage: str) -> Answer:
    return [rich(section(text("Say which: "), code(f"{COMMAND} {usage}")))]


async def unknown(desk: Desk, click: Click, argument: str) -> Answer:
    return [rich(section(text("That is none of these:"))), *await show_help(desk, click, argument)]


async def pending(desk: Desk, click: Click, _: str) -> Answer:
    member = await desk.member(click)
    found = await desk.gateway.home(member.person, await desk.people.vouched(member))
    approvals = sorted(found.votes, key=lambda one: one.expires_at)
    if not approvals:
        return [rich(section(text("Nothing waits for your decision.")))]
    rows: list[list[Element]] = []
    for approval in approvals[:LISTED]:
        agent = agent_of(approval.lineage)
        asks = ", ".join(
            f"{have} of {ask.quorum} from {inline(ask.approvers, limit=40)}"
            for ask, have in counted(approval).items()
        )
        rows.append(
            [code(inline(approval.id, limit=64)), text(f" {agent} on {inline(approval.connection)}: {asks}")]
        )
    if len(approvals) > LISTED:
        rows.append([text(f"and {len(approvals) - LISTED:,} more")])
    return [rich(lines(rows))]


async def session(desk: Desk, click: Click, session_id: str) -> Answer:
    member = await desk.member(click)
    if not session_id:
        return _which("session ID")
    found = await desk.gateway.session_of(session_id, member.person, await desk.people.vouched(member))
    return [rich(lines(_about(found)), literal(tree(found.lineage)))]


def _about(session: SessionView) -> list[list[Element]]:
    state = (
        "open"
        if session.closed_at is None
        else f"ended: {inline(session.close_reason or 'closed', limit=100)}"
    )
    masked = ", ".join(
        f"{number:,} {inline(kind, limit=30)}" for kind, number in sorted(session.masked.items())
    )
    return [
        [bold("Session "), *home.session_line(session)],
        [text(f"{state} · from {inline(session.client, limit=60)} · masked: {masked or 'nothing'}")],
        [text("Replay: "), code(f"countersign replay {inline(session.id, limit=64)}")],
    ]


async def link(desk: Desk, click: Click, _: str) -> Answer:
    """The address of a login that ties this Slack user to a person."""
    user = await desk.people.described(click.user, team=click.team)
    known = await desk.gateway.linked(click.user)
    if known is not None:
        return [rich(section(text("You are linked already: "), bold(inline(known.person)), text(".")))]
    try:
        offer = await desk.gateway.link(user)
    except GatewayError as error:
        return [rich(section(text(refusals.no_login(error))))]
    return [rich(section(text(LINK), *refusals.login_at(offer.url)))]


async def unlink(desk: Desk, click: Click, _: str) -> Answer:
    await desk.people.described(click.user, team=click.team)
    known = await desk.gateway.linked(click.user)
    if known is None:
        return [rich(section(text("No login is linked to your Slack user.")))]
    await desk.gateway.unlink(click.user, RevokeRequest(person=known.person, reason="unlinked in Slack"))
    return [rich(section(text("You are not linked to "), bold(inline(known.person)), text(" any more.")))]


VERBS: Mapping[str, Verb] = {
    "help": show_help,
    "pending": pending,
    "approvals": pending,
    "sessions": looking.sessions,
    "session": session,
    "kill": which_to_kill,
    "whoami": looking.whoami,
    "link": link,
    "unlink": unlink,
}
