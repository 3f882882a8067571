"""The story: a person starts a pipeline, which starts agents; they work through plain psql, and people decide.

Told twice from the same scenes: interactively, where whoever watches clicks on the page, and unattended, where the
votes are cast through the page's own API and every claim is checked.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import aiohttp

from gateway.demo.migrator import CHAIN, Ended, Migrator, migrator
from gateway.demo.page import Message, whole
from gateway.demo.stack import Stack

APPROVALS, AUDIT = "approvals", "audit-shop"
APPROVER = "ana.silva@example.com"
CARD_WITHIN = 90.0
SETTLED_WITHIN = 90.0
RAW_EMAIL = re.compile(r"[a-z]+\d+@example\.com")
RAW_CARD = re.compile(r"\b4111 1111 1111 1111\b")

LOOK = "SELECT id, name, email, phone, ssn, tier FROM customers ORDER BY id LIMIT 4;"
CARDS = "SELECT id, status, total, card FROM orders ORDER BY id LIMIT 3;"
DROP = "DROP TABLE orders;"
STILL_THERE = "SELECT count(*) AS orders FROM orders;"


class StoryWrong(Exception):
    """Something did not happen as the story says."""


class Story:
    """One telling."""

    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._say = say
        self._step = 0
        self._token = ""

    async def unattended(self) -> None:
        """Every scene, with votes cast through the page. Raises `StoryWrong` at the first thing that is not so."""
        await self._start_pipeline()
        async with self._migrator() as psql:
            await self._reads(psql)
            await self._refused(psql)
            await self._approved(psql)
            await self._denied(psql)
            await self._killed(psql)
        await self._audited()

    async def attended(self) -> None:
        """The first scenes, then one held UPDATE after the other until whoever watches ends it."""
        self._say(
            f"\nThe page: {self._stack.page_url}  (act as Ana or Ben to approve; Ctrl-C here ends the demo)"
        )
        await self._start_pipeline()
        orders = itertools.count(6, 4)  # every fourth order of the shop waits for its refund
        first = True
        while True:
            async with AsyncExitStack() as running:
                psql = await running.enter_async_context(self._migrator())
                if first:
                    await self._reads(psql)
                    await self._refused(psql)
                    first = False
                self._scene(
                    "Now you decide: every UPDATE waits in #approvals. Approve, deny, or deny and kill"
                )
                try:
                    for order in orders:
                        await psql.say(_repair(order))
                except Ended:
                    self._say(
                        "\nKilled: that agent's token is revoked with everything below it. planner starts another."
                    )

    # Scenes.

    async def _start_pipeline(self) -> None:
        self._scene(
            "maria.lopez@example.com starts release-pipeline, which starts planner, which starts migrator"
        )
        minted = await self._countersign(
            "token", "mint", "release-pipeline", "--task", "release 4.2", "--json"
        )
        self._token = str(json.loads(minted)["access_token"])
        self._say((await self._countersign("token", "inspect", stdin=self._token)).rstrip())
        for agent in CHAIN:
            self._say(f"  └─ countersign run --as {agent.name} --scope {agent.scope} -- ...")

    def _migrator(self) -> AbstractAsyncContextManager[Migrator]:
        return migrator(
            self._stack.postgres.binary("psql"),
            environment={**self._stack.environment, "COUNTERSIGN_TOKEN": self._token},
            show=lambda line: self._say(f"  psql │ {line}"),
        )

    async def _reads(self, psql: Migrator) -> None:
        self._scene("A SELECT comes back with names, e-mails, phones, numbers and cards masked")
        answer = await psql.say(LOOK) + await psql.say(CARDS)
        self._expect("rows came back", "(4 rows)" in answer and "(3 rows)" in answer)
        self._expect("no e-mail in it is whole", not RAW_EMAIL.search(answer))
        self._expect("no card in it is whole", not RAW_CARD.search(answer))

    async def _refused(self, psql: Migrator) -> None:
        self._scene("A DROP TABLE is refused in a sentence, and the session goes on")
        refusal = await psql.say(DROP)
        self._expect(
            "the policy's sentence came back", "Destructive statements never run through an agent." in refusal
        )
        self._expect("the same session still works", "5000" in await psql.say(STILL_THERE))

    async def _approved(self, psql: Migrator) -> None:
        self._scene("An UPDATE waits for its card in #approvals; Ana approves, and the very psql goes on")
        answer, card = await self._held(psql, _repair(6), "countersign.approve")
        shown = whole(card)
        for word in ("release-pipeline", "planner", "migrator", "refund_pending", "maria.lopez"):
            self._expect(f"the card shows {word}", word in shown)
        self._expect("psql said that it waits", "NOTICE" in answer)
        self._expect("the UPDATE ran", "UPDATE 1" in answer)

    async def _denied(self, psql: Migrator) -> None:
        self._scene("The next one is denied, with a reason")
        answer, _ = await self._held(psql, _repair(10), "countersign.deny", reason="Not during the freeze.")
        self._expect("psql got the reason", "Not during the freeze." in answer)
        self._expect("the session still works", "5000" in await psql.say(STILL_THERE))

    async def _killed(self, psql: Migrator) -> None:
        self._scene("The third is killed: the session ends, with everything below that agent")
        try:
            await self._held(psql, _repair(14), "countersign.kill", reason="This agent is off the rails.")
        except Ended as ended:
            self._expect(
                "the session was ended", "terminating connection" in ended.output or "57P01" in ended.output
            )
        else:
            raise StoryWrong("the session outlived its kill")

    async def _audited(self) -> None:
        self._scene("The masked transcript is a thread in #audit-shop, and the recording holds")
        root = await self._stack.page.appears(
            AUDIT, lambda message: "migrator" in whole(message), within=CARD_WITHIN
        )
        await self._stack.page.appears(
            AUDIT, lambda message: "DROP TABLE" in whole(message), thread=str(root["ts"]), within=CARD_WITHIN
        )
        thread = await self._stack.page.messages(AUDIT, thread=str(root["ts"]))
        said = " ".join(map(whole, thread))
        self._expect("what was refused is in it", "DROP TABLE orders" in said)
        self._expect("no e-mail in it is whole", not RAW_EMAIL.search(said))
        sessions = json.loads(await self._countersign("sessions", "list", "--json"))
        session = next(each["id"] for each in sessions if each["connection"] == "shop")
        self._expect("the thread names the session", session in said)
        await self._replayed(said)
        self._say(f"  {(await self._countersign('verify', session)).strip()}")

    async def _replayed(self, thread: str) -> None:
        link = re.search(r"http://[^\s\"]+/replay/[^\s\"]+", thread)
        async with aiohttp.ClientSession() as http, http.get(link[0] if link else "") as answer:
            page = await answer.text()
        self._expect("its link opens the transcript", answer.status == 200 and "DROP TABLE orders" in page)
        self._expect("no e-mail on that page is whole", not RAW_EMAIL.search(page))

    # What scenes are made of.

    async def _held(
        self, psql: Migrator, script: str, action: str, *, reason: str = ""
    ) -> tuple[str, Message]:
        """Type `script`, wait for its card, and do `action` on it as Ana; what psql printed, and the card."""
        known = {message["ts"] for message in await self._stack.page.messages(APPROVALS)}
        typed = asyncio.create_task(psql.say(script))
        try:
            card = await self._stack.page.appears(
                APPROVALS,
                lambda message: message["ts"] not in known and action in whole(message),
                within=CARD_WITHIN,
            )
            self._say(f"  #approvals: a card appeared; {APPROVER} clicks {action.rpartition('.')[2]}")
            await self._stack.page.click(APPROVALS, card, action, person=APPROVER)
            if reason:
                await self._stack.page.submit(
                    person=APPROVER, values={"countersign.reason_input": reason}, within=CARD_WITHIN
                )
            async with asyncio.timeout(SETTLED_WITHIN):
                return await typed, card
        finally:
            typed.cancel()

    async def _countersign(self, *arguments: str, stdin: str = "") -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *arguments),
            env=dict(self._stack.environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        if process.returncode != 0:
            raise StoryWrong(f"countersign {' '.join(arguments[:2])} failed: {err.decode().strip()}")
        return out.decode()

    def _scene(self, title: str) -> None:
        self._step += 1
        self._say(f"\n{self._step}. {title}.")

    def _expect(self, what: str, so: bool) -> None:  # noqa: FBT001  # reads as a sentence where it is called
        if not so:
            raise StoryWrong(f"not so: {what}")
        self._say(f"  ✓ {what}")


def _repair(order: int) -> str:
    """An UPDATE with bound values, as a driver would send it."""
    return (
        "UPDATE orders SET status = $1 WHERE id = $2 AND status = 'refund_pending' "  # noqa: S608  # bound below
        f"\\bind refunded {order} \\g"
    )
