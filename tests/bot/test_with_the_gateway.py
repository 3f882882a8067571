"""The bot against the gateway's own API and its approvals, instead of a stand-in: the two sides of the contract meet."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.app import running
from bot.card_ids import APPROVE, DENY, REASON_INPUT, REVIEW
from bot.workspace import server
from bot.workspace.client import WorkspaceClient, actions_of, text_of
from gateway.contract import State
from tests.bot.conftest import ANA, APPROVALS, QUICK, held, settings_for


async def card(people: WorkspaceClient) -> dict:
    return await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))


async def test_a_click_releases_what_the_gateway_holds(
    gate, slack: server.Server, people: WorkspaceClient
) -> None:
    async with running(settings_for(gate, slack), timings=QUICK):
        waiting = await held(gate)
        await people.wait_for_connections(1)
        await people.click(await card(people), APPROVE, as_=ANA, channel=APPROVALS)
        assert (await asyncio.wait_for(waiting.outcome(), 30)).state is State.SPENT
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))


async def test_nobody_of_the_lineage_releases_it(gate, slack: server.Server, people: WorkspaceClient) -> None:
    async with running(settings_for(gate, slack), timings=QUICK):
        waiting = await held(gate)
        await people.wait_for_connections(1)
        await people.click(await card(people), APPROVE, as_="U0BEN", channel=APPROVALS)
        await people.wait_for_message(
            APPROVALS, lambda one: "You cannot decide this" in text_of(one), as_="U0BEN"
        )
        await people.click(await card(people), DENY, as_=ANA, channel=APPROVALS)
        await people.submit(await people.wait_for_view(as_=ANA), {REASON_INPUT: "not today"}, as_=ANA)
        settled = await asyncio.wait_for(waiting.outcome(), 30)
    assert (settled.state, settled.reason) == (State.DENIED, "not today")


async def test_a_long_command_is_released_by_who_opened_it(
    gate, slack: server.Server, people: WorkspaceClient
) -> None:
    text = "UPDATE orders SET status = 'paid' WHERE id IN (" + ", ".join(map(str, range(1_000))) + ")"
    async with running(settings_for(gate, slack), timings=QUICK):
        waiting = await held(gate, text)
        await people.wait_for_connections(1)
        shown = await card(people)
        assert APPROVE not in [one["action_id"] for one in actions_of(shown)]
        await people.click(shown, REVIEW, as_=ANA, channel=APPROVALS)
        modal = await people.wait_for_view(lambda one: "Digest" in text_of(one), as_=ANA)
        await people.submit(modal, as_=ANA)
        assert (await asyncio.wait_for(waiting.outcome(), 30)).state is State.SPENT


async def test_a_bot_that_was_away_shows_the_end_of_what_it_had_begun(
    gate,
    slack: server.Server,
    people: WorkspaceClient,
    tmp_path: Path,
) -> None:
    settings = settings_for(gate, slack)
    async with running(settings, timings=QUICK):
        waiting = await held(gate)
        await card(people)
    waiting.leave(withdraw=True)
    async with running(settings, timings=QUICK):
        await people.wait_for_message(APPROVALS, lambda one: "Withdrawn" in text_of(one))
    assert len([one for one in await people.messages(APPROVALS) if "On whose behalf" in text_of(one)]) == 1
