"""Who may talk to the server: the Host header, and the control API's callers.

A page of some other site must not reach the workspace through the visitor's browser. The Host
header has to be an address of ours (against DNS rebinding), and the control API needs either the
control token or a request that the browser says comes from our own page.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_is_ours(header: str, *, port: int, loopback_only: bool) -> bool:
    """Whether a Host header names us: `localhost` or an IP address, with our port.

    A rebinding page can only come by a name of its own, never by an address.
    """
    try:
        split = urlsplit(f"//{header}")
        host, given = split.hostname or "", split.port
    except ValueError:
        return False
    if given != port and not (given is None and port == 80):
        return False
    if is_loopback(host):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not loopback_only


def from_our_page(request: web.Request) -> bool:
    """Whether the browser says that the request comes from our own origin."""
    own = f"{request.scheme}://{request.host}"
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if origin is not None and origin != own:
        return False
    if site is not None:
        return site == "same-origin"
    return origin == own or request.headers.get("Referer", "").startswith(f"{own}/")


def guard(*, control_token: str, loopback_only: bool, port: Callable[[], int]) -> Middleware:
    """The middleware that refuses what has no business here."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not host_is_ours(request.headers.get("Host", ""), port=port(), loopback_only=loopback_only):
            raise web.HTTPMisdirectedRequest(
                text="This Host is not the workspace's; open the printed address."
            )
        if request.path.startswith("/_control") and not from_our_page(request):
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), control_token.encode()):
                raise web.HTTPForbidden(text="The control API needs `Authorization: Bearer CONTROL_TOKEN`.")
        return await handler(request)

    return check


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """The security headers of every answer."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
