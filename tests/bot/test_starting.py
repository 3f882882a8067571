"""Starting the bot: what is missing is named, and the manifest is what the code asks for."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import bot
from bot.__main__ import main
from bot.app import SlackLoginError, running
from bot.card_ids import COMMANDS
from bot.listeners.events import EVENTS
from bot.manifest import SCOPES, manifest, manifest_text
from bot.settings import Settings, SettingsError, read_settings
from tests.bot.conftest import QUICK

HOUSE = Path(bot.__file__).parent
COMPLETE = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "COUNTERSIGN_BOT_TOKEN": "secret"}
METHOD_SCOPES = {
    "auth_test": set(),
    "chat_getPermalink": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_list": {"channels:read", "groups:read"},
    "conversations_open": {"im:write"},
    "conversations_replies": {"channels:history", "groups:history"},
    "files_upload_v2": {"files:write"},
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read", "users:read.email"},
    "users_lookupByEmail": {"users:read.email"},
    "views_open": set(),
    "views_publish": set(),
    "views_update": set(),
}


def methods_called() -> set[str]:
    """The Web API methods that the bot's code calls."""
    from slack_sdk.web.async_client import AsyncWebClient

    sources = [*HOUSE.glob("*.py"), *HOUSE.glob("listeners/*.py")]
    attributes = {
        node.attr
        for source in sources
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Attribute)
    }
    return {
        name
        for name in attributes
        if "_" in name and not name.startswith("_") and hasattr(AsyncWebClient, name)
    }


def test_the_manifest_asks_for_exactly_what_the_code_uses() -> None:
    called = methods_called()
    assert called == set(METHOD_SCOPES)
    assert set(SCOPES) == set().union(*METHOD_SCOPES.values()) | {"commands"}


def test_the_committed_manifest_is_the_codes() -> None:
    assert (HOUSE / "manifest.json").read_text() == manifest_text()


def test_the_manifest_names_the_command_and_the_events_that_are_listened_to() -> None:
    made = manifest()
    assert [one["command"] for one in made["features"]["slash_commands"]] == list(COMMANDS)
    assert made["settings"]["event_subscriptions"]["bot_events"] == sorted(EVENTS)
    assert all(one["should_escape"] for one in made["features"]["slash_commands"])


def test_the_manifest_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--manifest"]) == 0
    assert json.loads(capsys.readouterr().out) == manifest()


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "COUNTERSIGN_BOT_TOKEN"])
def test_a_missing_variable_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, value in COMPLETE.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv(name)
    assert main([]) == 2
    assert f"{name} is not set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SLACK_APP_TOKEN": ""}, "Neither SLACK_APP_TOKEN .* nor SLACK_SIGNING_SECRET"),
        ({"SLACK_BOT_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN does not begin with xoxb-"),
        ({"BOT_LISTEN": "3000"}, "BOT_LISTEN is '3000'"),
        ({"BOT_LISTEN": "localhost:99999"}, "BOT_LISTEN"),
    ],
)
def test_a_wrong_environment_is_explained(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_settings(COMPLETE | change)


def test_a_complete_environment_is_enough_and_shows_no_secret() -> None:
    settings = read_settings(COMPLETE | {"SLACK_API_URL": "http://127.0.0.1:8088/api"})
    assert settings.slack_api == "http://127.0.0.1:8088/api/"
    assert settings.port is None
    assert "xoxb" not in repr(settings)
    assert "secret" not in repr(settings)


def test_http_listens_and_socket_mode_does_not() -> None:
    signed = {**COMPLETE, "SLACK_SIGNING_SECRET": "s", "SLACK_APP_TOKEN": ""}
    assert read_settings(signed).port == 3000


async def test_a_token_that_slack_refuses_is_named(settings: Settings) -> None:
    from dataclasses import replace

    with pytest.raises(SlackLoginError, match="SLACK_BOT_TOKEN: invalid_auth"):
        async with running(replace(settings, bot_token="xoxb-wrong"), timings=QUICK):
            pass
