"""`countersign login`, `whoami`, `logout`, and what the other verbs make of a login that is kept."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.api import devices as device_api
from gateway.identity.logins import Proven
from gateway.policy.identities import Binding
from tests.commands.conftest import CommandLine
from tests.identity.gateway_app import OPERATOR, Served, gateway
from tests.identity.house import ADA, House, R, RunningHouse, with_people


class Desk(CommandLine):
    """The command line, and whoever logs in for it."""

    def __init__(self, house: House, served: Served, directory: Path) -> None:
        super().__init__(house, served.address, directory)
        self.served = served
        self.config = directory / "config"
        self.environment |= {"XDG_CONFIG_HOME": str(self.config), "HOME": str(directory)}
        self.kept = self.config / "countersign" / "logins.json"

    async def log_in(self, *arguments: str, groups: tuple[str, ...] = ("dbas",)) -> tuple[str, int, str]:
        """What was printed, on both ways, with Ada at the browser."""
        process = await self.start("login", *arguments)
        assert process.stderr is not None
        assert process.stdout is not None
        line = (await process.stderr.readline()).decode()
        found = re.search(r"type the code {2}([A-Z]{4}-[A-Z]{4})", line)
        assert found, line
        proven = Proven(person=ADA, groups=frozenset(groups), provider="okta", at=self.house.now)
        self.house.members.remember(proven)
        await self.served.identities.devices.login(found[1]).done(proven)
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert process.returncode is not None
        return out.decode(), process.returncode, line + err.decode()


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(device_api, "INTERVAL", 0.05)
    house = with_people(RunningHouse(tmp_path))
    house.now = time.time()
    async with gateway(house) as served:
        yield Desk(house, served, tmp_path)


async def test_a_person_logs_in_uses_it_and_logs_out(desk):
    out, code, err = await desk.log_in("--task", "order 7")
    assert code == 0, err
    assert "Open http://127.0.0.1:8480/device and type" in err
    assert re.fullmatch(
        rf"Logged in as {ADA}, \d+m left; reaches orders \(ddl, read\), shop \(read\)\.\n|"
        rf"Logged in as {ADA}, 1h 0m left; reaches orders \(ddl, read\), shop \(read\)\.\n",
        out,
    )
    token = json.loads(desk.kept.read_text())[desk.url]["token"]
    assert token not in out + err
    assert desk.house.issuer.verify(token).chain[0].task == "order 7"
    assert (await desk("whoami")).out.startswith(f"{ADA}, ")
    assert (await desk("whoami", "--token")).out == token + "\n"
    assert (await desk("logout")).out == "Logged out; 1 token ended.\n"
    after = await desk("whoami")
    assert (after.code, "countersign login" in after.err) == (2, True)
    assert json.loads(desk.kept.read_text()) == {}


async def test_a_login_is_bound_to_a_key_where_the_policy_wants_it(desk, tmp_path):
    house = desk.house
    people = tuple(
        replace(grant, binding=Binding(to=frozenset({"proof"}))) for grant in house.policy.identity.people
    )
    house.policy = replace(house.policy, identity=replace(house.policy.identity, people=people))
    _, code, err = await desk.log_in()
    assert (code, "policies.yaml binds the tokens" in err) == (1, True)
    desk.environment["COUNTERSIGN_DPOP_KEY"] = str(tmp_path / "own.pem")
    _, code, err = await desk.log_in()
    assert code == 0, err
    assert (await desk("whoami")).out.startswith(f"{ADA}, ")
    without = await desk("whoami", COUNTERSIGN_DPOP_KEY="")
    assert (without.code, "set COUNTERSIGN_DPOP_KEY" in without.err) == (2, True)


async def test_an_operator_ends_somebody_s_logins(desk):
    await desk.log_in()
    refused = await desk("logout", "--person", ADA)
    assert (refused.code, "COUNTERSIGN_OPERATOR_TOKEN" in refused.err) == (2, True)
    ended = await desk("logout", "--person", ADA, COUNTERSIGN_OPERATOR_TOKEN=OPERATOR)
    assert ended.out == "Logged out; 1 token ended.\n", ended.err
    after = await desk("whoami")
    assert (after.code, "revoked" in after.err) == (1, True)


async def test_it_is_kept_for_its_owner_and_its_gateway_alone(desk):
    await desk.log_in()
    assert stat.S_IMODE(desk.kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.kept.parent.stat().st_mode) == 0o700
    assert [each.name for each in desk.kept.parent.iterdir()] == ["logins.json"]
    elsewhere = await desk("whoami", COUNTERSIGN_URL="http://127.0.0.1:1")
    assert (elsewhere.code, "no token" in elsewhere.err) == (2, True)
    desk.kept.chmod(0o640)
    opened = await desk("whoami")
    assert (opened.code, "open to others" in opened.err) == (2, True)


async def test_a_token_at_hand_goes_before_a_login(desk):
    await desk.log_in()
    told = await desk("whoami", "--json", token=desk.house.root())
    assert json.loads(told.out)["agent"] == "release-pipeline"
    told = await desk("whoami", "--json", stdin=desk.house.root())
    assert json.loads(told.out)["agent"] == "release-pipeline"


async def test_a_program_is_started_as_a_child_of_the_person(desk):
    await desk.log_in()
    done = await desk("run", "--as", "helper", "--scope", "orders:read", "--", "env")
    assert done.code == 0, done.err
    token = re.search(r"^COUNTERSIGN_TOKEN=(.*)$", done.out, re.MULTILINE)[1]
    claims = desk.house.issuer.own(token)
    assert ([link.name for link in claims.chain], claims.person) == ([ADA, "helper"], ADA)
    assert claims.scope == {"orders": {R}}


async def test_what_connect_prints_has_no_secret_and_can_be_pasted(desk, tmp_path):
    await desk.log_in()
    token = json.loads(desk.kept.read_text())[desk.url]["token"]
    line = (await desk("connect", "orders")).out
    assert token not in line
    assert line.startswith(f'PGPASSWORD="$(countersign whoami --token --url {desk.url})" psql ')
    told = json.loads((await desk("connect", "orders", "--json")).out)
    assert told["password_by"] == f"countersign whoami --token --url {desk.url}"
    assert "password_in" not in told
    mine = await desk("connect", "orders", token=desk.house.root())
    assert mine.out.startswith('PGPASSWORD="$COUNTERSIGN_TOKEN" psql ')


async def test_who_is_granted_nothing_is_told(desk):
    desk.house.policy = type(desk.house.policy)(
        version="2", targets=desk.house.policy.targets, identity=desk.house.policy.identity
    )
    process = await desk.start("login", "--scope", "orders:write")
    line = (await process.stderr.readline()).decode()
    user_code = re.search(r"([A-Z]{4}-[A-Z]{4})", line)[1]
    proven = Proven(person=ADA, groups=frozenset(), provider="okta", at=desk.house.now)
    desk.house.members.remember(proven)
    await desk.served.identities.devices.login(user_code).done(proven)
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode == 1
    assert f"{ADA}" not in err.decode() or "does not have orders:write" in err.decode()
    assert not desk.kept.exists()


async def test_nobody_can_log_in_where_no_provider_is_declared(desk):
    desk.house.policy = type(desk.house.policy)(version="2", targets=desk.house.policy.targets)
    done = await desk("login")
    assert (done.code, "nobody can log in here" in done.err) == (1, True)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}', "\xff"])
async def test_a_file_that_is_none_is_a_sentence_or_no_login(desk, content):
    desk.kept.parent.mkdir(parents=True)
    desk.kept.write_text(content, encoding="latin-1")
    desk.kept.chmod(0o600)
    done = await desk("whoami")
    assert done.code == 2
    assert done.err.startswith("countersign: ")
    assert "Traceback" not in done.err
