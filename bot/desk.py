"""What every listener needs, and the way of every interaction: acknowledge, then work, then at most one sentence.

Bolt loses an acknowledgement when a listener fails within some ten milliseconds after it, so the acknowledgement is
a function of its own and the work is lazy. A lazy function's failure reaches no error listener of Bolt's: the
boundary is here, and it always tells the person.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot import refusals
from bot.blocks import Block, Element, rich, section, text
from bot.board import Board
from bot.card_ids import OldCard
from bot.channels import Channels
from bot.gateway_client import GatewayClient, GatewayError, NotFound, Stale
from bot.modals import View
from bot.outbox import code_of
from bot.people import Member, People, Unknown, Unlinked
from gateway.contract import Approval, LineageView, Subtree

log = logging.getLogger(__name__)

AT_ONCE = 2.0
"""Seconds that an answer may take to stand in the modal that asked: Slack closes its ears after three, and Bolt with it."""
SAID = "Countersign has an answer for you."
OK = 200
OVER = frozenset({"expired_trigger_id", "exchanged_trigger_id"})
"""Slack's names for a click that opens nothing any more."""
CLOSED = "not_found"
"""Slack's name for a modal that its person has closed."""


class NotOpened(Exception):
    """A modal came too late for the click that asked for it; says Slack's name for that."""


class NotShown(Exception):
    """Slack did not take an answer; says what it had against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """An interaction: who did it, where, and with what; read from Slack's payload, which proves nothing more."""

    user: str
    team: str
    channel: str
    trigger_id: str
    response_url: str
    body: Mapping[str, Any]

    @property
    def action(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (self.body.get("actions") or [{}])[0]
        return found

    @property
    def view(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.body.get("view") or {}
        return found


def read_click(body: Mapping[str, Any]) -> Click:
    """The parts of block_actions, view_submission, slash command and event payloads that the bot uses."""
    user = body.get("user") or {}
    event = body.get("event") or {}
    channel = body.get("channel") or {}
    container = body.get("container") or {}
    return Click(
        user=str(body.get("user_id") or user.get("id") or event.get("user") or ""),
        team=str(user.get("team_id") or (body.get("team") or {}).get("id") or body.get("team_id") or ""),
        channel=str(body.get("channel_id") or channel.get("id") or container.get("channel_id") or ""),
        trigger_id=str(body.get("trigger_id") or ""),
        response_url=str(body.get("response_url") or ""),
        body=body,
    )


Work: TypeAlias = Callable[["Desk", Click], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything a listener may use."""

    client: AsyncWebClient
    gateway: GatewayClient
    people: People
    board: Board
    channels: Channels
    at_once: float = AT_ONCE
    working: set[asyncio.Task[Any]] = field(default_factory=set)
    """Lazy work that runs; waited for before the bot ends."""

    async def member(self, click: Click) -> Member:
        """The person who clicked. Raises Unknown and GatewayError."""
        return await self.people.member(click.user, team=click.team)

    async def say(self, click: Click, words: str, *, channel: str = "", more: Sequence[Element] = ()) -> None:
        """One sentence that only this person sees: where they clicked, else directly."""
        where = channel or click.channel
        blocks = [rich(section(text(words), *more))]
        if where and not where.startswith("D"):
            try:
                await self.client.chat_postEphemeral(channel=where, user=click.user, text=SAID, blocks=blocks)
            except SlackApiError as error:
                log.info("no ephemeral message in %s: %s", where, error)
            else:
                return
        direct = await self.channels.direct(click.user)
        await self.client.chat_postMessage(
            channel=direct, text=SAID, blocks=blocks, unfurl_links=False, unfurl_media=False
        )

    async def answer(self, click: Click, blocks: Sequence[Block], *, replace: bool = False) -> None:
        """What only this person sees. A slash command works where the app is no member, and only its response URL
        can answer there. Raises NotShown, since the URL's client tells of a refusal by its status alone.
        """
        answer = await AsyncWebhookClient(click.response_url).send(
            text=SAID, blocks=list(blocks), response_type="ephemeral", replace_original=replace
        )
        if answer.status_code != OK:
            raise NotShown(f"{answer.status_code} {answer.body[:200]}")

    async def open(self, click: Click, view: View) -> str:
        """Open a modal at once, before anything is asked: its trigger lives three seconds. The view's id.

        Raises NotOpened when they were over.
        """
        try:
            answer = await self.client.views_open(trigger_id=click.trigger_id, view=view)
        except SlackApiError as error:
            if code_of(error) in OVER:
                raise NotOpened(code_of(error)) from None
            raise
        return str(answer["view"]["id"])

    async def fill(self, view_id: str, view: View) -> None:
        try:
            await self.client.views_update(view_id=view_id, view=view)
        except SlackApiError as error:
            if code_of(error) != CLOSED:
                raise
            log.info("%s was closed before it was filled", view_id)

    async def stopped_by(self, lineage: LineageView) -> Subtree | None:
        """What revoking the asking agent's token would stop; None where it has ended already."""
        if not lineage.chain:
            return None
        try:
            return await self.gateway.subtree(lineage.chain[-1].token_id)
        except NotFound:
            return None

    def same_text(self, approval: Approval, digest: str) -> None:
        """Raises Stale where a card was drawn for another text than the approval has."""
        if approval.command.digest[:8] != digest:
            raise Stale("The card shows another command.")

    async def finish(self, *, within: float) -> None:
        """Wait for lazy work, at most so many seconds."""
        if self.working:
            await asyncio.wait(self.working, timeout=within)


Answer: TypeAlias = Callable[["Desk", Click], Awaitable[str]]
"""Work that ends in a sentence for who clicked."""
Trouble = (GatewayError, Unknown, OldCard)
"""What a person is told in the words of `refusals`."""


async def only_ack(ack: AsyncAck) -> None:
    await ack()


def lazily(
    desk: Desk, work: Work, *, about: Callable[[Click], str] = lambda _: ""
) -> Callable[..., Awaitable[None]]:
    """`work` as a lazy listener of Bolt's; `about` says in which channel a refusal belongs."""

    async def run(body: dict[str, Any]) -> None:
        await _worked(desk, read_click(body), work, about)

    run.__name__ = work.__name__
    return run


def in_modal(
    desk: Desk,
    work: Answer,
    *,
    errors: Callable[[Mapping[str, Any], str, str], Mapping[str, str]],
    about: Callable[[Click], str] = lambda _: "",
) -> Callable[..., Awaitable[None]]:
    """`work` as what a modal's button does: refused at once, the modal stays open and says so at the field.

    `errors(view, field, sentence)` are the modal's blocks and what is wrong there. What takes longer than Slack waits, or
    needs more than a sentence, is told by message as everywhere else.
    """

    async def run(ack: AsyncAck, body: dict[str, Any]) -> None:
        click = read_click(body)
        task = asyncio.ensure_future(work(desk, click))
        desk.working.add(task)
        task.add_done_callback(desk.working.discard)
        await asyncio.wait({task}, timeout=desk.at_once)
        refused = task.exception() if task.done() else None
        if isinstance(refused, Trouble) and not isinstance(refused, Unlinked):
            field = refused.field if isinstance(refused, GatewayError) else ""
            await ack(
                response_action="errors", errors=dict(errors(click.view, field, refusals.sentence(refused)))
            )
            return
        await ack()

        async def told(desk: Desk, click: Click) -> None:
            await desk.say(click, await task, channel=about(click))

        await _worked(desk, click, told, about)

    run.__name__ = work.__name__
    return run


async def _worked(desk: Desk, click: Click, work: Work, about: Callable[[Click], str]) -> None:
    """Do it, and tell who clicked where it cannot be done."""
    task = asyncio.current_task()
    assert task is not None
    desk.working.add(task)
    try:
        await work(desk, click)
    except Unlinked as nobody:
        await _offer_login(desk, click, nobody, about)
    except Trouble as trouble:
        await _say_or_log(desk, click, refusals.sentence(trouble), about, more=refusals.way_on(trouble))
    except NotOpened as late:
        log.warning("%s opened nothing: %s", work.__name__, late)
        await _say_or_log(desk, click, refusals.NOT_OPENED, about)
    except NotShown as refused:
        log.warning("Slack did not take an answer of %s: %s", work.__name__, refused)
        await _say_or_log(desk, click, refusals.NOT_SHOWN, about)
    except Exception:
        log.exception("a listener failed: %s", work.__name__)
        await _say_or_log(desk, click, refusals.UNEXPECTED, about)
    finally:
        desk.working.discard(task)


async def _offer_login(desk: Desk, click: Click, nobody: Unlinked, about: Callable[[Click], str]) -> None:
    """Who clicked for the first time gets the address of their login at once."""
    try:
        offer = await desk.gateway.link(nobody.user)
    except GatewayError as error:
        await _say_or_log(desk, click, refusals.no_login(error), about)
    else:
        await _say_or_log(desk, click, refusals.LINK, about, more=refusals.login_at(offer.url))


async def _say_or_log(
    desk: Desk,
    click: Click,
    words: str,
    about: Callable[[Click], str],
    *,
    more: Sequence[Element] = (),
) -> None:
    try:
        await desk.say(click, words, channel=about(click), more=more)
    except (SlackClientError, OSError, TimeoutError) as error:
        log.warning("could not tell %s: %s", click.user, error)
