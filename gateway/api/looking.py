"""The routes by which a person looks around: what waits for them, what they asked for, what runs where they are asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from aiohttp import web

from gateway.api.answers import answer
from gateway.api.ports import LineagesPort, SessionsPort
from gateway.api.sight import Sight, groups_in, sight_in
from gateway.approvals import Approvals, NotEligible
from gateway.approvals.electorate import same, standing
from gateway.contract import Approval, GrantView, Home, LineageNode, LineageView, Whoami
from gateway.policy.model import Policy

SETTLED = 10
"""Of a person's own requests that are over."""
NODES = 300
"""Of a lineage tree."""


class Looking:
    """Handlers, each bounded to what the person may see."""

    def __init__(
        self,
        *,
        policy: Callable[[], Policy],
        approvals: Approvals,
        sessions: SessionsPort,
        lineages: LineagesPort,
        grants: Callable[[], Iterable[GrantView]],
    ) -> None:
        self._policy = policy
        self._approvals = approvals
        self._sessions = sessions
        self._lineages = lineages
        self._grants = grants

    def sight(self, request: web.Request) -> Sight:
        """Of the person that a request is for; an operator may leave that out. Raises `BadRequest`."""
        return sight_in(request, self._policy())

    async def whoami(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/whoami?person=&groups=a,b`"""
        return answer(_whoami(self.sight(request)))

    async def home(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/home?person=&groups=a,b`: all of it at once, as of one moment."""
        seen = self.sight(request)
        groups = groups_in(request)
        open_ones = self._approvals.open()
        return answer(
            Home(
                whoami=_whoami(seen),
                votes=tuple(each for each in open_ones if self._waits_for(each, seen.person, groups)),
                requests=(
                    *(each for each in open_ones if _own(each, seen)),
                    *[each for each in reversed(self._approvals.settled()) if _own(each, seen)][:SETTLED],
                ),
                grants=tuple(filter(seen.grant, self._grants())),
                sessions=tuple(filter(seen.session, self._sessions.all())),
                lineages=self._nodes(seen),
            )
        )

    async def lineages(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/lineages?person=&groups=a,b`: every live token that may be seen, parents before children."""
        return answer(self._nodes(self.sight(request)))

    def _waits_for(self, approval: Approval, person: str, groups: Collection[str]) -> bool:
        """Whether a vote of this person would count now."""
        if any(same(vote.person, person) for vote in approval.votes):
            return False
        try:
            standing(self._policy(), approval, person, groups)
        except NotEligible:
            return False
        return True

    def _nodes(self, seen: Sight) -> tuple[LineageNode, ...]:
        links = self._lineages.links()
        sessions = list(filter(seen.session, self._sessions.all()))
        held = list(filter(seen.approval, self._approvals.open()))
        asking = [*(each.lineage for each in sessions), *(each.lineage for each in held)]
        at_work = {actor.token_id for lineage in asking for actor in lineage.chain}
        ids = [
            token_id
            for token_id, link in links.items()
            if seen.everything or same(seen.person, link.person) or token_id in at_work
        ]
        roots = [each for each in ids if links[each].parent not in links]
        ordered = [each for root in roots for each in self._lineages.subtree(root)]
        wanted = set(ids)
        return tuple(
            LineageNode(
                token_id=token_id,
                parent=links[token_id].parent,
                name=links[token_id].name,
                person=links[token_id].person,
                expires_at=links[token_id].expires_at,
                revoked=links[token_id].revoked_at is not None,
                sessions=_asks([each.lineage for each in sessions], token_id),
                held=_asks([each.lineage for each in held], token_id),
            )
            for token_id in ordered
            if token_id in wanted
        )[:NODES]


def _whoami(seen: Sight) -> Whoami:
    return Whoami(
        person=seen.person,
        groups=tuple(sorted(seen.groups)),
        operator=seen.everything,
        connections=tuple(sorted(seen.connections)),
    )


def _own(approval: Approval, seen: Sight) -> bool:
    """A request of theirs, or of an agent that they answer for."""
    asked = approval.elevation.asked_by if approval.elevation is not None else ""
    return any(same(seen.person, each) for each in (asked, approval.lineage.person))


def _asks(lineages: Iterable[LineageView], token_id: str) -> int:
    """How many are asked by that very token."""
    return sum(bool(each.chain) and each.chain[-1].token_id == token_id for each in lineages)
