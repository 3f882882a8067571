"""What a held command would touch, measured by the gateway itself with the target's own credential."""

from __future__ import annotations

from collections.abc import Callable

from gateway.contract import Estimate
from gateway.model import Command, Session
from gateway.policy.credentials import SecretMissing
from gateway.policy.model import Policy
from gateway.protocols import WIRES, load
from gateway.upstream.logins import Logins


class Measure:
    """Asks a session's target, by its protocol's own means."""

    def __init__(self, policy: Callable[[], Policy], logins: Logins) -> None:
        self._policy = policy
        self._logins = logins

    async def estimate(self, session: Session, command: Command) -> Estimate | None:
        """None where the protocol has no way, or the target is no longer in the policy."""
        target = self._policy().targets.get(session.connection.name)
        if target is None or target.connection.protocol not in WIRES:
            return None
        try:
            login = await self._logins.beside(
                target, session, application=f"countersign estimate {session.id}"
            )
        except SecretMissing:
            return Estimate(note="the gateway's credential for this target is missing")
        return await load(target.connection.protocol).estimate(target.upstream, login, command)
