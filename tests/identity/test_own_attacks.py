"""Every token of `own_attacks.jsonl`: what somebody would like to pass for one of the gateway's own. The file only grows.

Most are signed by the gateway's own key, as if something had made it sign them: what a token says has to hold by itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.admission import AdmissionRefused
from gateway.api.grants import ACCESS_TOKEN, TOKEN_EXCHANGE
from gateway.identity.tokens import TokenRefused
from gateway.policy.model import Agent
from tests.identity.forge import AFTER, encoded
from tests.identity.gateway_app import served
from tests.identity.house import House, R

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "own_attacks.jsonl").read_text(encoding="utf-8").splitlines()
]
AT_LEAST = 134
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group that Ed25519 signs in."""
OTHER = Ed25519PrivateKey.generate()


class Chain:
    """A root agent, its planner, and planner's migrator, whose token is the one that is tampered with."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tokens = {"root": house.root()}
        self.tokens["planner"] = house.child(self.tokens["root"], "planner")
        self.tokens["migrator"] = house.child(
            self.tokens["planner"], "migrator", scope={"orders": frozenset({R}), "shop": frozenset({R})}
        )

    def forged(self, row: dict[str, Any]) -> str:
        token = self.tokens[row.get("holder", "migrator")]
        header, payload, signature = token.split(".")
        if row.keys() & {"header", "header_text", "claims", "claims_text", "links", "without", "sign"}:
            header, payload = self._header(header, row), self._payload(payload, row)
            signed = f"{header}.{payload}".encode()
            signature = encoded(self._signature(row.get("sign", "ours"), signed, signature))
        token = f"{header}.{payload}.{signature}"
        return AFTER[row["then"]](token) if "then" in row else token

    def happens(self, event: str) -> None:
        house = self.house
        match event.split():
            case ["revoke", who]:
                house.issuer.revoke(self.tokens[who])
            case ["disown"]:
                house.issuer.disown_all(by="operator")
            case ["shallow"]:
                house.change_agent(max_depth=2)
            case ["gone"]:
                agents = {
                    name: each for name, each in house.policy.agents.items() if name != "release-pipeline"
                }
                house.policy = replace(house.policy, agents=agents)
            case ["persons"]:
                house.change_agent(person="", persons=())
            case ["later"]:
                house.now += 3_600
            case ["named"]:
                planner = Agent(name="planner", scope={})
                house.policy = replace(house.policy, agents={**house.policy.agents, "planner": planner})
            case _:
                raise AssertionError(event)

    def _header(self, good: str, row: dict[str, Any]) -> str:
        header = json.loads(_bytes(good))
        if "header_text" in row:
            return encoded(row["header_text"].replace("<kid>", json.dumps(header["kid"])).encode())
        laid = {**header, **row.get("header", {})}
        written = json.dumps(
            {name: value for name, value in laid.items() if value is not None},
            separators=(",", ":"),
            sort_keys=True,
        )
        return encoded(written.encode())

    def _payload(self, good: str, row: dict[str, Any]) -> str:
        claims = json.loads(_bytes(good))
        ids = [link["jti"] for link in claims["lineage"]]
        for at, over in row.get("links", {}).items():
            claims["lineage"][int(at)] = _laid(claims["lineage"][int(at)], over)
        claims["lineage"] = [
            link for at, link in enumerate(claims["lineage"]) if at not in row.get("without", ())
        ]
        claims = _laid(claims, row.get("claims", {}))
        text = json.dumps(claims, separators=(",", ":"))
        if "claims_text" in row:
            text = row["claims_text"].replace("<rest>", text[1:-1])
        text = re.sub(r"<(\d)>", lambda found: ids[int(found[1])], text)
        return encoded(text.encode("utf-8", "surrogateescape"))

    def _signature(self, sign: str, signed: bytes, good: str) -> bytes:
        jwk = self.house.keys.jwks()["keys"][0]
        match sign:
            case "ours":
                return self.house.keys.sign_bytes(signed)
            case "other":
                return OTHER.sign(signed)
            case "hmac":
                return hmac.digest(_bytes(jwk["x"]), signed, hashlib.sha256)
            case "hmac-jwk":
                return hmac.digest(json.dumps(jwk).encode(), signed, hashlib.sha256)
            case "zeros":
                return bytes(64)
            case "borrowed":
                return _bytes(self.tokens["planner"].rpartition(".")[2])
            case "malleable":
                signature = _bytes(good)
                scalar = int.from_bytes(signature[32:], "little") + ORDER
                return signature[:32] + scalar.to_bytes(32, "little")
            case _:
                return b""


def _bytes(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _laid(good: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**good, **over}.items() if value is not None}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_token_is_taken_or_refused_as_it_should_be(house, row):
    chain = Chain(house)
    token = chain.forged(row)
    assert (token in chain.tokens.values()) == (row["expect"] == "taken" or "before" in row)
    if "before" in row:
        chain.happens(row["before"])
    if row["expect"] == "taken":
        assert house.issuer.verify(token)
        assert house.admission.admit("orders", user="x", secret=token, client="")
        return
    with pytest.raises(TokenRefused) as refused:
        house.issuer.verify(token)
    assert refused.value.error == "invalid_grant"
    with pytest.raises(TokenRefused):
        house.issuer.derive(token, name="child")
    with pytest.raises(TokenRefused):
        house.minted.mint(token)
    with pytest.raises(AdmissionRefused):
        house.admission.admit("orders", user="x", secret=token, client="")


async def test_no_endpoint_takes_what_is_refused(house):
    chain = Chain(house)
    async with served(house) as client:
        for row in ROWS:
            if row["expect"] == "taken" or "before" in row:
                continue
            token = chain.forged(row)
            form = {
                "grant_type": TOKEN_EXCHANGE,
                "subject_token": token,
                "subject_token_type": ACCESS_TOKEN,
                "name": "x",
            }
            async with client.post("/oauth/token", data=form) as answer:
                assert answer.status == 400, row["name"]
            if token.isprintable() and token.isascii():
                bearer = {"Authorization": f"Bearer {token}"}
                async with client.get("/v1/connections", headers=bearer) as answer:
                    assert answer.status == 401, row["name"]
    assert set(house.lineages.links()) == {house.token_id(token) for token in chain.tokens.values()}


def test_a_token_that_says_more_than_policies_yaml_grants_is_cut_to_that(house):
    """Nothing in a token can tell what its parent had: that is why the gateway alone signs, and why it is cut at use."""
    chain = Chain(house)
    everything = [
        {"type": "countersign_connection", "identifier": name, "actions": sorted(("ddl", "read", "write"))}
        for name in ("orders", "shop")
    ]
    wide = chain.forged({"claims": {"authorization_details": everything, "depth_left": 30}})
    claims = house.issuer.verify(wide)
    root = house.policy.agents["release-pipeline"]
    assert claims.scope == root.scope
    assert claims.depth_left == root.max_depth - 3


def test_the_corpus_only_grows():
    assert len(ROWS) >= AT_LEAST
    assert len({row["name"] for row in ROWS}) == len(ROWS)
