"""The bot put together: one gateway, one workspace, one Bolt app.

It keeps no state and decides nothing: what it knows it has from the gateway or from Slack, and may be killed and
started at any instant. No line knows whether it talks to Slack or to a local stand-in: addresses say that.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot import listeners
from bot.board import Board
from bot.channels import Channels
from bot.dedupe import Seen
from bot.desk import AT_ONCE, Desk
from bot.follower import Follower, Takers
from bot.gateway_client import GatewayClient
from bot.grants import Grants
from bot.newest import Backoff
from bot.once import Once
from bot.outbox import Outbox, Pace, code_of
from bot.people import People
from bot.settings import Settings
from bot.sockets import Sockets
from bot.transcripts import Transcripts

log = logging.getLogger(__name__)

SLACK_WITHIN = 10
"""Seconds that Slack has for an answer."""
FINISH_WITHIN = 5.0
"""Seconds that clicks in the works have to finish when the bot ends."""
LARGEST_REQUEST = 1 << 20
PATH = "/slack/events"


class SlackLoginError(Exception):
    """Slack does not know the bot's token; the message names the variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds, in one place so that tests can shorten them."""

    lease: float = 25.0
    """How long a bot that claimed a message may take to post it; more than Slack's time for an answer."""
    batch: float = 2.0
    """Between two messages of one transcript."""
    at_once: float = AT_ONCE
    retry: Backoff = field(default_factory=Backoff)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A running bot, as far as its tests and its health page look in."""

    app: AsyncApp
    desk: Desk
    follower: Follower
    outbox: Outbox
    sockets: Sockets | None


def slack_client(
    token: str, base_url: str, *, retries: int, http: aiohttp.ClientSession | None = None
) -> AsyncWebClient:
    """A Web API client that tries again `retries` times after a lost connection, a 5xx or a 429.

    With `http` its connections are kept; without, slack_sdk makes one for every call.
    """
    handlers = [
        AsyncConnectionErrorRetryHandler(max_retry_count=retries),
        AsyncServerErrorRetryHandler(max_retry_count=retries),
        AsyncRateLimitErrorRetryHandler(max_retry_count=retries),
    ]
    return AsyncWebClient(
        token=token,
        base_url=base_url,
        timeout=SLACK_WITHIN,
        session=http,
        retry_handlers=handlers if retries else [],
    )


async def run(settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
    """Run until cancelled. Raises SlackLoginError."""
    async with running(settings, clock=clock):
        log.info("the bot is running")
        await asyncio.Event().wait()


@asynccontextmanager
async def running(
    settings: Settings, *, clock: Callable[[], float] = time.time, timings: Timings | None = None
) -> AsyncIterator[Bot]:
    """A bot that follows the gateway and answers Slack, until the block ends. Raises SlackLoginError."""
    timings = timings or Timings()
    slack_timeout = aiohttp.ClientTimeout(total=SLACK_WITHIN)
    async with (
        GatewayClient(settings.gateway_url, settings.gateway_credential) as gateway,
        aiohttp.ClientSession(timeout=slack_timeout) as http,
    ):
        reader = slack_client(settings.bot_token, settings.slack_api, retries=2, http=http)
        # A post must never be sent again without looking whether it arrived: the outbox retries, not the client.
        writer = slack_client(settings.bot_token, settings.slack_api, retries=0, http=http)
        who = await _log_in(reader, timings.retry)
        ready: asyncio.Future[Bot] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                bot = _build(settings, gateway, reader, writer, who, tasks, clock=clock, timings=timings)
                tasks.create_task(bot.follower.run(), name="follower")
                tasks.create_task(bot.follower.save_for_ever(), name="follower's place")
                ready.set_result(bot)

        async with asyncio.TaskGroup() as outer:
            working = outer.create_task(work(), name="bot")
            bot = await ready
            connecting = [outer.create_task(bot.sockets.run(), name="sockets")] if bot.sockets else []
            try:
                async with _listening(settings, bot):
                    yield bot
            finally:
                # First nothing new comes in, then what has come is finished.
                for task in connecting:
                    task.cancel()
                await asyncio.gather(*connecting, return_exceptions=True)
                await bot.desk.finish(within=FINISH_WITHIN)
                working.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    team: str
    user: str


async def _log_in(client: AsyncWebClient, backoff: Backoff) -> _Login:
    """Who the bot is in Slack; asks until Slack answers. Raises SlackLoginError where it says no."""
    failures = 0
    while True:
        try:
            answer = await client.auth_test()
        except SlackApiError as error:
            code = code_of(error)
            if code in {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}:
                raise SlackLoginError(f"Slack refuses SLACK_BOT_TOKEN: {code}.") from None
            log.warning("Slack cannot be asked who the bot is: %s", error)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("Slack cannot be reached: %s", type(error).__name__)
        else:
            return _Login(team=str(answer["team_id"]), user=str(answer["user_id"]))
        await asyncio.sleep(backoff.after(failures))
        failures += 1


def _build(
    settings: Settings,
    gateway: GatewayClient,
    reader: AsyncWebClient,
    writer: AsyncWebClient,
    who: _Login,
    tasks: asyncio.TaskGroup,
    *,
    clock: Callable[[], float],
    timings: Timings,
) -> Bot:
    people = People(reader, gateway.directory, team=who.team, clock=clock)
    channels = Channels(reader, bot_user=who.user, clock=clock)
    outbox = Outbox(writer, tasks, clock=time.monotonic, pace=timings.pace)
    once = Once(gateway, outbox, channels, owner=secrets.token_hex(8), clock=clock, lease=timings.lease)
    board = Board(gateway, once, outbox, channels, people=people)
    transcripts = Transcripts(
        gateway, once, outbox, channels, people=people, files=writer, every=timings.batch
    )
    grants = Grants(once, outbox, channels, people=people)
    takers = Takers(
        seen=board.remember,
        approval=board.show,
        session=transcripts.follow,
        announcement=board.announce,
        grant=grants.show,
    )
    follower = Follower(gateway, takers, tasks, backoff=timings.retry)
    desk = Desk(
        client=reader,
        gateway=gateway,
        people=people,
        board=board,
        channels=channels,
        at_once=timings.at_once,
    )
    # Bolt copies its client for every lazy listener, which a client with an open session does not survive.
    app = _bolt(settings, slack_client(settings.bot_token, settings.slack_api, retries=2), clock=clock)
    listeners.register(app, desk)
    sockets = None
    if settings.app_token:
        sockets = Sockets(app, slack_client(settings.app_token, settings.slack_api, retries=0), clock=clock)
    return Bot(app=app, desk=desk, follower=follower, outbox=outbox, sockets=sockets)


def _bolt(settings: Settings, client: AsyncWebClient, *, clock: Callable[[], float]) -> AsyncApp:
    # Without a signing secret only Socket Mode, whose payloads carry no signature, can reach the app.
    app = AsyncApp(
        client=client, signing_secret=settings.signing_secret or secrets.token_hex(32), name="countersign"
    )
    app.middleware(Seen(clock=clock).middleware)

    @app.error
    async def failed(error: Exception) -> None:
        log.error("an acknowledgement failed: %s", error, exc_info=error)

    return app


@asynccontextmanager
async def _listening(settings: Settings, bot: Bot) -> AsyncIterator[None]:
    """Signed requests of Slack's at /slack/events, where a signing secret says so, and /healthz."""
    if settings.port is None:
        yield
        return

    async def events(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bot.app.async_dispatch(await to_bolt_request(request)))

    async def healthz(_: web.Request) -> web.Response:
        sockets = await bot.sockets.connected() if bot.sockets is not None else None
        well = bot.follower.reachable and sockets != 0
        said = {"gateway": bot.follower.reachable, "sockets": sockets}
        return web.json_response(said, status=200 if well else 503)

    site_app = web.Application(client_max_size=LARGEST_REQUEST)
    site_app.router.add_get("/healthz", healthz)
    if settings.signing_secret and not settings.app_token:
        site_app.router.add_post(PATH, events)
    runner = web.AppRunner(site_app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        yield
    finally:
        await runner.cleanup()
