from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.client import NotAcknowledgedError
from tests.workspace.conftest import (
    ANA,
    APP_LEVEL,
    APPROVALS,
    MARIA,
    QUICK,
    ack_only,
    actions,
    bolt_app,
    button,
    modal,
    on_socket,
    text_input,
)


async def card(slack, *elements) -> dict:
    return (await slack.chat_postMessage(channel=APPROVALS, text="card", blocks=[actions(*elements)]))[
        "message"
    ]


class Raw:
    """A Socket Mode connection without any client library."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.hello: dict = {}

    async def next(self) -> dict:
        return json.loads((await asyncio.wait_for(self.socket.receive(), 30)).data)

    async def ack(self, envelope: dict, payload: dict | None = None) -> None:
        answer = {"envelope_id": envelope["envelope_id"], **({"payload": payload} if payload else {})}
        await self.socket.send_str(json.dumps(answer))


async def raw_socket(stack: AsyncExitStack, server) -> Raw:
    client = AsyncWebClient(token=APP_LEVEL, base_url=server.api_url)
    url = (await client.apps_connections_open(app_token=APP_LEVEL))["url"]
    session = await stack.enter_async_context(aiohttp.ClientSession())
    raw = Raw(await stack.enter_async_context(session.ws_connect(url)))
    raw.hello = await raw.next()
    return raw


async def test_a_real_bolt_app_hears_a_click_opens_a_modal_and_gets_the_submission(server, slack, people):
    app = bolt_app(slack)
    submitted: asyncio.Future = asyncio.get_running_loop().create_future()

    async def open_modal(body, client):
        await client.views_open(
            trigger_id=body["trigger_id"],
            view=modal(text_input(), private_metadata=body["actions"][0]["value"]),
        )

    async def on_submit(ack, view, body):
        await ack()
        submitted.set_result((view["private_metadata"], view["state"]["values"], body["user"]["id"]))

    app.action("gate.deny")(ack=ack_only, lazy=[open_modal])
    app.view("deny")(on_submit)
    async with on_socket(app, server):
        message = await card(slack, button("gate.deny", value="a-1"))
        await people.click(message, "gate.deny", as_=ANA, channel="approvals")
        view = await people.wait_for_view(as_=ANA)
        refused = await people.submit(view, {}, as_=ANA)
        assert refused["answer"]["errors"] == {"why": "Please complete this required field."}
        await people.submit(view, {"reason": "not today"}, as_=ANA)
        metadata, values, user = await asyncio.wait_for(submitted, 90)
        assert (metadata, user) == ("a-1", ANA)
        assert values["why"]["reason"] == {"type": "plain_text_input", "value": "not today"}
        await people.wait_for_no_view(as_=ANA)


async def test_a_slash_command_is_escaped_and_its_answer_is_ephemeral(server, slack, people):
    app = bolt_app(slack)

    async def command(ack, command):
        await ack(f"you said {command['text']}")

    app.command("/countersign")(command)
    async with on_socket(app, server):
        await people.command("approvals", "/countersign kill @maria.lopez in #audit", as_=ANA)
        seen = await people.wait_for_message("approvals", as_=ANA)
        assert seen["text"] == "you said kill <@U0MARIA|maria.lopez> in <#C0AUDIT|audit>"
        assert await people.messages("approvals", as_=MARIA) == []


async def test_events_reach_the_app_and_bolt_acknowledges_them(server, slack, people):
    app = bolt_app(slack)
    heard: asyncio.Queue = asyncio.Queue()

    async def on_event(event):
        await heard.put(event)

    app.event("app_home_opened")(on_event)
    app.event("message")(on_event)
    app.event({"type": "message", "subtype": "message_deleted"})(on_event)
    app.event({"type": "message", "subtype": "message_changed"})(on_event)
    async with on_socket(app, server):
        await people.open_home(as_=ANA)
        assert (await asyncio.wait_for(heard.get(), 30))["tab"] == "home"
        sent = await people.say("audit", "hello", as_=MARIA)
        event = await asyncio.wait_for(heard.get(), 30)
        assert (event["text"], event["user"], event["channel_type"]) == ("hello", MARIA, "channel")
        await people.edit("audit", sent["ts"], "changed", as_=ANA)
        assert (await asyncio.wait_for(heard.get(), 30))["previous_message"]["text"] == "hello"
        await people.delete("audit", sent["ts"], as_=ANA)
        assert (await asyncio.wait_for(heard.get(), 30))["deleted_ts"] == sent["ts"]


async def test_hello_names_the_app_and_a_url_works_once(server):
    async with AsyncExitStack() as stack:
        raw = await raw_socket(stack, server)
        assert raw.hello["type"] == "hello"
        assert raw.hello["connection_info"]["app_id"] == "A0COUNTERSIGN"
        assert raw.hello["debug_info"]["approximate_connection_time"] == 18060
        url = server.url.replace("http", "ws") + "/link/?ticket=used"
        session = await stack.enter_async_context(aiohttp.ClientSession())
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_each_envelope_goes_to_one_socket_and_may_be_acknowledged_on_another(server, slack, people):
    async with AsyncExitStack() as stack:
        first, second = await raw_socket(stack, server), await raw_socket(stack, server)
        message = await card(slack, button("a"))
        for raw in (first, second):
            asyncio.get_running_loop()
            raw.task = asyncio.create_task(raw.next())
        click = asyncio.create_task(people.click(message, "a", as_=ANA, channel="approvals"))
        seen = []
        # The card's own message event and the click: two envelopes, each on one socket only.
        while len(seen) < 2:
            done, _ = await asyncio.wait(
                [first.task, second.task], timeout=30, return_when=asyncio.FIRST_COMPLETED
            )
            for raw, other in ((first, second), (second, first)):
                if raw.task in done:
                    envelope = raw.task.result()
                    seen.append(envelope)
                    await other.ack(envelope)
                    raw.task = asyncio.create_task(raw.next())
        await click
        assert sorted(one["type"] for one in seen) == ["events_api", "interactive"]
        assert len({one["envelope_id"] for one in seen}) == 2
        for raw in (first, second):
            raw.task.cancel()


async def test_ten_connections_are_enough(server):
    async with AsyncExitStack() as stack:
        for count in range(1, 11):
            assert (await raw_socket(stack, server)).hello["num_connections"] == count
        last = await raw_socket(stack, server)
        assert (last.hello["type"], last.hello["reason"]) == ("disconnect", "too_many_websockets")


@pytest.mark.parametrize("timings", [QUICK], ids=["quick"])
async def test_an_event_that_is_not_acknowledged_comes_again_and_a_click_does_not(server, slack, people):
    async with AsyncExitStack() as stack:
        raw = await raw_socket(stack, server)
        await people.open_home(as_=ANA)
        first, second = await raw.next(), await raw.next()
        assert (first["retry_attempt"], second["retry_attempt"]) == (0, 1)
        assert first["payload"]["event_id"] == second["payload"]["event_id"]
        assert second["retry_reason"] == "timeout"
        await raw.ack(second)
        await people.wait_for_delivery(lambda one: one["attempt"] == 1 and one["acked"])
        message = await card(slack, button("a"))
        await raw.ack(await raw.next())
        with pytest.raises(NotAcknowledgedError, match="timeout"):
            await people.click(message, "a", as_=ANA, channel="approvals")
        clicks = [one for one in await people.deliveries() if one["type"] == "interactive"]
        assert [(one["attempt"], one["acked"]) for one in clicks] == [(0, False)]


async def test_without_a_connection_a_click_fails_at_once(slack, people):
    message = await card(slack, button("a"))
    with pytest.raises(NotAcknowledgedError, match="no_connection"):
        await people.click(message, "a", as_=ANA, channel="approvals")


async def test_a_refresh_makes_the_app_reconnect_and_loses_no_click(server, slack, people):
    app = bolt_app(slack)
    app.action("a")(ack_only)
    async with on_socket(app, server):
        message = await card(slack, button("a"))
        assert await people.sockets("refresh") == 1
        for _ in range(20):
            await people.click(message, "a", as_=ANA, channel="approvals")
        await people.wait_for_connections(1)


async def test_a_cut_connection_comes_back(server, slack, people):
    app = bolt_app(slack)
    app.action("a")(ack_only)
    async with on_socket(app, server):
        message = await card(slack, button("a"))
        assert await people.sockets("cut") == 1
        await people.wait_for_connections(1, timeout=30)
        await people.click(message, "a", as_=ANA, channel="approvals")


async def test_a_warning_leaves_the_connection_open(server, people):
    async with AsyncExitStack() as stack:
        raw = await raw_socket(stack, server)
        assert await people.sockets("warning") == 1
        assert (await raw.next())["reason"] == "warning"
        await people.open_home(as_=ANA)
        assert (await raw.next())["type"] == "events_api"


async def test_garbage_from_the_app_is_no_acknowledgement(server, slack, people):
    async with AsyncExitStack() as stack:
        raw = await raw_socket(stack, server)
        message = await card(slack, button("a"))
        await raw.ack(await raw.next())
        click = asyncio.create_task(people.click(message, "a", as_=ANA, channel="approvals"))
        envelope = await raw.next()
        for nonsense in ("{", "[]", '{"envelope_id": 3}', '{"envelope_id": "other"}'):
            await raw.socket.send_str(nonsense)
        await raw.ack(envelope)
        assert (await click)["acked"]
