"""The Home tab."""

from __future__ import annotations

import re
import time

from slack_bolt.app.async_app import AsyncApp

from bot import home, refusals
from bot.blocks import rich, section, text
from bot.desk import Click, Desk, Trouble, lazily, only_ack

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
        found = await desk.gateway.home(member.person, await desk.people.vouched(member))
    except Trouble as trouble:
        view = {"type": "home", "blocks": [rich(section(text(refusals.sentence(trouble))))]}
    else:
        for approval in (*found.votes, *found.requests):
            desk.board.remember(approval)
        view = home.view(found, now=time.time())
    await desk.client.views_publish(user_id=click.user, view=view)
