"""An engineer logs in at a real identity provider, works by hand through the gateway, and starts an agent. And kill -9 in between."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from gateway.demo.postgres import Account, Postgres
from tests.identity.browser import Browser
from tests.identity.idp import CLIENT, SECRET, identity_provider
from tests.live import house
from tests.ports import free_port

ADA = "ada@shop.example"
IDENTITY = """
identity:
  providers:
    okta: {{oidc: "{issuer}", client_id: {client}, client_secret: env:OKTA_SECRET, scopes: [email, groups]}}
  people:
    engineers: {{groups: [engineers], scope: {{shop: [read, write]}}, bound: address, reuse: revoke}}
"""
GROUPS = "security: {members: [sam.chen@example.com]}"


@dataclass
class Engineer:
    """A terminal and a browser."""

    gateway: house.Gateway
    browser: Browser
    environment: dict[str, str]

    async def run(self, *command: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def login(self) -> tuple[asyncio.subprocess.Process, str]:
        """A terminal that waits, and the address that it shows, with its code."""
        process = await asyncio.create_subprocess_exec(
            *("countersign", "login"),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        line = (await process.stderr.readline()).decode()
        found = re.search(r"Open (\S+) and type the code {2}(\S+)", line)
        assert found, line
        return process, f"{found[1]}?user_code={found[2]}"

    async def logged_in(self) -> str:
        terminal, address = await self.login()
        await to_the_provider(self.browser, address)
        await self.browser.log_in("ada")
        assert f"Your terminal is logged in as {ADA}." in self.browser.text
        async with asyncio.timeout(60):
            out, err = await terminal.communicate()
        assert terminal.returncode == 0, err.decode()
        return out.decode()


async def to_the_provider(browser: Browser, address: str) -> None:
    await browser.get(address)
    await browser.send()
    await browser.send(provider="okta")
    await browser.on()


@pytest.fixture
async def engineer(
    postgres: Postgres, upstream: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engineer]:
    monkeypatch.setenv("OKTA_SECRET", SECRET)
    port = free_port()
    async with identity_provider(f"http://127.0.0.1:{port}/login/back/okta") as issuer, Browser() as browser:
        more = IDENTITY.format(issuer=issuer, client=CLIENT)
        gateway = house.Gateway(tmp_path, upstream, api_port=str(port), more=more)
        text = gateway.policy_file.read_text()
        assert GROUPS in text
        text = text.replace(GROUPS, f"{GROUPS}\n  engineers: {{claim: db-admins}}")
        # `connect` prints the port that the policy names.
        gateway.policy_file.write_text(text.replace("127.0.0.1:0", f"127.0.0.1:{free_port()}", 1))
        gateway.start()
        try:
            programs = [
                str(Path(sys.executable).parent),
                str(Path(postgres.binary("psql")).parent),
                os.environ["PATH"],
            ]
            yield Engineer(
                gateway,
                browser,
                {
                    "PATH": ":".join(programs),
                    "HOME": str(tmp_path),
                    "COUNTERSIGN_URL": gateway.url,
                    "PYTHONPATH": str(Path(__file__).parents[2]),
                },
            )
        finally:
            gateway.stop()


async def test_by_hand_and_by_an_agent(engineer: Engineer) -> None:
    assert re.fullmatch(
        rf"Logged in as {ADA}, (8h 0m|7h 59m) left; reaches shop \(read, write\)\.\n",
        await engineer.logged_in(),
    )
    _, line = await engineer.run("countersign", "connect", "shop")
    code, said = await engineer.run("bash", "-c", f"{line.strip()} -XAt -c 'SELECT 6 * 7'")
    assert (code, said.strip()) == (0, "42")

    def decide() -> None:
        approval = engineer.gateway.api.pending("id = 6")
        lineage = approval["lineage"]
        assert (lineage["person"], [each["name"] for each in lineage["chain"]]) == (ADA, [ADA, "fixer"])
        engineer.gateway.api.vote(approval, "approve", person=house.ANA)

    voting = asyncio.create_task(asyncio.to_thread(decide))
    code, said = await engineer.run(
        *("countersign", "run", "--as", "fixer", "--scope", "shop:read,write", "--"),
        *("psql", "-XAt", "-c", "UPDATE orders SET status = status WHERE id = 6"),
    )
    await voting
    assert (code, said.splitlines()[-1]) == (0, "UPDATE 1"), said
    assert (await engineer.run("countersign", "logout"))[1].startswith("Logged out; ")
    code, said = await engineer.run("bash", "-c", f"{line.strip()} -XAt -c 'SELECT 1'")
    assert code != 0


ELEVATION = """  - name: repairs
    by_hand: true
    groups: engineers
    effects: [read, write]
    commands: 5
    hold: {approvers: dba}
  - name: agents-only
    effects: [ddl]
    hold: {approvers: dba}
"""


async def test_logged_in_one_asks_for_oneself_and_gets_in_by_hand(engineer: Engineer) -> None:
    text = engineer.gateway.policy_file.read_text()
    engineer.gateway.policy_file.write_text(text.replace("elevations:\n", f"elevations:\n{ELEVATION}", 1))
    engineer.gateway.stop()
    engineer.gateway.start()
    await engineer.logged_in()
    elevate = ("countersign", "elevate")

    code, said = await engineer.run(*elevate, "offers")
    assert (code, "repairs" in said, "agents-only" in said) == (0, True, False), said
    code, said = await engineer.run(*elevate, *("ask", "shop", "ddl", "--reason", "a column is missing"))
    assert (code, "read, write for at most 60 minutes (repairs)" in said) == (1, True), said

    def decide() -> None:
        approval = engineer.gateway.api.pending("order 8 is stuck")
        assert approval["elevation"]["by_hand"] is True
        with pytest.raises(house.Refused):
            engineer.gateway.api.vote(approval, "approve", person=ADA)
        engineer.gateway.api.vote(approval, "approve", person=house.ANA)

    voting = asyncio.create_task(asyncio.to_thread(decide))
    wish = ("ask", "shop", "write", "--reason", "order 8 is stuck", "--wait")
    code, said = await engineer.run(*elevate, *wish)
    await voting
    found = re.search(r"get in with: countersign elevate access (\w+)", said)
    assert (code, found is not None) == (0, True), said
    assert found is not None
    assert "write: out of reach -> runs" in said
    grant = found[1]

    code, said = await engineer.run(*elevate, "grants")
    assert (grant in said, ADA in said) == (True, True), said
    code, said = await engineer.run(*elevate, "access", grant, "--json")
    assert code == 0, said
    shown = json.loads(said.splitlines()[0])
    psql = f"PGPASSWORD={shown['password']} {shown['line']} -XAt -c "
    code, said = await engineer.run("bash", "-c", f"{psql} 'UPDATE orders SET status = status WHERE id = 8'")
    assert (code, said.splitlines()[-1]) == (0, "UPDATE 1"), said

    code, said = await engineer.run(*elevate, "end", grant, "--as", house.ANA)
    assert (code, "acts for nobody else" in said) == (1, True), said
    code, said = await engineer.run(*elevate, "end", grant)
    assert (code, said.startswith("ended: grant")) == (0, True), said
    code, said = await engineer.run("bash", "-c", f"{psql} 'SELECT 1'")
    assert code != 0


async def test_an_agent_below_a_login_is_no_person(engineer: Engineer) -> None:
    await engineer.logged_in()
    below = ("countersign", "run", "--as", "fixer", "--scope", "shop:read", "--", "countersign", "elevate")
    code, said = await engineer.run(*below, "offers", "--json")
    assert code == 0, said
    offers = json.loads(said.strip().splitlines()[-1])
    assert {(each["by_hand"], *(holder["name"] for holder in each["holders"])) for each in offers} == {
        (False, "fixer")
    }
    code, said = await engineer.run(*below, "end", "g")
    assert (code, "people do that: log in" in said) == (1, True), said
    code, said = await engineer.run(*below, "grants", "--json")
    assert (code, said.strip().splitlines()[-1]) == (0, "[]"), said


TAKES_TOKENS = (
    ("POST", "/v1/elevations"),
    ("GET", "/v1/elevations/x"),
    ("GET", "/v1/grants"),
    ("POST", "/v1/grants/x/end"),
    ("POST", "/v1/grants/x/access"),
    ("GET", "/v1/connections"),
    ("POST", "/oauth/minted"),
)


async def test_a_login_that_is_bound_is_good_for_nothing_from_elsewhere(engineer: Engineer) -> None:
    text = engineer.gateway.policy_file.read_text()
    engineer.gateway.policy_file.write_text(text.replace("reuse: revoke", "reuse: refuse"))
    engineer.gateway.stop()
    engineer.gateway.start()
    await engineer.logged_in()
    token = (await engineer.run("countersign", "whoami", "--token"))[1].strip()

    def asked(method: str, path: str, come_from: str) -> bool:
        """Whether the token counts."""
        connection = HTTPConnection(
            "127.0.0.1",
            int(engineer.gateway.url.rpartition(":")[2]),
            timeout=60,
            source_address=(come_from, 0),
        )
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
            return connection.getresponse().status != 401
        finally:
            connection.close()

    for method, path in TAKES_TOKENS:
        counts = [await asyncio.to_thread(asked, method, path, f"127.0.0.{host}") for host in (1, 2, 1)]
        assert counts == [True, False, True], path


async def test_a_gateway_that_is_killed_keeps_who_logged_in_and_nothing_half_done(engineer: Engineer) -> None:
    await engineer.logged_in()
    waiting, address = await engineer.login()
    async with Browser() as other:
        await to_the_provider(other, address)
        engineer.gateway.kill()
        engineer.gateway.start()
        # What was finished is kept, in the store and at the terminal.
        assert (await engineer.run("countersign", "whoami"))[1].startswith(f"{ADA}, ")
        # What was under way is not: the browser comes back to nothing, and the terminal is told to begin again.
        await other.log_in("ada")
        assert "/login/back/okta?" in other.address
        assert other.status == 403
    async with asyncio.timeout(60):
        _, err = await waiting.communicate()
    assert waiting.returncode == 1
    assert "begin again" in err.decode()
    state = (engineer.gateway.state / "live.json").read_text()
    assert "user_code" not in state
    assert SECRET not in state + engineer.gateway.log()
    await engineer.logged_in()
