"""The routes of just-in-time elevation: ask, look, end.

An agent asks with its own token, for itself and what it starts. The bot asks in the name of a person, for an agent
that the person answers for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from aiohttp import web

from gateway.api.access import CALLER, Caller, Credentials, Handler, Unauthorized, may_stop
from gateway.api.answers import BadRequest, WishRefused, answer, body, whole_number
from gateway.api.deciding import vouched
from gateway.api.holders import held_in
from gateway.api.sight import sight_in
from gateway.approvals import Approvals, HoldRefused, NotEligible, NotFound
from gateway.approvals.electorate import groups_of, same
from gateway.approvals.opening import ask_view
from gateway.changes import WAIT_LONGEST
from gateway.contract import (
    Approval,
    ElevationRequest,
    ElevationState,
    HolderView,
    OfferView,
    RevokeRequest,
)
from gateway.elevations import AgentUnknown, Elevations, Grants, NotOffered, Request, Wish
from gateway.elevations.asking import by_hand
from gateway.elevations.showing import grant_view
from gateway.elevations.wish import REASON, TICKET, effects_of
from gateway.identity.lineages import Link
from gateway.identity.possession import Possession
from gateway.identity.tokens import Issuer
from gateway.model import Actor, Lineage
from gateway.policy.evaluate import held
from gateway.policy.model import Policy, Target
from gateway.policy.offers import Offer


class Elevating:
    """Handlers over requests for elevation and the grants that came of them."""

    def __init__(
        self,
        elevations: Elevations,
        grants: Grants,
        approvals: Approvals,
        *,
        issuer: Issuer,
        possession: Possession,
        links: Callable[[], Mapping[str, Link]],
        policy: Callable[[], Policy],
        credentials: Credentials,
        clock: Callable[[], float],
    ) -> None:
        self._elevations = elevations
        self._grants = grants
        self._approvals = approvals
        self._issuer = issuer
        self._possession = possession
        self._links = links
        self._policy = policy
        self._credentials = credentials
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        people = self._credentials.only(Caller.BOT, Caller.OPERATOR)
        return [
            web.post("/v1/elevations", self._agents_too(self.ask)),
            web.get("/v1/elevations", people(self.offered)),
            web.get("/v1/elevations/{id}", self._agents_too(self.state)),
            web.get("/v1/grants", people(self.listed)),
            web.post("/v1/grants/{id}/end", people(self.end)),
        ]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/elevations`: the approval that was opened, or joined; `?wait=SECONDS` for what becomes of it."""
        asked = await body(request, ElevationRequest)
        lineage, asked_by = self._who(request, asked)
        try:
            wish = Wish(
                connection=asked.connection,
                effects=effects_of(asked.effects),
                seconds=asked.seconds,
                commands=asked.commands,
                rows=asked.rows,
                template=asked.template,
                ticket=asked.ticket.strip(),
                extends=asked.extends,
                reason=asked.reason.strip(),
            )
        except ValueError:
            raise WishRefused(
                "effects are words of docs/effects.md: read, write, ddl, ...", field="effects"
            ) from None
        for field, wrong in _wrong(wish):
            raise WishRefused(wrong, field=field)
        wait = whole_number(request, "wait", default=0, most=int(WAIT_LONGEST))
        try:
            approval = await self._elevations.ask(Request(lineage=lineage, wish=wish, asked_by=asked_by))
        except NotOffered as refused:
            raise WishRefused(str(refused), field=refused.field) from None
        except HoldRefused as refused:
            raise WishRefused(str(refused)) from None
        await self._elevations.settled(approval.id, wait=wait)
        return answer(self._approvals.get(approval.id) or approval)

    async def offered(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/elevations?person=&groups=`: what this person may ask for now, by hand or for their agents."""
        person = request.query.get("person", "").strip()
        if not person:
            raise BadRequest("person has to say whose offers are meant")
        vouched_groups = vouched(request[CALLER], tuple(request.query.get("groups", "").split(",")))
        found: dict[tuple[str, str], tuple[Offer, bool, list[HolderView]]] = {}
        for offer, connection in self._elevations.offers(self._hands(person, vouched_groups)):
            found[offer.name, connection] = (offer, True, [])
        for link in self._links().values():
            if link.revoked_at is not None or not same(link.person, person):
                continue
            for offer, connection in self._elevations.offers(self._chain(link)):
                _, _, holders = found.setdefault((offer.name, connection), (offer, False, []))
                holders.append(HolderView(token_id=link.token_id, name=link.name))
        policy = self._policy()
        return answer(
            [
                _offer_view(offer, policy.targets[connection], by_hand=by_hand, holders=tuple(holders))
                for (_, connection), (offer, by_hand, holders) in found.items()
            ]
        )

    async def state(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/elevations/{approval}?wait=SECONDS`: how a request stands."""
        approval_id = request.match_info["id"]
        approval = self._approvals.get(approval_id)
        if approval is None or approval.elevation is None or not self._may_see(request, approval):
            raise NotFound(f"there is no elevation {approval_id[:64]}")
        wait = whole_number(request, "wait", default=0, most=int(WAIT_LONGEST))
        await self._elevations.settled(approval_id, wait=wait)
        approval = self._approvals.get(approval_id) or approval
        grant = self._grants.get(self._elevations.grant_of(approval.id))
        return answer(
            ElevationState(approval=approval, grant=grant_view(grant) if grant is not None else None)
        )

    async def listed(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/grants?person=&groups=a,b`: those that hold and that this person may see."""
        seen = sight_in(request, self._policy())
        return answer([view for grant in self._grants.all() if seen.grant(view := grant_view(grant))])

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
            or same(person, grant.person)
            or may_stop(
                self._policy(),
                person,
                vouched(caller, wish.groups),
                accountable=link.person if link is not None else "",
            )
        ):
            raise NotEligible(f"{person} neither asked for this grant nor may end what agents do")
        why = f"{person} ended it" + (f": {wish.reason[:REASON]}" if wish.reason else "")
        await self._grants.end(grant.id, why)
        return answer(grant_view(grant, ended_at=self._clock(), ended=why))

    def _agents_too(self, handler: Handler) -> Handler:
        """A handler that the bot, operators and holders of a good token reach."""

        async def checked(request: web.Request) -> web.StreamResponse:
            try:
                request[CALLER] = self._credentials.caller(request)
            except Unauthorized:
                holder = held_in(request, self._possession, base=self._issuer.name)
                request[ASKING] = holder.claims.lineage
            return await handler(request)

        return checked

    def _who(self, request: web.Request, wish: ElevationRequest) -> tuple[Lineage, str]:
        """Whose elevation it would be, and who asks."""
        if ASKING in request:
            lineage = request[ASKING]
            return lineage, lineage.agent
        person = wish.person.strip()
        if not person:
            raise BadRequest("person has to say who asks")
        if not wish.agent and request[CALLER] is not Caller.BOT:
            raise WishRefused(
                "name the agent; what a person does by hand, that person asks for in Slack", field="agent"
            )
        if not wish.agent:
            return self._hands(person, vouched(request[CALLER], wish.groups)), person.lower()
        try:
            return self._lineage_of(wish.agent, person), person
        except AgentUnknown as unknown:
            raise WishRefused(str(unknown), field="agent") from None

    def _hands(self, person: str, groups: Collection[str]) -> Lineage:
        return by_hand(person.lower(), groups_of(self._policy(), person, groups))

    def _lineage_of(self, agent: str, person: str) -> Lineage:
        """The chain of a live agent that `person` answers for: by its token's id, or by a name that only one has."""
        own = [
            link for link in self._links().values() if link.revoked_at is None and same(link.person, person)
        ]
        found = [link for link in own if agent in {link.token_id, link.name}]
        if len(found) != 1:
            names = ", ".join(sorted({link.name for link in own})[:20]) or "none"
            raise AgentUnknown(
                f"{len(found)} live agents of {person} are called {agent[:64]!r}; name one by its token's id"
                if found
                else f"no live agent of {person} is called {agent[:64]!r}; there are: {names}"
            )
        return self._chain(found[0])

    def _chain(self, holder: Link) -> Lineage:
        links = self._links()
        chain: list[Actor] = []
        link: Link | None = holder
        while link is not None:
            chain.insert(0, Actor(name=link.name, token_id=link.token_id))
            link = links.get(link.parent) if link.parent else None
        return Lineage(
            person=holder.person,
            chain=tuple(chain),
            groups=frozenset(groups_of(self._policy(), holder.person, ())),
        )

    def _may_see(self, request: web.Request, approval: Approval) -> bool:
        """People see all; an agent what was asked for its own chain."""
        if ASKING not in request:
            return True
        asking: Lineage = request[ASKING]
        return approval.lineage.chain[-1].token_id in asking.token_ids


ASKING = web.RequestKey("ASKING", Lineage)
"""Under this key a request says which chain asks."""


def _wrong(wish: Wish) -> Iterator[tuple[str, str]]:
    """The fields of a wish that nobody could grant, and how to mend each."""
    if not wish.effects:
        yield "effects", "choose at least one effect"
    if not wish.reason:
        yield "reason", "say why: approvers read it"
    if len(wish.reason) > REASON:
        yield (
            "reason",
            f"a reason has at most {REASON} characters, and this one {len(wish.reason)}: shorten it",
        )
    if len(wish.ticket) > TICKET:
        yield "ticket", f"a ticket has at most {TICKET} characters: name it, and tell the rest in the reason"
    for field, value in (("commands", wish.commands), ("rows", wish.rows)):
        if value is not None and value < 1:
            yield field, f"{field} have to be at least 1; leave it out for all that is offered"


def _offer_view(offer: Offer, target: Target, *, by_hand: bool, holders: tuple[HolderView, ...]) -> OfferView:
    return OfferView(
        template=offer.name,
        connection=target.connection.name,
        protocol=target.connection.protocol,
        effects=tuple(sorted(offer.effects)),
        longest=offer.longest,
        commands=offer.commands,
        rows=offer.rows,
        resources=offer.resources.patterns if offer.resources is not None else (),
        ticket=offer.ticket,
        by_hand=by_hand,
        holders=holders,
        asks=tuple(map(ask_view, held([(offer.name, offer.hold)]).asks)),
        message=offer.hold.message,
        break_glass=offer.break_glass is not None,
    )
