"""The page of the local workspace, as the unattended demo uses it."""

from __future__ import annotations

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.demo.page import Page

ANA = "ana.silva@example.com"
INPUT = {"type": "input", "element": {"type": "plain_text_input", "action_id": "reason"}}


class Workspace:
    """Its dialog says that it loads at first, as one does whose bot has to ask the gateway."""

    def __init__(self) -> None:
        self.looked = 0
        self.submitted: list[object] = []

    async def views(self, _request: web.Request) -> web.Response:
        self.looked += 1
        blocks = [{"type": "section"}] if self.looked == 1 else [{"type": "divider"}, INPUT]
        return web.json_response({"ok": True, "seq": self.looked, "views": [{"id": "V1", "blocks": blocks}]})

    async def changes(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "seq": int(request.query["after"]) + 1})

    async def submit(self, request: web.Request) -> web.Response:
        self.submitted.append(await request.json())
        return web.json_response({"ok": True})


async def test_a_dialog_is_filled_in_once_it_has_what_is_to_be_filled_in():
    workspace = Workspace()
    app = web.Application()
    app.router.add_get("/views", workspace.views)
    app.router.add_get("/changes", workspace.changes)
    app.router.add_post("/views/submit", workspace.submit)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        page = Page(http, url=str(server.make_url("/")).rstrip("/"), token="-")
        await page.submit(person=ANA, values={"reason": "Not now."}, within=60)
    assert workspace.looked == 2
    assert workspace.submitted == [{"as": ANA, "view_id": "V1", "values": {"reason": "Not now."}}]
