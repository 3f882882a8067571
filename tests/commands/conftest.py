from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from tests.identity.gateway_app import app
from tests.identity.house import SECRET, House, RunningHouse

ROOT = Path(__file__).parents[2]


@dataclass
class Done:
    code: int
    out: str
    err: str


class CommandLine:
    """`countersign` as a process of its own, against a gateway's endpoints in this one."""

    def __init__(self, house: House, url: str, directory: Path) -> None:
        self.house = house
        self.url = url
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "COUNTERSIGN_URL": url,
            "COUNTERSIGN_STATE": str(directory),
            "RELEASE_PIPELINE_SECRET": SECRET,
        }

    async def start(self, *arguments: str, token: str = "", **environment: str) -> asyncio.subprocess.Process:
        variables = {**self.environment, **({"COUNTERSIGN_TOKEN": token} if token else {}), **environment}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *arguments),
            env=variables,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments: str, token: str = "", stdin: str = "", **environment: str) -> Done:
        process = await self.start(*arguments, token=token, **environment)
        async with asyncio.timeout(60):
            out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def countersign(tmp_path: Path) -> AsyncIterator[CommandLine]:
    house = RunningHouse(tmp_path)
    async with TestServer(app(house)) as server:
        yield CommandLine(house, str(server.make_url("")).rstrip("/"), tmp_path)
