"""The composition root: everything is built once, a room of `gateway.house` after the other, and ends in reverse order."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from gateway import chores
from gateway.doors import DoorFailed, Doors
from gateway.house.decisions import begin_decisions
from gateway.house.entrance import build_entrance
from gateway.house.ground import lay_ground
from gateway.house.web import open_web
from gateway.identity.private_files import KeysUnsafe
from gateway.journal import JournalFailed
from gateway.policy.credentials import SecretMissing
from gateway.running import Gateway
from gateway.store import StoreFailed

log = logging.getLogger("countersign.serve")

DRAIN_WITHIN = 10.0
"""Seconds that open sessions get to end by themselves when the gateway stops."""


class StartFailed(Exception):
    """The gateway cannot begin; the message says what to mend."""


async def serve(policy_file: Path, state: Path, *, as_json: bool) -> None:
    """Run until SIGTERM or SIGINT, and say on stdout when ready.

    Raises `PolicyFileError` or `StartFailed` where it cannot begin.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with running(policy_file, state) as gateway:
            loop.add_signal_handler(signal.SIGHUP, gateway.reload)
            gc.collect()
            gc.freeze()  # what is built once is not looked through again and again
            sys.stdout.write(f"{gateway.ready_line(as_json=as_json)}\n")
            sys.stdout.flush()
            await stop.wait()
            log.info("stopping")
        await chores.end_rest()
    except (StoreFailed, JournalFailed, SecretMissing, KeysUnsafe, DoorFailed, OSError) as failure:
        raise StartFailed(f"countersign serve cannot go on: {failure}") from failure


@asynccontextmanager
async def running(policy_file: Path, state: Path) -> AsyncIterator[Gateway]:
    """One gateway, from its state directory to its open doors."""
    async with AsyncExitStack() as parts:
        ground = await lay_ground(parts, policy_file, state, clock=time.time)
        entrance = build_entrance(ground)
        decisions = await begin_decisions(parts, ground, entrance)
        doors = Doors(
            decisions.gate,
            entrance.admission,
            spawn=ground.tasks.spawn,
            secret=ground.keys.secret,
            clock=ground.clock,
            known=ground.reaching.surveys.known,
            logins=ground.reaching.logins,
        )
        api_address = await open_web(parts, ground, entrance, decisions, doors)
        # The doors are opened last and closed first: while they drain, what is held can still be decided.
        parts.push_async_callback(doors.close, drain=DRAIN_WITHIN)
        await doors.follow(ground.policy())

        gateway = Gateway(
            policy=ground.live_policy,
            doors=doors,
            api_address=api_address,
            sessions=entrance.sessions,
            gate=decisions.gate,
            announce=ground.announce,
            reload_asked=asyncio.Event(),
        )
        ground.reaching.keep_up(ground.scheduler, datetime.now(tz=UTC))
        ground.tasks.spawn(gateway.keep_up(ground.journal))
        ground.tasks.spawn(chores.count(decisions.budgets, ground.store))
        ground.tasks.spawn(
            chores.retain(ground.policy, ground.recorder.directory, ground.journal, ground.announce)
        )
        yield gateway
