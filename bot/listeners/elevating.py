"""`/elevate`, its modal, the shortcut "Ask for access", and the buttons of what was granted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slack_bolt.app.async_app import AsyncApp

from bot import elevation_modal, elevations, modals, refusals
from bot.blocks import Block, Element, actions, code, date, lines, link_button, rich, section, text
from bot.card_ids import (
    ASK_ACCESS,
    ELEVATE,
    ELEVATE_OFFER,
    ELEVATE_VIEW,
    GRANT_ACCESS,
    GRANT_END,
    GRANT_EXTEND,
    OPEN_LINK,
    ModalState,
    read_modal_state,
)
from bot.cards import about
from bot.desk import Click, Desk, Trouble, Work, in_modal, lazily, only_ack
from bot.elevation_modal import Meant
from bot.gateway_client import NotFound, Stale, WishRefused
from bot.listeners.events import publish_home
from bot.safe_text import inline
from bot.transcript_text import session_of
from bot.typed import typed_text
from gateway.contract import AccessView, Approval, ElevationRequest, GrantView, RevokeRequest, State

HELP: Sequence[tuple[str, str]] = (
    ("", "a form with what you may ask for"),
    ("CONNECTION EFFECTS TIME REASON", 'for yourself, by hand: shop write 30m "order 7 is stuck"'),
    (
        "AGENT CONNECTION EFFECTS TIME REASON",
        'for an agent of yours: fixer shop write 30m "order 7 is stuck"',
    ),
    ("list", "what is granted now"),
    ("extend GRANT", "ask for more time"),
    ("revoke GRANT REASON", "end it now (also: end); what runs under it stops"),
)
LISTED = 15
LONGEST = 1_000
_TIME = re.compile(r"(\d{1,6})(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600}
_QUOTES = str.maketrans("“”„«»‘’", '"""""\'\'')
"""Slack's clients turn straight quotes into these while one types."""


class Unclear(Exception):
    """What was typed is no request; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A request as one line says it."""

    agent: str = ""
    """"" for the person by hand."""
    connection: str
    effects: tuple[str, ...]
    seconds: float
    reason: str


def register(app: AsyncApp, desk: Desk) -> None:
    app.command(ELEVATE)(ack=only_ack, lazy=[lazily(desk, elevate)])
    app.shortcut(ASK_ACCESS)(ack=only_ack, lazy=[lazily(desk, ask_for_access)])
    app.view(ELEVATE_VIEW)(in_modal(desk, asked, errors=elevation_modal.errors, about=_channel))
    works: Mapping[str, Work] = {
        ELEVATE_OFFER: choose,
        GRANT_ACCESS: connect,
        GRANT_EXTEND: extend,
        GRANT_END: end,
        OPEN_LINK: _opened,
    }
    for action_id, work in works.items():
        app.action(action_id)(ack=only_ack, lazy=[lazily(desk, work)])


def read_typed(words: Sequence[str]) -> Typed:
    """`[AGENT] CONNECTION EFFECTS TIME REASON`: where the time stands tells which. Raises Unclear."""
    for at, agents in ((2, 0), (3, 1)):
        match = _TIME.fullmatch(words[at]) if len(words) > at else None
        if match is None:
            continue
        if len(words) < at + 2:
            raise Unclear("Say why.")
        return Typed(
            agent=words[0] if agents else "",
            connection=words[agents],
            effects=tuple(filter(None, words[agents + 1].lower().split(","))),
            seconds=float(int(match[1]) * _SECONDS[match[2]]),
            reason=" ".join(words[at + 1 :]),
        )
    raise Unclear("Say on which connection, which effects, how long (90s, 30m or 2h), and why.")


async def elevate(desk: Desk, click: Click) -> None:
    """One line in, an answer that only this person sees; nothing in, the form."""
    typed = typed_text(str(click.body.get("text") or ""))[:LONGEST].translate(_QUOTES)
    try:
        words = shlex.split(typed)
    except ValueError:
        words = typed.split()
    try:
        match words:
            case []:
                await open_form(desk, click, Meant())
                return
            case ["extend", grant_id]:
                await _extend(desk, click, grant_id)
                return
            case ["help"]:
                blocks = _help()
            case ["list"]:
                blocks = await _list(desk, click)
            case ["end" | "revoke", grant_id, *reason]:
                blocks = _ended(await _end(desk, click, grant_id, " ".join(reason)))
            case _:
                blocks = await _typed(desk, click, read_typed(words))
    except Unclear as unclear:
        blocks = [rich(section(text(str(unclear)))), *_help()]
    except Trouble as trouble:
        blocks = [rich(section(text(refusals.sentence(trouble))))]
    await desk.answer(click, blocks)


async def ask_for_access(desk: Desk, click: Click) -> None:
    """The form, filled in from the card or notice that it was asked on."""
    view_id = await desk.open(click, modals.loading(elevation_modal.TITLE))
    try:
        await desk.member(click)
        meant = await _told_of(desk, (click.body.get("message") or {}).get("blocks"))
    except NotFound:
        meant = Meant()  # too old to be known: the form begins empty
    except Trouble as trouble:
        await desk.fill(view_id, modals.note(elevation_modal.TITLE, refusals.sentence(trouble)))
        return
    await fill_form(desk, click, view_id, meant)


async def open_form(desk: Desk, click: Click, meant: Meant, *, extends: str = "") -> None:
    view_id = await desk.open(click, modals.loading(elevation_modal.TITLE))
    await fill_form(desk, click, view_id, meant, extends=extends)


async def fill_form(desk: Desk, click: Click, view_id: str, meant: Meant, *, extends: str = "") -> None:
    try:
        member = await desk.member(click)
        offers = await desk.gateway.offers(member.person, groups=await desk.people.vouched(member))
    except Trouble as trouble:
        await desk.fill(view_id, modals.note(elevation_modal.TITLE, refusals.sentence(trouble)))
        return
    if not offers:
        await desk.fill(view_id, elevation_modal.nothing(member.person))
        return
    state = ModalState(channel=click.channel, extends=extends)
    await desk.fill(view_id, elevation_modal.form(offers, meant.best(offers), state, meant))


async def choose(desk: Desk, click: Click) -> None:
    """Another offer was chosen: it has fields of its own."""
    member = await desk.member(click)
    offers = await desk.gateway.offers(member.person, groups=await desk.people.vouched(member))
    chosen = elevation_modal.chosen_of(click.view, offers)
    if chosen is None:
        raise Stale("That is offered no longer.")
    state = read_modal_state(str(click.view.get("private_metadata") or ""))
    meant = elevation_modal.so_far(click.view)
    await desk.fill(str(click.view["id"]), elevation_modal.form(offers, chosen, state, meant))


async def asked(desk: Desk, click: Click) -> str:
    """The form was sent; what became of it."""
    state = read_modal_state(str(click.view.get("private_metadata") or ""))
    member = await desk.member(click)
    groups = await desk.people.vouched(member)
    chosen = elevation_modal.chosen_of(click.view, await desk.gateway.offers(member.person, groups=groups))
    if chosen is None:
        raise WishRefused("it is offered no longer; choose another.", field="template")
    request = elevation_modal.read(
        click.view, chosen, person=member.person, groups=groups, extends=state.extends
    )
    return _said(await desk.gateway.elevate(request))


async def connect(desk: Desk, click: Click) -> None:
    """How to get in, for who was granted it: a link that opens once, in a modal that nobody else sees."""
    view_id = await desk.open(click, modals.loading("How to connect"))
    try:
        member = await desk.member(click)
        access = await desk.gateway.access(_grant_id(click), member.person)
    except Trouble as trouble:
        await desk.fill(view_id, modals.note("How to connect", refusals.sentence(trouble)))
        return
    await desk.fill(view_id, {**modals.note("How to connect", ""), "blocks": _ways(access)})


async def extend(desk: Desk, click: Click) -> None:
    await _extend(desk, click, _grant_id(click))


async def end(desk: Desk, click: Click) -> None:
    await _end(desk, click, _grant_id(click), "")
    if click.view.get("type") == "home":
        await publish_home(desk, click)


async def _opened(_: Desk, __: Click) -> None:
    """Slack tells of a click on a link, too; the browser has opened it by then."""


async def _extend(desk: Desk, click: Click, grant_id: str) -> None:
    """Ask again, for the same."""
    view_id = await desk.open(click, modals.loading(elevation_modal.TITLE))
    try:
        grant = next((each for each in await _grants(desk, click) if each.id == grant_id), None)
        if grant is None:
            raise NotFound("It has ended: ask anew.")
    except Trouble as trouble:
        await desk.fill(view_id, modals.note(elevation_modal.TITLE, refusals.sentence(trouble)))
        return
    meant = Meant(
        connection=grant.connection,
        effects=grant.effects,
        token_id="" if grant.by_hand else grant.token_id,
        template=grant.template,
    )
    await fill_form(desk, click, view_id, meant, extends=grant.id)


async def _typed(desk: Desk, click: Click, typed: Typed) -> list[Block]:
    member = await desk.member(click)
    approval = await desk.gateway.elevate(
        ElevationRequest(
            connection=typed.connection,
            effects=typed.effects,
            seconds=typed.seconds,
            reason=typed.reason,
            person=member.person,
            agent=typed.agent,
            groups=tuple(await desk.people.vouched(member)),
        )
    )
    return [rich(section(text(_said(approval))))]


async def _list(desk: Desk, click: Click) -> list[Block]:
    grants = await _grants(desk, click)
    if not grants:
        return [rich(section(text("Nothing that you may see is elevated now.")))]
    rows: list[list[Element]] = [
        [
            code(inline(grant.id, limit=64)),
            text("  "),
            *elevations.line_of(grant),
            text(f" · {inline(grant.asked_by, limit=60)}"),
        ]
        for grant in grants[:LISTED]
    ]
    if len(grants) > LISTED:
        rows.append([text(f"and {len(grants) - LISTED:,} more")])
    return [rich(lines(rows))]


async def _grants(desk: Desk, click: Click) -> Sequence[GrantView]:
    """Those that this person may see."""
    member = await desk.member(click)
    return await desk.gateway.grants(member.person, groups=await desk.people.vouched(member))


async def _end(desk: Desk, click: Click, grant_id: str, reason: str) -> GrantView:
    member = await desk.member(click)
    wish = RevokeRequest(person=member.person, reason=reason, groups=tuple(await desk.people.vouched(member)))
    return await desk.gateway.end_grant(grant_id, wish)


def _ended(grant: GrantView) -> list[Block]:
    whom = inline(grant.person if grant.by_hand else grant.agent, limit=60)
    return [rich(section(text(f"Ended: {whom} asks again on {inline(grant.connection, limit=60)}.")))]


def _said(approval: Approval) -> str:
    """What became of asking, in a sentence."""
    known = inline(approval.id, limit=64)
    if approval.state is State.SPENT:
        return f"Granted: approval {known}. How to use it is in your direct messages."
    needed = " and ".join(f"{ask.quorum} of {inline(ask.approvers, limit=40)}" for ask in approval.asks)
    return f"Asked: approval {known}, of {needed}. You will hear what becomes of it."


def _ways(access: AccessView) -> list[Block]:
    rows: list[list[Element]] = [
        [
            text("The link shows your credential once, until "),
            date(access.expires_at),
            text(". Keep it to yourself: whoever opens it first has it."),
        ],
        [text("Connection: "), code(inline(f"{access.grant.connection} at {access.address}", limit=200))],
        [text("Then: "), code(inline(access.line, limit=300))],
    ]
    if access.link:
        return [rich(lines(rows)), actions(link_button("Show it once", access.link, action_id=OPEN_LINK))]
    rows.append([text("At a terminal: "), code("countersign elevate open"), text(" asks for this code:")])
    rows.append([code(inline(access.code, limit=64))])
    return [rich(lines(rows))]


async def _told_of(desk: Desk, blocks: object) -> Meant:
    """What a message of ours is about: an approval, or a session."""
    if approval_id := about(blocks):
        return _meant(await desk.gateway.approval(approval_id))
    if session_id := session_of(blocks):
        session = await desk.gateway.session(session_id)
        chain = session.lineage.chain
        return Meant(connection=session.connection, token_id=chain[-1].token_id if chain else "")
    return Meant()


def _meant(approval: Approval) -> Meant:
    """What was refused there, or asked for."""
    chain = approval.lineage.chain
    by_hand = approval.elevation is not None and approval.elevation.by_hand
    return Meant(
        connection=approval.connection,
        effects=approval.command.effects,
        token_id=chain[-1].token_id if chain and not by_hand else "",
        template=approval.elevation.template if approval.elevation is not None else "",
    )


def _grant_id(click: Click) -> str:
    return str(click.action.get("value") or "")[:64]


def _channel(click: Click) -> str:
    return read_modal_state(str(click.view.get("private_metadata") or "")).channel


def _help() -> list[Block]:
    rows: list[list[Element]] = [
        [code(f"{ELEVATE} {verb}".rstrip()), text(f"  {what}")] for verb, what in HELP
    ]
    return [rich(lines(rows))]
