"""The routes of just-in-time elevation: ask, look, end.

An agent asks with its own token, for itself and what it starts. The bot asks in the name of a person, for an agent
that the person answers for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from gateway.api.access import CALLER, Caller, Credentials, Handler, Unauthorized, may_stop
from gateway.api.answers import BadRequest, answer, body
from gateway.api.deciding import vouched
from gateway.api.forms import bearer
from gateway.approvals import Approvals, HoldRefused, NotEligible, NotFound
from gateway.approvals.electorate import groups_of, same
from gateway.contract import Approval, ElevationRequest, ElevationState, GrantView, RevokeRequest
from gateway.elevations import AgentUnknown, Elevations, Grant, Grants, NotOffered, Wish
from gateway.elevations.asking import REASON, effects_of
from gateway.identity.lineages import Link
from gateway.identity.tokens import Issuer, TokenRefused
from gateway.model import Actor, Lineage
from gateway.policy.model import Policy


class Elevating:
    """Handlers over requests for elevation and the grants that came of them."""

    def __init__(
        self,
        elevations: Elevations,
        grants: Grants,
        approvals: Approvals,
        *,
        issuer: Issuer,
        links: Callable[[], Mapping[str, Link]],
        policy: Callable[[], Policy],
        credentials: Credentials,
    ) -> None:
        self._elevations = elevations
        self._grants = grants
        self._approvals = approvals
        self._issuer = issuer
        self._links = links
        self._policy = policy
        self._credentials = credentials

    def routes(self) -> list[web.RouteDef]:
        people = self._credentials.only(Caller.BOT, Caller.OPERATOR)
        return [
            web.post("/v1/elevations", self._agents_too(self.ask)),
            web.get("/v1/elevations/{id}", self._agents_too(self.state)),
            web.get("/v1/grants", people(self.listed)),
            web.post("/v1/grants/{id}/end", people(self.end)),
        ]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/elevations`: the approval that was opened, or joined."""
        wish = await body(request, ElevationRequest)
        lineage, asked_by = self._who(request, wish)
        try:
            asked = Wish(
                connection=wish.connection,
                effects=effects_of(wish.effects),
                seconds=wish.seconds,
                commands=wish.commands,
                reason=wish.reason.strip(),
            )
        except ValueError:
            raise BadRequest("effects are words of docs/effects.md: read, write, ddl, ...") from None
        if not asked.effects or not asked.reason or len(asked.reason) > REASON:
            raise BadRequest(f"an elevation needs effects, and a reason of at most {REASON} characters")
        if asked.commands is not None and asked.commands < 1:
            raise BadRequest("commands has to be at least 1")
        try:
            return answer(await self._elevations.ask(lineage, asked, asked_by=asked_by))
        except (NotOffered, HoldRefused) as refused:
            raise NotEligible(str(refused)) from None

    async def state(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/elevations/{approval}`: how a request stands."""
        approval = self._approvals.get(request.match_info["id"])
        if approval is None or approval.elevation is None or not self._may_see(request, approval):
            raise NotFound(f"there is no elevation {request.match_info['id'][:64]}")
        grant = self._grants.get(self._elevations.grant_of(approval.id))
        return answer(ElevationState(approval=approval, grant=_view(grant) if grant is not None else None))

    async def listed(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/grants`: those that hold."""
        del request
        return answer([_view(grant) for grant in self._grants.all()])

    async def end(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/grants/{id}/end`: by who asked, who answers for the agent, an approver or an operator."""
        wish = await body(request, RevokeRequest)
        grant = self._grants.get(request.match_info["id"])
        if grant is None:
            raise NotFound(f"no grant {request.match_info['id'][:64]} holds")
        caller = request[CALLER]
        link = self._links().get(grant.token_id)
        person = wish.person.strip()
        if not person:
            raise BadRequest("person has to say who ends it")
        if caller is Caller.BOT and not (
            same(person, grant.asked_by)
            or may_stop(
                self._policy(),
                person,
                vouched(caller, wish.groups),
                accountable=link.person if link is not None else "",
            )
        ):
            raise NotEligible(f"{person} neither asked for this grant nor may end what agents do")
        why = f"{person} ended it" + (f": {wish.reason[:REASON]}" if wish.reason else "")
        self._grants.end(grant.id, why)
        return answer(_view(grant))

    def _agents_too(self, handler: Handler) -> Handler:
        """A handler that the bot, operators and holders of a good token reach."""

        async def checked(request: web.Request) -> web.StreamResponse:
            try:
                request[CALLER] = self._credentials.caller(request)
            except Unauthorized:
                try:
                    request[ASKING] = self._issuer.verify(bearer(request)).lineage
                except TokenRefused as refused:
                    raise Unauthorized(refused.message) from None
            return await handler(request)

        return checked

    def _who(self, request: web.Request, wish: ElevationRequest) -> tuple[Lineage, str]:
        """Whose elevation it would be, and who asks."""
        if ASKING in request:
            lineage = request[ASKING]
            return lineage, lineage.agent
        person = wish.person.strip()
        if not person or not wish.agent:
            raise BadRequest("person and agent have to say who asks, and for which agent")
        try:
            return self._lineage_of(wish.agent, person), person
        except AgentUnknown as unknown:
            raise NotFound(str(unknown)) from None

    def _lineage_of(self, agent: str, person: str) -> Lineage:
        """The chain of a live agent that `person` answers for: by its token's id, or by a name that only one has."""
        links = self._links()
        own = [link for link in links.values() if link.revoked_at is None and same(link.person, person)]
        found = [link for link in own if agent in {link.token_id, link.name}]
        if len(found) != 1:
            names = ", ".join(sorted({link.name for link in own})[:20]) or "none"
            raise AgentUnknown(
                f"{len(found)} live agents of {person} are called {agent[:64]!r}; name one by its token's id"
                if found
                else f"no live agent of {person} is called {agent[:64]!r}; there are: {names}"
            )
        chain: list[Actor] = []
        link: Link | None = found[0]
        while link is not None:
            chain.insert(0, Actor(name=link.name, token_id=link.token_id))
            link = links.get(link.parent) if link.parent else None
        return Lineage(
            person=found[0].person,
            chain=tuple(chain),
            groups=frozenset(groups_of(self._policy(), found[0].person, ())),
        )

    def _may_see(self, request: web.Request, approval: Approval) -> bool:
        """People see all; an agent what was asked for its own chain."""
        if ASKING not in request:
            return True
        asking: Lineage = request[ASKING]
        return approval.lineage.chain[-1].token_id in asking.token_ids


ASKING = web.RequestKey("ASKING", Lineage)
"""Under this key a request says which chain asks."""


def _view(grant: Grant) -> GrantView:
    document = grant.document()
    narrow = document.pop("narrow")
    return GrantView(
        **document | {"effects": tuple(document["effects"])},
        what=narrow["reach"] if narrow is not None else None,
    )
