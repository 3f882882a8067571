"""What one person may see: what they answer for, and what happens where they would be asked.

An approver sees the connections on which some rule, the default or an elevation asks a group of theirs; operators see
everything; whoever is accountable for a chain sees that chain. Everybody else sees nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from aiohttp import web

from gateway.api.access import CALLER, Caller
from gateway.api.answers import BadRequest
from gateway.api.asking import ASKING, person_in
from gateway.api.deciding import vouched
from gateway.approvals.electorate import groups_of, same
from gateway.approvals.table import ANYBODY
from gateway.contract import Approval, GrantView, LineageView, SessionView
from gateway.model import Connection, StepKind
from gateway.policy.coverage import reaches
from gateway.policy.model import Holding, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Of one person, by the policy in force."""

    person: str
    groups: frozenset[str]
    everything: bool
    connections: frozenset[str]
    """Where this person may be asked."""

    def lineage(self, lineage: LineageView, connection: str) -> bool:
        return self.everything or same(self.person, lineage.person) or connection in self.connections

    def session(self, session: SessionView) -> bool:
        return self.lineage(session.lineage, session.connection)

    def approval(self, approval: Approval) -> bool:
        asked = approval.elevation.asked_by if approval.elevation is not None else ""
        return same(self.person, asked) or self.lineage(approval.lineage, approval.connection)

    def grant(self, grant: GrantView) -> bool:
        return (
            self.everything
            or any(same(self.person, each) for each in (grant.person, grant.asked_by))
            or grant.connection in self.connections
        )


EVERYTHING = Sight(person="", groups=frozenset(), everything=True, connections=frozenset())
"""An operator's, at the gateway's own machine."""


def sight_in(request: web.Request, policy: Policy) -> Sight:
    """Of the person that a request is for; an operator may leave that out. Raises `BadRequest` and `NotEligible`."""
    person = person_in(request, request.query.get("person", ""))
    if ASKING in request:
        return sight(policy, person, ())
    if person:
        return sight(policy, person, groups_in(request))
    if request[CALLER] is Caller.OPERATOR:
        return EVERYTHING
    raise BadRequest("person has to say who looks")


def groups_in(request: web.Request) -> frozenset[str]:
    """The groups of that person's that the caller vouches for."""
    return vouched(request[CALLER], tuple(filter(None, request.query.get("groups", "").split(","))))


def sight(policy: Policy, person: str, vouched: Collection[str]) -> Sight:
    """What `person` sees; `vouched` are groups that the caller may vouch for."""
    groups = groups_of(policy, person, vouched) if person.strip() else frozenset()
    return Sight(
        person=person.strip(),
        groups=groups,
        everything=bool(groups & set(policy.operators)),
        connections=frozenset(
            name for name, target in policy.targets.items() if groups & _asked(policy, target.connection)
        ),
    )


def _asked(policy: Policy, connection: Connection) -> frozenset[str]:
    """Every group that may be asked about something on a connection."""
    names = frozenset(_approvers(policy, connection))
    return frozenset(policy.groups) if ANYBODY in names else names


def _approvers(policy: Policy, connection: Connection) -> Iterator[str]:
    thens = [rule.then for rule in policy.enforced if reaches(rule, connection)]
    offers = [
        offer
        for offer in policy.elevations
        if offer.connections is None or offer.connections.match(connection.name)
    ]
    for then in (*thens, policy.default, *(offer.hold for offer in offers)):
        if isinstance(then, Holding):
            yield from (ask.approvers for ask in then.asks)
            yield from (step.to for step in then.steps if step.kind is StepKind.ESCALATE)
    for offer in offers:
        if offer.break_glass is not None:
            yield from (ask.approvers for ask in offer.break_glass.asks)
