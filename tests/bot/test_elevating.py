"""`/elevate`, and how a request for more looks as a card."""

from __future__ import annotations

import pytest

from bot.card_ids import APPROVE
from bot.cards import card
from bot.listeners.elevating import Unclear, read_typed
from bot.workspace.client import WorkspaceClient, text_of
from gateway.contract import ElevationRequest, ElevationView, GrantView, RevokeRequest, State
from tests.bot.conftest import ANA, APPROVALS, MARIA, StartBot
from tests.bot.examples import approval, command
from tests.bot.fake_gateway import FakeGateway
from tests.bot.test_cards import FACES
from tests.bot.test_surfaces import answer_to

WISH = ElevationView(
    asked_by="maria.lopez@example.com",
    effects=("write",),
    seconds=1800,
    commands=50,
    reason="order 7 is stuck",
)
ASKED = approval(
    "apr-elevation",
    command=command("elevate migrator on shop"),
    elevation=WISH,
    session="",
)
GRANT = GrantView(
    id="g-1",
    approval="apr-elevation",
    connection="shop",
    effects=("write",),
    token_id="tok-3",
    agent="migrator",
    asked_by="maria.lopez@example.com",
    reason="order 7 is stuck",
    starts_at=1_700_000_000.0,
    ends_at=1_700_001_800.0,
    commands=50,
    used=3,
)


async def test_one_line_asks_lists_and_ends(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals[ASKED.id] = ASKED
    async with start_bot():
        await people.wait_for_connections(1)
        typed = "/elevate migrator shop write 30m “order 7 is stuck”"
        assert "apr-elevation" in await answer_to(people, typed, as_=MARIA)
        assert "Nothing is elevated" in await answer_to(people, "/elevate list", as_=MARIA)
        gateway.grants[GRANT.id] = GRANT
        assert "3 of 50 commands" in await answer_to(people, "/elevate list", as_=MARIA)
        assert "asks again on shop" in await answer_to(people, "/elevate end g-1 it is mended", as_=MARIA)
        assert "knows nothing" in await answer_to(people, "/elevate end g-1", as_=MARIA)
        assert "is no time" in await answer_to(people, "/elevate migrator shop write soon please", as_=MARIA)
        assert "/elevate list" in await answer_to(people, "/elevate", as_=MARIA)
    assert gateway.wishes == [
        ElevationRequest(
            connection="shop",
            effects=("write",),
            seconds=1800.0,
            reason="order 7 is stuck",
            person="maria.lopez@example.com",
            agent="migrator",
        )
    ]
    assert gateway.ended == [("g-1", RevokeRequest(person="maria.lopez@example.com", reason="it is mended"))]


async def test_strangers_ask_for_nothing(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals[ASKED.id] = ASKED
    gateway.grants[GRANT.id] = GRANT
    async with start_bot():
        await people.wait_for_connections(1)
        for typed in ("/elevate migrator shop write 30m x", "/elevate list", "/elevate end g-1"):
            await answer_to(people, typed, as_="U0SAM")
    assert gateway.wishes == []
    assert gateway.ended == []


async def test_its_card_says_what_it_is_and_its_person_hears_of_the_end(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        await people.wait_for_connections(1)
        await gateway.publish(ASKED)
        shown = await people.wait_for_message(APPROVALS, lambda one: "apr-elevation" in text_of(one), as_=ANA)
        assert "What is blocked stays blocked" in text_of(shown)


def test_the_card_of_a_request_has_buttons_and_no_session() -> None:
    drawn = str(card(ASKED, FACES).blocks)
    assert APPROVE in drawn
    assert "Elevation" in drawn
    assert "session" not in drawn
    granted = approval("apr-elevation", elevation=WISH, state=State.SPENT, settled_at=1.0, settled_by="x")
    assert "Granted" in str(card(granted, FACES).blocks)


@pytest.mark.parametrize(
    "words",
    [
        ["a"],
        ["a", "shop", "write", "30m"],
        ["a", "shop", "write", "30", "x"],
        ["a", "shop", "write", "-3m", "x"],
    ],
)
def test_what_is_unclear_is_not_asked(words: list[str]) -> None:
    with pytest.raises(Unclear):
        read_typed(words)
