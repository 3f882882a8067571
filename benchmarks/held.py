"""Held commands under the clock: how fast a vote reaches the client, and what many that wait cost the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import asyncpg
from house import House

from gateway.demo.postgres import Account

UPDATE = "UPDATE pgbench_accounts SET abalance = {} WHERE aid = {}"
AT_ONCE = 50


async def click_to_resume(home: House, *, times: int) -> list[float]:
    """Seconds from sending a vote to the held UPDATE's answer, `times` times."""
    taken: list[float] = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {home.bot_token}"}) as http:
        connection = await _connect(home.masked)
        seq = 0
        for number in range(times):
            running = asyncio.create_task(connection.execute(UPDATE.format(number, number + 1)))
            approval, seq = await _opened(http, home, seq)
            vote = {
                "person": "ana.silva@example.com",
                "choice": "approve",
                "seen_version": approval["version"],
            }
            began = time.perf_counter()
            voted = asyncio.create_task(_vote(http, f"{home.api}/v1/approvals/{approval['id']}/votes", vote))
            await running
            taken.append(time.perf_counter() - began)
            await voted
        await connection.close()
    return taken


async def held_at_once(home: House, count: int, rate: Callable[[], float]) -> tuple[float, float, float]:
    """What `rate` measures with `count` sessions open, then with a command of each held, and the seconds that took."""
    places = asyncio.Semaphore(AT_ONCE)
    connections: list[asyncpg.Connection[Any]] = []

    async def connect() -> None:
        async with places:
            connections.append(await _connect(home.masked))

    await asyncio.gather(*(connect() for _ in range(count)))
    before = await asyncio.to_thread(rate)
    began = time.perf_counter()
    waiting = [
        asyncio.create_task(connection.execute(UPDATE.format(0, number + 1)))
        for number, connection in enumerate(connections)
    ]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {home.bot_token}"}) as http:
        while await _pending(http, home) < count:
            await asyncio.sleep(0.2)
    opened = time.perf_counter() - began
    try:
        during = await asyncio.to_thread(rate)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for connection in connections:
            connection.terminate()
    return before, during, opened


async def _connect(account: Account) -> asyncpg.Connection[Any]:
    return await asyncpg.connect(
        host=account.host,
        port=account.port,
        user=account.user,
        password=account.password,
        database=account.database,
        ssl=False,
        statement_cache_size=0,
        timeout=120,
    )


async def _opened(http: aiohttp.ClientSession, home: House, seq: int) -> tuple[dict[str, Any], int]:
    while True:
        async with http.get(f"{home.api}/v1/changes", params={"after": seq, "wait": 10}) as answer:
            page = await answer.json()
        seq = page["next"]
        for change in page["changes"]:
            if change["approval"] and change["approval"]["state"] == "pending":
                return change["approval"], seq


async def _vote(http: aiohttp.ClientSession, url: str, vote: dict[str, Any]) -> None:
    async with http.post(url, json=vote) as answer:
        if answer.status != 200:
            raise SystemExit(f"the vote was refused: {await answer.text()}")


async def _pending(http: aiohttp.ClientSession, home: House) -> int:
    async with http.get(f"{home.api}/v1/approvals") as answer:
        page = await answer.json()
    return sum(1 for each in page if each["state"] == "pending")
