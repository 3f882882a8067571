"""A workspace in-process, a real slack_sdk client, and a real slack-bolt app that connects to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.client import WorkspaceClient, connected
from bot.workspace.seed import EVENTS, SCOPES, App, Rate, Seed, Shortcut, Timings, Token
from bot.workspace.server import Server, running

BOT, APP_LEVEL = "xoxb-local-countersign", "xapp-local-countersign"
ANA, BEN, MARIA, SAM = "U0ANA", "U0BEN", "U0MARIA", "U0SAM"
APPROVALS, AUDIT = "C0APPROVALS", "C0AUDIT"
QUICK = Timings(ack_seconds=2.0, retry_seconds=(0.0, 0.05), refresh_grace_seconds=0.2)
PATIENT = replace(QUICK, ack_seconds=30.0)
"""A workspace that takes a busy machine's time for an answer."""
SHORTCUTS = (
    Shortcut(name="Ask why", type="message", callback_id="ask"),
    Shortcut(name="Board", type="global", callback_id="board"),
)


MORE = ("bookmarks:write", "files:read", "im:history", "im:read", "pins:read", "reactions:read", "team:read")


def wide_seed(**app: object) -> Seed:
    """Short waits, no rate limits, and a bot that may do everything that is tested."""
    tokens = (
        Token(token=BOT, kind="bot", user="U0COUNTERSIGN", scopes=(*SCOPES, *MORE)),
        *(one for one in Seed().tokens if one.kind != "bot"),
    )
    events = (*EVENTS, "message.im", "reaction_added")
    return Seed(
        rate=Rate.OFF, timings=QUICK, tokens=tokens, app=App(shortcuts=SHORTCUTS, events=events, **app)
    )


class Clock:
    """The time, which a test can move on."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict:
    return {"type": "mrkdwn", "text": text}


def button(action_id: str, **more: object) -> dict:
    return {"type": "button", "text": plain("Do it"), "action_id": action_id, **more}


def actions(*elements: dict, **more: object) -> dict:
    return {"type": "actions", "elements": list(elements), **more}


def text_input(action_id: str = "reason", block_id: str = "why", **more: object) -> dict:
    element = {"type": "plain_text_input", "action_id": action_id, **more}
    return {"type": "input", "block_id": block_id, "label": plain("Reason"), "element": element}


def modal(*blocks: dict, callback_id: str = "deny", **more: object) -> dict:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain("Deny"),
        "submit": plain("Send"),
        "blocks": list(blocks),
        **more,
    }


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timings() -> Timings:
    return PATIENT


@pytest.fixture
async def server(clock: Clock, timings: Timings) -> AsyncIterator[Server]:
    async with running(replace(wide_seed(), timings=timings), clock=clock) as one:
        yield one


@pytest.fixture
def slack(server: Server) -> AsyncWebClient:
    return AsyncWebClient(token=BOT, base_url=server.api_url)


@pytest.fixture
async def people(server: Server) -> AsyncIterator[WorkspaceClient]:
    async with connected(server.url, server.control_token) as client:
        yield client


def bolt_app(slack: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=slack, signing_secret="local-signing-secret")


@asynccontextmanager
async def on_socket(app: AsyncApp, server: Server) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app over Socket Mode, connected."""
    handler = AsyncSocketModeHandler(
        app, APP_LEVEL, web_client=AsyncWebClient(token=APP_LEVEL, base_url=server.api_url), ping_interval=1
    )
    await handler.connect_async()
    try:
        yield handler
    finally:
        await handler.close_async()
        # The client leaves its pollers behind; a test must not.
        tasks = [task for task in asyncio.all_tasks() if "/slack_" in task.get_coro().cr_code.co_filename]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ack_only(ack) -> None:
    await ack()


async def error_of(call) -> str:
    """What a Web API call is refused with."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response["error"]


async def post(server, method: str, *, token: str = BOT, **how) -> dict:
    """A Web API call by hand, so that its arguments can come in any way."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.api_url + method, headers=headers, **how) as a,
    ):
        assert a.status == 200
        return await a.json()
