"""Maria asks for more in the modal, Ana decides, and Maria gets in: on the page, in a real browser, with a real psql."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from bot.workspace.client import WorkspaceClient
from tests.browser.conftest import Picture, Psql, printed
from tests.faults.stand import Stand, standing
from tests.live import house
from tests.live.test_elevating import OFFERS
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

MORE = """
  - name: support-repairs
    connections: [shop]
    by_hand: true
    persons: [maria.lopez@example.com]
    effects: [read, write]
    resources: [orders, public.orders]
    longest: 2h
    commands: 20
    rows: 500
    ticket: true
    hold: {approvers: dba, message: "Repairs by hand, one ticket each."}
"""


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    port = free_port()
    policy = {"api_port": f"{port}", "public_url": f', public_url: "http://127.0.0.1:{port}"'}
    with (
        house.shop() as shop,
        standing(tmp_path_factory.mktemp("elevating"), *shop, elevations=MORE + OFFERS, **policy) as running,
    ):
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def maria(browser: Browser, stand: Stand, people: WorkspaceClient) -> AsyncIterator[Page]:
    one = await browser.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=2)
    one.set_default_timeout(60_000)
    await one.goto(f"{stand.page}?as=U0MARIA#general")
    await one.wait_for_selector("body[data-ready]")
    yield one
    await one.close()


async def typed(page: Page, line: str) -> None:
    await page.get_by_test_id("composer").fill(line)
    await page.get_by_test_id("composer").press("Escape")
    await page.get_by_test_id("composer-send").click()


def field(modal: Locator, label: str) -> Locator:
    return modal.get_by_label(label)


async def test_from_the_modal_to_a_row_by_hand(
    stand: Stand, page: Page, maria: Page, picture: Picture
) -> None:
    stand.gateway.child(stand.gateway.token(), "fixer", "shop:read,write")
    await typed(maria, "/elevate")
    modal = maria.get_by_test_id("modal")
    await expect(modal).to_contain_text("What for")
    await expect(modal).to_contain_text("fixer and what it starts")
    await field(modal, "What for").select_option(label="shop: read, write (support-repairs)")
    await expect(modal).to_contain_text("Repairs by hand, one ticket each.")
    await expect(modal).to_contain_text("at most 20 commands and 500 rows")
    await picture(modal, "elevate")
    await field(modal, "Why").fill("order 22 was paid twice")
    await maria.get_by_test_id("modal-submit").click()
    await expect(modal).to_be_visible()  # a ticket is missing
    await field(modal, "Ticket").fill("OPS-22")
    await field(modal, "Budget in commands").fill("3")
    await picture(modal, "elevate-filled")
    await maria.get_by_test_id("modal-submit").click()
    await expect(maria.locator(".message").last).to_contain_text("You will hear what becomes of it")

    card = page.locator(".message", has_text="order 22 was paid twice").last
    for words in (
        "maria.lopez@example.com",
        "by-hand",
        "Becomes possible",
        "write: out of reach → runs",
        "read without asking 0 → ",
        "OPS-22",
        "at most 3 commands and 500 rows",
        "Earlier",
    ):
        await expect(card).to_contain_text(words)
    await picture(card, "elevation-card")
    await card.get_by_test_id("action-countersign.approve").click()
    await expect(card).to_contain_text("Granted")

    await maria.get_by_test_id("app-home").click()
    await maria.get_by_role("button", name="Messages").click()
    told = maria.locator(".message", has_text="Elevation granted").last
    await expect(told).to_contain_text("0 of 3 commands")
    await picture(told, "elevation-granted")
    await told.get_by_test_id("action-countersign.grant_access").click()
    await expect(modal).to_contain_text("credential once")
    await picture(modal, "elevation-connect")
    async with maria.context.expect_page() as opened:
        await modal.get_by_role("button", name="Show it once").click()
    one = await opened.value
    await one.wait_for_load_state()
    link = one.url
    await picture(one, "access-asked")
    await one.get_by_role("button", name="Show it").click()
    ready = await one.locator("dd").nth(3).inner_text()
    await picture(one, "access-shown")
    await one.goto(link)
    await one.get_by_role("button", name="Show it").click()
    await expect(one.locator("main")).to_contain_text("opened before")
    await picture(one, "access-gone")
    await one.close()

    code, printed = await shell(stand, f"{ready} -c \"UPDATE orders SET status = 'refunded' WHERE id = 22\"")
    assert (code, printed.strip()) == (0, "UPDATE 1")
    code, printed = await shell(
        stand, f"{ready} -c \"UPDATE customers SET tier = 'gold' WHERE id = 1\"", within=3
    )
    assert code != 0, "only orders were granted"

    await maria.get_by_test_id("modal-close").click()
    await told.get_by_test_id("action-countersign.grant_end").click()
    await expect(maria.locator(".message", has_text="Elevation ended").last).to_contain_text("ended it")
    code, printed = await shell(stand, f'{ready} -c "SELECT 1"')
    assert code != 0
    secret = ready.partition("PGPASSWORD=")[2].split()[0]
    for where in (maria, page):
        assert secret not in await where.content()


async def test_a_refusal_leads_to_the_form_and_the_agent_goes_on(
    stand: Stand, page: Page, maria: Page, picture: Picture, psql: Psql
) -> None:
    repair = "UPDATE orders SET status = 'refunded' WHERE id = 26"
    refused = asyncio.create_task(psql(repair))
    card = page.locator(".message", has_text="id = 26").filter(has_text="On whose behalf").last
    await card.get_by_test_id("action-countersign.deny").click()
    await page.get_by_test_id("modal-submit").click()
    await refused

    await maria.get_by_test_id("channel-approvals").click()
    denied = maria.locator(".message", has_text="id = 26").filter(has_text="Denied").last
    await denied.hover()
    await denied.get_by_role("button", name="Ask for access").click()
    modal = maria.get_by_test_id("modal")
    await expect(modal).to_contain_text("migrator and what it starts")
    await field(modal, "What for").select_option(label="shop: write (fix-forward)")
    await expect(modal).to_contain_text("Fixing forward is for emergencies.")
    await field(modal, "Why").fill("twenty orders like it")
    await picture(modal, "elevate-from-refusal")
    await maria.get_by_test_id("modal-submit").click()
    asked = page.locator(".message", has_text="twenty orders like it").last
    await expect(asked).to_contain_text("write: held → runs")
    await picture(asked, "elevation-card-agent")
    await asked.get_by_test_id("action-countersign.approve").click()
    await expect(asked).to_contain_text("Granted")
    code, printed = await psql(repair)
    assert (code, "UPDATE 1" in printed) == (0, True), printed


async def test_what_the_gateway_refuses_stands_at_the_field(
    stand: Stand, maria: Page, picture: Picture
) -> None:
    """An agent that ends while the form is open. Where the answer takes too long it is a message: then once more."""
    modal = maria.get_by_test_id("modal")
    wrong = modal.locator(".error", has_text="no live agent")
    await maria.get_by_test_id("channel-general").click()
    said, rounds = 0, 0
    while not rounds or not await wrong.count():
        name = f"shortlived-{rounds}"
        token = stand.gateway.child(stand.gateway.token(), name, "shop:read,write")
        await typed(maria, "/elevate")
        await expect(modal).to_contain_text("What for")
        await field(modal, "What for").select_option(label="shop: write (fix-forward)")
        await expect(modal).to_contain_text("Fixing forward is for emergencies.")
        await field(modal, "For whom").select_option(label=f"{name} and what it starts")
        await field(modal, "Why").fill("it ends before it is asked for")
        stand.gateway.revoke(token)
        told = maria.locator(".message", has_text="no live agent")
        await maria.get_by_test_id("modal-submit").click()
        await expect(wrong.or_(told.nth(said))).to_be_visible(timeout=60_000)
        said, rounds = await told.count(), rounds + 1
    await expect(field(modal, "Why")).to_have_value("it ends before it is asked for")
    await picture(modal, "elevate-refused")
    await maria.get_by_test_id("modal-close").click()


async def test_a_broken_glass_is_seen_by_everybody(page: Page, maria: Page, picture: Picture) -> None:
    await maria.get_by_test_id("channel-general").click()
    await typed(maria, "/elevate")
    modal = maria.get_by_test_id("modal")
    await expect(modal).to_contain_text("What for")
    await field(modal, "What for").select_option(label="🚨 shop: read, write (glass)")
    await expect(modal).to_contain_text("Two others look at it afterwards.")
    await field(modal, "Why").fill("checkout is down")
    await picture(modal, "elevate-glass")
    await expect(maria.get_by_test_id("modal-submit")).to_have_text("Break the glass")
    await maria.get_by_test_id("modal-submit").click()
    told = page.locator(".message", has_text="maria.lopez@example.com broke the glass").filter(
        has_text="Gateway"
    )
    await expect(told.last).to_contain_text("checkout is down")
    await picture(told.last, "glass-announced")
    review = page.locator(".message", has_text="two others look at it").last
    await expect(review).to_contain_text("checkout is down")
    await picture(review, "glass-review")
    await review.get_by_role("button", name="I looked: in order").click()
    await expect(review).to_contain_text("1 of 2")


async def shell(stand: Stand, line: str, *, within: float = 30) -> tuple[int, str]:
    """What a person would paste into a terminal; no longer than `within` seconds."""
    binary = Path(stand.postgres.binary("psql")).parent
    return await printed(
        *("timeout", f"{within:g}", "sh", "-c", line),
        PATH=f"{binary}:{os.environ['PATH']}",
        PGCONNECT_TIMEOUT="10",
    )
