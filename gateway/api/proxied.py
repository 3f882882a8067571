"""Who asks, where a proxy stands in between: the proxy says it, if policies.yaml names the proxy, and nobody else does.

Where tokens were used first, who fails too often and where a terminal is that wants to be logged in all go by an
address; behind a proxy that is not named, all who ask have the proxy's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.api.access import Handler

FORWARDED = "X-Forwarded-For"
HOPS = 20


def behind(proxies: Callable[[], Collection[str]]) -> Middleware:
    """`proxies()` are the addresses of those that may say for whom they ask."""

    @web.middleware
    async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
        named = proxies()
        if request.remote not in named:
            return await handler(request)
        told = ",".join(request.headers.getall(FORWARDED, ()))
        return await handler(request.clone(remote=client_of(told, named) or request.remote or ""))

    return told


def client_of(told: str, proxies: Collection[str]) -> str:
    """The last address of the header that is not a proxy's: each proxy adds whom it saw, and only those are believed.

    "" where the header does not plainly name one.
    """
    for hop in reversed(told.split(",")[-HOPS:]):
        try:
            address = str(ipaddress.ip_address(hop.strip()))
        except ValueError:
            return ""
        if address not in proxies:
            return address
    return ""
