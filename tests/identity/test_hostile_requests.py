"""Whatever a request to the pages and endpoints of identities holds, it is answered, and never as the gateway's own fault."""

from __future__ import annotations

import itertools

import pytest
from yarl import URL

from gateway.api.forms import FORM
from gateway.api.grants import DEVICE_CODE, ID_TOKEN, JWT_BEARER, TOKEN_EXCHANGE
from tests.identity.gateway_app import gateway
from tests.identity.house import with_people

WEIRD = (
    *("%00", "%ff%fe", "%ed%a0%80", "..%2f..%2fetc", "%0d%0aSet-Cookie:x=1", "a" * 6_000, "%3Cscript%3E"),
    *("%E2%80%AE", "{}", "'%22", "%25", "%u0041", "%5C", "okta"),
)
BODIES = (
    *(
        b"",
        b"\xff=\xff",
        b"a=1&a=2",
        b"user_code=%ff%fe",
        b"user_code=%00",
        b"provider=%00",
        b"provider=okta",
    ),
    *(b"state=%ed%a0%80", b"RelayState=%00&SAMLResponse=%00", b"x=" + b"y" * 400_000),
)
TOKENS = (
    *(b"", b"%00", b"%ff", b"%ed%a0%80", b"a.b.c", b"." * 3_000, b"e30.e30.e30", b"e30.e30.", b"\xc3\xa9"),
    *(b"bnVsbA.bnVsbA.bnVsbA", b"W10.W10.W10", b"eyJhbGciOiJSUzI1NiJ9.e30.AA"),
)


@pytest.fixture
async def served(house):
    async with gateway(with_people(house)) as served:
        yield served


async def test_hostile_addresses_are_refused_and_break_nothing(served):
    paths = [f"/login/{each}" for each in WEIRD] + [f"/device?user_code={each}" for each in WEIRD]
    paths += [
        f"/login/back/{provider}?state={value}&code={value}"
        for provider, value in itertools.product(("okta", *WEIRD[:5]), WEIRD)
    ]
    for path in paths:
        address = URL(served.address + path, encoded=True)
        async with served.client.session.get(address, allow_redirects=False) as answer:
            text = await answer.text()
            assert answer.status < 500, path
            assert "Set-Cookie" not in answer.headers
            assert "<script" not in text
            assert "\u202e" not in text


@pytest.mark.parametrize("cookie", ["", "x" * 43, "x" * 5_000, '"a"', "a; countersign-login=b", "\xe9"])
async def test_hostile_forms_are_refused_and_break_nothing(served, cookie):
    for path, body in itertools.product(("/login/x", "/login/back/okta", "/device"), BODIES):
        headers = {"Cookie": f"countersign-login={cookie}", "Content-Type": FORM}
        async with served.client.session.post(
            served.address + path, data=body, headers=headers, allow_redirects=False
        ) as answer:
            assert 400 <= answer.status < 500, (path, body[:40])


async def test_hostile_grants_are_refused_in_the_standards_form(served):
    for grant, body in itertools.product((JWT_BEARER, DEVICE_CODE, TOKEN_EXCHANGE), TOKENS):
        data = f"grant_type={grant}&subject_token_type={ID_TOKEN}".encode()
        for name in (b"assertion", b"device_code", b"subject_token"):
            data += b"&" + name + b"=" + body
        async with served.client.session.post(
            served.address + "/oauth/token", data=data, headers={"Content-Type": FORM}
        ) as answer:
            assert answer.status == 400, (grant, body)
            assert set(await answer.json()) == {"error", "error_description"}
