"""What a gateway does beside its sessions: background tasks, keeping budgets, deleting old recordings, telling of ends."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.approvals import Approvals
from gateway.contract import SessionView
from gateway.identity.lineages import Revocation
from gateway.journal import Journal
from gateway.policy.budgets import Budgets
from gateway.policy.model import Policy
from gateway.recorder.read import recordings, summary
from gateway.recorder.retention import sweep
from gateway.store import Store, StoreFailed

log = logging.getLogger("countersign.serve")

CANCELLED_AT_MOST = 5
CANCELLED_WITHIN = 1.0
"""Seconds that tasks which are cancelled have to end."""
BUDGETS = "budgets"
BUDGETS_EVERY = 1.0
RETENTION_EVERY = 3_600.0
ENDED_TOLD = 500
"""Sessions that ended before the gateway did, whose end followers hear of again."""


class Tasks:
    """Background work of the process: kept, and told of when it fails."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task failed", exc_info=error)

    async def cancel(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def end_rest() -> None:
    """Cancel every task but this one, again where a library took the first time for its own time-out and goes on."""
    for _ in range(CANCELLED_AT_MOST):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCELLED_WITHIN)
        for task in left:
            log.warning("a task does not end yet", extra={"task": repr(task.get_coro())[:300]})


def recalled(store: Store) -> Budgets:
    """What was spent before. Raises `StoreFailed`."""
    budgets = Budgets()
    try:
        budgets.recall(store.all(BUDGETS))
    except (AttributeError, TypeError, ValueError) as error:
        raise StoreFailed(
            f"a budget in the store is not readable ({error}): put back a copy of it"
        ) from error
    return budgets


def keep(budgets: Budgets, store: Store) -> None:
    """Put what was spent since into the store."""
    for key, document in budgets.changes():
        store.put(BUDGETS, key, document)


async def count(budgets: Budgets, store: Store) -> None:
    """Each second: what was spent of budgets becomes durable."""
    while True:
        await asyncio.sleep(BUDGETS_EVERY)
        keep(budgets, store)
        await store.commit()


async def retain(
    policy: Callable[[], Policy], recordings: Path, journal: Journal, announce: Callable[[str, str], None]
) -> None:
    """Each hour: delete recordings that the policy no longer keeps."""
    kept: float | None = None
    while True:
        retention = policy().retention
        swept = await asyncio.to_thread(
            sweep,
            recordings,
            keep=retention.recordings,
            required=retention.required,
            now=time.time(),
            kept_before=kept,
        )
        kept = retention.recordings
        for report in swept.reports:
            announce("warning", report)
        if swept.deleted:
            await journal.append("deleted", {"recordings": list(swept.deleted)})
        await asyncio.sleep(RETENTION_EVERY)


def ended(directory: Path, channel: Callable[[str], str], link: Callable[[str], str]) -> list[SessionView]:
    """The sessions that ended last, oldest first: a crash, or a stop, may have kept their end from followers."""
    newest = itertools.islice(recordings(directory), ENDED_TOLD)
    found = [view for path in newest if (view := summary(path)) is not None]
    return [replace(view, channel=channel(view.connection), link=link(view.id)) for view in reversed(found)]


async def withdraw(approvals: Approvals, journal: Journal, revocation: Revocation, reason: str) -> None:
    """What a revoked chain still waits for is withdrawn, and the revocation is journalled."""
    await approvals.withdraw(revocation.token_ids, f"the agent's token was {reason}")
    await journal.append(
        "revoked",
        {
            "token": revocation.token_id,
            "subtree": list(revocation.token_ids),
            "by": revocation.by,
            "reason": revocation.reason,
        },
    )
