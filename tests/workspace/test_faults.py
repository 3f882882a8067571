from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.workspace.client import NotAcknowledgedError, WorkspaceError
from bot.workspace.faults import FaultError, Faults, RateLimited, parse_fault
from tests.workspace.conftest import (
    ANA,
    APPROVALS,
    QUICK,
    ack_only,
    actions,
    bolt_app,
    button,
    error_of,
    on_socket,
)


def test_a_fault_strikes_as_often_as_it_says_and_only_its_target():
    faults = Faults()
    faults.add(RateLimited(method="chat.update", times=2))
    assert faults.strike(RateLimited, target="chat.postMessage") is None
    assert [faults.strike(RateLimited, target="chat.update") is not None for _ in range(3)] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "wrong", [{}, {"kind": "x"}, {"kind": "latency", "colour": 1}, {"kind": "latency", "times": "x"}]
)
def test_a_fault_that_is_described_wrongly_is_refused(wrong):
    with pytest.raises(FaultError):
        parse_fault(wrong)


async def test_rate_limits_errors_and_latency_strike_the_named_method(slack, people):
    await people.add_fault("rate_limited", method="chat.update", retry_after=7)
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x"))["ts"]
    with pytest.raises(SlackApiError) as refused:
        await slack.chat_update(channel=APPROVALS, ts=ts, text="y")
    assert refused.value.response.headers["Retry-After"] == "7"
    await people.add_fault("api_error", method="chat.update", error="edit_window_closed")
    assert await error_of(slack.chat_update(channel=APPROVALS, ts=ts, text="y")) == "edit_window_closed"
    await people.add_fault("latency", seconds=0.2)
    before = time.monotonic()
    await slack.chat_update(channel=APPROVALS, ts=ts, text="y")
    assert time.monotonic() - before >= 0.2


async def test_a_server_error_does_nothing_and_a_lost_answer_did_its_work(server, people):
    headers = {"Authorization": "Bearer xoxb-local-countersign"}
    body = {"channel": APPROVALS, "text": "once"}
    async with aiohttp.ClientSession() as session:
        await people.add_fault("server_error", status=502)
        async with session.post(server.api_url + "chat.postMessage", data=body, headers=headers) as answer:
            assert answer.status == 502
        assert await people.messages("approvals") == []
        await people.add_fault("lost_answer", method="chat.postMessage")
        with pytest.raises(aiohttp.ClientError):
            await session.post(server.api_url + "chat.postMessage", data=body, headers=headers)
        assert [one["text"] for one in await people.messages("approvals")] == ["once"]


@pytest.mark.parametrize("timings", [QUICK], ids=["quick"])
async def test_acknowledgements_are_dropped_and_envelopes_doubled(server, slack, people):
    app = bolt_app(slack)
    clicks: asyncio.Queue = asyncio.Queue()

    async def click(ack, body):
        await ack()
        clicks.put_nowait(body["trigger_id"])

    app.action("a")(click)
    app.event("message")(ack_only)
    async with on_socket(app, server):
        message = (await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[actions(button("a"))]))[
            "message"
        ]
        await people.add_fault("drop_ack", envelope="interactive")
        with pytest.raises(NotAcknowledgedError, match="timeout"):
            await people.click(message, "a", as_=ANA, channel="approvals")
        await asyncio.wait_for(clicks.get(), 30)
        await people.add_fault("duplicate", envelope="interactive")
        await people.click(message, "a", as_=ANA, channel="approvals")
        first, second = await asyncio.wait_for(clicks.get(), 30), await asyncio.wait_for(clicks.get(), 30)
        assert first == second


async def test_faults_can_be_seen_and_cleared(slack, people):
    await people.add_fault("rate_limited", times=5)
    assert (await people._get("faults"))["faults"][0]["times"] == 5
    await people.clear_faults()
    assert (await slack.auth_test())["ok"]
    with pytest.raises(WorkspaceError, match="none of"):
        await people.add_fault("earthquake")


async def test_the_rate_model_is_switchable(slack, people):
    await people.set_rate("strict")
    await slack.chat_postMessage(channel=APPROVALS, text="x")
    assert await error_of(slack.chat_postMessage(channel=APPROVALS, text="x")) == "ratelimited"
    await people.set_rate("off")
    await slack.chat_postMessage(channel=APPROVALS, text="x")
