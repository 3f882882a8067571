"""Child processes of the demo: started with a log of their own, awaited until they are ready, ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

READY_WITHIN = 90.0
STOP_WITHIN = 15.0


class PartFailed(Exception):
    """A part of the demo did not start, or ended while it was needed; the message shows the end of its log."""


@contextlib.asynccontextmanager
async def part(
    name: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    logs: Path,
    says_ready: bool = True,
) -> AsyncIterator[dict[str, Any]]:
    """Run `python -m ...`. Where it `says_ready`, the first line on its stdout is a JSON object, yielded here."""
    log = logs / f"{name}.log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *arguments,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
        )
    try:
        yield await _ready(name, process, log) if says_ready else {}
    finally:
        await _stop(process)


async def _ready(name: str, process: asyncio.subprocess.Process, log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_WITHIN):
            line = await process.stdout.readline()
    except TimeoutError:
        raise PartFailed(f"the {name} did not start within {READY_WITHIN:.0f} s:\n{tail(log)}") from None
    if not line:
        raise PartFailed(f"the {name} did not start:\n{tail(log)}")
    ready: dict[str, Any] = json.loads(line)
    return ready


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
