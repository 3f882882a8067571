from __future__ import annotations

import re

import pytest

from gateway.identity import devices as module
from gateway.identity.devices import INTERVAL, LIFETIME, Devices
from gateway.identity.failures import FAILURES
from gateway.identity.logins import UNDER_WAY, LoginRefused, Proven
from gateway.identity.tokens import TokenRefused
from tests.identity.gateway_app import gateway
from tests.identity.house import ADA, proven, with_people


@pytest.fixture
def house(house):
    return with_people(house)


@pytest.fixture
def devices(house) -> Devices:
    return Devices(house.issuer, house.current, clock=lambda: house.now)


def refused(devices: Devices, code: str) -> str:
    with pytest.raises(TokenRefused) as refusal:
        devices.token(code, origin="10.0.0.7")
    return refusal.value.error


async def logged_in(house, devices: Devices, user_code: str) -> str:
    proven(house, ADA, "dbas")
    said = Proven(person=ADA, groups=frozenset({"dbas"}), provider="okta", at=house.now)
    return await devices.login(user_code).done(said)


async def test_a_terminal_gets_the_token_once(house, devices):
    codes = devices.begin("10.0.0.7")
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes.user)
    assert codes.device not in repr(codes)
    assert refused(devices, codes.device) == "authorization_pending"
    assert await logged_in(house, devices, codes.user) == f"Your terminal is logged in as {ADA}."
    token = devices.token(codes.device, origin="10.0.0.7")
    assert token.claims.chain[0].origin == "10.0.0.7"
    assert refused(devices, codes.device) == "expired_token"


async def test_a_terminal_that_asks_too_often_waits_longer(house, devices):
    codes = devices.begin("10.0.0.7")
    assert refused(devices, codes.device) == "authorization_pending"
    house.now += INTERVAL
    assert refused(devices, codes.device) == "authorization_pending"
    house.now += 1
    assert refused(devices, codes.device) == "slow_down"
    house.now += INTERVAL
    assert refused(devices, codes.device) == "slow_down"
    house.now += 3 * INTERVAL
    assert refused(devices, codes.device) == "authorization_pending"


async def test_a_code_begins_a_few_logins_and_no_more(house, devices):
    codes = devices.begin("10.0.0.7")
    logins = [devices.login(codes.user) for _ in range(module.LOGINS)]
    with pytest.raises(LoginRefused, match="No terminal shows this code"):
        devices.login(codes.user)
    proven(house, ADA, "dbas")
    said = Proven(person=ADA, groups=frozenset(), provider="okta", at=house.now)
    assert await logins[-1].done(said)
    assert module.LOGINS * module.UNDER_WAY < UNDER_WAY


@pytest.mark.parametrize("typed", ["", "AAAA-AAAA", "x" * 4_000, "ＢＤＦＨ", "\u0000", "%"])
def test_a_code_that_no_terminal_shows_is_refused(devices, typed):
    devices.begin("10.0.0.7")
    with pytest.raises(LoginRefused, match="No terminal shows this code"):
        devices.login(typed)


async def test_codes_expire_while_the_login_is_under_way(house, devices):
    codes = devices.begin("10.0.0.7")
    login = devices.login(codes.user.lower().replace("-", " "))
    house.now += LIFETIME
    with pytest.raises(LoginRefused):
        devices.login(codes.user)
    with pytest.raises(LoginRefused, match="no longer waits"):
        await login.done(Proven(person=ADA, groups=frozenset(), provider="okta", at=house.now))
    assert refused(devices, codes.device) == "expired_token"


async def test_of_two_people_with_one_code_the_first_counts(house, devices):
    codes = devices.begin("10.0.0.7")
    second = devices.login(codes.user)
    await logged_in(house, devices, codes.user)
    with pytest.raises(LoginRefused, match="no longer waits"):
        await second.done(
            Proven(person="eve@shop.example", groups=frozenset(), provider="okta", at=house.now)
        )
    assert devices.token(codes.device, origin="").claims.person == ADA


def test_the_page_says_who_asks_for_what(house, devices):
    codes = devices.begin("203.0.113.9", scope={"orders": frozenset({"read"})}, task="urgent!")
    assert devices.login(codes.user).details == (
        ("Code", codes.user),
        ("Asked from", "203.0.113.9"),
        ("It may then do", "orders:read"),
        ("It says", "urgent!"),
    )


def test_logins_under_way_are_bounded(devices, monkeypatch):
    for number in range(module.PER_NETWORK):
        devices.begin(f"2001:db8::{number:x}")
    with pytest.raises(TokenRefused, match="too many"):
        devices.begin("2001:db8::ffff")
    devices.begin("2001:db8:1::1")
    monkeypatch.setattr(module, "UNDER_WAY", module.PER_NETWORK + 1)
    with pytest.raises(TokenRefused, match="too many"):
        devices.begin("2001:db8:2::1")


async def test_guessing_at_codes_is_slow(house):
    async with gateway(house) as served:
        form = {"user_code": "BBBB-BBBB"}
        for _ in range(FAILURES):
            async with served.client.post("/device", data=form) as answer:
                assert answer.status == 403
                assert "No terminal shows this code" in await answer.text()
        async with served.client.post("/oauth/device_authorization", data={}) as answer:
            codes = await answer.json()
        async with served.client.post("/device", data={"user_code": codes["user_code"]}) as answer:
            assert "Too many wrong codes" in await answer.text()
        house.now += 60
        async with served.client.post(
            "/device", data={"user_code": codes["user_code"]}, allow_redirects=False
        ) as answer:
            assert answer.status == 303


async def test_where_there_is_no_provider_no_terminal_waits(house):
    house.policy = type(house.policy)(version="1", targets=house.policy.targets)
    async with gateway(house) as served, served.client.post("/oauth/device_authorization", data={}) as answer:
        assert (await answer.json())["error"] == "unsupported_grant_type"
