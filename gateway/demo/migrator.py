"""The last agent of the chain: plain psql, three links below a person, driven line by line."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

SAID = "-- said --"
ENDS_WITHIN = 15.0


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
    """`planner` starts `migrator`, which starts psql: each by `countersign run`, with a narrower token."""
    process = await asyncio.create_subprocess_exec(
        *_as_agent("planner", "shop:read,write,ddl", "plan the 4.2 release"),
        *_as_agent("migrator", "shop:read,write", "repair order states for 4.2"),
        *(psql, "-X", "-v", "VERBOSITY=verbose", "-v", "SHOW_CONTEXT=never", "-P", "pager=off"),
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Migrator(process, show)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()


def _as_agent(name: str, scope: str, task: str) -> Sequence[str]:
    return (sys.executable, "-m", "gateway", "run", "--as", name, "--scope", scope, "--task", task, "--")
