"""Whatever is sent, the server answers in its own form and never fails inside."""

from __future__ import annotations

import random

import aiohttp
import pytest

from bot.workspace.server import METHODS
from tests.workspace.conftest import ANA, APPROVALS, BOT, actions, button, modal, text_input

ARGUMENTS = (
    "channel", "ts", "text", "blocks", "attachments", "metadata", "thread_ts", "user", "users", "view", "view_id", "trigger_id",
    "limit", "cursor", "oldest", "latest", "post_at", "files", "filename", "length", "name", "timestamp", "query", "types", "hash",
    "email", "usergroup", "channel_id", "title", "type", "link", "external_id", "user_id", "count", "page", "markdown_text", "inclusive",
)  # fmt: skip
CONTROL = (
    "messages", "messages/edit", "messages/delete", "reactions", "read", "members", "direct", "home", "actions", "views/submit",
    "views/close", "commands", "shortcuts", "faults", "sockets", "rate",
)  # fmt: skip
KEYS = ("as", "channel", "ts", "text", "thread_ts", "action_id", "block_id", "value", "values", "view_id", "command", "callback_id", "kind", "do", "mode", "name", "with", "inviter", "times")  # fmt: skip
VALUES = (
    None, True, False, 0, -1, 1e308, "", "x", "1", "-1", "nan", "inf", "{", "[]", "{}", "[{}]", "null", "9" * 30, "\ud83d\ude00", "a\x00b",
    [], {}, [[]], [None], {"a": {"b": 1}}, [{"type": "section"}], {"type": "modal", "blocks": 3}, "#approvals", APPROVALS, ANA, "1.000000",
    "²", "C0APPROVALS,C0AUDIT", [{"id": []}], "[3]", "/countersign x",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_no_arguments_break_the_web_api(server, slack, seed):
    chance = random.Random(seed)
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x"))["ts"]
    values = (*VALUES, ts)
    async with aiohttp.ClientSession() as session:
        for method in METHODS:
            token = (
                BOT
                if "bot" in method.kinds
                else {"app": "xapp-local-countersign"}.get(next(iter(method.kinds)), "xoxp-local-sam")
            )
            for _ in range(12):
                body = {name: chance.choice(values) for name in chance.sample(ARGUMENTS, 12)}
                body |= {"channel": APPROVALS} if chance.random() < 0.6 else {}
                body |= {"ts": ts, "timestamp": ts} if chance.random() < 0.4 else {}
                headers = {"Authorization": f"Bearer {token}"}
                async with session.post(server.api_url + method.name, json=body, headers=headers) as answer:
                    assert answer.status == 200, (method.name, body)
                    assert isinstance((await answer.json())["ok"], bool)


@pytest.mark.parametrize("seed", range(3))
async def test_no_arguments_break_the_control_api(server, slack, seed):
    chance = random.Random(seed)
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[actions(button("a"))]))["ts"]
    view = (
        await slack.views_open(trigger_id=server.workspace.tickets.trigger(ANA), view=modal(text_input()))
    )["view"]
    values = (*VALUES, ts, view["id"], "a", "reason")
    headers = {"Authorization": f"Bearer {server.control_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for route in CONTROL:
            for _ in range(12):
                body = {name: chance.choice(values) for name in chance.sample(KEYS, 9)}
                body |= {"as": ANA, "channel": APPROVALS, "ts": ts} if chance.random() < 0.6 else {}
                body |= {"view_id": view["id"]} if chance.random() < 0.3 else {}
                async with session.post(f"{server.url}/_control/{route}", json=body) as answer:
                    assert answer.status < 500, (route, body)
                    assert isinstance((await answer.json())["ok"], bool)
