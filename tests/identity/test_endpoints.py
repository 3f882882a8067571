from __future__ import annotations

import asyncio
import base64
import json
import logging
from dataclasses import replace

import jwt
import pytest
from aiohttp import encode_basic_auth
from aiohttp.test_utils import make_mocked_request
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.api import forms
from gateway.api.grants import ACCESS_TOKEN, GRANTS
from gateway.identity.failures import FAILURES
from gateway.identity.tokens import TokenRefused
from gateway.policy.model import ApiPolicy, TlsPolicy
from gateway.store import StoreFailed
from tests.identity.gateway_app import OPERATOR, exchange, served
from tests.identity.house import ADA, SECRET, R, target

PUBLIC_KEY = (
    Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
)
ROOT = encode_basic_auth("release-pipeline", SECRET.replace(" ", "+"))


@pytest.fixture
async def client(house):
    async with served(house) as client:
        yield client


async def asked(client, path="/oauth/token", *, auth=None, bearer=None, **form):
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    if auth:
        headers["Authorization"] = auth
    async with client.post(path, data=form, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers


async def minted_root(client, **form):
    status, body, _ = await asked(client, auth=ROOT, grant_type="client_credentials", **form)
    assert status == 200, body
    return body["access_token"]


async def test_an_agent_gets_a_token_that_may_not_be_cached(client, house):
    status, body, headers = await asked(
        client,
        auth=ROOT,
        grant_type="client_credentials",
        scope="orders:read",
        expires_in="60",
        task="release 42",
    )
    assert status == 200
    assert (headers["Cache-Control"], headers["Pragma"]) == ("no-store", "no-cache")
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 60, "orders:read")
    assert body["authorization_details"] == [
        {"type": "countersign_connection", "identifier": "orders", "actions": ["read"]}
    ]
    claims = house.issuer.verify(body["access_token"])
    assert (claims.person, claims.chain[0].task, claims.chain[0].origin) == (ADA, "release 42", "127.0.0.1")
    assert body["token_id"] == claims.token_id


async def test_a_token_is_durable_before_it_is_handed_out(client, house):
    await minted_root(client)
    assert house.store.commits == 1
    house.store.fails = StoreFailed("disk full")
    status, body, _ = await asked(client, auth=ROOT, grant_type="client_credentials")
    assert (status, body["error"]) == (503, "temporarily_unavailable")
    assert "access_token" not in body


async def test_credentials_may_also_be_posted(client):
    status, _, _ = await asked(
        client, grant_type="client_credentials", client_id="release-pipeline", client_secret=SECRET
    )
    assert status == 200


async def test_a_parent_derives_a_narrower_token_by_exchange(client, house):
    parent = await minted_root(client)
    status, body, _ = await asked(
        client, **exchange(parent, scope="orders:read", expires_in="60", task="plan")
    )
    assert status == 200
    assert (body["issued_token_type"], body["scope"], body["expires_in"]) == (ACCESS_TOKEN, "orders:read", 60)
    claims = house.issuer.verify(body["access_token"])
    assert [link.name for link in claims.chain] == ["release-pipeline", "planner"]
    acting = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (acting["sub"], acting["act"]) == (ADA, {"sub": "planner", "act": {"sub": "release-pipeline"}})


async def test_scope_may_be_given_as_authorization_details(client):
    parent = await minted_root(client)
    details = [{"type": "countersign_connection", "identifier": "shop", "actions": ["read"]}]
    status, body, _ = await asked(client, **exchange(parent, authorization_details=json.dumps(details)))
    assert (status, body["scope"]) == (200, "shop:read")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "orders:ddl"}, "invalid_scope"),
        ({"scope": "orders"}, "invalid_scope"),
        ({"authorization_details": "[]"}, "invalid_scope"),
        ({"authorization_details": "nonsense"}, "invalid_authorization_details"),
        ({"scope": "shop:read", "authorization_details": "[]"}, "invalid_request"),
        ({"expires_in": "-5"}, "invalid_request"),
        ({"expires_in": "1e9"}, "invalid_request"),
        ({"expires_in": "0"}, "invalid_request"),
        ({"expires_in": "٣"}, "invalid_request"),
        ({"name": ""}, "invalid_request"),
        ({"name": "nightly"}, "invalid_request"),
        ({"task": "two\nlines"}, "invalid_request"),
        ({"subject_token": "a.b.c"}, "invalid_grant"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"audience": "elsewhere"}, "invalid_target"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
    ],
)
async def test_a_refused_exchange_says_why_in_the_standards_words(client, form, error):
    parent = await minted_root(client)
    status, body, headers = await asked(client, **{**exchange(parent), **form})
    assert (status, body["error"]) == (400, error)
    assert body["error_description"]
    assert parent not in json.dumps(body)
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("auth", "form"),
    [
        (encode_basic_auth("release-pipeline", "wrong"), {}),
        (encode_basic_auth("nobody", SECRET), {}),
        (None, {}),
        (None, {"client_id": "release-pipeline"}),
        (None, {"client_id": "release-pipeline", "client_secret": "wrong"}),
    ],
)
async def test_who_does_not_authenticate_gets_401_and_is_told_how(client, auth, form):
    status, body, headers = await asked(client, auth=auth, grant_type="client_credentials", **form)
    assert (status, body["error"]) == (401, "invalid_client")
    assert headers["WWW-Authenticate"].startswith("Basic")


async def test_two_ways_to_authenticate_at_once_are_refused(client):
    for form in ({"client_secret": SECRET}, {"client_id": "nightly"}):
        status, body, _ = await asked(client, auth=ROOT, grant_type="client_credentials", **form)
        assert (status, body["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff:x").decode(), "Basic Og=="]
)
async def test_a_malformed_authorization_header_is_no_surprise(client, header):
    async with client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
    ) as answer:
        assert answer.status in {400, 401}


async def test_guessing_is_slowed_down_and_neighbours_are_not(client, house, caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(FAILURES):
            status, _, _ = await asked(
                client, auth=encode_basic_auth("nightly", "guess-123"), grant_type="client_credentials"
            )
            assert status == 401
        status, body, headers = await asked(
            client,
            auth=encode_basic_auth("nightly", "another secret altogether"),
            grant_type="client_credentials",
        )
    assert (status, body["error"]) == (429, "invalid_client")
    assert "guess-123" not in caplog.text
    assert await minted_root(client)
    house.now += int(headers["Retry-After"])
    status, _, _ = await asked(
        client,
        auth=encode_basic_auth("nightly", "another+secret+altogether"),
        grant_type="client_credentials",
    )
    assert status == 200


async def test_a_secret_in_the_name_field_is_not_logged(client, caplog):
    with caplog.at_level(logging.INFO):
        await asked(
            client, auth=encode_basic_auth("my-real-secret", "nightly"), grant_type="client_credentials"
        )
    assert "my-real-secret" not in caplog.text


@pytest.mark.parametrize(
    ("body", "content_type", "query"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json", ""),
        (b"grant_type=client_credentials&grant_type=x", None, ""),
        (b"grant_type=client_credentials", None, "?client_secret=x"),
        (b"grant_type=client_credentials&task=" + b"x" * 40_000, None, ""),
        (b"&".join(b"k%d=v" % n for n in range(100)), None, ""),
        (b"grant_type", None, ""),
        (b"\xff\xfe=x", None, ""),
        (b"grant_type=%ff", None, ""),
        (b"", None, ""),
    ],
)
async def test_a_form_that_is_not_well_formed_is_refused(client, body, content_type, query):
    content_type = content_type or "application/x-www-form-urlencoded"
    async with client.post(
        "/oauth/token" + query, data=body, headers={"Content-Type": content_type}
    ) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "invalid_request")


async def test_a_body_that_does_not_end_is_not_waited_for(client, monkeypatch):
    monkeypatch.setattr(forms, "FORM_SECONDS", 0.05)

    async def endless():
        yield b"grant_type=client"
        await asyncio.Event().wait()

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with asyncio.timeout(60), client.post("/oauth/token", data=endless(), headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "invalid_request")


class Transport:
    def __init__(self, peer, tls=None):
        self.known = {"peername": peer, "sslcontext": tls}

    def get_extra_info(self, name, default=None):
        return self.known.get(name, default)


@pytest.mark.parametrize(
    ("peer", "tls", "taken"),
    [
        (("127.0.0.1", 5), None, True),
        (("127.9.9.9", 5), None, True),
        (("::1", 5, 0, 0), None, True),
        (("::ffff:127.0.0.1", 5, 0, 0), None, True),
        ("", None, True),
        (("10.0.0.9", 5), object(), True),
        (("10.0.0.9", 5), None, False),
        (("::ffff:10.0.0.9", 5, 0, 0), None, False),
        (("fe80::1%eth0", 5, 0, 2), None, False),
        (None, None, False),
    ],
)
def test_secrets_are_taken_over_tls_and_from_this_machine_only(peer, tls, taken):
    forged = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "127.0.0.1",
        "Forwarded": "for=127.0.0.1;proto=https",
    }
    request = make_mocked_request(
        "POST", "/oauth/token", headers=forged, transport=Transport(peer, tls), sslcontext=tls
    )
    if taken:
        forms.refuse_cleartext(request)
    else:
        with pytest.raises(TokenRefused, match="TLS"):
            forms.refuse_cleartext(request)


# Revocation


async def test_who_holds_a_token_may_end_it(client, house):
    token = await minted_root(client)
    child = house.child(token)
    status, body, _ = await asked(client, "/oauth/revoke", token=token, token_type_hint="access_token")
    assert (status, set(body["revoked"])) == (200, {house.token_id(token), house.token_id(child)})
    assert house.lineages.get(house.token_id(child)).revoked_by == "release-pipeline"
    commits = house.store.commits
    for nobodys in ("a.b.c", "an opaque token"):
        status, body, _ = await asked(client, "/oauth/revoke", token=nobodys)
        assert (status, body["revoked"]) == (200, [])
    assert house.store.commits >= commits


async def test_a_parent_may_end_what_is_below_it_by_id_and_nothing_else(client, house):
    root = house.root()
    planner, other = house.child(root, "planner"), house.child(root, "other")
    mover = house.child(planner, "migrator")
    status, body, _ = await asked(
        client, "/oauth/revoke", bearer=planner, token=house.token_id(mover), reason="done"
    )
    assert (status, body["revoked"]) == (200, [house.token_id(mover)])
    link = house.lineages.get(house.token_id(mover))
    assert (link.revoked_by, link.reason) == ("planner", "done")
    foreign = (house.token_id(other), house.token_id(root), "0" * 24)
    answers = [(await asked(client, "/oauth/revoke", bearer=planner, token=each))[:2] for each in foreign]
    assert answers == [(400, answers[0][1])] * 3
    assert house.issuer.verify(other)


async def test_a_root_agent_ends_its_own_tokens_by_id_and_no_others(client, house):
    root = house.root()
    nightly = house.issuer.for_agent("nightly", "another secret altogether").text
    status, body, _ = await asked(client, "/oauth/revoke", auth=ROOT, token=house.token_id(root))
    assert (status, len(body["revoked"])) == (200, 1)
    status, _, _ = await asked(client, "/oauth/revoke", auth=ROOT, token=house.token_id(nightly))
    assert status == 400
    status, _, _ = await asked(
        client, "/oauth/revoke", auth=encode_basic_auth("nightly", "x"), token=house.token_id(nightly)
    )
    assert status == 401
    assert house.issuer.verify(nightly)


async def test_an_operator_ends_any_token_by_id(client, house):
    token = house.root()
    status, body, _ = await asked(client, "/oauth/revoke", bearer=OPERATOR, token=house.token_id(token))
    assert (status, len(body["revoked"])) == (200, 1)
    assert house.lineages.get(house.token_id(token)).revoked_by == "operator"


async def test_an_id_alone_proves_nothing(client, house):
    token = house.root()
    for bearer in (None, "nonsense", "a.b.c"):
        status, body, headers = await asked(
            client, "/oauth/revoke", bearer=bearer, token=house.token_id(token)
        )
        assert (status, body["error"]) == (401, "invalid_token")
        assert headers["WWW-Authenticate"].startswith("Bearer")
    assert house.issuer.verify(token)


async def test_a_revocation_is_heard_before_it_is_answered(client, house):
    heard = []
    house.lineages.on_revoked(heard.append)
    token = house.root()
    await asked(client, "/oauth/revoke", token=token)
    assert heard[0].token_ids == (house.token_id(token),)
    assert house.store.commits == 1


# The rest


async def test_metadata_points_at_what_is_there(client, house):
    house.policy = replace(house.policy, api=ApiPolicy(public_url="https://gate.example/"))
    async with client.get("/.well-known/oauth-authorization-server") as answer:
        metadata = await answer.json()
    assert metadata["issuer"] == "https://gate.example"
    assert metadata["grant_types_supported"] == list(GRANTS)
    for name in ("token_endpoint", "revocation_endpoint", "jwks_uri"):
        path = metadata[name].removeprefix("https://gate.example")
        async with client.request("OPTIONS", path) as answer:
            assert answer.status == 405


async def test_anybody_can_check_a_token_by_the_published_keys(client, house):
    token = house.root()
    async with client.get("/.well-known/jwks.json") as answer:
        jwks = jwt.PyJWKSet.from_dict(await answer.json(content_type=None))
    key = jwks[jwt.get_unverified_header(token)["kid"]]
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    claims = jwt.decode(
        token,
        key,
        algorithms=["EdDSA"],
        audience="countersign",
        issuer="http://127.0.0.1:8480",
        options=options,
    )
    assert claims["sub"] == ADA


async def test_a_minted_pair_stands_for_the_bearer(client, house):
    token = house.child(house.root())
    status, body, headers = await asked(client, "/oauth/minted", bearer=token)
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert house.minted.proves(body["user"], body["password"])
    assert house.minted.claims(body["user"]).agent == "planner"
    for bearer in (None, "nonsense"):
        status, body, _ = await asked(client, "/oauth/minted", bearer=bearer)
        assert (status, body["error"]) == (401, "invalid_token")


async def test_what_cannot_be_certified_leaves_no_pair_behind(client, house):
    """Or a client that tries a few keys would have used up its token's pairs."""
    house.policy = replace(house.policy, targets={"orders": target("orders", protocol="ssh")})
    token = house.root()
    for form in (
        {"connection": "orders", "public_key": "ssh-ed25519 nonsense"},
        {"connection": "shop", "public_key": PUBLIC_KEY},
        {"public_key": PUBLIC_KEY},
    ):
        status, body, _ = await asked(client, "/oauth/minted", bearer=token, **form)
        assert (status, body["error"]) == (400, "invalid_request"), form
    assert not house.store.all("minted")
    form = {"connection": "orders", "public_key": PUBLIC_KEY}
    status, body, _ = await asked(client, "/oauth/minted", bearer=token, **form)
    assert (status, body["user"]) == (200, *house.store.all("minted"))
    assert body["certificate"].startswith("ssh-ed25519-cert-v01")


async def listed(client, token):
    async with client.get("/v1/connections", headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status, await answer.json()


async def test_a_token_is_told_where_its_connections_are_and_of_no_others(client, house):
    house.policy = replace(house.policy, tls=TlsPolicy(certificate="c", key="k"))
    token = house.child(house.root(), scope={"orders": frozenset({R})})
    status, body = await listed(client, token)
    assert status == 200
    assert body["connections"] == [
        {
            "name": "orders",
            "protocol": "postgres",
            "host": "127.0.0.1",
            "port": 15432,
            "database": "shop",
            "tls": True,
            "effects": ["read"],
        }
    ]
    assert (body["agent"], body["person"], body["depth_left"]) == ("planner", ADA, 1)
    assert "db.internal" not in json.dumps(body)


@pytest.mark.parametrize("listen", ["0.0.0.0", "::"])
async def test_a_gateway_that_listens_everywhere_names_an_address_that_is_reachable(client, house, listen):
    house.policy = replace(house.policy, targets={"orders": target("orders", host=listen)})
    token = house.root()
    assert (await listed(client, token))[1]["connections"][0]["host"] == "127.0.0.1"
    house.policy = replace(house.policy, api=ApiPolicy(public_url="https://gate.example"))
    assert (await listed(client, house.root()))[1]["connections"][0]["host"] == "gate.example"


async def test_connections_are_not_listed_for_a_dead_token(client, house):
    token = house.root()
    house.issuer.revoke(token)
    status, body = await listed(client, token)
    assert (status, body["error"]) == (401, "invalid_token")
    assert "revoked" in body["error_description"]


async def test_only_an_operator_rotates_keys(client, house):
    token = house.root()
    status, body, _ = await asked(client, "/v1/keys/rotate", bearer=token)
    assert (status, body["error"]) == (401, "invalid_token")
    before = house.keys.key_id
    status, body, _ = await asked(client, "/v1/keys/rotate", bearer=OPERATOR)
    assert status == 200
    assert before != body["key_id"] == house.keys.key_id
    assert house.issuer.verify(token)


async def test_disowning_ends_every_token_at_once(client, house):
    token = house.root()
    heard = []
    house.lineages.on_revoked(heard.append)
    status, body, _ = await asked(client, "/v1/keys/rotate", bearer=OPERATOR, disown="true")
    assert (status, body["revoked"]) == (200, [*house.lineages.links()])
    with pytest.raises(TokenRefused):
        house.issuer.verify(token)
    assert len(heard) == 1


async def test_a_rotation_keeps_tokens_of_a_longer_max_ttl_alive(client, house):
    token = house.root(ttl=12 * 3600)
    house.policy = replace(house.policy, tokens=replace(house.policy.tokens, max_ttl=60.0))
    await asked(client, "/v1/keys/rotate", bearer=OPERATOR)
    house.now += 11 * 3600
    assert house.issuer.verify(token)


async def test_many_exchanges_at_once_all_hold(client, house):
    parent = await minted_root(client)
    answers = await asyncio.gather(*(asked(client, **exchange(parent, f"child-{n}")) for n in range(20)))
    assert {status for status, _, _ in answers} == {200}
    assert len(house.lineages.subtree(house.token_id(parent))) == 21
