"""Holders of tokens at the routes of elevation, beside the bot and operators: an agent, or a person by their own login."""

from __future__ import annotations

from aiohttp import web

from gateway.api.access import CALLER, Credentials, Handler, Unauthorized
from gateway.api.holders import held_in
from gateway.approvals import NotEligible, NotFound
from gateway.approvals.electorate import same
from gateway.elevations import Grant, Grants
from gateway.identity.people import is_person
from gateway.identity.possession import Possession
from gateway.identity.tokens import Issuer
from gateway.model import Lineage

ASKING = web.RequestKey("ASKING", Lineage)
"""Under this key a request says which chain asks, where a token came with it."""


class Askers:
    """Lets those who hold a token reach a handler, too."""

    def __init__(self, credentials: Credentials, possession: Possession, issuer: Issuer) -> None:
        self._credentials = credentials
        self._possession = possession
        self._issuer = issuer

    def too(self, handler: Handler) -> Handler:
        """A handler that the bot, operators and holders of a good token reach."""

        async def checked(request: web.Request) -> web.StreamResponse:
            try:
                request[CALLER] = self._credentials.caller(request)
            except Unauthorized:
                request[ASKING] = held_in(request, self._possession, base=self._issuer.name).claims.lineage
            return await handler(request)

        return checked


def person_in(request: web.Request, named: str) -> str:
    """The person who acts: whose login it is, or whom the bot or an operator names; "" for nobody.

    Raises `NotEligible` where an agent, or another person's login, speaks for that one.
    """
    if ASKING not in request:
        return named.strip()
    own = login_of(request[ASKING])
    if not own:
        raise NotEligible("people do that: log in with `countersign login`, or use Slack")
    if named.strip() and not same(named, own):
        raise NotEligible(f"this is the login of {own}, who acts for nobody else")
    return own


def live_grant(request: web.Request, grants: Grants) -> Grant:
    """The grant that the path names. Raises `NotFound`."""
    grant_id = request.match_info["id"]
    grant = grants.get(grant_id)
    if grant is None:
        raise NotFound(f"there is no live grant {grant_id[:64]}")
    return grant


def login_of(lineage: Lineage) -> str:
    """The person whose own login a chain is, with no agent in it; "" for every other."""
    [first, *more] = lineage.chain
    return first.name if not more and first.name == lineage.person and is_person(first.name) else ""
