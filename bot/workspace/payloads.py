"""What Slack sends for an interaction: pure functions from the workspace to JSON payloads.

https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

from bot.workspace.records import Channel, Json, Message, Person, View
from bot.workspace.state import Workspace


def _common(workspace: Workspace, person: Person, kind: str) -> Json:
    seed = workspace.seed
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": seed.team.id},
        "api_app_id": seed.app.id,
        "token": seed.app.verification_token,
        "team": {"id": seed.team.id, "domain": seed.team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel(channel: Channel) -> Json:
    name = {"im": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)
    return {"id": channel.id, "name": name}


def _response_url(workspace: Workspace, person: Person, channel: Channel, message: Message | None) -> str:
    name = workspace.tickets.response_url(
        person.id,
        channel.id,
        message_ts=message.ts if message else "",
        thread_ts=message.thread_ts if message else "",
    )
    return f"{workspace.base_url}/response/{name}"


def view_json(workspace: Workspace, view: View) -> Json:
    """A view as the app gets it."""
    app = workspace.seed.app
    return view.to_slack(team_id=workspace.seed.team.id, app_id=app.id, bot_id=app.bot_id)


def message_action(
    workspace: Workspace, person: Person, message: Message, *, actions: list[Json], values: Json
) -> Json:
    """block_actions from a message."""
    channel = workspace.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": bool(message.ephemeral_to),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _common(workspace, person, "block_actions") | {
        "container": container,
        "trigger_id": workspace.tickets.trigger(person.id),
        "channel": _channel(channel),
        "state": {"values": values},
        "response_url": _response_url(workspace, person, channel, message),
        "actions": actions,
    }
    if not message.ephemeral_to:
        payload["message"] = workspace.shown(message)
    return payload


def view_action(workspace: Workspace, person: Person, view: View, *, actions: list[Json]) -> Json:
    """block_actions from a modal or the Home tab."""
    return _common(workspace, person, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": workspace.tickets.trigger(person.id, from_view=view.id if view.kind == "modal" else ""),
        "view": view_json(workspace, view),
        "actions": actions,
    }


def view_submission(workspace: Workspace, person: Person, view: View) -> Json:
    return _common(workspace, person, "view_submission") | {
        "trigger_id": workspace.tickets.trigger(person.id, from_view=view.id),
        "view": view_json(workspace, view),
        "response_urls": [],
    }


def view_closed(workspace: Workspace, person: Person, view: View, *, cleared: bool) -> Json:
    return _common(workspace, person, "view_closed") | {
        "view": view_json(workspace, view),
        "is_cleared": cleared,
    }


def message_shortcut(workspace: Workspace, person: Person, callback_id: str, message: Message) -> Json:
    channel = workspace.channels[message.channel]
    return _common(workspace, person, "message_action") | {
        "callback_id": callback_id,
        "action_ts": workspace.next_ts(),
        "trigger_id": workspace.tickets.trigger(person.id),
        "response_url": _response_url(workspace, person, channel, message),
        "message_ts": message.ts,
        "message": workspace.shown(message),
        "channel": _channel(channel),
    }


def global_shortcut(workspace: Workspace, person: Person, callback_id: str) -> Json:
    return _common(workspace, person, "shortcut") | {
        "callback_id": callback_id,
        "action_ts": workspace.next_ts(),
        "trigger_id": workspace.tickets.trigger(person.id),
    }


def slash_command(workspace: Workspace, person: Person, channel: Channel, command: str, text: str) -> Json:
    """The form fields of a slash command."""
    seed = workspace.seed
    return {
        "token": seed.app.verification_token,
        "team_id": seed.team.id,
        "team_domain": seed.team.domain,
        "channel_id": channel.id,
        "channel_name": _channel(channel)["name"],
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": seed.app.id,
        "is_enterprise_install": "false",
        "response_url": _response_url(workspace, person, channel, None),
        "trigger_id": workspace.tickets.trigger(person.id),
    }
