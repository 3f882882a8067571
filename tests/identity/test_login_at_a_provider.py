"""People log in at an OpenID provider that others wrote, by the pages and the device flow, over real HTTP."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from gateway.api.grants import DEVICE_CODE
from gateway.identity.logins import Proven, Wishes
from gateway.policy.identities import IdentityPolicy, OidcProvider, PeopleGrant
from gateway.policy.model import ApiPolicy, SecretRef
from tests.identity.browser import Browser
from tests.identity.gateway_app import Served, gateway
from tests.identity.house import ADA, BOB, D, R, W
from tests.identity.idp import CLIENT, SECRET, identity_provider
from tests.identity.providers import Noted

OKTA = OidcProvider(
    name="okta",
    issuer="",
    client_id=CLIENT,
    client_secret=SecretRef(source="env", name="TEST_OKTA_SECRET"),
    scopes=("email", "groups"),
)


class Street:
    """A gateway, the provider it trusts, and a browser."""

    def __init__(self, house, served: Served, issuer: str, browser: Browser) -> None:
        self.house = house
        self.served = served
        self.issuer = issuer
        self.browser = browser

    def trust(self, **changes) -> None:
        declared = replace(OKTA, issuer=self.issuer, **changes)
        self.house.policy = replace(
            self.house.policy,
            api=ApiPolicy(public_url=self.served.address),
            identity=IdentityPolicy(
                providers={"okta": declared},
                people=(
                    PeopleGrant(name="everybody", scope={"shop": frozenset({R})}),
                    PeopleGrant(
                        name="dbas",
                        groups=("dba",),
                        scope={"orders": frozenset({R, W, D})},
                        max_depth=2,
                        ttl=7_200,
                    ),
                ),
            ),
            groups={
                "dba": replace(self.house.policy.groups["dba"], members=(), claim=("db-admins",)),
                "security": self.house.policy.groups["security"],
            },
        )

    async def go(self, noted: Noted, name: str) -> str:
        """The page at the end of a login for a purpose."""
        await self.browser.get(self.served.identities.logins.begin(noted))
        assert self.browser.status == 200
        await self.browser.send(provider="okta")
        await self.browser.on()
        await self.browser.log_in(name)
        return self.browser.text

    async def ask(self, path: str, **form: str):
        async with self.served.client.post(path, data=form) as answer:
            return answer.status, await answer.json()

    async def poll(self, device_code: str):
        return await self.ask("/oauth/token", grant_type=DEVICE_CODE, device_code=device_code)


@pytest.fixture
async def street(house, monkeypatch):
    monkeypatch.setenv("TEST_OKTA_SECRET", SECRET)
    house.now = time.time()
    async with gateway(house) as served:
        redirect = f"{served.address}/login/back/okta"
        async with identity_provider(redirect) as issuer, Browser() as browser:
            street = Street(house, served, issuer, browser)
            street.trust()
            yield street


async def test_a_person_logs_in_and_their_groups_are_remembered(street):
    noted = Noted(From="10.0.0.7")
    assert f"You are {ADA}." in await street.go(noted, "ada")
    (proven,) = noted.proven
    assert proven == Proven(
        person=ADA,
        groups=frozenset({"db-admins", "staff"}),
        provider="okta",
        at=proven.at,
        acr=proven.acr,
    )
    assert abs(proven.at - time.time()) < 30
    assert ADA in street.house.current().groups["dba"].members
    assert not street.house.policy.groups["dba"].members


async def test_the_request_asks_for_a_code_by_proof_key_and_says_nothing_else(street):
    await street.go(Noted(), "ada")
    (asked,) = [each for each in street.browser.passed if "/auth?" in each]
    for part in ("response_type=code", "code_challenge_method=S256", "nonce=", "state=", "scope=openid"):
        assert part in asked
    assert "secret" not in asked


async def test_a_terminal_is_logged_in(street):
    status, codes = await street.ask(
        "/oauth/device_authorization", scope="orders:read shop:read", task="psql"
    )
    assert status == 200
    assert (await street.poll(codes["device_code"]))[1]["error"] == "authorization_pending"
    await street.browser.get(codes["verification_uri"])
    await street.browser.send(user_code=codes["user_code"].lower().replace("-", " "))
    assert "psql" in street.browser.text
    assert codes["user_code"] in street.browser.text
    await street.browser.send(provider="okta")
    await street.browser.on()
    await street.browser.log_in("ada")
    assert f"Your terminal is logged in as {ADA}." in street.browser.text
    status, body = await street.poll(codes["device_code"])
    assert status == 200, body
    claims = street.house.issuer.verify(body["access_token"])
    assert (claims.person, claims.agent, claims.groups) == (ADA, ADA, {"dba"})
    assert claims.scope == {"orders": {R}, "shop": {R}}
    assert body["expires_in"] == 7_200
    child = street.house.child(body["access_token"], scope={"orders": frozenset({R})})
    assert street.house.issuer.verify(child).lineage.person == ADA
    assert (await street.poll(codes["device_code"]))[1]["error"] == "expired_token"
    assert codes["device_code"] not in street.browser.text + "".join(street.browser.passed)


async def test_who_is_granted_nothing_is_told_and_the_terminal_too(street):
    _, codes = await street.ask("/oauth/device_authorization")
    street.house.policy = replace(
        street.house.policy, identity=replace(street.house.policy.identity, people=())
    )
    await street.browser.get(codes["verification_uri_complete"])
    await street.browser.send()
    await street.browser.send(provider="okta")
    await street.browser.on()
    await street.browser.log_in("bob")
    assert street.browser.status == 403
    assert f"You are {BOB}, but" in street.browser.text
    assert (await street.poll(codes["device_code"]))[1]["error"] == "access_denied"


async def test_the_provider_s_word_has_an_end_and_the_next_login_replaces_it(street):
    await street.go(Noted(), "ada")
    token = street.house.issuer.for_person(ADA).text
    street.house.now += 12 * 3_600 - 60
    assert street.house.admission.admit(
        "shop", user="x", secret=street.house.issuer.for_person(ADA).text, client=""
    )
    street.house.now += 60
    assert ADA not in street.house.current().groups["dba"].members
    with pytest.raises(Exception, match="expired"):
        street.house.issuer.verify(token)
    with pytest.raises(Exception, match="grants nothing"):
        street.house.issuer.for_person(ADA)


async def test_an_address_that_nobody_has_verified_is_nobody_s(street):
    noted = Noted()
    assert "has not verified your e-mail address" in await street.go(noted, "eve")
    assert not noted.proven


async def test_a_provider_may_not_vouch_for_another_s_people(street):
    street.trust(domains=("other.example",))
    noted = Noted()
    assert "may not vouch for addresses of your domain" in await street.go(noted, "ada")
    assert not noted.proven


async def test_a_login_that_has_to_be_fresh_asks_again(street):
    await street.go(Noted(), "ada")
    before = len(street.browser.passed)
    silent = Noted()
    await street.go(silent, "ada")
    assert not [each for each in street.browser.passed[before:] if "/interaction/" in each]
    asked_again = Noted(Wishes(max_age=0))
    before = len(street.browser.passed)
    await street.go(asked_again, "ada")
    assert [each for each in street.browser.passed[before:] if "/interaction/" in each]
    assert asked_again.proven[0].at >= silent.proven[0].at


async def test_a_login_that_is_not_strong_enough_does_not_count(street):
    noted = Noted(Wishes(acr="mfa"))
    assert "not as strongly" in await street.go(noted, "ada")
    assert not noted.proven


async def test_a_wrong_client_secret_lets_nobody_in_and_is_shown_to_nobody(street, monkeypatch, caplog):
    monkeypatch.setitem(os.environ, "TEST_OKTA_SECRET", "an old secret")
    noted = Noted()
    text = await street.go(noted, "ada")
    assert street.browser.status == 403
    assert not noted.proven
    assert "an old secret" not in text + caplog.text


async def test_a_return_counts_once_and_in_one_browser(street):
    noted = Noted()
    await street.go(noted, "ada")
    back = street.browser.address
    assert "/login/back/okta?" in back
    await street.browser.get(back)
    assert street.browser.status == 403
    async with Browser() as other:
        await other.get(back)
        assert other.status == 403
    assert len(noted.proven) == 1


async def test_a_code_of_another_login_is_of_no_use(street):
    """Somebody's code, put into the end of a login that the victim's browser began."""
    noted = Noted()
    await street.go(Noted(), "ada")
    code = street.browser.address.partition("code=")[2].partition("&")[0]
    async with Browser() as victim:
        await victim.get(street.served.identities.logins.begin(noted))
        await victim.send(provider="okta")
        state = victim.text.partition("state=")[2].partition("&")[0]
        await victim.get(
            f"{street.served.address}/login/back/okta?code={code}&state={state}&iss={street.issuer}"
        )
        assert victim.status == 403
    assert not noted.proven


async def test_an_answer_from_another_provider_does_not_count(street):
    noted = Noted()
    await street.browser.get(street.served.identities.logins.begin(noted))
    await street.browser.send(provider="okta")
    state = street.browser.text.partition("state=")[2].partition("&")[0]
    for iss in ("", "&iss=https://evil.example", f"&iss={street.issuer}/"):
        await street.browser.get(f"{street.served.address}/login/back/okta?code=x&state={state}{iss}")
        assert street.browser.status == 403
    assert not noted.proven


async def test_a_provider_that_is_gone_is_a_sentence(street):
    street.trust(ca="/nowhere.pem")  # another authority, of which nothing is known yet
    await street.browser.get(street.served.identities.logins.begin(Noted()))
    await street.browser.send(provider="okta")
    assert street.browser.status == 403
    assert "okta cannot be asked at the moment" in street.browser.text


async def test_a_restart_ends_logins_under_way_and_keeps_who_was_proven(street):
    await street.go(Noted(), "ada")
    token = street.house.issuer.for_person(ADA).text
    unfinished = Noted()
    await street.browser.get(street.served.identities.logins.begin(unfinished))
    await street.browser.send(provider="okta")
    url = street.browser.text
    street.house.restart()
    await street.served.restart()
    assert street.house.issuer.verify(token).person == ADA
    street.browser.text = url
    await street.browser.on()
    await street.browser.log_in("ada")
    assert street.browser.status == 403
    assert not unfinished.proven
