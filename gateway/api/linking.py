"""The routes by which Slack users become people: a login is begun for them, and a link can be looked at and ended."""

from __future__ import annotations

import re

from aiohttp import web

from gateway.api.access import CALLER, Caller, Credentials
from gateway.api.answers import BadRequest, answer, body
from gateway.approvals import NotEligible, NotFound
from gateway.contract import LinkOffer, LinkRequest, LinkView, RevokeRequest
from gateway.identity.links import Link, SlackLinks, SlackUser
from gateway.identity.logins import LoginRefused, Logins

_ID = re.compile(r"[UW][A-Z0-9]{1,31}")
_TEAM = re.compile(r"[TE][A-Z0-9]{1,31}")
REASON = 200
NAME = 120
"""Characters of a Slack user's name on the login's page."""


class LinkRoutes:
    """The handlers."""

    def __init__(self, links: SlackLinks, logins: Logins, credentials: Credentials) -> None:
        self._links = links
        self._logins = logins
        self._credentials = credentials

    def routes(self) -> list[web.RouteDef]:
        """For `gateway.api.app.build`."""
        bot = self._credentials.only(Caller.BOT)
        both = self._credentials.only(Caller.BOT, Caller.OPERATOR)
        return [
            web.post("/v1/links", bot(self.begin)),
            web.get("/v1/links", self._credentials.only(Caller.OPERATOR)(self.listed)),
            web.get("/v1/links/{id}", both(self.show)),
            web.post("/v1/links/{id}/end", both(self.end)),
        ]

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/links`: the address at which this Slack user logs in, once; for their eyes only."""
        wish = await body(request, LinkRequest)
        if not _ID.fullmatch(wish.slack_id) or not _TEAM.fullmatch(wish.team):
            raise BadRequest("slack_id and team have to be ids of Slack's")
        user = SlackUser(id=wish.slack_id, team=wish.team, name=wish.name[:NAME], email=wish.email)
        try:
            return answer(LinkOffer(url=self._logins.begin(self._links.login(user))))
        except LoginRefused as refused:
            raise NotEligible(f"{refused}") from None

    async def listed(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/links`: every link, those that are over too."""
        del request
        return answer([self._view(link) for link in self._links.all()])

    async def show(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/links/{slack_id}`"""
        return answer(self._view(self._found(request)))

    async def end(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/links/{slack_id}/end`: the Slack user's own, or anybody's for an operator."""
        wish = await body(request, RevokeRequest)
        link = self._found(request)
        if request[CALLER] is Caller.BOT and wish.person.strip().lower() != link.person:
            raise NotEligible(f"{link.slack_id} is linked to somebody else")
        await self._links.untie(link.slack_id, by=wish.person, reason=wish.reason[:REASON])
        return answer(self._view(link))

    def _found(self, request: web.Request) -> Link:
        link = self._links.of(request.match_info["id"])
        if link is None:
            raise NotFound("this Slack user is not linked to anybody")
        return link

    def _view(self, link: Link) -> LinkView:
        return LinkView(
            slack_id=link.slack_id,
            team=link.team,
            person=link.person,
            provider=link.provider,
            at=link.at,
            ends_at=self._links.ends(link),
            over=self._links.over(link),
        )
