"""Requests of those who hold a token: the API's way to ask whether they may use it."""

from __future__ import annotations

from aiohttp import web

from gateway.api.forms import refuse_cleartext
from gateway.identity.possession import Held, Possession


def held_in(request: web.Request, possession: Possession, *, base: str) -> Held:
    """The token that a request shows, and may use from there; `base` is the gateway's own address.

    Raises `NotHeld`, and `TokenRefused` where the token came in the clear.
    """
    refuse_cleartext(request)
    return possession.held(
        method=request.method,
        url=address_of(request, base),
        headers=request.headers.items(),
        client=request.remote or "",
    )


def address_of(request: web.Request, base: str) -> str:
    """Where a request was meant to go: by what the gateway is called, since anybody may write a `Host`."""
    return base + request.rel_url.raw_path
