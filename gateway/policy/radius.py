"""What a chain of agents can reach: for each connection of its scope, each effect of it, and what becomes of that.

Read from the policy alone, at one time. Where a verdict hangs on what a command touches, or on how much was had
before, both are told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gateway.model import Connection, Effect, Scope
from gateway.policy.coverage import Cell, Sender, cell
from gateway.policy.model import DEFAULT_RULE, Agent, AskedGroup, Holding, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One effect on one connection."""

    cell: Cell
    asks: tuple[AskedGroup, ...] = ()
    """Who has to say yes, where it is held."""
    elevations: tuple[str, ...] = ()
    """What could be asked for so that it is held no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Radius:
    """All that one chain reaches."""

    chain: tuple[str, ...]
    """Root first."""
    person: str
    groups: tuple[str, ...]
    deeper: int
    """How many agents it may still put below itself."""
    connections: tuple[tuple[Connection, tuple[Reached, ...]], ...]
    gone: tuple[str, ...] = ()
    """Connections of its scope that the policy no longer has."""


def of_agent(policy: Policy, agent: Agent, at: float) -> Radius:
    """Of a root agent, with a token of all that it may ask for."""
    return of_chain(
        policy, (agent.name,), person=agent.person, scope=agent.scope, deeper=agent.max_depth - 1, at=at
    )


def of_chain(
    policy: Policy,
    chain: tuple[str, ...],
    *,
    person: str,
    scope: Scope,
    deeper: int,
    at: float,
    said: Collection[str] = (),
) -> Radius:
    """`said` are groups that the person was in when the token was made: only identity providers know, of some."""
    groups = frozenset(
        name
        for name, group in policy.groups.items()
        if person and (person.lower() in group.members or (group.claim and name in said))
    )
    sender = Sender(agents=chain, person=person, groups=groups, at=at)
    return Radius(
        chain=chain,
        person=person,
        groups=tuple(sorted(groups)),
        deeper=max(deeper, 0),
        connections=tuple(
            (target.connection, tuple(_reached(policy, target.connection, scope[name], sender)))
            for name, target in policy.targets.items()
            if scope.get(name)
        ),
        gone=tuple(sorted(name for name in scope if name not in policy.targets)),
    )


def _reached(
    policy: Policy, connection: Connection, effects: Iterable[Effect], sender: Sender
) -> Iterable[Reached]:
    """In the order of effects; whoever has any has a session, too."""
    granted = {*effects, Effect.SESSION}
    for effect in Effect:
        if effect not in granted:
            continue
        found = cell(policy, connection, effect, sender)
        yield Reached(
            cell=found,
            asks=_asks(policy, found) if found.verdict == "hold" else (),
            elevations=tuple(
                offer.name
                for offer in policy.elevations
                if found.verdict == "hold"
                and effect in offer.effects
                and offer.fits(connection, agents=sender.agents, person=sender.person, groups=sender.groups)
            ),
        )


def _asks(policy: Policy, found: Cell) -> tuple[AskedGroup, ...]:
    if found.rules == (DEFAULT_RULE,):
        return policy.default.asks if isinstance(policy.default, Holding) else ()
    return tuple(
        ask
        for rule in policy.enforced
        if rule.name in found.rules and isinstance(rule.then, Holding)
        for ask in rule.then.asks
    )
