"""A person types a terminal's code into a real browser and logs in at an OpenID provider on another site."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from gateway.api.grants import DEVICE_CODE
from gateway.policy.model import ApiPolicy, SecretRef
from tests.browser.conftest import Picture
from tests.identity.gateway_app import Served, gateway
from tests.identity.house import ADA, House, with_people
from tests.identity.idp import CLIENT, SECRET, identity_provider

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The gateway's pages are on `localhost`, the provider's on `127.0.0.1`: cookies and forms cross sites."""
    monkeypatch.setenv("TEST_OKTA_SECRET", SECRET)
    house = with_people(House(tmp_path))
    house.now = time.time()
    async with gateway(house) as served:
        base = served.address.replace("127.0.0.1", "localhost")
        async with identity_provider(f"{base}/login/back/okta") as issuer:
            okta = replace(
                house.policy.identity.providers["okta"],
                issuer=issuer,
                client_id=CLIENT,
                client_secret=SecretRef(source="env", name="TEST_OKTA_SECRET"),
                scopes=("email", "groups"),
            )
            house.policy = replace(
                house.policy,
                api=ApiPolicy(public_url=base),
                identity=replace(house.policy.identity, providers={"okta": okta}),
            )
            yield served


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    one = await browser.new_page()
    one.set_default_timeout(60_000)
    wrong: list[str] = []
    one.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield one
    await one.close()
    assert [each for each in wrong if "Content Security Policy" in each] == []


async def at_the_provider(page: Page) -> None:
    await page.locator("input[name=login]").fill("ada")
    await page.locator("input[name=password]").fill("any")
    await page.locator("button[type=submit]").click()
    await page.locator("button[type=submit]").click()


async def test_a_terminal_is_logged_in(served: Served, page: Page, picture: Picture) -> None:
    async with served.client.post("/oauth/device_authorization", data={"task": "look at order 7"}) as answer:
        codes = await answer.json()
    await page.goto(codes["verification_uri"])
    await page.get_by_label("The code that your terminal shows").fill("bbbb bbbb")
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("alert").wait_for()
    await picture(page, "login-code")
    await page.get_by_label("The code that your terminal shows").fill(codes["user_code"].lower())
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_text("look at order 7").wait_for()
    await picture(page, "login-choice")
    await page.get_by_role("button", name="Continue with okta").click()
    await at_the_provider(page)
    await page.get_by_text(f"Your terminal is logged in as {ADA}.").wait_for()
    await picture(page, "login-done")
    form = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"]}
    async with served.client.post("/oauth/token", data=form) as answer:
        assert answer.status == 200
    await page.reload()
    await page.get_by_text("Nothing was done").wait_for()


async def test_a_page_of_another_site_logs_nobody_in(served: Served, page: Page) -> None:
    """It would only have to have the victim's browser send one form: the provider may know the victim already."""
    async with served.client.post("/oauth/device_authorization", data={}) as answer:
        codes = await answer.json()
    address = served.identities.logins.begin(served.identities.devices.login(codes["user_code"]))
    await page.goto(served.address + "/.well-known/jwks.json")  # 127.0.0.1: another origin than the pages'
    async with page.expect_navigation():
        await page.evaluate(
            """address => {
                const form = document.createElement("form");
                form.method = "post";
                form.action = address;
                form.innerHTML = "<input name=provider value=okta>";
                document.body.append(form);
                form.submit();
            }""",
            address,
        )
    await page.get_by_text("Nothing was done").wait_for()
    assert "localhost" in page.url
