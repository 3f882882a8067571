"""Ana decides on the page about what a real ssh asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import WITHIN, Picture, card
from tests.faults.stand import Stand
from tests.live_ssh.house import Server, SshGateway, sshd

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Stand]:
    directory = tmp_path_factory.mktemp("browser-ssh")
    running = Stand(directory, gateway=SshGateway(directory, server))
    try:
        yield running.start()
    finally:
        running.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(browser: Browser, stand: Stand) -> AsyncIterator[Page]:
    async with stand.people() as people:
        await stand.start_bot(people, ["-m", "bot"])
        one = await browser.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=2)
        one.set_default_timeout(60_000)
        await one.goto(f"{stand.page}?as=U0ANA#approvals")
        await one.wait_for_selector("body[data-ready]")
        yield one
        await one.close()


async def test_a_held_command_runs_in_the_ssh_that_waited_when_ana_approves(
    stand: Stand, page: Page, tmp_path: Path, picture: Picture
) -> None:
    gateway = stand.gateway
    assert isinstance(gateway, SshGateway)
    child = gateway.child(
        gateway.token(task="release 4.2"), "deployer", "web-1:read,write", task="roll out 4.2"
    )
    wanted = tmp_path / "release-4.2"
    asked = asyncio.create_task(asyncio.to_thread(gateway.ssh, f"mkdir {wanted} && echo made", token=child))
    shown = card(page, str(wanted))
    for word in (
        "release-pipeline",
        "deployer",
        "roll out 4.2",
        "write",
        "Somebody looks at writes on prod.",
    ):
        await expect(shown).to_contain_text(word)
    await picture(page, "ssh")
    assert not asked.done()
    assert not wanted.exists()
    await shown.get_by_test_id("action-countersign.approve").click()
    done = await asyncio.wait_for(asked, WITHIN)
    assert (done.stdout, done.returncode) == (b"made\n", 0), done.stderr
    assert wanted.is_dir()
    await expect(shown).to_contain_text("Approved and released")


async def test_a_kill_ends_the_ssh_and_nothing_ran(stand: Stand, page: Page, tmp_path: Path) -> None:
    gateway = stand.gateway
    assert isinstance(gateway, SshGateway)
    child = gateway.child(gateway.token(), "deployer", "web-1:read,write")
    wanted = tmp_path / "never"
    asked = asyncio.create_task(asyncio.to_thread(gateway.ssh, f"mkdir {wanted}", token=child))
    shown = card(page, str(wanted))
    await shown.get_by_test_id("action-countersign.kill").click()
    await page.get_by_label("Reason").fill("Not this one.")
    await page.get_by_test_id("modal-submit").click()
    done = await asyncio.wait_for(asked, WITHIN)
    assert done.returncode != 0
    assert not wanted.exists()
