"""Tokens that are bound to keys, on the command line and with a client that knows nothing of ours."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession

from gateway.policy.identities import Binding
from gateway.policy.model import ApiPolicy


@pytest.fixture
def key(countersign, tmp_path):
    countersign.environment["COUNTERSIGN_DPOP_KEY"] = str(tmp_path / "own.pem")
    return str(tmp_path / "own.pem")


async def minted(countersign) -> str:
    done = await countersign("token", "mint", "release-pipeline", "--json")
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    assert answer["token_type"] == "DPoP"
    return answer["access_token"]


async def test_a_token_is_bound_to_the_key_of_a_file_that_is_made(countersign, tmp_path):
    path = tmp_path / "made.pem"
    done = await countersign("token", "mint", "release-pipeline", "--json", "--dpop-key", str(path))
    assert json.loads(done.out)["token_type"] == "DPoP", done.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    again = await countersign("token", "mint", "release-pipeline", "--json", "--dpop-key", str(path))
    assert (again.code, path.read_bytes()) == (0, before)
    assert "PRIVATE" not in done.out + done.err


async def test_the_verbs_prove_the_key_of_their_token(countersign, key):
    token = await minted(countersign)
    done = await countersign("whoami", "--json", token=token)
    assert (done.code, json.loads(done.out)["agent"]) == (0, "release-pipeline")
    done = await countersign("token", "inspect", token=token)
    assert "holds      yes" in done.out
    assert "bound to   the key " in done.out
    done = await countersign("connect", "orders", "--minted", "--format", "json", token=token)
    pair = json.loads(done.out)
    assert countersign.house.admission.admit("orders", user=pair["user"], secret=pair["password"], client="")
    done = await countersign("whoami", token=token, COUNTERSIGN_DPOP_KEY="")
    assert (done.code, done.out) == (2, "")
    assert "set COUNTERSIGN_DPOP_KEY" in done.err


async def test_a_nonce_that_is_asked_for_is_sent(countersign, key):
    house = countersign.house
    house.policy = replace(house.policy, tokens=replace(house.policy.tokens, nonce=True))
    token = await minted(countersign)
    assert (await countersign("whoami", token=token)).code == 0


async def test_a_child_has_a_key_of_its_own(countersign, key, tmp_path):
    token, own = await minted(countersign), str(tmp_path / "child.pem")
    done = await countersign("token", "derive", "--as", "planner", "--dpop-key", own, token=token)
    child = done.out.strip()
    assert (await countersign("whoami", token=child, COUNTERSIGN_DPOP_KEY=own)).code == 0
    assert (await countersign("whoami", token=child)).code == 1


async def test_a_program_that_is_started_has_a_key_that_ends_with_it(countersign, key, tmp_path):
    countersign.house.change_agent(binding=Binding(to=frozenset({"proof"})))
    token = await minted(countersign)
    script = (
        'echo "$COUNTERSIGN_DPOP_KEY"; test "$COUNTERSIGN_DPOP_KEY" != "$0"; echo "$PGUSER"; '
        f'{os.environ.get("PYTHON", "python3")} --version >/dev/null; test -s "$COUNTERSIGN_DPOP_KEY" && echo there'
    )
    done = await countersign(
        "run", "--as", "planner", "--connection", "orders", "--", "sh", "-c", script, key, token=token
    )
    assert done.code == 0, done.err
    path, user, there = done.out.split()
    assert (user[:3], there) == ("cs_", "there")
    assert path != key
    assert not Path(path).exists()


async def test_a_proof_is_printed_for_any_client(countersign, key):
    """The line is a header as `curl -H` takes it."""
    token, house = await minted(countersign), countersign.house
    house.policy = replace(house.policy, api=ApiPolicy(public_url=countersign.url))
    token = await minted(countersign)
    url = f"{countersign.url}/v1/connections?x=1"
    done = await countersign("token", "proof", "GET", url, token=token)
    assert done.code == 0, done.err
    name, _, proof = done.out.strip().partition(": ")
    headers = {"Authorization": f"DPoP {token}", name: proof}
    async with ClientSession() as client, client.get(url, headers=headers) as answer:
        body = await answer.json()
        assert (answer.status, body.get("agent")) == (200, "release-pipeline"), body
    done = await countersign("token", "proof", "GET", url, token=token, COUNTERSIGN_DPOP_KEY="")
    assert (done.code, "no key" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (b"nonsense", 0o600, "no private key"),
        (b"", 0o600, "no private key"),
        (b"nonsense", 0o644, "chmod 600"),
        (None, 0, "cannot be read"),
    ],
)
async def test_a_key_that_is_none_is_told(countersign, tmp_path, content, mode, told):
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    done = await countersign("token", "proof", "GET", "https://gate.example/x", "--dpop-key", str(path))
    assert (done.code, done.out) == (2, "")
    assert told in done.err
