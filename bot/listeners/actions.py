"""The buttons of a card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackClientError

from bot import modals, refusals
from bot.card_ids import (
    APPROVE,
    DENY,
    FOR_A_WHILE,
    HOME_REFRESH,
    KILL,
    KILL_SESSION,
    REVIEW,
    ModalState,
    OldCard,
    Target,
    read_target,
)
from bot.cards import parameter
from bot.desk import Click, Desk, Trouble, Work, lazily, only_ack
from bot.listeners import commands
from bot.listeners.events import publish_home
from gateway.contract import Approval, Choice, VoteRequest, WholeText

LARGEST_FILE = 1_000_000
"""Characters of a command that are sent as a file (Slack's snippets end at 1 MB); more is read at a terminal."""


def register(app: AsyncApp, desk: Desk) -> None:
    works: Mapping[str, Work] = {
        APPROVE: approve,
        DENY: deny,
        KILL: kill,
        REVIEW: review,
        FOR_A_WHILE: approve_for_a_while,
        HOME_REFRESH: refresh_home,
        KILL_SESSION: kill_session,
    }
    for action_id, work in works.items():
        app.action(action_id)(ack=only_ack, lazy=[lazily(desk, work)])
    app.action(re.compile(".*"))(ack=only_ack, lazy=[lazily(desk, old_card)])


async def approve(desk: Desk, click: Click) -> None:
    """A vote for what the card shows."""
    target = _target(click)
    member = await desk.member(click)
    known = desk.board.newest(target.id) or await desk.gateway.approval(target.id)
    desk.same_text(known, target.digest)
    await desk.gateway.vote(
        target.id,
        VoteRequest(
            person=member.person,
            choice=Choice.APPROVE,
            seen_version=target.version,
            groups=await desk.people.vouched(member),
            slack_id=member.slack_id,
        ),
    )


async def deny(desk: Desk, click: Click) -> None:
    """Ask for a reason; what is denied needs not be read first."""
    target = _target(click)
    await desk.open(click, modals.deny(_state(desk, click, target)))


async def kill(desk: Desk, click: Click) -> None:
    """Show how much would be stopped, then ask."""
    target = _target(click)
    view_id = await desk.open(click, modals.loading("Deny and kill"))
    try:
        await desk.member(click)
        approval = await desk.gateway.approval(target.id)
        desk.same_text(approval, target.digest)
        subtree = await desk.stopped_by(approval.lineage)
    except Trouble as trouble:
        await desk.fill(view_id, modals.note("Deny and kill", refusals.sentence(trouble)))
        return
    state = _state(desk, click, target)
    await desk.fill(view_id, modals.kill(approval, subtree, state))


async def review(desk: Desk, click: Click) -> None:
    """Open everything that would run, for one who may vote."""
    await _review(desk, click, for_a_while=False)


async def approve_for_a_while(desk: Desk, click: Click) -> None:
    """The same, for one who comes to let go more than the one command."""
    await _review(desk, click, for_a_while=True)


async def _review(desk: Desk, click: Click, *, for_a_while: bool) -> None:
    target = _target(click)
    view_id = await desk.open(click, modals.loading("Review"))
    try:
        member = await desk.member(click)
        groups = await desk.people.vouched(member)
        approval = desk.board.remember(await desk.gateway.approval(target.id))
        desk.same_text(approval, target.digest)
        whole = await desk.gateway.whole_text(target.id, person=member.person, groups=groups)
        desk.same_text(approval, whole.digest[:8])
        twins = await desk.gateway.twins(target.id) if approval.lasting is not None else None
    except Trouble as trouble:
        await desk.fill(view_id, modals.note("Review", refusals.sentence(trouble)))
        return
    elsewhere = ""
    if modals.whole_parts(whole)[2]:
        elsewhere = await _send_file(desk, click, approval, whole)
    seen = Target(id=target.id, version=approval.version, digest=target.digest)
    state = replace(_state(desk, click, seen), opened=whole.opened)
    view = modals.review(approval, whole, state, elsewhere=elsewhere, twins=twins, ready=for_a_while)
    await desk.fill(view_id, view)


async def kill_session(desk: Desk, click: Click) -> None:
    """From the Home tab."""
    await commands.kill(desk, click, str(click.action.get("value") or ""), from_home=True)


async def refresh_home(desk: Desk, click: Click) -> None:
    await publish_home(desk, click)


async def old_card(_: Desk, click: Click) -> None:
    raise OldCard(str(click.action.get("action_id")))


async def _send_file(desk: Desk, click: Click, approval: Approval, whole: WholeText) -> str:
    """Send the whole text directly to the person, where that may be; a sentence saying so, else ""."""
    # A file stays in Slack. What holds secrets or personal data does not go there.
    if approval.command.masked or len(whole.text) > LARGEST_FILE:
        return ""
    values = "".join(
        f"\n${number} = {parameter(value)}" for number, value in enumerate(whole.parameters, start=1)
    )
    try:
        await desk.client.files_upload_v2(
            channel=await desk.channels.direct(click.user),
            content=whole.text + ("\n\nBound parameters:" + values if values else ""),
            filename=f"approval-{approval.id}.txt",
            title=f"Approval {approval.id}",
        )
    except (SlackClientError, OSError, TimeoutError):
        return ""
    return "All of it is in the file that was just sent to you directly; read it there before you approve."


def _target(click: Click) -> Target:
    return read_target(str(click.action.get("value") or ""))


def _state(desk: Desk, click: Click, target: Target) -> ModalState:
    """What a modal about that approval carries; a click in the Home tab has no channel of its own."""
    known = desk.board.newest(target.id)
    channel = click.channel or (known.channel if known is not None else "")
    return ModalState(target=target, channel=channel, home=click.view.get("type") == "home")
