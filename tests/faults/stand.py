"""Everything at once, each part a process that can be killed: PostgreSQL, gateway, bot and a local Slack workspace."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from bot.workspace.client import WorkspaceClient, connected, text_of
from gateway.demo.postgres import Account, Postgres
from tests.live import house
from tests.ports import free_port

MARIA, ANA, BEN, SAM = "U0MARIA", "U0ANA", "U0BEN", "U0SAM"
APPROVALS, AUDIT = "approvals", "audit-shop"
WITHIN = 90.0
READY_WITHIN = 90.0
PATIENT = {"ack_seconds": 30, "trigger_seconds": 60}
"""Timings of a workspace that takes a busy machine's time for an answer."""
HURRIED = ["-m", "tests.faults.hurried_bot"]
"""The bot with short leases and no pace of Slack's, where a test has no minute to wait."""


class Process:
    """One program with a log of its own, that may be killed and started again."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        says_ready: bool,
    ) -> None:
        self._arguments = [sys.executable, *arguments]
        self._environment = {**_plain(), **environment}
        self._log = log
        self._says_ready = says_ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Its ready line, where it says one."""
        assert self._process is None, "it runs already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._says_ready else log,
                stderr=log,
            )
        if not self._says_ready:
            return {}
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self._process.stdout.close()
        assert line, f"it did not start:\n{self.log()[-3000:]}"
        ready: dict[str, Any] = json.loads(line)
        return ready

    def kill(self) -> None:
        """kill -9."""
        process, self._process = self._process, None
        assert process is not None
        assert process.poll() is None, f"it ended by itself:\n{self.log()[-3000:]}"
        process.kill()
        process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit status, 0 where it does not run."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"it does not end when told to:\n{self.log()[-3000:]}") from None

    def log(self) -> str:
        return self._log.read_text(errors="replace")


class Stand:
    """A gateway, a workspace and a bot that belong together."""

    def __init__(
        self,
        directory: Path,
        shop: tuple[Postgres, Account] | None = None,
        *,
        signed: bool = False,
        gateway: house.Gateway | None = None,
        **policy: str,
    ) -> None:
        """`signed`: Slack calls the bot over HTTP and signs, instead of Socket Mode."""
        self.directory = directory
        if shop is not None:
            self.postgres, self.upstream = shop
        self._bot_port = free_port()
        seed = directory / "workspace.json"
        seed.write_text(json.dumps({"timings": PATIENT}))
        to_http = ["--request-url", f"http://127.0.0.1:{self._bot_port}/slack/events"] if signed else []
        self.workspace = Process(
            [
                "-m",
                "bot.workspace",
                "--listen",
                "127.0.0.1:0",
                "--seed",
                str(seed),
                "--rate",
                "off",
                "--json",
                *to_http,
            ],
            {},
            directory / "workspace.log",
            says_ready=True,
        )
        self.gateway = gateway or house.Gateway(
            directory, self.upstream, **{"api_port": str(free_port())} | policy
        )
        self._signed = signed
        self.page = self._control_token = ""
        self.bot = Process([], {}, directory / "bot.log", says_ready=False)

    def start(self) -> Stand:
        """Workspace and gateway; the bot is started where it is wanted."""
        ready = self.workspace.start()
        self.page, self._control_token = ready["page"], ready["control_token"]
        self._slack_api = ready["api"]
        self.gateway.start()
        return self

    def stop(self) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self.workspace.stop)
            stack.callback(self.gateway.stop)
            stack.callback(self.bot.stop)

    @contextlib.asynccontextmanager
    async def people(self) -> AsyncIterator[WorkspaceClient]:
        async with connected(self.page, self._control_token) as client:
            yield client

    async def start_bot(self, people: WorkspaceClient, arguments: Sequence[str] = HURRIED) -> None:
        """Start it, and wait until Slack reaches it."""
        self.start_bot_only(arguments)
        if self._signed:
            await until(self._healthy, what="the bot's health")
        else:
            await people.wait_for_connections(2, timeout=WITHIN)

    def start_bot_only(self, arguments: Sequence[str] = HURRIED) -> None:
        way = (
            {"SLACK_SIGNING_SECRET": "local-signing-secret", "BOT_LISTEN": f"127.0.0.1:{self._bot_port}"}
            if self._signed
            else {"SLACK_APP_TOKEN": "xapp-local-countersign"}
        )
        self.bot = Process(
            arguments,
            {
                "SLACK_API_URL": self._slack_api,
                "SLACK_BOT_TOKEN": "xoxb-local-countersign",
                "COUNTERSIGN_BOT_TOKEN": self.gateway.bot_token,
                "COUNTERSIGN_URL": self.gateway.url,
                **way,
            },
            self.directory / "bot.log",
            says_ready=False,
        )
        self.bot.start()

    async def kill_bot(self, people: WorkspaceClient) -> None:
        """kill -9, and wait until Slack has noticed."""
        self.bot.kill()
        await people.wait_for(lambda: _alone(people), timeout=WITHIN, what="the end of the bot's sockets")

    def restart_gateway(self) -> None:
        """kill -9 and start again over the same state."""
        self.gateway.kill()
        self.gateway.start()

    # agents

    async def agent(self, token: str) -> asyncpg.Connection:
        """A client of the gateway."""
        account = self.gateway.account(token)
        return await asyncpg.connect(
            host=account.host,
            port=account.port,
            user=account.user,
            password=account.password,
            database=account.database,
            ssl=False,
            statement_cache_size=0,
        )

    async def asks(self, token: str, command: str) -> asyncio.Task[str]:
        """A client of its own that runs `command`: the task ends with the command's tag, or with its error."""
        connection = await self.agent(token)

        async def run() -> str:
            try:
                return str(await connection.execute(command))
            finally:
                connection.terminate()

        return asyncio.create_task(run())

    async def pending(self, containing: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.gateway.api.pending, containing)

    async def approvals(self, containing: str) -> list[dict[str, Any]]:
        """Every approval the gateway still tells of, settled ones included, whose command contains that."""
        known = await asyncio.to_thread(self.gateway.api.call, "/v1/approvals?state=all")
        return [each for each in known if containing in each["command"]["text"]]

    async def approval(self, approval_id: str) -> dict[str, Any]:
        found = await asyncio.to_thread(self.gateway.api.call, f"/v1/approvals/{approval_id}")
        return dict(found)

    async def vote(self, approval: Mapping[str, Any], choice: str, **given: Any) -> dict[str, Any]:
        """Cast past Slack, over the API; returns once it is acknowledged."""
        voted = await asyncio.to_thread(self.gateway.api.vote, approval, choice, **given)
        return dict(voted)

    async def state_of(self, approval_id: str, *wanted: str) -> dict[str, Any]:
        """The approval, once its state is one of these."""

        async def look() -> dict[str, Any] | None:
            approval = await self.approval(approval_id)
            return approval if approval["state"] in wanted else None

        found: dict[str, Any] = await until(look, what=f"{approval_id} {' or '.join(wanted)}")
        return found

    # what came of it

    def counter(self) -> str:
        """A new row that `increment` counts up."""
        name = f"row{secrets.token_hex(4)}"
        self.postgres.psql(f"INSERT INTO counted VALUES ('{name}')", account=self.upstream)
        return name

    def counted(self, name: str) -> int:
        return int(self.postgres.psql(f"SELECT n FROM counted WHERE name = '{name}'", account=self.upstream))

    async def cards(self, people: WorkspaceClient, containing: str) -> list[dict[str, Any]]:
        """The cards in #approvals about commands that contain that."""
        return [
            one for one in await people.messages(APPROVALS) if _is_card(one) and containing in text_of(one)
        ]

    async def card(
        self, people: WorkspaceClient, containing: str, *words: str, within: float = WITHIN
    ) -> dict[str, Any]:
        """The only card about it, once it says all of `words`."""

        def wanted(message: Mapping[str, Any]) -> bool:
            shown = text_of(message)
            return _is_card(message) and containing in shown and all(word in shown for word in words)

        found = await people.wait_for_message(APPROVALS, wanted, timeout=within)
        assert len(await self.cards(people, containing)) == 1, "one card an approval, folded or not"
        return found

    def verified(self) -> list[dict[str, Any]]:
        """What `countersign verify --all` says of every recording; the journal last."""
        done = self.gateway.countersign("verify", "--all", "--json", "--state", str(self.gateway.state))
        return [json.loads(line) for line in done.stdout.splitlines()]

    async def _healthy(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._bot_port)
        except OSError:
            return False
        writer.close()
        return True


def increment(name: str, more: str = "n + 1") -> str:
    return f"UPDATE counted SET n = {more} WHERE name = '{name}'"


@contextlib.contextmanager
def standing(
    directory: Path, postgres: Postgres, upstream: Account, *, signed: bool = False, **policy: str
) -> Iterator[Stand]:
    stand = Stand(directory, (postgres, upstream), signed=signed, **policy)
    try:
        yield stand.start()
    finally:
        stand.stop()


async def until(look: Callable[[], Awaitable[Any]], *, what: str, within: float = WITHIN) -> Any:
    """The first truthy result of `look()`, for what nobody tells of; asked again and again up to `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        if found := await look():
            return found
        assert time.monotonic() < deadline, f"{what} did not come within {within:g} s"
        await asyncio.sleep(0.02)


async def struck(people: WorkspaceClient) -> None:
    """Every fault that was added has begun to strike."""

    async def look() -> bool:
        return not (await people._get("faults"))["faults"]

    await until(look, what="the fault's moment")


def thread_lines(messages: Sequence[Mapping[str, Any]], pattern: str) -> list[str]:
    """What in a thread's messages fits the pattern, in order."""
    return [found for message in messages for found in re.findall(pattern, text_of(message))]


async def _alone(people: WorkspaceClient) -> bool:
    return (await people.state())["app"]["connections"] == 0


def _is_card(message: Mapping[str, Any]) -> bool:
    """A command's own card, or one on which siblings are folded."""
    shown = text_of(message)
    return "On whose behalf" in shown or "Each asks" in shown


def _plain() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "COUNTERSIGN_", "SLACK_", "BOT_"))
    }
