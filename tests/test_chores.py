"""What a gateway does when it stops."""

from __future__ import annotations

import asyncio

from gateway import chores


async def test_what_takes_a_cancellation_for_a_time_out_is_cancelled_again(monkeypatch):
    monkeypatch.setattr(chores, "CANCELLED_WITHIN", 0.05)
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await chores.end_rest()
    assert swallowed.is_set()
    assert task.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}
