from __future__ import annotations

import re
from html import unescape

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from gateway.api.forms import FORM
from gateway.api.login import HEADERS, LoginPages
from gateway.identity.logins import Logins, Proven
from tests.identity.providers import ADA, Noted, Told

NOW = 1_800_000_000.0


async def remember(proven: Proven) -> None:
    assert proven.person == ADA


class Site:
    """The pages on loopback, and a browser that keeps cookies."""

    def __init__(self) -> None:
        self.base = ""
        self.okta = Told(lambda: NOW)
        self.logins = Logins(lambda: {"okta": self.okta}, remember, base=lambda: self.base, clock=lambda: NOW)
        application = web.Application()
        application.add_routes(LoginPages(self.logins, base=lambda: self.base).routes())
        self.server = TestServer(application)
        self.browser = TestClient(self.server)

    async def __aenter__(self) -> Site:
        await self.browser.start_server()
        self.base = str(self.server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *of_error: object) -> None:
        await self.browser.close()

    def begin(self, purpose: Noted) -> str:
        return URL(self.logins.begin(purpose)).path

    async def get(self, path: str) -> tuple[int, str]:
        async with self.browser.get(path, allow_redirects=False) as answer:
            for name, value in HEADERS.items():
                assert answer.headers[name] == value
            return answer.status, await answer.text()

    async def go(self, path: str, **headers: str) -> tuple[int, str, str]:
        async with self.browser.post(path, data={"provider": "okta"}, headers=headers) as answer:
            text = await answer.text()
            found = re.search(r"content='0;url=([^']+)'", text)
            state = URL(unescape(found[1])).query["state"] if found else ""
            return answer.status, text, state


@pytest.fixture
async def site():
    async with Site() as site:
        yield site


async def test_a_person_logs_in_by_the_page(site):
    purpose = Noted(Code="ABCD-EFGH", From="10.0.0.7")
    path = site.begin(purpose)
    status, text = await site.get(path)
    assert status == 200
    assert "<dt>Code</dt><dd>ABCD-EFGH</dd>" in text
    assert "Continue with okta" in text
    status, text, state = await site.go(path)
    assert status == 200
    assert f"https://okta.example/authorize?state={state}" in text
    status, text = await site.get(f"/login/back/okta?state={state}&code=1")
    assert status == 200
    assert f"You are {ADA}." in text
    assert len(purpose.proven) == 1


async def test_looking_uses_nothing_up_and_sets_no_cookie(site):
    path = site.begin(Noted())
    for _ in range(3):
        assert (await site.get(path))[0] == 200
    assert not list(site.browser.session.cookie_jar)
    assert (await site.go(path))[0] == 200


async def test_the_cookie_is_for_this_host_and_no_script(site):
    path = site.begin(Noted())
    async with site.browser.post(path, data={"provider": "okta"}) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert re.fullmatch(
        r"countersign-login=[\w-]{43}; HttpOnly; Max-Age=\d+; Path=/; SameSite=Lax",
        cookie,
    )


async def test_with_tls_the_cookie_is_the_host_s_alone(site):
    path = site.begin(Noted())
    site.base = "https://gate.example"
    async with site.browser.post(path, data={"provider": "okta"}) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-countersign-login=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


async def test_a_return_in_another_browser_does_nothing(site):
    purpose = Noted()
    _, _, state = await site.go(site.begin(purpose))
    async with TestClient(site.server) as other:
        for cookie in ({}, {"countersign-login": "x" * 43}, {"countersign-login": ""}):
            async with other.get(f"/login/back/okta?state={state}", cookies=cookie) as answer:
                assert answer.status == 403
                assert "another browser" in await answer.text()
    assert not purpose.proven


async def test_a_provider_may_have_the_browser_post(site):
    purpose = Noted()
    _, _, state = await site.go(site.begin(purpose))
    jar = site.browser.session.cookie_jar
    cookies = jar.filter_cookies(site.server.make_url("/"))
    jar.clear()  # a POST from another site comes without the cookie
    form = {"RelayState": state, "state": state, "SAMLResponse": "PHNhbWw+"}
    async with site.browser.post("/login/back/okta", data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        address = URL(answer.headers["Location"])
    assert not purpose.proven
    jar.update_cookies(cookies, site.server.make_url("/"))
    status, text = await site.get(str(address.relative()))
    assert status == 200, text
    assert site.okta.brought[0]["SAMLResponse"] == "PHNhbWw+"
    assert len(purpose.proven) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_another_site_cannot_go_on_with_a_login(site, headers):
    path = site.begin(Noted())
    status, _, state = await site.go(path, **headers)
    assert (status, state) == (403, "")
    assert (await site.go(path, Origin=site.base, **{"Sec-Fetch-Site": "same-origin"}))[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/login/nothing", "/login/back/okta", "/login/back/okta?state=x&state=x", "/login/back/none?state=x"],
)
async def test_what_is_no_login_is_one_plain_page(site, path):
    status, text = await site.get(path)
    assert status == 403
    assert "Nothing was done" in text


async def test_what_stands_on_a_page_is_shown_and_nothing_more(site):
    hostile = "<script>alert(1)</script>\u202e'\"&\n"
    path = site.begin(Noted(title=hostile, From=hostile))
    _, text = await site.get(path)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "⟦U+202E⟧&#x27;&quot;&amp;⟦U+000A⟧" in text


async def test_a_form_that_is_none_is_a_page_too(site):
    path = site.begin(Noted())
    for data, kind in ((b"provider=okta&provider=corp", FORM), (b"{}", "application/json")):
        async with site.browser.post(path, data=data, headers={"Content-Type": kind}) as answer:
            assert answer.status == 400
            assert answer.content_type == "text/html"
            assert answer.headers["Cache-Control"] == "no-store"
