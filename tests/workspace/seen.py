"""The page in a real browser: what the tests of it look with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.workspace.client import WorkspaceClient, connected
from bot.workspace.server import Server, running
from tests.workspace.conftest import ANA, wide_seed

expect.set_options(timeout=60_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield one
        await one.close()


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with running(wide_seed()) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def people(server) -> AsyncIterator[WorkspaceClient]:
    async with connected(server.url, server.control_token) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def page(server, browser) -> AsyncIterator[Page]:
    one = await browser.new_page(viewport={"width": 1360, "height": 900})
    one.set_default_timeout(60_000)
    wrong: list[str] = []
    elsewhere: list[str] = []
    one.on("pageerror", lambda error: wrong.append(str(error)))
    one.on("console", lambda line: wrong.append(line.text) if "Security Policy" in line.text else None)
    one.on(
        "request", lambda asked: elsewhere.append(asked.url) if not asked.url.startswith(server.url) else None
    )
    yield one
    await one.close()
    assert wrong == []
    assert elsewhere == [], "the page asks nobody but the workspace"


async def visit(page: Page, server, *, as_: str = ANA, channel: str = "approvals") -> None:
    await page.goto(f"{server.url}/?as={as_}#{channel}")
    await page.wait_for_selector("body[data-ready]")
