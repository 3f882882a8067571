"""The listeners of all connections, kept in step with the policy: opened, closed and replaced on reload."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gateway.admission import Admission
from gateway.gate import Gate
from gateway.listener import Listener
from gateway.policy.model import Policy, Target, TlsPolicy
from gateway.protocols import SPOKEN
from gateway.relay import Spawn

log = logging.getLogger("countersign.listener")


class DoorFailed(Exception):
    """A connection's address cannot be listened on; the message names both."""


class Doors:
    """One listener for each connection."""

    def __init__(
        self,
        gate: Gate,
        admission: Admission,
        *,
        spawn: Spawn,
        clock: Callable[[], float],
        known: Callable[[Target], object],
    ) -> None:
        self._gate = gate
        self._admission = admission
        self._spawn = spawn
        self._clock = clock
        self._known = known
        self._open: dict[str, Listener] = {}
        self._tls: TlsPolicy | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """Connection -> where it listens."""
        return {name: "{}:{}".format(*listener.address) for name, listener in self._open.items()}

    async def follow(self, policy: Policy) -> None:
        """Open, close and replace listeners as `policy` says.

        Sessions of a connection that stays go on, under the new policy; those of one that is gone, or whose target
        or credential changed, end. Raises `DoorFailed` for the first address that cannot be had, after all others
        were seen to.
        """
        failed: list[str] = []
        for name, listener in list(self._open.items()):
            target = policy.targets.get(name)
            if target is None or _reach(target) != _reach(listener.target) or policy.tls != self._tls:
                del self._open[name]
                await listener.close(f"The connection {name} was changed or closed.")
        self._tls = policy.tls
        for name, target in policy.targets.items():
            if name in self._open:
                self._open[name].adopt(target, policy)
                continue
            if target.connection.protocol not in SPOKEN:
                log.warning(
                    "not served: this version reads commands of the protocol, but does not speak it",
                    extra={"connection": name, "protocol": target.connection.protocol},
                )
                continue
            listener = Listener(
                target,
                policy,
                gate=self._gate,
                admission=self._admission,
                spawn=self._spawn,
                clock=self._clock,
                known=self._known,
            )
            try:
                await listener.open()
            except OSError as error:
                failed.append(f"{name} cannot listen on {target.listen}: {error.strerror}")
                continue
            self._open[name] = listener
        if failed:
            raise DoorFailed("; ".join(failed))

    async def close(self, *, drain: float) -> None:
        """Accept no more; give open sessions `drain` seconds to end, then end them."""
        listeners = list(self._open.values())
        for listener in listeners:
            listener.stop_accepting()
        try:
            async with asyncio.timeout(drain):
                for listener in listeners:
                    await listener.empty()
        except TimeoutError:
            log.info("ending the sessions that are still open")
        for listener in listeners:
            await listener.close("The gateway is shutting down.")


def _reach(target: Target) -> tuple[object, ...]:
    """What cannot change under an open session."""
    return target.connection.protocol, target.listen, target.upstream, target.credential
