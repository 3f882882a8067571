"""Tokens that are bound to keys, from the endpoint that issues them to every one that takes them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import jwt
import pytest
from aiohttp import encode_basic_auth

from gateway.admission import AdmissionRefused
from gateway.identity import proofs
from gateway.identity.proofs import ALGORITHMS, LASTS, NONCE_LASTS, ProofRefused, Proofs
from gateway.identity.tokens import TokenRefused
from gateway.policy.identities import Binding
from tests.identity.gateway_app import exchange, served
from tests.identity.house import SECRET
from tests.identity.proving import Client

BASIC = encode_basic_auth("release-pipeline", SECRET.replace(" ", "+"))


@pytest.fixture
async def client(house):
    async with served(house) as client:
        yield client


@pytest.fixture
def key():
    return Client()


def demand(house, *to: str) -> None:
    house.change_agent(binding=Binding(to=frozenset(to or ("proof",))))


async def asked(house, client, path, *, key=None, token="", scheme="DPoP", method="POST", proof=None, **form):
    """One request with a proof by `key`, and `token` as its credential."""
    headers = {}
    if token:
        headers["Authorization"] = f"{scheme} {token}"
    elif "grant_type" in form and "subject_token" not in form:
        headers["Authorization"] = BASIC
    if proof is None and key is not None:
        proof = key.proof(house.issuer.name + path, method=method, at=house.now, token=token)
    if proof:
        headers["DPoP"] = proof
    async with client.request(method, path, headers=headers, data=form or None) as answer:
        return answer.status, await answer.json(), answer.headers


async def bound_root(house, client, key):
    status, body, _ = await asked(house, client, "/oauth/token", key=key, grant_type="client_credentials")
    assert (status, body["token_type"]) == (200, "DPoP"), body
    return body["access_token"]


def bound_to(token):
    return jwt.decode(token, options={"verify_signature": False}).get("cnf", {}).get("jkt", "")


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "PS256"])
async def test_a_proof_at_issue_binds_the_token(house, client, algorithm):
    key = Client(algorithm)
    token = await bound_root(house, client, key)
    assert bound_to(token) == key.thumbprint
    status, body, _ = await asked(house, client, "/v1/connections", key=key, token=token, method="GET")
    assert (status, body["agent"]) == (200, "release-pipeline")


async def test_without_a_proof_tokens_are_bearer_tokens_as_before(house, client):
    status, body, headers = await asked(house, client, "/oauth/token", grant_type="client_credentials")
    assert (status, body["token_type"], bound_to(body["access_token"])) == (200, "Bearer", "")
    assert "DPoP-Nonce" not in headers


async def test_the_metadata_says_which_proofs_are_taken(client):
    async with client.get("/.well-known/oauth-authorization-server") as answer:
        offered = (await answer.json())["dpop_signing_alg_values_supported"]
    assert offered == list(ALGORITHMS)
    assert not [each for each in offered if each.startswith(("HS", "none"))]


async def test_a_stolen_bound_token_is_good_for_nothing(house, client, key):
    """Whoever has the token, and no key, or another: no endpoint takes it, and no door."""
    token = await bound_root(house, client, key)
    thief = Client()
    for path, method in (
        ("/v1/connections", "GET"),
        ("/oauth/minted", "POST"),
    ):
        for how in ({"scheme": "Bearer"}, {"key": thief}, {"key": thief, "scheme": "Bearer"}, {}):
            status, body, headers = await asked(house, client, path, token=token, method=method, **how)
            assert status == 401, (path, how)
            assert body["error"] in {"invalid_token", "invalid_dpop_proof"}
            assert headers["WWW-Authenticate"].startswith("DPoP ")
    for how in ({}, {"key": thief}):
        status, body, _ = await asked(house, client, "/oauth/token", **how, **exchange(token))
        assert (status, body["error"]) == (400, "invalid_dpop_proof"), how
    child = house.child(token, key=key.thumbprint)
    form = {"token": house.token_id(child)}
    for bearer in ("Bearer", "DPoP"):
        headers = {"Authorization": f"{bearer} {token}"}
        async with client.post("/oauth/revoke", data=form, headers=headers) as answer:
            assert answer.status == 401
    assert house.issuer.verify(child, key=key.thumbprint)
    for user in ("x", "release-pipeline"):
        with pytest.raises(AdmissionRefused, match=r"bound to a key.*--minted"):
            house.admission.admit("orders", user=user, secret=token, client="")
    for take in (house.issuer.verify, house.minted.mint, lambda text: house.issuer.derive(text, name="x")):
        with pytest.raises(TokenRefused, match="bound to a key"):
            take(token)


async def test_a_bound_token_ends_what_is_below_it_with_a_proof(house, client, key):
    token = await bound_root(house, client, key)
    child = house.child(token, key=key.thumbprint)
    proof = key.proof(house.issuer.name + "/oauth/revoke", at=house.now, token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    async with client.post("/oauth/revoke", data={"token": house.token_id(child)}, headers=headers) as answer:
        assert (await answer.json())["revoked"] == [house.token_id(child)]


async def test_a_pair_that_was_minted_with_a_proof_is_the_way_to_doors_that_know_none(house, client, key):
    token = await bound_root(house, client, key)
    status, pair, _ = await asked(house, client, "/oauth/minted", key=key, token=token)
    assert status == 200, pair
    assert house.admission.admit("orders", user=pair["user"], secret=pair["password"], client="")


async def test_a_proof_counts_once(house, client, key):
    token = await bound_root(house, client, key)
    proof = key.proof(house.issuer.name + "/v1/connections", method="GET", at=house.now, token=token)
    answers = await asyncio.gather(
        *(asked(house, client, "/v1/connections", token=token, method="GET", proof=proof) for _ in range(5))
    )
    assert sorted(status for status, _, _ in answers) == [200, 401, 401, 401, 401]


async def test_a_proof_at_issue_counts_once_and_fails_nobody_who_failed_otherwise(house, client, key):
    proof = key.proof(house.issuer.name + "/oauth/token", at=house.now)
    wrong = {"client_id": "release-pipeline", "client_secret": "wrong", "grant_type": "client_credentials"}
    async with client.post("/oauth/token", data=wrong, headers={"DPoP": proof}) as answer:
        assert answer.status == 401
    form = {"proof": proof, "grant_type": "client_credentials"}
    assert (await asked(house, client, "/oauth/token", **form))[0] == 200
    before = set(house.lineages.links())
    status, body, _ = await asked(house, client, "/oauth/token", **form)
    assert (status, body["error"]) == (400, "invalid_dpop_proof")
    assert set(house.lineages.links()) == before


async def test_a_child_is_bound_to_the_key_that_its_parent_names(house, client, key):
    parent, own = await bound_root(house, client, key), Client()
    status, body, _ = await asked(
        house, client, "/oauth/token", key=key, **exchange(parent, dpop_jkt=own.thumbprint)
    )
    assert (status, body["token_type"]) == (200, "DPoP"), body
    child = body["access_token"]
    assert bound_to(child) == own.thumbprint
    ways = {"parent": key, "child": own}
    taken = {
        name: (await asked(house, client, "/v1/connections", key=each, token=child, method="GET"))[0]
        for name, each in ways.items()
    }
    assert taken == {"parent": 401, "child": 200}


async def test_a_child_of_a_bound_token_is_bound(house, client, key):
    parent = await bound_root(house, client, key)
    status, body, _ = await asked(house, client, "/oauth/token", key=key, **exchange(parent))
    assert (status, bound_to(body["access_token"])) == (200, key.thumbprint)
    grand = house.issuer.derive(body["access_token"], name="x", key=key.thumbprint)
    assert grand.claims.key == key.thumbprint


async def test_a_child_of_a_bearer_token_may_be_bound(house, client, key):
    parent = house.root()
    for how, form in (({"key": key}, {}), ({}, {"dpop_jkt": key.thumbprint})):
        status, body, _ = await asked(house, client, "/oauth/token", **how, **exchange(parent, **form))
        assert (status, bound_to(body["access_token"])) == (200, key.thumbprint)


@pytest.mark.parametrize("named", ["x", "A" * 42, "A" * 44, "A" * 42 + "="])
async def test_what_cannot_name_a_key_binds_nothing(house, client, named):
    status, body, _ = await asked(house, client, "/oauth/token", **exchange(house.root(), dpop_jkt=named))
    assert (status, body["error"]) == (400, "invalid_request")


async def test_a_key_is_proved_and_not_named_where_there_is_no_parent(house, client, key):
    status, body, _ = await asked(
        house, client, "/oauth/token", grant_type="client_credentials", dpop_jkt=key.thumbprint
    )
    assert (status, body["error"]) == (400, "invalid_request")
    status, body, _ = await asked(
        house, client, "/oauth/token", key=key, **exchange(house.root(), dpop_jkt=Client().thumbprint)
    )
    assert (status, body["error"]) == (400, "invalid_request")


async def test_policy_can_demand_that_tokens_are_bound(house, client, key):
    before = house.root()
    pair = house.minted.mint(before)
    demand(house)
    status, body, _ = await asked(house, client, "/oauth/token", grant_type="client_credentials")
    assert (status, body["error"]) == (400, "invalid_dpop_proof")
    assert "policies.yaml binds the tokens of release-pipeline to keys" in body["error_description"]
    assert "`--dpop-key FILE`" in body["error_description"]
    token = await bound_root(house, client, key)
    assert house.child(token, key=key.thumbprint)
    status, body, headers = await asked(
        house, client, "/v1/connections", token=before, scheme="Bearer", method="GET"
    )
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("DPoP ")
    for take in (
        lambda: house.admission.admit("orders", user="x", secret=before, client=""),
        lambda: house.admission.admit("orders", user=pair.user, secret=pair.password, client=""),
        lambda: house.child(before),
        lambda: house.minted.mint(before),
    ):
        with pytest.raises((TokenRefused, AdmissionRefused), match="binds the tokens"):
            take()
    assert house.admission.admit_agent("orders", user="release-pipeline", client="")


async def test_where_nonces_are_asked_for_one_is_given_and_then_counts(house, client, key):
    house.policy = replace(house.policy, tokens=replace(house.policy.tokens, nonce=True))
    status, body, headers = await asked(
        house, client, "/oauth/token", key=key, grant_type="client_credentials"
    )
    assert (status, body["error"]) == (400, "use_dpop_nonce")
    nonce = headers["DPoP-Nonce"]
    proof = key.proof(house.issuer.name + "/oauth/token", at=house.now, nonce=nonce)
    status, body, headers = await asked(
        house, client, "/oauth/token", proof=proof, grant_type="client_credentials"
    )
    assert status == 200, body
    assert headers["DPoP-Nonce"]
    status, _, headers = await asked(
        house, client, "/v1/connections", key=key, token=body["access_token"], method="GET"
    )
    assert status == 401
    assert 'error="use_dpop_nonce"' in headers["WWW-Authenticate"]
    assert headers["DPoP-Nonce"]


async def test_a_host_header_does_not_say_what_a_proof_is_for(house, client, key):
    token = await bound_root(house, client, key)
    proof = key.proof("http://evil.example/v1/connections", method="GET", at=house.now, token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof, "Host": "evil.example"}
    async with client.get("/v1/connections", headers=headers) as answer:
        assert answer.status == 401
        assert house.issuer.name in (await answer.json())["error_description"]


class Judge:
    """Proofs by clocks that tests turn."""

    url = "https://gate.example/x"

    def __init__(self) -> None:
        self.now, self.steady, self.nonces = 1_800_000_000.0, 50.0, False
        self.key = Client("EdDSA")
        self.start()

    def start(self) -> None:
        self.proofs = Proofs(clock=lambda: self.now, steady=lambda: self.steady, nonces=lambda: self.nonces)

    def goes_by(self, seconds: float) -> None:
        self.now += seconds
        self.steady += seconds

    def made(self, **claims) -> str:
        return self.key.proof(self.url, **{"at": self.now, **claims})

    def take(self, proof: str) -> None:
        self.proofs.spend(self.proofs.read([proof], method="POST", url=self.url))

    def error(self, proof: str) -> str:
        with pytest.raises(ProofRefused) as refused:
            self.take(proof)
        return refused.value.error


@pytest.fixture
def judge():
    return Judge()


def test_a_used_proof_never_counts_again_however_clocks_are_set(judge):
    proof = judge.made()
    judge.take(proof)
    judge.goes_by(LASTS / 2)
    assert judge.error(proof) == "invalid_dpop_proof"
    judge.goes_by(10 * LASTS)
    for _ in range(3):
        judge.take(judge.made())
        judge.goes_by(20)
    judge.now -= 12 * LASTS
    assert judge.error(proof) in {"use_dpop_nonce", "invalid_dpop_proof"}


def test_a_clock_that_was_set_back_locks_nobody_out(judge):
    judge.now += 86_400
    judge.take(judge.made())
    judge.now -= 86_400
    assert judge.error(judge.made()) == "use_dpop_nonce"
    judge.take(judge.made(nonce=judge.proofs.nonce()))


def test_a_restart_takes_no_proof_from_before_it(judge):
    proof = judge.made()
    judge.take(proof)
    judge.goes_by(5)
    with_nonce = judge.made(nonce=judge.proofs.nonce())
    judge.start()
    assert judge.error(proof) == "use_dpop_nonce"
    assert judge.error(with_nonce) == "use_dpop_nonce"
    judge.take(judge.made())


def test_a_proof_with_a_nonce_counts_once_too(judge):
    proof = judge.made(nonce=judge.proofs.nonce())
    judge.take(proof)
    for _ in range(10):
        judge.goes_by(NONCE_LASTS / 8)
        assert judge.error(proof) in {"use_dpop_nonce", "invalid_dpop_proof"}
    judge.now -= 10 * NONCE_LASTS
    assert judge.error(proof) == "use_dpop_nonce"


def test_what_is_remembered_is_bounded_and_forgotten_in_time(judge, monkeypatch):
    monkeypatch.setattr(proofs, "REMEMBERED_PER_KEY", 3)
    monkeypatch.setattr(proofs, "REMEMBERED", 5)
    for _ in range(3):
        judge.take(judge.made())
    assert judge.error(judge.made()) == "temporarily_unavailable"
    judge.key = Client("EdDSA")
    for _ in range(2):
        judge.take(judge.made())
    assert judge.error(judge.made()) == "temporarily_unavailable"
    judge.goes_by(2 * LASTS)
    for _ in range(3):
        judge.take(judge.made())


def test_one_key_has_one_thumbprint_however_it_is_spelled(judge):
    rsa = Client("PS256")
    plain = judge.proofs.read([rsa.proof(judge.url, at=judge.now)], method="POST", url=judge.url)
    padded = {**rsa.jwk, "e": "AAEAAQ"}
    spelled = rsa.proof(judge.url, at=judge.now, header={"jwk": padded})
    assert judge.proofs.read([spelled], method="POST", url=judge.url).key == plain.key
