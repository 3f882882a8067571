"""The workspace as one HTTP server: Web API, Socket Mode, response URLs, uploads, control, page.

`start` binds and returns a running server; tests use it in-process, `__main__` for the command.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from bot.workspace.control import Control
from bot.workspace.delivery import Delivery
from bot.workspace.guard import add_headers, guard, is_loopback
from bot.workspace.interactions import Interactions, post_answer
from bot.workspace.methods import chat, conversations, files, marks, people, views
from bot.workspace.modals import short_id
from bot.workspace.records import Json, Message
from bot.workspace.seed import Seed
from bot.workspace.state import Workspace
from bot.workspace.tickets import TicketError
from bot.workspace.validate import Refused, check_blocks, check_text, with_ids
from bot.workspace.webapi import Method, WebApi

PAGE = Path(__file__).parent / "page"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
REQUEST_BYTES = 9 << 20

METHODS: tuple[Method, ...] = (
    *chat.METHODS,
    *conversations.METHODS,
    *people.METHODS,
    *views.METHODS,
    *files.METHODS,
    *marks.METHODS,
)


class ListenError(ValueError):
    """The address to listen on is refused; the sentence says what to do."""


class Server:
    """A running workspace; made by `running`."""

    def __init__(self, workspace: Workspace, delivery: Delivery, *, control_token: str) -> None:
        self.workspace = workspace
        self.delivery = delivery
        self.interactions = Interactions(workspace, delivery)
        self.control_token = control_token

    @property
    def url(self) -> str:
        """The page's address, without a slash at the end."""
        return self.workspace.base_url

    @property
    def api_url(self) -> str:
        """What slack_sdk's `base_url` wants."""
        return f"{self.url}/api/"

    async def respond(self, request: web.Request) -> web.Response:
        """POST to a response URL: post, replace or delete. Raises nothing; errors are Slack's."""
        workspace = self.workspace
        try:
            url = workspace.tickets.redeem_response_url(request.match_info["name"])
        except TicketError as error:
            return web.json_response({"ok": False, "error": error.code}, status=404)
        try:
            answer = json.loads(await request.text())
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        channel = workspace.channels[url.channel]
        original = channel.messages.get(url.message_ts) or next(
            (one for one in workspace.ephemerals if one.ts == url.message_ts), None
        )
        try:
            if answer.get("delete_original") and original is not None:
                workspace.delete(original)
            elif answer.get("replace_original") and original is not None:
                self._replace(original, answer)
            else:
                thread_ts = str(answer.get("thread_ts") or url.thread_ts)
                post_answer(workspace, channel, url.user, answer, thread_ts=thread_ts)
        except Refused as refused:
            return web.json_response(refused.to_json(), status=400)
        return web.Response(text="ok")

    def _replace(self, message: Message, answer: Json) -> None:
        blocks = answer.get("blocks") or []
        if blocks:
            blocks = with_ids(check_blocks(blocks), make_id=short_id)
        text = check_text(answer.get("text"), has_content=bool(blocks), updating=False)
        self.workspace.edit(message, by=message.user, text=text, blocks=blocks)

    async def upload(self, request: web.Request) -> web.Response:
        """The second step of an upload: the bytes, raw or as the only part of a form."""
        file = self.workspace.files.get(request.match_info["file"])
        if file is None or file.content is not None:
            raise web.HTTPNotFound(text="This upload URL is unknown or was used.")
        if request.content_type == "multipart/form-data":
            form = await request.post()
            part = next((one for one in form.values() if isinstance(one, web.FileField)), None)
            content = part.file.read() if part is not None else b""
        else:
            content = await request.read()
        if len(content) != file.length:
            raise web.HTTPBadRequest(text=f"{file.length} bytes were announced, {len(content)} came.")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def download(self, request: web.Request) -> web.Response:
        """A file's bytes, for a token that may read files."""
        _, _, presented = request.headers.get("Authorization", "").partition(" ")
        token = self.workspace.token(presented)
        if token is None or "files:read" not in token.scopes:
            raise web.HTTPForbidden(text="Reading a file needs a token with files:read.")
        file = self.workspace.files.get(request.match_info["file"])
        if file is None or file.content is None:
            raise web.HTTPNotFound(text="There is no such file.")
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def page(self, _request: web.Request) -> web.Response:
        return _asset("index.html")

    async def asset(self, request: web.Request) -> web.Response:
        return _asset(request.match_info["name"])


def _asset(name: str) -> web.Response:
    # Only what lies in the folder by its plain name: nothing of the path is taken from the request.
    for file in PAGE.iterdir():
        if file.name == name and file.suffix in TYPES:
            return web.Response(body=file.read_bytes(), content_type=TYPES[file.suffix], charset="utf-8")
    raise web.HTTPNotFound(text="There is no such file.")


@asynccontextmanager
async def running(
    seed: Seed | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    control_token: str = "",
    insecure_listen: bool = False,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Server]:
    """A workspace that listens until the block ends. Raises ListenError and OSError."""
    if not is_loopback(host) and not insecure_listen:
        raise ListenError(
            f"{host} is reachable from other machines and everybody there could act as anybody here; "
            "listen on 127.0.0.1, or give --insecure-listen if you mean it."
        )
    workspace = Workspace(seed or Seed(), clock=clock)
    delivery = Delivery(workspace)
    server = Server(workspace, delivery, control_token=control_token or secrets.token_urlsafe(24))
    bound: list[int] = []
    app = web.Application(
        middlewares=[
            guard(
                control_token=server.control_token,
                loopback_only=not insecure_listen,
                port=lambda: bound[0] if bound else 0,
            )
        ],
        client_max_size=REQUEST_BYTES,
    )
    api = WebApi(workspace, delivery, METHODS)
    app.add_routes(
        [
            web.get("/", server.page),
            web.get("/archives/{channel}/{message}", server.page),
            web.get("/page/{name}", server.asset),
            web.get("/api/{method}", api.handle),
            web.post("/api/{method}", api.handle),
            web.get("/link/", delivery.sockets.connect),
            web.post("/response/{name}", server.respond),
            web.post("/upload/v1/{file}", server.upload),
            web.get("/files/{file}/{tail:.*}", server.download),
            *Control(workspace, delivery).routes(),
        ]
    )
    app.on_response_prepare.append(add_headers)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        actual = runner.addresses[0][1]
        bound.append(actual)
        shown = f"[{host}]" if ":" in host else host
        workspace.base_url = f"http://{shown}:{actual}"
        await delivery.start()
        try:
            yield server
        finally:
            workspace.changes.close()
            await delivery.close()
    finally:
        await runner.cleanup()
