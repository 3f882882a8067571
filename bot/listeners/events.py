"""The Home tab, and Slack users who are deactivated."""

from __future__ import annotations

import logging
import re
import time

from slack_bolt.app.async_app import AsyncApp

from bot import home, refusals
from bot.blocks import rich, section, text
from bot.desk import Click, Desk, Trouble, lazily, only_ack
from gateway.contract import RevokeRequest

EVENTS = ("app_home_opened", "user_change")
"""What the app subscribes to."""

log = logging.getLogger(__name__)


def register(app: AsyncApp, desk: Desk) -> None:
    app.event("app_home_opened")(ack=only_ack, lazy=[lazily(desk, home_opened)])
    app.event("user_change")(ack=only_ack, lazy=[lazily(desk, user_changed)])
    # Subscriptions that an operator added by hand are acknowledged, or Slack would turn them all off.
    app.event(re.compile(".*"))(only_ack)


async def home_opened(desk: Desk, click: Click) -> None:
    if (click.body.get("event") or {}).get("tab", "home") == "home":
        await publish_home(desk, click)


async def publish_home(desk: Desk, click: Click) -> None:
    """Draw the Home tab of whoever clicked."""
    try:
        member = await desk.member(click)
        found = await desk.gateway.home(member.person, await desk.people.vouched(member))
    except Trouble as trouble:
        view = {"type": "home", "blocks": [rich(section(text(refusals.sentence(trouble))))]}
    else:
        for approval in (*found.votes, *found.requests):
            desk.board.remember(approval)
        view = home.view(found, now=time.time())
    await desk.client.views_publish(user_id=click.user, view=view)


async def user_changed(desk: Desk, click: Click) -> None:
    """Who is deactivated is linked to nobody from then on, even where they come back."""
    user = (click.body.get("event") or {}).get("user") or {}
    if user.get("deleted") is not True:
        return
    slack_id = str(user.get("id") or "")
    try:
        known = await desk.gateway.linked(slack_id)
        if known is not None:
            request = RevokeRequest(person=known.person, reason="deactivated in Slack")
            await desk.gateway.unlink(slack_id, request)
    except Trouble as trouble:
        # Nobody waits for a sentence. What a deactivated user clicks counts for nobody in any case.
        log.warning("the link of %s, who is deactivated, was not ended: %s", slack_id, trouble)
