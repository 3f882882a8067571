"""Every proof of `proof_attacks.jsonl`, beside a token that is bound to a key (RFC 9449 §4.3, §7.1). The file only grows."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from gateway.identity.possession import Held, NotHeld, Possession
from gateway.identity.proofs import hash_of
from gateway.policy.model import ApiPolicy
from tests.identity.forge import AFTER
from tests.identity.house import HOUR, House
from tests.identity.proving import Client

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "proof_attacks.jsonl").read_text(encoding="utf-8").splitlines()
]
AT_LEAST = 190
PATH = "/v1/connections"


class Bound:
    """A gateway, a token that is bound to a client's key, and requests that show both."""

    def __init__(self, house: House, row: dict[str, Any]) -> None:
        self.house, self.row = house, row
        # It has been running for an hour: of proofs from before its start it could not tell which were used.
        house.now += HOUR
        house.steady += HOUR
        self.base = row.get("base", "https://gate.example")
        house.policy = replace(
            house.policy,
            api=ApiPolicy(public_url=self.base),
            tokens=replace(house.policy.tokens, nonce=row.get("nonces", False)),
        )
        self.client = Client(row.get("algorithm", "ES256"))
        self.other = Client(self.client.algorithm)
        self.token = self._token(row.get("token", "bound"))

    def asked(self, proofs: list[str], *, path: str = PATH) -> Held:
        scheme = self.row.get("scheme", "DPoP")
        authorization = self.row.get("authorization", [f"{scheme} <token>"])
        return self.house.possession.held(
            method="GET",
            url=self.base + path,
            headers=[
                *(("Authorization", each.replace("<token>", self.token)) for each in authorization),
                *(("DPoP", each) for each in proofs),
            ],
            client="10.0.0.7",
        )

    def proofs(self) -> list[str]:
        good = self._proof(self.row)
        shown = self.row.get("shown", ["good"])
        return [each.replace("good", good).replace("bad", self.other.proof("x", at=0)) for each in shown]

    def happens(self, event: str, proofs: list[str]) -> None:
        match event:
            case "used":
                self.asked(proofs)
            case "used elsewhere":
                # The same `jti` under the same key, whatever else it says.
                said = jwt.decode(proofs[0], options={"verify_signature": False})
                self.asked(
                    [self._proof({"claims": {"jti": said["jti"], "htu": f"{self.base}/x"}})], path="/x"
                )
            case "revoked":
                self.house.issuer.revoke(self.token)

    def _token(self, kind: str) -> str:
        bound = self.house.root(key=self.client.thumbprint)
        header, payload, signature = bound.split(".")
        claims = json.loads(jwt.utils.base64url_decode(payload))
        match kind:
            case "bound":
                return bound
            case "unbound":
                return self.house.root()
            case "forged":
                claims["cnf"] = {"jkt": self.other.thumbprint}
            case "unforged":
                del claims["cnf"]
        changed = jwt.utils.base64url_encode(json.dumps(claims).encode()).decode()
        return f"{header}.{changed}.{signature}"

    def _proof(self, row: dict[str, Any]) -> str:
        client = self.other if row.get("key") == "other" else self.client
        claims = {name: self._said(value) for name, value in row.get("claims", {}).items()}
        if "nonce" in row:
            claims["nonce"] = self._nonce(row["nonce"])
        jwk = {**client.jwk, **row.get("jwk", {})}
        header = {
            "jwk": {name: value for name, value in jwk.items() if value is not None},
            **row.get("header", {}),
        }
        proof = client.proof(
            self.base + PATH, method="GET", at=self.house.now, token=self.token, header=header, **claims
        )
        head, body, signature = proof.split(".")
        if row.keys() & {"header_text", "claims_text"}:
            texts = [
                row.get(name, "{<rest>}").replace("<rest>", jwt.utils.base64url_decode(part).decode()[1:-1])
                for name, part in (("header_text", head), ("claims_text", body))
            ]
            proof = client.signed(*texts)
        if "sign" in row:
            key = jwt.utils.base64url_decode(client.jwk["x"])
            mac = hmac.digest(key, f"{head}.{body}".encode(), hashlib.sha256)
            borrowed = self.other.signed("{}", "{}").rpartition(".")[2]
            signature = jwt.utils.base64url_encode(mac).decode() if row["sign"] == "hmac" else borrowed
            proof = f"{head}.{body}.{signature}"
        return AFTER[row["then"]](proof) if "then" in row else proof

    def _said(self, value: Any) -> Any:
        match value:
            case {"ago": seconds}:
                return self.house.now - seconds
            case {"of": "other"}:
                return hash_of("another token")
            case {"of": "hex"}:
                return hashlib.sha256(self.token.encode()).hexdigest()
            case {"of": "padded"}:
                return hash_of(self.token) + "="
            case _:
                return value

    def _nonce(self, wanted: dict[str, Any]) -> str:
        house = self.house
        if wanted.get("of") == "other":
            clock = lambda: house.now
            return Possession(
                house.issuer, house.origins, house.current, clock=clock, steady=lambda: house.steady
            ).proofs.nonce()
        nonce = house.possession.proofs.nonce()
        house.steady += wanted.get("ago", 0)
        return "B" + nonce[1:] if wanted.get("bent") else nonce


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_proof_is_taken_or_refused_as_it_should_be(house, row):
    bound = Bound(house, row)
    proofs = bound.proofs()
    if "before" in row:
        bound.happens(row["before"], proofs)
    if row["expect"] == "taken":
        assert bound.asked(proofs).claims.agent == "release-pipeline"
        return
    with pytest.raises(NotHeld) as refused:
        bound.asked(proofs)
    assert (refused.value.error, refused.value.status) == (row["expect"], 401)
    challenge = refused.value.headers["WWW-Authenticate"]
    assert f'error="{row["expect"]}"' in challenge
    assert challenge.isascii()
    assert "DPoP algs=" in challenge
    assert "\n" not in challenge
    if row["expect"] == "use_dpop_nonce":
        again = bound.client.proof(
            bound.base + PATH,
            method="GET",
            at=0,
            token=bound.token,
            nonce=refused.value.headers["DPoP-Nonce"],
        )
        assert bound.asked([again])


def test_the_corpus_only_grows():
    assert len(ROWS) >= AT_LEAST
    assert len({row["name"] for row in ROWS}) == len(ROWS)
