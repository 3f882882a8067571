"""`GET /login/saml/{provider}`: the gateway's SAML metadata, by which an identity provider gets to know it."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from gateway.api.login import showing
from gateway.identity.saml import Saml

CONTENT_TYPE = "application/samlmetadata+xml"


def routes(find: Callable[[str], Saml | None]) -> list[web.RouteDef]:
    """For `gateway.api.app.build`; `find` knows the SAML providers of the policy in force by name."""

    async def metadata(request: web.Request) -> web.StreamResponse:
        provider = find(request.match_info["provider"])
        if provider is None:
            raise web.HTTPNotFound(text="There is no such SAML identity provider.\n")
        return web.Response(body=provider.own_metadata(), content_type=CONTENT_TYPE)

    return [web.get("/login/saml/{provider}", showing(metadata))]
