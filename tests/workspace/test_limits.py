from __future__ import annotations

import dataclasses

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.limits import RateLimiter, Tier
from bot.workspace.seed import Rate, Seed
from bot.workspace.server import running
from tests.workspace.conftest import BOT


class Hands:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ask(limiter: RateLimiter, *, tier: Tier = Tier.POST, channel: str = "C1") -> int:
    return limiter.ask(token="x", method="chat.postMessage", tier=tier, channel=channel)


def test_strict_allows_one_message_a_second_and_channel():
    clock = Hands()
    limiter = RateLimiter(clock=clock, mode=Rate.STRICT)
    assert ask(limiter) == 0
    assert ask(limiter) == 1
    assert ask(limiter, channel="C2") == 0
    clock.now += 1
    assert ask(limiter) == 0


def test_normal_allows_a_short_burst():
    limiter = RateLimiter(clock=Hands(), mode=Rate.NORMAL)
    assert [ask(limiter) for _ in range(5)] == [0, 0, 0, 0, 1]


def test_tiers_count_by_method_and_minute():
    clock = Hands()
    limiter = RateLimiter(clock=clock, mode=Rate.STRICT)
    answers = [ask(limiter, tier=Tier.T2) for _ in range(21)]
    assert answers == [0] * 20 + [3]
    clock.now += 3
    assert ask(limiter, tier=Tier.T2) == 0


def test_a_limiter_that_is_off_never_makes_anybody_wait():
    limiter = RateLimiter(clock=Hands(), mode=Rate.OFF)
    assert {ask(limiter) for _ in range(1000)} == {0}


async def test_a_client_that_posts_too_fast_gets_429_with_retry_after():
    async with running(dataclasses.replace(Seed(), rate=Rate.STRICT)) as server:
        slack = AsyncWebClient(token=BOT, base_url=server.api_url)
        await slack.chat_postMessage(channel="#approvals", text="one")
        with pytest.raises(SlackApiError) as refused:
            await slack.chat_postMessage(channel="#approvals", text="two")
        assert refused.value.response.status_code == 429
        assert refused.value.response["error"] == "ratelimited"
        assert refused.value.response.headers["Retry-After"] == "1"
        patient = AsyncWebClient(
            token=BOT,
            base_url=server.api_url,
            retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)],
        )
        assert (await patient.chat_postMessage(channel="C0APPROVALS", text="three"))["ok"]
