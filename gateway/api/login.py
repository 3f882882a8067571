"""`/login/{ticket}`: the pages on which a person logs in, and the address to which providers send browsers back.

Looking at a page uses nothing up, since chat programs fetch every link that is posted; going on does, and needs a POST
from the page itself. The browser is known by one cookie, which no other site's request brings along and no script reads.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode, urlsplit

from aiohttp import web

from gateway.api import login_page
from gateway.api.access import Handler
from gateway.api.forms import read_form, refuse_cleartext
from gateway.api.login_style import SOURCE
from gateway.identity.logins import LIFETIME, OVER, LoginRefused, Logins, Started
from gateway.identity.tokens import TokenRefused
from gateway.store import StoreFailed

CONTENT = f"default-src 'none'; style-src {SOURCE}; base-uri 'none'; frame-ancestors 'none'"
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"{CONTENT}; form-action 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With `no-referrer` browsers would send `Origin: null` with the page's own form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
RETURN_BYTES = 384 * 1024
"""The largest form that a provider may have a browser bring back: a SAML answer with hundreds of groups, in Base64."""

_COOKIE = "countersign-login"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")

log = logging.getLogger(__name__)


class LoginPages:
    """The handlers. `base()` is the address of the gateway's pages, as people reach them."""

    def __init__(self, logins: Logins, *, base: Callable[[], str]) -> None:
        self._logins = logins
        self._base = base

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login/{ticket}", showing(self.show)),
            web.post("/login/{ticket}", showing(self.go)),
            web.get("/login/back/{provider}", showing(self.back)),
            web.post("/login/back/{provider}", showing(self.brought)),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """What the login is for, and with which providers it can be done."""
        ticket = request.match_info["ticket"]
        purpose = self._logins.purpose(ticket, self._cookie(request))
        address = f"{self._base()}/login/{quote(ticket, safe='')}"
        return page(
            login_page.choice(purpose.title, purpose.details, self._logins.providers, address=address)
        )

    async def go(self, request: web.Request) -> web.StreamResponse:
        """On to a provider; from here the login is this browser's."""
        refuse_cross_site(request, self._base())
        form = await read_form(request)
        ticket, cookie = request.match_info["ticket"], self._cookie(request)
        purpose = self._logins.purpose(ticket, cookie)
        cookie = cookie or secrets.token_urlsafe(32)
        started = await self._logins.go(ticket, form.get("provider", ""), cookie)
        answer = _away(purpose.title, started)
        answer.set_cookie(
            self._name,
            cookie,
            path="/",
            max_age=int(2 * LIFETIME),
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )
        return answer

    async def back(self, request: web.Request) -> web.StreamResponse:
        """The browser is back from the provider: what the login was for is done."""
        refuse_cleartext(request)
        values = dict(request.query)
        if len(values) != len(request.query):
            raise LoginRefused("The provider's answer says something twice. Begin the login again.")
        provider, state = request.match_info["provider"], values.get("state", "")
        sentence = await self._logins.finish(provider, state, values, self._cookie(request))
        return page(login_page.done("Logged in", sentence))

    async def brought(self, request: web.Request) -> web.StreamResponse:
        """As `back`, from a provider that has the browser POST: what it brought waits for the browser's own request."""
        values = await read_form(request, most=RETURN_BYTES)
        provider = request.match_info["provider"]
        state = values.get("state", "") or values.get("RelayState", "")
        self._logins.came(provider, state, values)
        query = urlencode({"state": state})
        address = f"{self._base()}/login/back/{quote(provider, safe='')}?{query}"
        return web.Response(status=303, headers={**HEADERS, "Location": address})

    @property
    def _secure(self) -> bool:
        return self._base().startswith("https:")

    @property
    def _name(self) -> str:
        # With the prefix no other host of the domain can set it; without TLS browsers refuse the prefix.
        return f"__Host-{_COOKIE}" if self._secure else _COOKIE

    def _cookie(self, request: web.Request) -> str:
        value = request.cookies.get(self._name, "")
        return value if _SHAPE.fullmatch(value) else ""


def showing(handler: Handler) -> Handler:
    """`handler`, what it refuses as a page."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except LoginRefused as refused:
            return page(login_page.refused(str(refused)), status=403)
        except TokenRefused as refused:
            return page(login_page.refused(f"{refused.message}."), status=400)
        except StoreFailed:
            log.exception("the store failed; nobody is logged in")
            sentence = "The gateway cannot keep its state, so it has done nothing. Try again later."
            return page(login_page.refused(sentence), status=503)

    return answer


def page(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=HEADERS)


def _away(title: str, started: Started) -> web.Response:
    """The page that takes the browser to a provider."""
    if not started.form:
        return page(login_page.away(title, started.url))
    answer = page(login_page.sent(title, started.url, started.form))
    there = urlsplit(started.url)
    # A provider may send the browser on to another, and some browsers hold that against the page with the form.
    answer.headers["Content-Security-Policy"] = (
        f"{CONTENT}; script-src {login_page.SENDS_SOURCE}; form-action {there.scheme}://{there.netloc} https:"
    )
    return answer


def refuse_cross_site(request: web.Request, base: str) -> None:
    """Raises `LoginRefused` for a form that another site's page sent."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "same-origin")
    own = urlsplit(base)
    if site != "same-origin" or origin not in {None, f"{own.scheme}://{own.netloc}"}:
        raise LoginRefused(OVER)
