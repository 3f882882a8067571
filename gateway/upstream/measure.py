"""What a held command would touch, measured by the gateway itself with the target's own credential."""

from __future__ import annotations

from collections.abc import Callable

from gateway.contract import Estimate
from gateway.model import Command, Session
from gateway.policy.model import Policy, SecretMissing
from gateway.protocols import WIRES, load
from gateway.wire import Login


class Measure:
    """Asks a session's target, by its protocol's own means."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy

    async def estimate(self, session: Session, command: Command) -> Estimate | None:
        """None where the protocol has no way, or the target is no longer in the policy."""
        target = self._policy().targets.get(session.connection.name)
        if target is None or target.connection.protocol not in WIRES:
            return None
        credential = target.credential
        try:
            password = credential.password.read() if credential.password is not None else ""
        except SecretMissing:
            return Estimate(note="the gateway's credential for this target is missing")
        login = Login(
            user=credential.user,
            password=password,
            database=target.upstream.database,
            application=f"countersign estimate {session.id}",
        )
        return await load(target.connection.protocol).estimate(target.upstream, login, command)
