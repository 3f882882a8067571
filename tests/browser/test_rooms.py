"""What people see and do in a real browser beyond one command: a yes for a while, siblings on one card, Home."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import WITHIN, Picture, printed, repair
from tests.faults.stand import Stand

pytestmark = pytest.mark.asyncio(loop_scope="module")

Run = Callable[[str, str], Coroutine[Any, Any, str]]


@pytest.fixture
def planner(stand: Stand) -> str:
    root = stand.gateway.token(task="release 4.2")
    return stand.gateway.child(root, "planner", "shop:read,write", task="plan the 4.2 release")


@pytest.fixture
def psql_of(stand: Stand) -> Run:
    """`await psql_of(token, command)`: what it printed."""

    async def run(token: str, command: str) -> str:
        account = stand.gateway.account(token)
        _, said = await printed(stand.postgres.binary("psql"), "-X", "-c", command, **account.environment)
        return said

    return run


def card(page: Page, containing: str) -> Locator:
    return page.locator(".message", has_text=containing).last


async def test_a_yes_for_a_while_lets_the_twin_go_and_what_comes_after(
    stand: Stand, page: Page, planner: str, psql_of: Run, picture: Picture
) -> None:
    agent = stand.gateway.child(planner, "fixer", "shop:read,write", task="repair order states")
    first = asyncio.create_task(psql_of(agent, repair(601)))
    shown = card(page, "id = 601")
    await expect(shown).to_contain_text("A yes may be for a while")
    await expect(shown).to_contain_text("it expires as denied")
    await picture(shown, "for-a-while-card")
    second = asyncio.create_task(psql_of(agent, repair(602)))
    folded = card(page, "2 of 2 wait for a decision")
    await expect(folded).to_contain_text("id = 602")
    await picture(folded, "folded")
    await folded.get_by_role("button", name="Review 1").click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("id = 601")
    await modal.get_by_text("Commands of this shape · 1 more held now").click()
    await picture(modal, "for-a-while")
    await page.get_by_test_id("modal-submit").click()
    printed = await asyncio.wait_for(asyncio.gather(first, second), WITHIN)
    assert all("UPDATE" in each for each in printed), printed
    settled = card(page, "All 2 are settled")
    await expect(settled).to_contain_text("Approved and released by ana.silva@example.com")
    await expect(settled.get_by_role("button", name="Review")).to_have_count(0)
    await picture(settled, "folded-settled")
    assert "UPDATE" in await asyncio.wait_for(psql_of(agent, repair(603)), WITHIN), "nobody was asked"


async def test_home_shows_what_waits_and_what_holds_and_revokes_it(
    stand: Stand, page: Page, planner: str, psql_of: Run, picture: Picture
) -> None:
    agent = stand.gateway.child(planner, "hand", "shop:read,write", task="look after orders")
    waiting = asyncio.create_task(psql_of(agent, repair(611)))
    await expect(card(page, "id = 611")).to_contain_text("Waiting for a decision")
    await page.get_by_test_id("app-home").click()
    home = page.get_by_test_id("home")
    await expect(home).to_contain_text("Waiting for you: 1 approval")
    await expect(home).to_contain_text("1 live grant")
    await expect(home).to_contain_text("└─ hand")
    await picture(page, "home")
    await home.get_by_role("button", name="Revoke").first.click()
    await expect(home).to_contain_text("0 live grants")
    await home.get_by_role("button", name="Deny: ").first.click()
    await page.get_by_label("Reason").fill("Not now.")
    await page.get_by_test_id("modal-submit").click()
    assert "Not now." in await asyncio.wait_for(waiting, WITHIN)
    await expect(home).to_contain_text("Waiting for you: 0 approvals")
