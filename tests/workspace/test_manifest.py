from __future__ import annotations

import json
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.client import WorkspaceError, connected
from bot.workspace.manifest import install
from bot.workspace.seed import Seed, SeedError
from bot.workspace.server import running
from tests.workspace.conftest import ANA, APPROVALS, BOT, error_of

MANIFEST = {
    "display_information": {"name": "Gatekeeper"},
    "features": {
        "slash_commands": [{"command": "/gate", "description": "Gates"}],
        "shortcuts": [{"name": "Ask", "type": "message", "callback_id": "ask", "description": "x"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands"]}},
    "settings": {"event_subscriptions": {"bot_events": ["app_home_opened"]}},
}


def written(tmp_path: Path, manifest: object) -> Path:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(manifest))
    return file


async def test_the_app_may_do_what_its_manifest_says_and_no_more(tmp_path):
    seed = install(Seed(), written(tmp_path, MANIFEST))
    async with running(seed) as server, connected(server.url, server.control_token) as people:
        slack = AsyncWebClient(token=BOT, base_url=server.api_url)
        assert (await slack.chat_postMessage(channel=APPROVALS, text="x"))["ok"]
        assert await error_of(slack.users_info(user=ANA)) == "missing_scope"
        app = (await people.state())["app"]
        assert (app["name"], [one["command"] for one in app["commands"]]) == ("Gatekeeper", ["/gate"])
        with pytest.raises(WorkspaceError, match="/countersign is not a valid command"):
            await people.command("approvals", "/countersign", as_=ANA)
        assert seed.app.events == ("app_home_opened",)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"features": []},
        {"features": {"slash_commands": {}}},
        {"features": {"slash_commands": [{}]}},
        {"oauth_config": {"scopes": {"bot": "chat:write"}}},
    ],
)
def test_a_manifest_that_is_not_one_is_refused(tmp_path, wrong):
    with pytest.raises(SeedError):
        install(Seed(), written(tmp_path, wrong))


def test_the_apps_own_manifest_can_be_installed():
    own = Path(__file__).parents[2] / "bot" / "manifest.json"
    seed = install(Seed(), own)
    assert "/countersign" in [one.command for one in seed.app.commands]
    assert "chat:write" in next(one for one in seed.tokens if one.kind == "bot").scopes
