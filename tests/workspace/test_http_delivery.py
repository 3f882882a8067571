from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

from aiohttp import web
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.client import connected
from bot.workspace.server import running
from tests.workspace.conftest import (
    ANA,
    APPROVALS,
    BOT,
    ack_only,
    actions,
    bolt_app,
    button,
    error_of,
    post,
    wide_seed,
)


@asynccontextmanager
async def serving(handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/slack/events", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


async def test_a_real_bolt_app_works_over_signed_http():
    from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request

    holder = {}

    async def handle(request):
        return await to_aiohttp_response(await holder["app"].async_dispatch(await to_bolt_request(request)))

    async with serving(handle) as url, running(wide_seed(request_url=url)) as server:
        slack = AsyncWebClient(token=BOT, base_url=server.api_url)
        holder["app"] = app = bolt_app(slack)
        done = asyncio.Event()

        async def work(client, body):
            await client.chat_postMessage(
                channel=body["channel"]["id"], text="approved", thread_ts=body["message"]["ts"]
            )

        async def home(event):
            done.set()

        async def command(ack):
            await ack({"response_type": "in_channel", "text": "to all"})

        app.action("a")(ack=ack_only, lazy=[work])
        app.event("app_home_opened")(home)
        app.command("/countersign")(command)
        async with connected(server.url, server.control_token) as people:
            message = (
                await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[actions(button("a"))])
            )["message"]
            await people.click(message, "a", as_=ANA, channel="approvals")
            await people.wait_for_message(
                "approvals", lambda one: one["text"] == "approved", thread_ts=message["ts"]
            )
            await people.open_home(as_=ANA)
            await asyncio.wait_for(done.wait(), 30)
            await people.command("approvals", "/countersign help", as_=ANA)
            await people.wait_for_message("approvals", lambda one: one["text"] == "to all")
        refused = await post(server, "apps.connections.open", token="xapp-local-countersign")
        assert refused["error"] == "socket_mode_not_enabled"


async def test_requests_are_signed_and_retried_for_events_only():
    seen: asyncio.Queue = asyncio.Queue()
    answers = {"status": 500}

    async def handle(request):
        await seen.put((dict(request.headers), await request.text()))
        return web.Response(status=answers["status"])

    verifier = SignatureVerifier("local-signing-secret")
    async with serving(handle) as url, running(wide_seed(request_url=url)) as server:
        slack = AsyncWebClient(token=BOT, base_url=server.api_url)
        async with connected(server.url, server.control_token) as people:
            await people.open_home(as_=ANA)
            for attempt in range(3):
                headers, body = await asyncio.wait_for(seen.get(), 30)
                assert verifier.is_valid_request(body, headers)
                assert json.loads(body)["event"]["type"] == "app_home_opened"
                assert headers.get("X-Slack-Retry-Num") == (str(attempt) if attempt else None)
                assert headers.get("X-Slack-Retry-Reason") == ("http_error" if attempt else None)
            answer = await people._post(
                "commands", channel="approvals", command="/countersign x", **{"as": ANA}
            )
            assert (answer["acked"], answer["why"]) == (False, "http_error")
            headers, body = await asyncio.wait_for(seen.get(), 30)
            assert parse_qs(body)["command"] == ["/countersign"]
            answers["status"] = 200
            await people.add_fault("clock_skew", seconds=-600.0)
            await people._post("commands", channel="approvals", command="/countersign x", **{"as": ANA})
            headers, body = await asyncio.wait_for(seen.get(), 30)
            assert not verifier.is_valid_request(body, headers)
            assert seen.empty()
        assert await error_of(slack.chat_postMessage(channel="#nowhere", text="x")) == "channel_not_found"


async def test_an_app_may_ask_for_no_retry():
    calls = []

    async def handle(request):
        calls.append(request.headers.get("X-Slack-Retry-Num"))
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    async with (
        serving(handle) as url,
        running(wide_seed(request_url=url)) as server,
        connected(server.url, server.control_token) as people,
    ):
        await people.open_home(as_=ANA)
        await people.wait_for_delivery(lambda one: not one["acked"])
        await people.open_home(as_=ANA)
        await people.wait_for(lambda: two(people), what="the second delivery")
    assert calls == [None, None]


async def two(people) -> bool:
    return len(await people.deliveries()) == 2


async def test_an_app_that_is_down_is_told_apart_from_one_that_is_slow():
    release = asyncio.Event()

    async def handle(request):
        await release.wait()
        return web.Response()

    async with (
        serving(handle) as url,
        running(wide_seed(request_url=url)) as server,
        connected(server.url, server.control_token) as people,
    ):
        answer = await people._post("commands", channel="approvals", command="/countersign x", **{"as": ANA})
        assert answer["why"] == "http_timeout"
        release.set()
        server.delivery.request_url = "http://127.0.0.1:9/slack/events"
        answer = await people._post("commands", channel="approvals", command="/countersign x", **{"as": ANA})
        assert answer["why"] == "connection_failed"
