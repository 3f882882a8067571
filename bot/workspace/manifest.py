"""The app installed as its manifest says: what a real workspace would allow it, and nothing more.

Commands, shortcuts, scopes, events and the name come from the manifest; ids, tokens and secrets stay
the seed's. https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.workspace.seed import Seed, SeedError, Shortcut, SlashCommand


def install(seed: Seed, path: Path) -> Seed:
    """The seed with its app as the manifest at `path` describes it. Raises SeedError."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SeedError(f"{path}: not a readable JSON file ({error}).") from None
    if not isinstance(manifest, dict):
        raise SeedError(f"{path}: an object is wanted.")
    settings = _part(manifest, "settings")
    scopes = tuple(_strings(_part(manifest, "oauth_config", "scopes"), "bot"))
    events = tuple(_strings(_part(settings, "event_subscriptions"), "bot_events"))
    try:
        commands = tuple(
            SlashCommand(
                command=one["command"],
                description=one.get("description", ""),
                usage_hint=one.get("usage_hint", ""),
                should_escape=one.get("should_escape", False),
            )
            for one in _objects(_part(manifest, "features"), "slash_commands")
        )
        shortcuts = tuple(
            Shortcut(
                name=one["name"],
                type=one["type"],
                callback_id=one["callback_id"],
                description=one.get("description", ""),
            )
            for one in _objects(_part(manifest, "features"), "shortcuts")
        )
    except KeyError as error:
        raise SeedError(f"{path}: a command or shortcut lacks {error}.") from None
    name = _part(manifest, "display_information").get("name", seed.app.name)
    app = dataclasses.replace(seed.app, name=name, commands=commands, shortcuts=shortcuts, events=events)
    tokens = tuple(
        dataclasses.replace(one, scopes=scopes) if one.kind == "bot" else one for one in seed.tokens
    )
    return dataclasses.replace(seed, app=app, tokens=tokens)


def _part(given: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        given = given.get(name, {})
        if not isinstance(given, dict):
            raise SeedError(f"manifest: {name} must be an object.")
    return given


def _strings(given: Mapping[str, Any], name: str) -> list[str]:
    found = given.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise SeedError(f"manifest: {name} must be a list of strings.")
    return found


def _objects(given: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = given.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SeedError(f"manifest: {name} must be a list of objects.")
    return found
