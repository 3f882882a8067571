"""Ana decides on the page about what a real ssh asks."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import WITHIN, Picture, card
from tests.faults.stand import Stand
from tests.live_ssh.house import Server, SshGateway, sshd

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEMCTL = """#!/bin/sh
units={units}
case "$1" in
stop) echo inactive > "$units/$2" ;;
is-active) cat "$units/$2" && grep -qx active "$units/$2" || exit 3 ;;
*) echo "Unknown command verb $1." >&2; exit 1 ;;
esac
"""
"""Stands in for systemd's at the target, since where tests run there is mostly no systemd: same words, same statuses."""


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What runs at the target: a file a unit."""
    return tmp_path_factory.mktemp("units")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, units: Path) -> Iterator[Server]:
    programs = tmp_path_factory.mktemp("programs")
    systemctl = programs / "systemctl"
    systemctl.write_text(SYSTEMCTL.format(units=units))
    systemctl.chmod(0o755)
    with sshd(tmp_path_factory.mktemp("sshd"), programs=programs) as running:
        yield running


@pytest.fixture
def nginx(units: Path) -> Path:
    unit = units / "nginx"
    unit.write_text("active\n")
    return unit


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Stand]:
    directory = tmp_path_factory.mktemp("browser-ssh")
    running = Stand(
        directory, gateway=SshGateway(directory, server, never="privilege", held="write, destructive")
    )
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


def ssh(stand: Stand, command: str) -> asyncio.Task[subprocess.CompletedProcess[bytes]]:
    """OpenSSH's client, as the last agent of a chain of two runs it."""
    gateway = stand.gateway
    assert isinstance(gateway, SshGateway)
    child = gateway.child(
        gateway.token(task="release 4.2"), "deployer", "web-1:read,write,destructive", task="drain web-1"
    )
    return asyncio.create_task(asyncio.to_thread(gateway.ssh, command, token=child))


async def test_a_held_systemctl_stop_goes_on_when_ana_approves(
    stand: Stand, page: Page, nginx: Path, picture: Picture
) -> None:
    asked = ssh(stand, "systemctl stop nginx")
    shown = card(page, "systemctl stop nginx")
    for word in (
        "maria.lopez@example.com",
        "release-pipeline",
        "deployer",
        "drain web-1",
        "web-1",
        "destructive",
    ):
        await expect(shown).to_contain_text(word)
    await picture(shown, "ssh-systemctl")
    assert not asked.done()
    assert nginx.read_text() == "active\n"
    await shown.get_by_test_id("action-countersign.approve").click()
    done = await asyncio.wait_for(asked, WITHIN)
    assert (done.stdout, done.returncode) == (b"", 0), done.stderr
    assert nginx.read_text() == "inactive\n"
    await expect(shown).to_contain_text("Approved and released")
    await expect(shown.get_by_role("button", name="Approve")).to_have_count(0)
    await picture(shown, "ssh-systemctl-approved")
    looked = await asyncio.wait_for(ssh(stand, "systemctl is-active nginx"), WITHIN)
    assert (looked.stdout, looked.returncode) == (b"inactive\n", 3), looked.stderr


async def test_what_an_approved_command_says_and_how_it_ends_reach_its_ssh(
    stand: Stand, page: Page, nginx: Path
) -> None:
    command = "systemctl stop nginx; systemctl is-active nginx; echo drained >&2; exit 7"
    asked = ssh(stand, command)
    await card(page, command).get_by_test_id("action-countersign.approve").click()
    done = await asyncio.wait_for(asked, WITHIN)
    assert (done.stdout, done.returncode) == (b"inactive\n", 7)
    assert done.stderr.endswith(b"drained\n")


async def test_a_denial_reaches_ssh_with_its_reason_and_nothing_ran(
    stand: Stand, page: Page, nginx: Path, picture: Picture
) -> None:
    asked = ssh(stand, "systemctl stop nginx.service")
    shown = card(page, "systemctl stop nginx.service")
    await shown.get_by_test_id("action-countersign.deny").click()
    await page.get_by_label("Reason").fill("Not during the sale.")
    await picture(page.get_by_test_id("modal"), "ssh-systemctl-deny")
    await page.get_by_test_id("modal-submit").click()
    done = await asyncio.wait_for(asked, WITHIN)
    assert (done.stdout, done.returncode) == (b"", 126)
    assert b"Not during the sale." in done.stderr
    assert nginx.read_text() == "active\n"
    assert not nginx.with_name("nginx.service").exists()
    await expect(shown).to_contain_text("Denied")
    await expect(shown).to_contain_text("Not during the sale.")
    await picture(shown, "ssh-systemctl-denied")


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
