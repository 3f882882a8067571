"""The Slack app's manifest, made from the same names that the listeners are registered under.

`bot/manifest.json` is this, written down for people who create the app; a test keeps the two the same.
https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.card_ids import ASK_ACCESS, AUDIT, COMMAND, ELEVATE, LINEAGE, SESSIONS, WHOAMI
from bot.listeners.events import EVENTS

SCOPES: Mapping[str, str] = {
    "channels:history": "find a card again that was posted right before the bot was killed",
    "channels:read": "find channels by their names",
    "chat:write": "cards, transcripts, answers",
    "commands": "/countersign, /elevate, and the shortcut on messages",
    "files:write": "long transcript entries and long commands as files",
    "groups:history": "as channels:history, for private channels",
    "groups:read": "as channels:read, for private channels",
    "im:write": "tell people directly that their agent's command was decided",
    "usergroups:read": "which groups a voter is in, where policies.yaml ties a group to a user group",
    "users:read": "refuse bots, guests, strangers and deactivated users",
    "users:read.email": "know people by their confirmed e-mail, where policies.yaml allows it",
}
"""Bot scopes and what each is for; nothing else is asked for."""

SLASH_COMMANDS = (
    (
        COMMAND,
        "Approvals, sessions and lineages",
        "help | pending | sessions | session ID | kill SESSION | whoami | link | unlink",
    ),
    (
        ELEVATE,
        "Do more for a while, or let an agent",
        "[[AGENT] CONNECTION EFFECTS TIME REASON] | list | end GRANT",
    ),
    (SESSIONS, "The open sessions that you may see", ""),
    (LINEAGE, "Which agents run for whom, and who started them", ""),
    (WHOAMI, "Who you are to the gateway", ""),
    (AUDIT, "Find words in the transcripts that you may see", "search WORDS"),
)
"""Command, what it does, and what may follow it."""


def manifest() -> dict[str, Any]:
    """The manifest for Socket Mode; docs/slack.md says what to change for HTTP."""
    return {
        "display_information": {
            "name": "Countersign",
            "description": "Decide what agents may do.",
            "long_description": (
                "Countersign holds commands of automated agents until people have decided about them. This app shows "
                "each held command with whose agent asks, what it would touch and who may vote, carries votes to the "
                "gateway, and keeps the masked transcript of every session as a thread."
            ),
            "background_color": "#1f2a44",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Countersign", "always_online": True},
            "shortcuts": [
                {
                    "name": "Ask for access",
                    "type": "message",
                    "callback_id": ASK_ACCESS,
                    "description": "Ask for what was refused here",
                }
            ],
            "slash_commands": [
                _slash(command, description, usage) for command, description, usage in SLASH_COMMANDS
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def _slash(command: str, description: str, usage: str) -> dict[str, Any]:
    hint = {"usage_hint": usage} if usage else {}
    return {"command": command, "description": description, **hint, "should_escape": True}


def manifest_text() -> str:
    return json.dumps(manifest(), indent=2) + "\n"
