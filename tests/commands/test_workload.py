"""`countersign token workload`: the token of another issuer, from where workloads find it."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.policy.globs import Globs
from gateway.policy.identities import IdentityPolicy, Workload, WorkloadRule
from tests.identity import forge
from tests.identity.house import R


@pytest.fixture
def assertion(countersign, tmp_path) -> str:
    """A token that the gateway trusts, and what it trusts it by."""
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(forge.published()))
    house = countersign.house
    workload = Workload(
        name="ci",
        issuer=forge.ISSUER,
        audience="countersign",
        keys=f"file:{keys}",
        rules=tuple(
            WorkloadRule(when={"repository": Globs(("acme/shop",))}, agent=agent)
            for agent in ("workload", "release-pipeline")
        ),
    )
    house.policy = replace(house.policy, identity=IdentityPolicy(workloads={"ci": workload}))
    now = int(time.time())
    return forge.forged({"claims": {"iat": now, "nbf": now, "exp": now + 300}})


async def test_by_a_file_or_standard_input(countersign, assertion, tmp_path):
    path = tmp_path / "assertion"
    path.write_text(assertion + "\n")
    done = await countersign(
        *("token", "workload", "--agent", "workload", "--task", "release 7"),
        *("--assertion-file", str(path), "--ttl", "60s", "--json"),
    )
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    assert (answer["scope"], answer["expires_in"]) == ("shop:read", 60)
    claims = countersign.house.issuer.verify(answer["access_token"])
    assert (claims.root, claims.chain[0].task, claims.scope) == ("workload", "release 7", {"shop": {R}})
    piped = await countersign("token", "workload", "--agent", "workload", stdin=assertion)
    assert countersign.house.issuer.verify(piped.out.strip()).root == "workload"


async def test_by_the_runner_of_github(countersign, assertion):
    asked = []

    async def hand_out(request: web.Request) -> web.Response:
        asked.append((dict(request.query), request.headers["Authorization"]))
        return web.json_response({"count": 1, "value": assertion})

    application = web.Application()
    application.router.add_get("/token", hand_out)
    async with TestServer(application) as runner:
        done = await countersign(
            *("token", "workload", "--github", "--agent", "workload", "--audience", "gate"),
            ACTIONS_ID_TOKEN_REQUEST_URL=f"{runner.make_url('/token')}?api-version=2.0",
            ACTIONS_ID_TOKEN_REQUEST_TOKEN="the runner's",
        )
    assert done.code == 0, done.err
    assert countersign.house.issuer.verify(done.out.strip()).root == "workload"
    assert asked == [({"api-version": "2.0", "audience": "gate"}, "Bearer the runner's")]
    assert assertion not in done.err


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "says"),
    [
        ((), {}, 2, "no token of an issuer"),
        (("--assertion-file", "/nowhere"), {}, 2, "/nowhere cannot be read"),
        (("--github",), {}, 2, "id-token: write"),
        (
            ("--github",),
            {
                "ACTIONS_ID_TOKEN_REQUEST_URL": "http://runner.example/t",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
            },
            2,
            "not encrypted",
        ),
        (
            ("--github",),
            {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:1/t", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"},
            2,
            "cannot be asked",
        ),
    ],
)
async def test_what_is_missing_is_said(countersign, arguments, environment, code, says):
    done = await countersign("token", "workload", *arguments, **environment)
    assert (done.code, says in done.err) == (code, True), done.err
    assert done.out == ""


async def test_what_the_gateway_refuses_is_said(countersign, assertion):
    done = await countersign("token", "workload", stdin=assertion)
    assert (done.code, "release-pipeline or workload" in done.err) == (1, True)
    done = await countersign("token", "workload", stdin=assertion[:-8])
    assert (done.code, "no issuer" in done.err) == (1, True)
