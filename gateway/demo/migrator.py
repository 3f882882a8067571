"""The last agent of the chain: plain psql, three links below a person, driven line by line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple

SAID = "-- said --"
ENDS_WITHIN = 15.0


class Agent(NamedTuple):
    """What an agent is started as."""

    name: str
    scope: str
    task: str


CHAIN = (
    Agent("planner", "shop:read,write,ddl", "plan the 4.2 release"),
    Agent("migrator", "shop:read,write", "repair order states for 4.2"),
)
"""Each is started by the one before it, the first by `release-pipeline`."""


class Ended(Exception):
    """psql is gone; `output` is what it said last."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


class Migrator:
    """One psql. What it prints goes to `show` as it comes."""

    def __init__(self, process: asyncio.subprocess.Process, show: Callable[[str], None]) -> None:
        self._process = process
        self._show = show

    async def say(self, script: str) -> str:
        """Type `script` and wait until psql is through with it; returns what it printed. Raises `Ended`."""
        assert self._process.stdin is not None
        for line in script.splitlines():
            self._show(f"shop=> {line}")
        # psql writes answers to one stream and errors to the other: it is through when both say so.
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(f"{script}\n\\echo {SAID}\n\\warn {SAID}\n".encode())
            await self._process.stdin.drain()
        printed: list[str] = []
        said = 0
        async for line in self._lines():
            if line == SAID:
                said += 1
                if said == 2:
                    return "\n".join(printed)
                continue
            self._show(line)
            printed.append(line)
        raise Ended("\n".join(printed))

    async def _lines(self) -> AsyncIterator[str]:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            yield line.decode(errors="replace").rstrip("\n")


@contextlib.asynccontextmanager
async def migrator(
    psql: str, *, environment: Mapping[str, str], show: Callable[[str], None]
) -> AsyncIterator[Migrator]:
    """`planner` starts `migrator`, which starts psql: each by `countersign run`, with a narrower token.

    They are a process group of their own: however this ends, none of them is left.
    """
    process = await asyncio.create_subprocess_exec(
        *(word for agent in CHAIN for word in _as_agent(agent)),
        *(psql, "-X", "-v", "VERBOSITY=verbose", "-v", "SHOW_CONTEXT=never", "-P", "pager=off"),
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        process_group=0,
    )
    try:
        yield Migrator(process, show)
    except BaseException:
        # psql may wait for a decision that nobody takes any more: the end of its input would not end it.
        _signal(process, signal.SIGTERM)
        raise
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                await process.communicate()
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            await process.communicate()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To all of the chain: psql holds the pipe that `communicate` reads to its end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _as_agent(agent: Agent) -> Sequence[str]:
    asked = ("--as", agent.name, "--scope", agent.scope, "--task", agent.task)
    return (sys.executable, "-m", "gateway", "run", *asked, "--")
