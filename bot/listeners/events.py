"""The Home tab."""

from __future__ import annotations

import re

from slack_bolt.app.async_app import AsyncApp

from bot import modals, refusals
from bot.blocks import rich, section, text
from bot.desk import Click, Desk, Trouble, lazily, only_ack
from bot.people import Member
from gateway.contract import Approval, Directory

EVENTS = ("app_home_opened",)
"""What the app subscribes to."""


def register(app: AsyncApp, desk: Desk) -> None:
    app.event("app_home_opened")(ack=only_ack, lazy=[lazily(desk, home_opened)])
    # Subscriptions that an operator added by hand are acknowledged, or Slack would turn them all off.
    app.event(re.compile(".*"))(only_ack)


async def home_opened(desk: Desk, click: Click) -> None:
    if (click.body.get("event") or {}).get("tab", "home") == "home":
        await publish_home(desk, click)


async def publish_home(desk: Desk, click: Click) -> None:
    """Draw the Home tab of whoever clicked."""
    try:
        member = await desk.member(click)
        groups = await desk.people.vouched(member)
        pending = await desk.gateway.pending()
        sessions = await desk.gateway.sessions()
        directory = await desk.people.directory()
    except Trouble as trouble:
        view = {"type": "home", "blocks": [rich(section(text(refusals.sentence(trouble))))]}
    else:
        for approval in pending:
            desk.board.remember(approval)
        mine = [approval for approval in pending if may_vote(approval, member, groups, directory)]
        view = modals.home(mine, sessions, person=member.person)
    await desk.client.views_publish(user_id=click.user, view=view)


def may_vote(approval: Approval, member: Member, vouched: tuple[str, ...], directory: Directory) -> bool:
    """Whether it is worth showing to this person; the gateway alone decides whose vote counts."""
    if member.person == approval.lineage.person or any(
        vote.person == member.person for vote in approval.votes
    ):
        return False
    own = {name for name, group in directory.groups.items() if member.person in group.members} | set(vouched)
    return any(ask.approvers in own or (ask.approvers == "*" and own) for ask in approval.asks)
