"""Stored credentials that may do more at their targets than anybody may ask for through the gateway."""

from __future__ import annotations

import asyncio

from gateway.model import Effect, Effects
from gateway.policy.credentials import SecretMissing
from gateway.policy.model import Policy, Target
from gateway.protocols import SURVEYED, surveyed
from gateway.secrets import Secrets
from gateway.upstream.logins import Logins

WITHIN = 10.0
"""Seconds that a target has to tell."""


async def excess(policy: Policy, secrets: Secrets) -> list[tuple[str, tuple[str, ...] | None]]:
    """Each connection whose target can be asked, and what its credential does not need; None where nobody can tell."""
    logins = Logins(secrets)

    async def ask(name: str, target: Target) -> tuple[str, tuple[str, ...] | None]:
        try:
            login = await logins.own(target, application="countersign doctor")
        except SecretMissing:
            return name, None
        try:
            async with asyncio.timeout(WITHIN):
                found = await surveyed(target.connection.protocol).powers(target.upstream, login)
        except TimeoutError:
            found = None
        if found is None:
            return name, None
        needed = widest(policy, target)
        return name, tuple(power for power, effects in found.items() if not effects & needed)

    targets = [
        (name, target) for name, target in policy.targets.items() if target.connection.protocol in SURVEYED
    ]
    return list(await asyncio.gather(*(ask(name, target) for name, target in targets)))


def widest(policy: Policy, target: Target) -> Effects:
    """Every effect that anybody can be allowed there; whoever makes roles does not work there, but has to make them."""
    if target.credential.roles is not None:
        return frozenset({Effect.PRIVILEGE})
    name = target.connection.name
    scopes = [agent.scope for agent in policy.agents.values()] + [
        each.scope for each in policy.identity.people
    ]
    return frozenset().union(*(scope.get(name, frozenset()) for scope in scopes))
