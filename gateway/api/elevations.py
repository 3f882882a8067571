"""The routes of just-in-time elevation: ask, look, end.

An agent asks with its own token, for itself and what it starts. A person asks with the token of their login, or through
the bot: by hand for themselves, or for an agent that they answer for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from aiohttp import web

from gateway.api.access import CALLER, Caller, may_stop
from gateway.api.answers import BadRequest, WishRefused, answer, body, whole_number
from gateway.api.asking import ASKING, Askers, live_grant, login_of, person_in
from gateway.api.deciding import vouched
from gateway.api.sight import sight, sight_in
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
from gateway.model import Actor, Lineage
from gateway.policy.evaluate import held
from gateway.policy.model import Policy, Target
from gateway.policy.offers import BY_HAND, Offer


class Elevating:
    """Handlers over requests for elevation and the grants that came of them."""

    def __init__(
        self,
        elevations: Elevations,
        grants: Grants,
        approvals: Approvals,
        *,
        askers: Askers,
        links: Callable[[], Mapping[str, Link]],
        policy: Callable[[], Policy],
        clock: Callable[[], float],
    ) -> None:
        self._elevations = elevations
        self._grants = grants
        self._approvals = approvals
        self._askers = askers
        self._links = links
        self._policy = policy
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/elevations", self._askers.too(self.ask)),
            web.get("/v1/elevations", self._askers.too(self.offered)),
            web.get("/v1/elevations/{id}", self._askers.too(self.state)),
            web.get("/v1/grants", self._askers.too(self.listed)),
            web.post("/v1/grants/{id}/end", self._askers.too(self.end)),
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
        """`GET /v1/elevations?person=&groups=`: what this person may ask for now, by hand or for their agents.

        With an agent's token: what that agent may ask for.
        """
        found: dict[tuple[str, str], tuple[Offer, bool, list[HolderView]]] = {}
        for lineage in self._asking(request):
            by_hand = lineage.agent == BY_HAND
            for offer, connection in self._elevations.offers(lineage):
                _, _, holders = found.setdefault((offer.name, connection), (offer, by_hand, []))
                if not by_hand:
                    holders.append(HolderView(token_id=lineage.token_ids[-1], name=lineage.agent))
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
        """`GET /v1/grants?person=&groups=a,b`: those that hold and that this person, or this agent's chain, may see."""
        views = [grant_view(grant) for grant in self._grants.all()]
        if ASKING in request and not login_of(request[ASKING]):
            return answer([each for each in views if each.token_id in request[ASKING].token_ids])
        return answer(list(filter(sight_in(request, self._policy()).grant, views)))

    async def end(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/grants/{id}/end`: by who asked, who answers for the agent, an approver or an operator."""
        wish = await body(request, RevokeRequest)
        person = person_in(request, wish.person)
        if not person:
            raise BadRequest("person has to say who ends it")
        grant = live_grant(request, self._grants)
        link = self._links().get(grant.token_id)
        if not _is_operator(request) and not (
            same(person, grant.asked_by)
            or same(person, grant.person)
            or may_stop(
                self._policy(),
                person,
                self._vouched(request, wish.groups),
                accountable=link.person if link is not None else "",
            )
        ):
            raise NotEligible(f"{person} neither asked for this grant nor may end what agents do")
        why = f"{person} ended it" + (f": {wish.reason[:REASON]}" if wish.reason else "")
        await self._grants.end(grant.id, why)
        return answer(grant_view(grant, ended_at=self._clock(), ended=why))

    def _who(self, request: web.Request, wish: ElevationRequest) -> tuple[Lineage, str]:
        """Whose elevation it would be, and who asks."""
        if ASKING in request and not login_of(request[ASKING]):
            lineage = request[ASKING]
            return lineage, lineage.agent
        person = person_in(request, wish.person)
        if not person:
            raise BadRequest("person has to say who asks")
        if not wish.agent and _is_operator(request):
            raise WishRefused(
                "name the agent; what people do by hand, they ask for in Slack or logged in by `countersign login`",
                field="agent",
            )
        if not wish.agent:
            return self._hands(person, self._vouched(request, wish.groups)), person.lower()
        try:
            return self._lineage_of(wish.agent, person), person
        except AgentUnknown as unknown:
            raise WishRefused(str(unknown), field="agent") from None

    def _asking(self, request: web.Request) -> Iterator[Lineage]:
        """Every chain that could ask: a person's hands first, then each of their agents; or the agent itself."""
        if ASKING in request and not login_of(request[ASKING]):
            yield request[ASKING]
            return
        person = person_in(request, request.query.get("person", ""))
        if not person:
            raise BadRequest("person has to say whose offers are meant")
        yield self._hands(person, self._vouched(request, tuple(request.query.get("groups", "").split(","))))
        yield from map(self._chain, self._agents_of(person))

    def _hands(self, person: str, groups: Collection[str]) -> Lineage:
        return by_hand(person.lower(), groups_of(self._policy(), person, groups))

    def _lineage_of(self, agent: str, person: str) -> Lineage:
        """The chain of a live agent that `person` answers for: by its token's id, or by a name that only one has."""
        own = self._agents_of(person)
        found = [link for link in own if agent in {link.token_id, link.name}]
        if len(found) != 1:
            names = ", ".join(sorted({link.name for link in own})[:20]) or "none"
            raise AgentUnknown(
                f"{len(found)} live agents of {person} are called {agent[:64]!r}; name one by its token's id"
                if found
                else f"no live agent of {person} is called {agent[:64]!r}; there are: {names}"
            )
        return self._chain(found[0])

    def _agents_of(self, person: str) -> list[Link]:
        """The live agents that a person answers for; their own login and hands are none."""
        return [
            link
            for link in self._links().values()
            if link.revoked_at is None
            and same(link.person, person)
            and link.name not in {BY_HAND, link.person}
        ]

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
        """The bot and operators see all; who is logged in what they may see; an agent what was asked for its own chain."""
        if ASKING not in request:
            return True
        asking: Lineage = request[ASKING]
        if person := login_of(asking):
            return sight(self._policy(), person, ()).approval(approval)
        return approval.lineage.chain[-1].token_id in asking.token_ids

    def _vouched(self, request: web.Request, groups: tuple[str, ...]) -> frozenset[str]:
        """Who is logged in vouches for nothing: the gateway knows what their identity provider said."""
        return frozenset() if ASKING in request else vouched(request[CALLER], groups)


def _is_operator(request: web.Request) -> bool:
    return ASKING not in request and request[CALLER] is Caller.OPERATOR


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
