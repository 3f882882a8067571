"""Every token of `attacks.jsonl`, as a client would present it. The file only grows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.api.grants import ID_TOKEN, JWT_BEARER, TOKEN_EXCHANGE
from gateway.identity.fetching import Ask
from gateway.policy.globs import Globs
from gateway.policy.identities import IdentityPolicy, Workload, WorkloadRule
from tests.identity import forge
from tests.identity.gateway_app import served
from tests.identity.house import R

AT_LEAST = 190


class Asked:
    """The network, as far as there is one: the issuer's two documents, and a note of whatever else is asked for."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    async def __call__(self, ask: Ask):
        self.urls.append(ask.url)
        documents = {
            f"{forge.ISSUER}/.well-known/openid-configuration": {
                "issuer": forge.ISSUER,
                "jwks_uri": "https://keys.ci.example/jwks",
            },
            "https://keys.ci.example/jwks": forge.published(),
        }
        return documents[ask.url]


def trusting(house) -> None:
    when = {"repository": Globs(("acme/shop",)), "ref": Globs(("refs/heads/main",))}
    house.now = float(forge.NOW)
    house.policy = replace(
        house.policy,
        identity=IdentityPolicy(
            workloads={
                "ci": Workload(
                    name="ci",
                    issuer=forge.ISSUER,
                    audience="countersign",
                    rules=(WorkloadRule(when=when, agent="workload"),),
                )
            }
        ),
    )


async def presented(client, token: str, how: str):
    form = (
        {"grant_type": JWT_BEARER, "assertion": token}
        if how == "assertion"
        else {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ID_TOKEN}
    )
    async with client.post("/oauth/token", data=form) as answer:
        return answer.status, await answer.json()


@pytest.fixture
async def desk(house):
    trusting(house)
    asked = Asked()
    async with served(house, asked) as client:
        yield client, asked


@pytest.mark.parametrize("how", ["assertion", "subject_token"])
async def test_each_token_is_taken_or_refused_as_it_should_be(desk, house, how):
    client, asked = desk
    wrong = []
    for row in forge.ROWS:
        status, body = await presented(client, forge.forged(row), how)
        taken = status == 200
        if taken != (row["expect"] == "taken"):
            wrong.append((row["name"], status, body))
        elif taken:
            claims = house.issuer.verify(body["access_token"])
            assert (claims.root, claims.scope) == ("workload", {"shop": {R}})
        else:
            assert status == 400, (row["name"], body)
            assert body["error"] in {"invalid_grant", "invalid_request"}, (row["name"], body)
    assert not wrong
    # Whatever tokens name, nothing was asked for but what the issuer's own document says.
    assert set(asked.urls) <= {
        f"{forge.ISSUER}/.well-known/openid-configuration",
        "https://keys.ci.example/jwks",
    }
    assert len(asked.urls) <= 3


async def test_who_cannot_sign_learns_nothing(desk):
    client, _ = desk
    said = set()
    for row in forge.ROWS:
        if row["expect"] == "refused" and "claims" not in row and "claims_text" not in row:
            _, body = await presented(client, forge.forged(row), "assertion")
            said.add(body["error_description"])
    assert len(said) <= 2, said  # one sentence, and that of a form without an assertion


async def test_no_issuer_is_trusted_that_the_policy_does_not_name(house):
    house.now = float(forge.NOW)
    asked = Asked()
    async with served(house, asked) as client:
        status, body = await presented(client, forge.forged({}), "assertion")
    assert (status, body["error"], asked.urls) == (400, "invalid_grant", [])


async def test_tokens_by_keys_that_nobody_has_are_no_way_to_have_an_issuer_asked(desk, house):
    client, asked = desk
    for number in range(50):
        await presented(
            client, forge.forged({"sign": "rsa-other", "header": {"kid": f"{number}"}}), "assertion"
        )
    assert len(asked.urls) == 2
    house.now += 11
    await asyncio.gather(
        *(
            presented(
                client, forge.forged({"sign": "rsa-other", "header": {"kid": f"new {number}"}}), "assertion"
            )
            for number in range(20)
        )
    )
    assert len(asked.urls) == 3


def test_the_corpus_only_grows():
    assert len(forge.ROWS) >= AT_LEAST
    assert len({row["name"] for row in forge.ROWS}) == len(forge.ROWS)
    assert {row["expect"] for row in forge.ROWS} == {"taken", "refused"}
    assert all(row["expect"] == "refused" for row in forge.ROWS if "then" in row)
