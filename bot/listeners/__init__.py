"""Everything people can do in Slack, registered in one place; each file holds one of Slack's surfaces."""

from __future__ import annotations

from slack_bolt.app.async_app import AsyncApp

from bot.desk import Desk
from bot.listeners import actions, commands, elevating, events, looking, views


def register(app: AsyncApp, desk: Desk) -> None:
    """Tie every listener to `app`; those with catch-alls last."""
    elevating.register(app, desk)
    looking.register(app, desk)
    actions.register(app, desk)
    views.register(app, desk)
    commands.register(app, desk)
    events.register(app, desk)
