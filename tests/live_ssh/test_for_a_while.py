"""A yes for the shape of a command over SSH: its twins go, and nothing else does."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.live.house import ANA
from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway

REFUSED = 126
WITHIN = 60.0


@pytest.fixture
def lasting(server: Server, tmp_path: Path) -> Iterator[SshGateway]:
    """Held commands may be let go for a while, destructive ones too."""
    offered = "{up_to: 1h, commands: 5, what: [shape]}"
    with house.gateway(
        tmp_path, server, held="write, destructive", never="privilege", lasting=offered
    ) as running:
        yield running


def held(gateway: SshGateway, text: str) -> dict[str, Any]:
    return gateway.api.approval(lambda each: each["command"]["text"] == text and each["state"] == "pending")


def approve_the_shape(gateway: SshGateway, approval: dict[str, Any]) -> None:
    gateway.api.call(
        f"/v1/approvals/{approval['id']}/votes",
        {
            "person": ANA,
            "choice": "approve",
            "seen_version": approval["version"],
            "reach": "shape",
            "seconds": 600,
            "commands": 5,
        },
    )


def test_stopping_one_service_lets_no_other_be_stopped(lasting: SshGateway) -> None:
    token = lasting.token()
    texts = (
        "systemctl stop no-such-unit",
        "systemctl  stop 'no-such-unit'",
        "systemctl stop another-such-unit",
        "systemctl kill no-such-unit",
    )
    running = {text: lasting.start_ssh(text, token=token) for text in texts}
    asked = {text: held(lasting, text) for text in texts}
    first, twin, *others = texts
    alike = asked[first]["command"]["alike"]
    assert (alike["words"], alike["passes"]) == (first, "")
    approve_the_shape(lasting, asked[first])
    for text in (first, twin):
        assert ended(running[text]) != REFUSED
        assert lasting.api.call(f"/v1/approvals/{asked[text]['id']}")["grant"] == asked[first]["id"]
    for text in others:
        assert lasting.api.call(f"/v1/approvals/{asked[text]['id']}")["state"] == "pending"
        lasting.api.vote(asked[text], "deny")
        assert ended(running[text]) == REFUSED


def ended(client: subprocess.Popen[bytes]) -> int:
    client.communicate(timeout=WITHIN)
    return client.returncode


async def test_writing_a_file_lets_others_of_its_kind_be_written_beside_it(
    lasting: SshGateway, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    (site / "below").mkdir(parents=True)
    async with (
        house.connected(lasting) as connection,
        connection.start_sftp_client() as sftp,
    ):

        async def write(name: str) -> None:
            async with sftp.open(str(site / name), "w") as file:
                await file.write("body {}\n")

        async def asked(name: str) -> dict[str, Any]:
            return await asyncio.to_thread(held, lasting, f"open {site / name} for writing")

        first = asyncio.create_task(write("a.css"))
        approval = await asked("a.css")
        assert approval["command"]["alike"]["words"] == f"open {site}/*.css for writing"
        await asyncio.to_thread(approve_the_shape, lasting, approval)
        await first
        await write("b.css")
        assert (site / "b.css").read_text() == "body {}\n"
        for name in ("below/c.css", "d.php", ".e.css"):
            refused = asyncio.create_task(write(name))
            await asyncio.to_thread(lasting.api.vote, await asked(name), "deny")
            with pytest.raises(asyncssh.SFTPError):
                await refused
            assert not (site / name).exists()
