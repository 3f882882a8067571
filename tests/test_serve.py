"""The composition root in one process: what a gateway began ends with it, also where it could not begin to the end."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from gateway.doors import DoorFailed, Doors
from gateway.serve import running

POLICY = """\
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:{door}
    upstream: postgresql://127.0.0.1:1/shop?sslmode=disable
    credential: {{user: gateway, password: env:SHOP_PASSWORD}}
api: {{listen: 127.0.0.1:{api}}}
rules:
  - {{name: reads, when: {{effects: [read]}}, then: {{allow: true}}}}
default: hold
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a policy with these ports; `0` is any."""
    monkeypatch.setenv("SHOP_PASSWORD", "sekret")
    monkeypatch.setenv("COUNTERSIGN_BOT_TOKEN", "b" * 32)

    def write(*, door: int = 0, api: int = 0) -> Path:
        policy = tmp_path / "policies.yaml"
        policy.write_text(POLICY.format(door=door, api=api))
        return policy

    return write


async def nothing_goes_on() -> None:
    """Tasks that were cancelled are given time to end."""
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        _, pending = await asyncio.wait(left, timeout=5)
        assert not pending


@pytest.mark.parametrize("taken", ["door", "api"])
async def test_a_gateway_that_cannot_listen_leaves_nothing_behind_and_may_begin_again(
    written, tmp_path: Path, taken: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        policy = written(**{taken: other.getsockname()[1]})
        with pytest.raises(DoorFailed, match="cannot listen"):
            async with running(policy, tmp_path / "state"):
                pytest.fail("it listens where somebody else does")
    await nothing_goes_on()
    async with running(written(), tmp_path / "state") as gateway:
        assert set(gateway.doors.addresses) == {"shop"}
    await nothing_goes_on()


async def test_while_the_doors_drain_the_api_still_answers(
    written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[bytes] = []
    close = Doors.close

    async def draining(doors: Doors, *, drain: float) -> None:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
        answered.append(await reader.readline())
        writer.close()
        await close(doors, drain=drain)

    monkeypatch.setattr(Doors, "close", draining)
    async with running(written(), tmp_path / "state") as gateway:
        address = gateway.api_address.split(":")
    assert answered == [b"HTTP/1.1 200 OK\r\n"]
