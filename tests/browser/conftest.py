"""Everything at once behind a page that a real browser shows; agents come through real psql."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from bot.workspace.client import WorkspaceClient
from tests.faults.stand import Stand, standing
from tests.live import house

CHROMIUM = Path("/usr/bin/chromium")
PICTURES = "COUNTERSIGN_PICTURES"
"""A directory that pictures of what was seen are written to."""

expect.set_options(timeout=60_000)

WITHIN = 90
"""Seconds that a real client has for its answer once people have decided."""
Psql = Callable[..., Coroutine[Any, Any, tuple[int, str]]]
Picture = Callable[..., Coroutine[Any, Any, None]]


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with house.shop() as shop, standing(tmp_path_factory.mktemp("browser"), *shop) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(stand: Stand) -> AsyncIterator[WorkspaceClient]:
    async with stand.people() as client:
        await stand.start_bot(client, ["-m", "bot"])
        yield client


@pytest.fixture
def token(stand: Stand) -> str:
    """Of the last agent of a chain of three."""
    root = stand.gateway.token(task="release 4.2")
    planner = stand.gateway.child(root, "planner", "shop:read,write,ddl", task="plan the 4.2 release")
    return stand.gateway.child(planner, "migrator", "shop:read,write", task="repair order states for 4.2")


@pytest.fixture
def psql(stand: Stand, token: str) -> Psql:
    """`await psql(command, ...)`: its exit status and what it printed; nobody types at it."""
    account = stand.gateway.account(token)

    async def run(*commands: str) -> tuple[int, str]:
        return await printed(
            *(stand.postgres.binary("psql"), "-X", "-v", "VERBOSITY=verbose"),
            *(argument for command in commands for argument in ("-c", command)),
            **account.environment,
        )

    return run


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install Debian's package `chromium`")
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield one
        await one.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, stand: Stand, people: WorkspaceClient) -> AsyncIterator[Page]:
    """The page as Ana sees it, at #approvals."""
    one = await browser.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=2)
    one.set_default_timeout(60_000)
    wrong: list[str] = []
    one.on("pageerror", lambda error: wrong.append(str(error)))
    await one.goto(f"{stand.page}?as=U0ANA#approvals")
    await one.wait_for_selector("body[data-ready]")
    yield one
    await one.close()
    assert wrong == []


@pytest.fixture
def picture() -> Picture:
    """`await picture(of, name)`: kept where COUNTERSIGN_PICTURES says, if it says so."""
    directory = os.environ.get(PICTURES)

    async def take(of: Page | Locator, name: str) -> None:
        if directory:
            Path(directory).mkdir(parents=True, exist_ok=True)
            await (of if isinstance(of, Page) else of.page).mouse.move(0, 0)
            await of.screenshot(path=Path(directory) / f"{name}.png")

    return take


def repair(order: int) -> str:
    """A statement that is held, and changes one row once."""
    return f"UPDATE orders SET status = 'refunded' WHERE id = {order} AND status = 'refund_pending'"


def card(page: Page, containing: str) -> Locator:
    """The newest card with that in it."""
    return page.locator(".message", has_text=containing).filter(has_text="On whose behalf").last


async def printed(*line: str, **environment: str) -> tuple[int, str]:
    """Exit status of a program at which nobody types, and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        *line,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()
