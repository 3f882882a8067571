"""Ana decides on the page, in a real browser, about what a real psql asks."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import WITHIN, Picture, Psql, card, repair
from tests.faults.stand import Stand

pytestmark = pytest.mark.asyncio(loop_scope="module")

STILL = "SELECT 'still here'"
SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"


async def status(stand: Stand, order: int) -> str:
    query = f"SELECT status FROM orders WHERE id = {order}"
    return (await asyncio.to_thread(stand.postgres.psql, query, stand.upstream)).strip()


async def test_an_update_goes_on_when_ana_approves(
    stand: Stand, page: Page, psql: Psql, picture: Picture
) -> None:
    asked = asyncio.create_task(psql(repair(6), STILL))
    shown = card(page, "id = 6")
    for word in (
        "maria.lopez@example.com",
        "release-pipeline",
        "planner",
        "migrator",
        "repair order states for 4.2",
        "write",
        "about 1 row",
        "Decide before",
    ):
        await expect(shown).to_contain_text(word)
    await page.set_viewport_size({"width": 1280, "height": 960})
    await picture(page, "approval")
    assert not asked.done()
    assert await status(stand, 6) == "refund_pending"
    await shown.get_by_test_id("action-countersign.approve").click()
    code, printed = await asyncio.wait_for(asked, WITHIN)
    assert code == 0, printed
    assert "UPDATE 1" in printed
    assert "NOTICE" in printed
    assert "still here" in printed
    assert await status(stand, 6) == "refunded"
    await expect(shown).to_contain_text("Approved and released")
    await expect(shown.get_by_role("button", name="Approve")).to_have_count(0)
    await picture(shown, "approved")


async def test_a_denial_reaches_psql_with_its_reason(
    stand: Stand, page: Page, psql: Psql, picture: Picture
) -> None:
    asked = asyncio.create_task(psql(repair(10), STILL))
    shown = card(page, "id = 10")
    await shown.get_by_test_id("action-countersign.deny").click()
    await page.get_by_label("Reason").fill("Not during the freeze.")
    await picture(page.get_by_test_id("modal"), "deny")
    await page.get_by_test_id("modal-submit").click()
    _, printed = await asyncio.wait_for(asked, WITHIN)
    assert "Not during the freeze." in printed
    assert "42501" in printed
    assert "still here" in printed, "the session goes on"
    assert await status(stand, 10) == "refund_pending"
    await expect(shown).to_contain_text("Denied")
    await expect(shown).to_contain_text("Not during the freeze.")
    await picture(shown, "denied")


async def test_a_kill_shows_what_it_stops_and_ends_the_session(
    stand: Stand, page: Page, psql: Psql, picture: Picture, token: str
) -> None:
    stand.gateway.child(token, "helper", "shop:read")
    asked = asyncio.create_task(psql(repair(14), STILL))
    shown = card(page, "id = 14")
    await shown.get_by_test_id("action-countersign.kill").click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("2 agents")
    await expect(modal).to_contain_text("1 open session")
    await expect(modal).to_contain_text("helper")
    await page.get_by_label("Reason").fill("This agent is off the rails.")
    await picture(modal, "kill")
    await page.get_by_test_id("modal-submit").click()
    code, printed = await asyncio.wait_for(asked, WITHIN)
    assert code != 0
    assert "57P01" in printed
    assert "still here" not in printed
    await expect(shown).to_contain_text("Denied and killed")
    await picture(shown, "killed")
    assert await status(stand, 14) == "refund_pending"
    code, printed = await psql(STILL)
    assert code != 0, "the token is gone"


async def test_a_card_is_decided_on_a_telephone(
    stand: Stand, page: Page, psql: Psql, picture: Picture
) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    asked = asyncio.create_task(psql(repair(146)))
    shown = card(page, "id = 146")
    approve = shown.get_by_test_id("action-countersign.approve")
    await approve.scroll_into_view_if_needed()
    for seen in (approve, shown.get_by_test_id("action-countersign.kill"), page.get_by_test_id("composer")):
        await expect(seen).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await picture(page, "telephone")
    await page.get_by_test_id("channel-audit-shop").click()
    await page.get_by_test_id("app-home").click()
    await expect(page.get_by_test_id("home")).to_contain_text("Waiting for you")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_test_id("channel-approvals").click()
    await approve.click()
    code, printed = await asyncio.wait_for(asked, WITHIN)
    assert code == 0, printed
    await expect(shown).to_contain_text("Approved and released")


async def test_a_long_command_is_approved_only_after_review(
    stand: Stand, page: Page, psql: Psql, picture: Picture
) -> None:
    cases = "\n".join(
        f"    WHEN {order} THEN 'refunded' -- ticket {7000 + order}" for order in range(18, 138, 1)
    )
    command = f"UPDATE orders SET status = CASE id\n{cases}\n  ELSE status END\nWHERE id BETWEEN 18 AND 137 AND status = 'refund_pending'"
    assert len(command) > 2_500
    asked = asyncio.create_task(psql(command))
    shown = card(page, "ticket 7018")
    await expect(shown.get_by_test_id("action-countersign.review")).to_be_visible()
    await expect(shown.get_by_test_id("action-countersign.approve")).to_have_count(0)
    await picture(shown, "long")
    await shown.get_by_test_id("action-countersign.review").click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("ticket 7137")
    await expect(modal).to_contain_text("WHERE id BETWEEN 18 AND 137")
    await expect(page.get_by_test_id("modal-submit")).to_have_text("Approve")
    await picture(modal, "review")
    assert not asked.done()
    await page.get_by_test_id("modal-submit").click()
    code, printed = await asyncio.wait_for(asked, WITHIN)
    assert code == 0, printed
    assert "UPDATE 30" in printed
    await expect(shown).to_contain_text("Approved and released")


async def test_a_secret_is_masked_on_the_card_and_readable_in_review(
    stand: Stand, page: Page, psql: Psql, picture: Picture
) -> None:
    asked = asyncio.create_task(psql(f"UPDATE orders SET card = '{SECRET}' WHERE id = 3"))
    shown = card(page, "WHERE id = 3")
    await expect(shown).to_contain_text("masked")
    await expect(shown).not_to_contain_text(SECRET)
    await expect(shown.get_by_test_id("action-countersign.approve")).to_have_count(0)
    await picture(shown, "masked")
    await shown.get_by_test_id("action-countersign.review").click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text(SECRET)
    await picture(modal, "masked-review")
    await page.get_by_test_id("modal-submit").click()
    code, printed = await asyncio.wait_for(asked, WITHIN)
    assert code == 0, printed
    await expect(shown).to_contain_text("Approved and released")
    await expect(page.get_by_test_id("modal")).to_be_hidden()
    assert SECRET not in await page.locator("body").inner_text()


async def test_a_transcript_is_a_masked_thread_in_the_audit_channel(
    stand: Stand, page: Page, psql: Psql, picture: Picture
) -> None:
    asked = asyncio.create_task(
        psql(
            "SELECT name, email, phone FROM customers ORDER BY id LIMIT 4",
            "DROP TABLE orders",
            repair(142),
            "SELECT id, status, total, card FROM orders WHERE id = 142",
            "SELECT id, ssn, tier FROM customers WHERE id = 1",
        )
    )
    await card(page, "id = 142").get_by_test_id("action-countersign.approve").click()
    _, printed = await asyncio.wait_for(asked, WITHIN)
    assert "Destructive statements never run" in printed
    await page.get_by_test_id("channel-audit-shop").click()
    root = page.locator(".message", has_text="5 commands, 1 held, 1 blocked").last
    await root.locator("[data-testid^=thread-]").click()
    thread = page.get_by_test_id("thread-pane")
    for word in ("SELECT name, email", "DROP TABLE orders", "id = 142", "End of session"):
        await expect(thread).to_contain_text(word, timeout=WITHIN * 1000)
    said = await thread.inner_text()
    for kept in ("+1 202-555-0101", "219-09-1001", "bruno1@example.com"):
        assert kept not in said
        assert kept not in printed
    # In a narrow window the thread takes the channel's place, and its tables fit.
    await page.set_viewport_size({"width": 820, "height": 1240})
    await thread.get_by_text("Session ended").scroll_into_view_if_needed()
    await thread.locator(".message").first.scroll_into_view_if_needed()
    await picture(thread, "transcript")
