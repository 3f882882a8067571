"""A provider that takes requests in forms alone, in a real browser: the gateway's page sends itself, whatever else is forbidden there."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from tests.identity.providers import Noted
from tests.identity.saml_stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("scripts", [True, False], ids=["by itself", "by its button"])
async def test_the_browser_takes_the_form_there_and_back(
    browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    stage = Stage(tmp_path)
    provider = web.Application()

    async def sso(request: web.Request) -> web.Response:
        return await stage.idp.sso(request)

    provider.router.add_post("/sso", sso)
    context = await browser.new_context(java_script_enabled=scripts)
    async with TestServer(provider) as there, TestServer(stage.pages()) as gateway:
        stage.base = str(gateway.make_url("")).rstrip("/")
        # On another site than the gateway, as outside.
        stage.found(login=f"http://localhost:{there.port}/sso", by_post=True)
        purpose = Noted()
        page = await context.new_page()
        page.set_default_timeout(60_000)
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
        await page.goto(stage.logins.begin(purpose))
        await page.get_by_role("button", name="Continue with corp").click()
        if not scripts:
            await page.get_by_role("button", name="Go on").click()
            # The provider's own form.
            await page.locator("input[type=submit], button").first.click()
        await page.wait_for_url("**/login/back/corp?state=*")
        assert "You are ada@example.com." in await page.locator("main").inner_text()
        assert [each.person for each in purpose.proven] == ["ada@example.com"]
        assert not [each for each in refused if "Content Security Policy" in each]
    await context.close()
