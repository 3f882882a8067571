"""What an OpenID provider may answer, and what of it counts: answers that a good one never gives, too."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest

from gateway.identity.authorities import Authorities
from gateway.identity.fetching import Ask, Unavailable
from gateway.identity.logins import LoginRefused, Proven, Wishes
from gateway.identity.oidc import Oidc
from gateway.policy.identities import OidcProvider
from gateway.policy.model import SecretRef
from tests.identity import forge
from tests.identity.house import ADA

ISSUER = "https://login.example/tenant/"
CLIENT, SECRET = "0oa1", "s3cret %+&"
DECLARED = OidcProvider(
    name="okta",
    issuer=ISSUER,
    client_id=CLIENT,
    client_secret=SecretRef(source="env", name="X"),
    domains=("shop.example",),
)


class Provider:
    """Its endpoints, as far as the gateway asks them itself."""

    def __init__(self, **declared: Any) -> None:
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": "https://login.example/authorize?tenant=a",
            "token_endpoint": "https://login.example/token",
            "userinfo_endpoint": "https://login.example/userinfo",
            "jwks_uri": "https://login.example/jwks",
        }
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.sign = "rsa"
        self.userinfo: dict[str, Any] = {}
        self.answer: dict[str, Any] = {}
        self.asked: list[Ask] = []
        self.nonce = ""
        authorities = Authorities(self, clock=lambda: float(forge.NOW), spawn=asyncio.ensure_future)
        self.oidc = Oidc(
            replace(DECLARED, **declared),
            authorities.of(ISSUER),
            base="https://gate.example",
            clock=lambda: float(forge.NOW),
            secret=lambda ref: SECRET,
        )

    async def __call__(self, ask: Ask) -> dict[str, Any]:
        self.asked.append(ask)
        match urlsplit(ask.url).path:
            case "/tenant/.well-known/openid-configuration":
                return self.metadata
            case "/jwks":
                return forge.published()
            case "/userinfo":
                return {"sub": "00u1", **self.userinfo}
            case "/token":
                claims = {
                    "iss": ISSUER,
                    "aud": CLIENT,
                    "sub": "00u1",
                    "nonce": self.nonce,
                    "email": ADA,
                    "email_verified": True,
                    "groups": ["db-admins"],
                    "repository": None,
                    "ref": None,
                    "nbf": None,
                    **self.claims,
                }
                row = {"claims": claims, "header": self.header, "sign": self.sign}
                return {"id_token": forge.forged(row), "access_token": "at", **self.answer}
        raise Unavailable(ask.url)

    async def login(self, wishes: Wishes | None = None, **values: str) -> Proven:
        started = await self.oidc.start("state", wishes or Wishes())
        self.url = started.url
        self.nonce = parse_qs(urlsplit(started.url).query)["nonce"][0]
        return await self.oidc.finish({"code": "c", "state": "state", **values}, started.kept)

    async def refused(self, wishes: Wishes | None = None, **values: str) -> str:
        with pytest.raises(LoginRefused) as refusal:
            await self.login(wishes, **values)
        return str(refusal.value)


async def test_a_login_proves_person_groups_and_time():
    provider = Provider()
    proven = await provider.login()
    assert proven == Proven(
        person=ADA, groups=frozenset({"db-admins"}), provider="okta", at=float(forge.NOW - 5), acr=""
    )
    query = parse_qs(urlsplit(provider.url).query)
    assert query["tenant"] == ["a"]
    assert query["redirect_uri"] == ["https://gate.example/login/back/okta"]
    (token,) = [ask for ask in provider.asked if ask.form is not None]
    assert token.form["code_verifier"]
    assert "client_secret" not in token.form
    scheme, _, pair = token.authorization.partition(" ")
    assert scheme == "Basic"
    assert SECRET not in repr(token)
    assert [unquote_plus(each) for each in base64.b64decode(pair).decode().split(":")] == [CLIENT, SECRET]
    assert not [ask for ask in provider.asked if "userinfo" in ask.url]


async def test_a_secret_goes_into_the_form_where_the_provider_takes_it_there_alone():
    provider = Provider()
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    await provider.login()
    (token,) = [ask for ask in provider.asked if ask.form is not None]
    assert (token.form["client_secret"], token.authorization) == (SECRET, "")


async def test_a_public_client_has_no_secret():
    provider = Provider(client_secret=None)
    await provider.login()
    (token,) = [ask for ask in provider.asked if ask.form is not None]
    assert (token.form.get("client_secret"), token.authorization) == (None, "")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"azp": CLIENT},
        {"email_verified": "true"},
        {"email": "Ada@Shop.Example"},
        {"groups": "db-admins"},
        {"auth_time": forge.NOW - 5},
    ],
)
async def test_what_good_providers_say_counts(claims):
    provider = Provider()
    provider.claims = claims
    proven = await provider.login()
    assert (proven.person, proven.groups) == (ADA, {"db-admins"})


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": [CLIENT, "other"]},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"azp": "other"},
        {"iss": ISSUER.rstrip("/")},
        {"iss": "https://login.example/other/"},
        {"nonce": None},
        {"nonce": "another"},
        {"nonce": 1},
        {"nonce": ["x"]},
        {"exp": forge.NOW - 100},
        {"iat": forge.NOW - 700},
        {"iat": None},
        {"sub": None},
    ],
)
async def test_an_id_token_of_another_login_does_not_count(claims):
    provider = Provider()
    provider.claims = claims
    assert "not in order" in await provider.refused()


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"email_verified": False}, "has not verified"),
        ({"email_verified": "false"}, "has not verified"),
        ({"email_verified": None}, "has not verified"),
        ({"email_verified": 1}, "has not verified"),
        ({"email": "ada@other.example"}, "may not vouch"),
        ({"email": "ada@shop.example.evil.example"}, "may not vouch"),
        ({"email": "ada@sub.shop.example"}, "may not vouch"),
        ({"email": "ada"}, "no e-mail address"),
        ({"email": "a da@shop.example"}, "no e-mail address"),
        ({"email": "ada@shop.example\n"}, "no e-mail address"),
        ({"email": "\u212ada@shop.example"}, "no e-mail address"),
        ({"email": "x" * 300 + "@shop.example"}, "no e-mail address"),
        ({"email": [ADA, "bob@shop.example"]}, "does not say which"),
        ({"email": {"a": ADA}}, "does not say which"),
        ({"email": ""}, "no e-mail address"),
    ],
)
async def test_who_is_not_plainly_named_is_nobody(claims, says):
    provider = Provider()
    provider.claims = claims
    assert says in await provider.refused()


async def test_an_address_counts_without_a_word_where_policies_yaml_says_so():
    provider = Provider(verified=True)
    provider.claims = {"email_verified": None}
    assert (await provider.login()).person == ADA
    provider.claims = {"email_verified": False}
    assert "has not verified" in await provider.refused()


async def test_other_claims_may_name_the_person_and_the_groups():
    provider = Provider(person="upn", groups="realm_access/roles")
    provider.claims = {"upn": ADA, "email": "other@x.example", "realm_access": {"roles": ["staff"]}}
    proven = await provider.login()
    assert (proven.person, proven.groups) == (ADA, {"staff"})


async def test_what_the_id_token_leaves_out_is_asked_for():
    provider = Provider()
    provider.claims = {"email": None, "email_verified": None, "groups": None}
    provider.userinfo = {"email": ADA, "email_verified": True, "groups": ["staff"]}
    proven = await provider.login()
    assert (proven.person, proven.groups) == (ADA, {"staff"})
    (ask,) = [ask for ask in provider.asked if "userinfo" in ask.url]
    assert ask.authorization == "Bearer at"


@pytest.mark.parametrize(
    ("claims", "userinfo"),
    [
        ({"email": None, "groups": None}, {"sub": "00u2", "email": ADA, "email_verified": True}),
        ({"groups": None, "email_verified": None}, {"email": "eve@shop.example", "email_verified": True}),
    ],
)
async def test_userinfo_of_somebody_else_does_not_count(claims, userinfo):
    provider = Provider()
    provider.claims, provider.userinfo = claims, userinfo
    assert "not in order" in await provider.refused()


async def test_a_fresh_login_has_to_say_when():
    provider = Provider()
    assert "not in order" in await provider.refused(Wishes(max_age=300))
    provider.claims = {"auth_time": forge.NOW - 20, "acr": "mfa"}
    proven = await provider.login(Wishes(max_age=300, acr="mfa"))
    assert (proven.at, proven.acr) == (forge.NOW - 20, "mfa")
    query = parse_qs(urlsplit(provider.url).query)
    assert (query["max_age"], query["acr_values"]) == (["300"], ["mfa"])
    for wrong in ("soon", True, None, []):
        provider.claims = {"auth_time": wrong} if wrong is not None else {}
        assert await provider.refused(Wishes(max_age=300))


@pytest.mark.parametrize(
    "change",
    [
        {"sign": "rsa-other"},
        {"sign": "hmac-pem", "header": {"alg": "HS256", "kid": "rsa"}},
        {"sign": "nothing", "header": {"alg": "none"}},
        {"answer": {"id_token": None}},
        {"answer": {"id_token": 7}},
        {"answer": {"id_token": "x"}},
        {"answer": {"error": "invalid_grant"}},
    ],
)
async def test_an_answer_that_is_not_the_provider_s_own_does_not_count(change):
    provider = Provider()
    for name, value in change.items():
        setattr(provider, name, value)
    assert "not in order" in await provider.refused()


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"])
@pytest.mark.parametrize(
    "address", ["http://login.example/x", "https://127.0.0.1/x", "javascript:alert(1)", 7]
)
async def test_an_endpoint_that_leads_elsewhere_is_not_asked(endpoint, address):
    provider = Provider()
    provider.claims = {"groups": None}
    provider.metadata[endpoint] = address
    assert "cannot be asked" in await provider.refused()
    assert not [ask for ask in provider.asked if ask.url == address]


@pytest.mark.parametrize("values", [{"error": "access_denied"}, {"code": ""}, {"code": "x" * 9_000}])
async def test_a_return_without_a_code_asks_nothing(values):
    provider = Provider()
    assert await provider.refused(**values)
    assert not [ask for ask in provider.asked if ask.form is not None]
