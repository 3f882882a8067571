"""The last agent of the demo's chain ends with the demo, also where it waits for a decision.

Each process of the chain holds the pipe that `migrator` reads to its end: when it returns, none of them is left.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gateway.demo import migrator as module
from gateway.demo.migrator import migrator

WAITS_WITHIN = 60


@pytest.fixture
def psql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Never reads its input and never ends by itself; started as agents start their program, not as what they are."""
    monkeypatch.setattr(module, "_as_agent", lambda _agent: ("sh", "-c", '"$@"; exit', "agent"))
    script = tmp_path / "psql"
    script.write_text("#!/bin/sh\necho waiting\nexec sleep 600\n")
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def shown() -> asyncio.Queue[str]:
    return asyncio.Queue()


async def tell(psql: str, shown: asyncio.Queue[str], started: asyncio.Event) -> None:
    async with migrator(psql, environment=os.environ, show=shown.put_nowait) as one:
        started.set()
        await one.say("UPDATE orders SET status = 'refunded' WHERE id = 6;")


async def test_ending_the_demo_ends_the_whole_chain_at_once(psql, shown, monkeypatch):
    monkeypatch.setattr(module, "ENDS_WITHIN", WAITS_WITHIN)
    started = asyncio.Event()
    telling = asyncio.create_task(tell(psql, shown, started))
    await started.wait()
    while await shown.get() != "waiting":
        pass
    telling.cancel()
    async with asyncio.timeout(WAITS_WITHIN / 2):
        with pytest.raises(asyncio.CancelledError):
            await telling


async def test_a_chain_that_heeds_nothing_is_ended_whole(psql, shown, monkeypatch):
    monkeypatch.setattr(module, "ENDS_WITHIN", 0.1)
    async with asyncio.timeout(WAITS_WITHIN), migrator(psql, environment=os.environ, show=print):
        pass
