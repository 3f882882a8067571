"""Ben, whom nobody knows yet, clicks in Slack, logs in with a real identity provider in a real browser, and decides.

Gateway, bot and Slack are processes of their own; the provider is on another site (`localhost`) than the gateway's pages
(`127.0.0.1`), so that cookies and forms cross sites as they do outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, expect

from gateway.identity import saml_metadata
from tests.browser.conftest import Psql
from tests.faults.stand import Stand
from tests.identity.saml_idp import SamlIdp
from tests.live import house
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHIN = 90
BEN = "ben.okafor@example.com"
IDENTITY = """
identity:
  providers:
    corp:
      saml: file:{metadata}
      attributes: {{groups: "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"}}
      domains: [example.com]
"""
IN_THE_FILE = 'dba: {slack: "@dba", members: [ana.silva@example.com, ben.okafor@example.com]}'


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """policies.yaml knows Ben neither by his Slack user nor as a DBA: a login has to show both."""
    directory = tmp_path_factory.mktemp("login")
    with house.shop() as shop:
        stand = Stand(
            directory,
            shop,
            within="15m, step_up: {max_age: 5m}",
            more=IDENTITY.format(metadata=directory / "corp.xml"),
        )
        text = stand.gateway.policy_file.read_text()
        assert IN_THE_FILE in text
        text = text.replace(IN_THE_FILE, "dba: {claim: db-admins}").replace(f"U0BEN: {BEN},", "")
        stand.gateway.policy_file.write_text(text)
        try:
            yield stand.start()
        finally:
            stand.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def idp(stand: Stand) -> AsyncIterator[SamlIdp]:
    port, base = free_port(), stand.gateway.url
    own = saml_metadata.write(entity_id=f"{base}/login/saml/corp", acs=f"{base}/login/back/corp")
    idp = SamlIdp(stand.directory / "idp", sp_metadata=own, login=f"http://localhost:{port}/sso")
    (stand.directory / "corp.xml").write_bytes(idp.metadata)
    application = web.Application()
    application.router.add_get("/sso", idp.sso)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "localhost", port).start()
    yield idp
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, stand: Stand, people: object) -> AsyncIterator[Page]:
    """Slack as Ben sees it."""
    context = await browser.new_context()
    one = await context.new_page()
    one.set_default_timeout(60_000)
    await one.goto(f"{stand.page}?as=U0BEN#approvals")
    await one.wait_for_selector("body[data-ready]")
    yield one
    await context.close()


async def logged_in(page: Page, link: Locator) -> str:
    """What the gateway's page says in the end, in a tab of its own."""
    address = await link.get_attribute("href")
    assert address is not None
    tab = await page.context.new_page()
    tab.set_default_timeout(60_000)
    await tab.goto(address)
    await tab.get_by_role("button", name="Continue with corp").click()
    await tab.wait_for_url("**/login/back/corp?state=*")
    said = await tab.locator("main").inner_text()
    await tab.close()
    return said


async def test_ben_is_linked_by_one_login_and_decides_by_another(
    stand: Stand, page: Page, psql: Psql, token: str, idp: SamlIdp
) -> None:
    idp.person = BEN
    repair = "UPDATE orders SET status = 'refunded' WHERE id = 6 AND status = 'refund_pending'"
    asked = asyncio.create_task(psql(repair))
    card = page.locator(".message", has_text="id = 6").filter(has_text="On whose behalf").last
    await expect(card).to_contain_text("each with a fresh login")
    approve = card.get_by_test_id("action-countersign.approve")

    await approve.click()
    nobody = page.locator(".message", has_text="does not know yet who you are").last
    assert "In Slack" in await logged_in(page, nobody.get_by_role("link", name="Log in"))

    await approve.click()
    first = page.locator(".message", has_text="needs a fresh login").last
    idp.person = "ana.silva@example.com"
    assert "no vote was cast" in await logged_in(page, first.get_by_role("link", name="Log in"))
    assert not asked.done()

    await approve.click()
    await expect(page.locator(".message", has_text="needs a fresh login")).to_have_count(2)
    second = page.locator(".message", has_text="needs a fresh login").last
    idp.person = BEN
    assert "Your yes" in await logged_in(page, second.get_by_role("link", name="Log in"))
    code, printed = await asyncio.wait_for(asked, WITHIN)
    assert (code, "UPDATE 1" in printed) == (0, True), printed
    await expect(card).to_contain_text("with a login at corp")
    assert [each.force_authn for each in idp.requests] == ["true", "true", "true"]

    # Who Ben is outlives a kill -9; what he was in the middle of does not, and nothing came of it.
    held = await stand.asks(token, repair.replace("= 6", "= 10"))
    card = page.locator(".message", has_text="id = 10").filter(has_text="On whose behalf").last
    await card.get_by_test_id("action-countersign.approve").click()
    await expect(page.locator(".message", has_text="needs a fresh login")).to_have_count(3)
    third = page.locator(".message", has_text="needs a fresh login").last
    address = await third.get_by_role("link", name="Log in").get_attribute("href")
    assert address is not None
    await asyncio.to_thread(stand.restart_gateway)
    [ended] = await asyncio.wait_for(asyncio.gather(held, return_exceptions=True), WITHIN)
    assert isinstance(ended, Exception)
    await expect(card).to_contain_text("The client has left")
    tab = await page.context.new_page()
    await tab.goto(address)
    assert "Begin the login again" in await tab.locator("main").inner_text()
    again = await stand.asks(token, repair.replace("= 6", "= 10"))
    await expect(card).not_to_contain_text("The client has left")
    await card.get_by_test_id("action-countersign.approve").click()
    await expect(page.locator(".message", has_text="needs a fresh login")).to_have_count(4)
    fourth = page.locator(".message", has_text="needs a fresh login").last
    assert "Your yes" in await logged_in(page, fourth.get_by_role("link", name="Log in"))
    assert await asyncio.wait_for(again, WITHIN) == "UPDATE 1"
