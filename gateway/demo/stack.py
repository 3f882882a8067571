"""Everything the demo stands on: a PostgreSQL with a shop in it, the local workspace, the gateway and the bot."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp

from gateway.demo.page import NotSeen, Page
from gateway.demo.postgres import Postgres
from gateway.demo.processes import PartFailed, part, tail

PAGE_PORT, GATEWAY_PORT, API_PORT = 8088, 15432, 8480
BOT_WITHIN = 90.0
Part: TypeAlias = contextlib.AbstractAsyncContextManager[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What runs."""

    directory: Path
    postgres: Postgres
    page_url: str
    page: Page
    environment: Mapping[str, str]
    """For agents and for the command line: where the gateway is, and the secrets of this demo."""

    @property
    def state(self) -> Path:
        return self.directory / "state"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Secrets:
    """Drawn anew for each demo."""

    shop_password: str
    root_secret: str
    bot_credential: str
    slack_bot: str
    slack_app: str

    @classmethod
    def drawn(cls) -> _Secrets:
        return cls(
            shop_password=secrets.token_urlsafe(24),
            root_secret=secrets.token_urlsafe(32),
            bot_credential=secrets.token_urlsafe(32),
            slack_bot=f"xoxb-{secrets.token_hex(16)}",
            slack_app=f"xapp-{secrets.token_hex(16)}",
        )


@contextlib.asynccontextmanager
async def stack() -> AsyncIterator[Stack]:
    """Start all parts, and end them in reverse. Raises `PostgresFailed` or `PartFailed`."""
    async with contextlib.AsyncExitStack() as parts:
        directory = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="countersign-demo-")))
        postgres = parts.enter_context(Postgres())
        drawn = _Secrets.drawn()
        shop = files("gateway.demo").joinpath("shop.sql").read_text()
        postgres.psql(f"\\set password '{drawn.shop_password}'\n{shop}")

        gateway_port, api_port = _port(GATEWAY_PORT, parts), _port(API_PORT, parts)
        gateway_url = f"http://127.0.0.1:{api_port}"
        policy_file = _policy_file(
            directory, gateway_port=gateway_port, api_port=api_port, postgres_port=postgres.superuser.port
        )
        workspace = await parts.enter_async_context(_workspace(directory, drawn, _port(PAGE_PORT, parts)))
        await parts.enter_async_context(_gateway(directory, drawn, policy_file))
        await parts.enter_async_context(_bot(directory, drawn, workspace["api"], gateway_url))
        http = await parts.enter_async_context(aiohttp.ClientSession())
        page = Page(http, url=workspace["control"], token=workspace["control_token"])
        try:
            await page.connected(within=BOT_WITHIN)
        except NotSeen as failure:
            raise PartFailed(
                f"the bot did not start ({failure}):\n{tail(directory / 'bot.log')}"
            ) from failure
        yield Stack(
            directory=directory,
            postgres=postgres,
            page_url=workspace["page"],
            page=page,
            environment={
                **_plain(),
                "COUNTERSIGN_URL": gateway_url,
                "COUNTERSIGN_STATE": str(directory / "state"),
                "RELEASE_PIPELINE_SECRET": drawn.root_secret,
            },
        )


def _plain() -> dict[str, str]:
    """The environment without what would lead a part somewhere else."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "COUNTERSIGN_"))}


def _policy_file(directory: Path, **ports: int) -> Path:
    """The demo's policy, with these ports in place of `{name}`."""
    policy = files("gateway.demo").joinpath("policies.yaml").read_text()
    for name, value in ports.items():
        policy = policy.replace(f"{{{name}}}", str(value))
    written = directory / "policies.yaml"
    written.write_text(policy)
    return written


def _workspace(directory: Path, drawn: _Secrets, port: int) -> Part:
    """Says where its page and its API are."""
    arguments = ["--listen", f"127.0.0.1:{port}", "--manifest", str(_manifest())]
    return part(
        "workspace",
        ["bot.workspace", *arguments, "--seed", str(_seed(directory, drawn)), "--json"],
        environment=_plain(),
        logs=directory,
    )


def _gateway(directory: Path, drawn: _Secrets, policy_file: Path) -> Part:
    return part(
        "gateway",
        ["gateway", "serve", "--policy", str(policy_file), "--state", str(directory / "state"), "--json"],
        environment={
            **_plain(),
            "SHOP_PASSWORD": drawn.shop_password,
            "RELEASE_PIPELINE_SECRET": drawn.root_secret,
            "COUNTERSIGN_BOT_TOKEN": drawn.bot_credential,
        },
        logs=directory,
    )


def _bot(directory: Path, drawn: _Secrets, slack_url: str, gateway_url: str) -> Part:
    return part(
        "bot",
        ["bot"],
        environment={
            **_plain(),
            "SLACK_API_URL": slack_url,
            "SLACK_BOT_TOKEN": drawn.slack_bot,
            "SLACK_APP_TOKEN": drawn.slack_app,
            "COUNTERSIGN_BOT_TOKEN": drawn.bot_credential,
            "COUNTERSIGN_URL": gateway_url,
        },
        logs=directory,
        says_ready=False,
    )


def _seed(directory: Path, drawn: _Secrets) -> Path:
    """Tokens of this workspace alone: a bot that outlived another demo must not take this one's clicks."""
    scopes = json.loads(_manifest().read_text())["oauth_config"]["scopes"]["bot"]
    seed = directory / "workspace.json"
    seed.write_text(
        json.dumps(
            {
                "tokens": [
                    {"token": drawn.slack_bot, "kind": "bot", "user": "U0COUNTERSIGN", "scopes": scopes},
                    {"token": drawn.slack_app, "kind": "app", "scopes": ["connections:write"]},
                ]
            }
        )
    )
    return seed


def _manifest() -> Path:
    """The very manifest that a real Slack workspace gets, so that the demo runs on its scopes and no others."""
    spec = find_spec("bot")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("manifest.json")


def _port(wished: int, parts: contextlib.ExitStack | contextlib.AsyncExitStack) -> int:
    """`wished`, so that the addresses in the documentation hold, or a free one where it is taken.

    Until `parts` end no other demo takes it, though its part does not listen yet: two may start at once.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            _reserve(wished, parts)
            probe.bind(("127.0.0.1", wished))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _reserve(port: int, parts: contextlib.ExitStack | contextlib.AsyncExitStack) -> None:
    """Raises `OSError` where another demo, or another user's, has it."""
    place = Path(tempfile.gettempdir(), f"countersign-demo-port-{port}")
    lock = parts.enter_context(place.open("w"))
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
