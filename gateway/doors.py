"""The listeners of all connections, kept in step with the policy: opened, closed and replaced on reload."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gateway.admission import Admission
from gateway.gate import Gate
from gateway.hosted import Room
from gateway.hosting import Hosting
from gateway.listener import Listener
from gateway.policy.model import Policy, Target, TlsPolicy
from gateway.protocols import HOSTED
from gateway.relay import Spawn
from gateway.street import Street
from gateway.upstream.logins import Logins

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
        secret: Callable[[str], bytes],
        clock: Callable[[], float],
        known: Callable[[Target], object],
        logins: Logins,
    ) -> None:
        """`secret(purpose)`: 32 bytes that stay the same over restarts, for keys that clients remember."""
        self._gate = gate
        self._admission = admission
        self._spawn = spawn
        self._secret = secret
        self._clock = clock
        self._known = known
        self._logins = logins
        self._open: dict[str, Listener | Hosting] = {}
        self._room = Room()
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
        self._room.limit = policy.limits.waiting_bytes
        for name, target in policy.targets.items():
            if name in self._open:
                self._open[name].adopt(target, policy)
                continue
            listener = self._door(target, policy)
            try:
                await listener.open()
            except OSError as error:
                failed.append(f"{name} cannot listen on {target.listen}: {error.strerror}")
                continue
            self._open[name] = listener
            log.info("listening", extra={"connection": name, "address": self.addresses[name]})
        if failed:
            raise DoorFailed("; ".join(failed))

    def _door(self, target: Target, policy: Policy) -> Listener | Hosting:
        gate, admission, spawn, clock = self._gate, self._admission, self._spawn, self._clock
        if target.connection.protocol in HOSTED:
            return Hosting(
                target,
                policy,
                self._street(target),
                room=self._room,
                gate=gate,
                admission=admission,
                spawn=spawn,
                secret=self._secret,
                clock=clock,
                logins=self._logins,
            )
        return Listener(
            target,
            policy,
            gate=gate,
            admission=admission,
            spawn=spawn,
            clock=clock,
            known=self._known,
            logins=self._logins,
        )

    def _street(self, target: Target) -> Street:
        """The one that another connection at the same address is on, or a new one."""
        for door in self._open.values():
            if isinstance(door, Hosting) and door.target.listen == target.listen and target.listen.port:
                return door.street
        return Street(target.listen)

    async def close(self, *, drain: float) -> None:
        """Accept no more; give open sessions `drain` seconds to end, then end them."""
        listeners = list(self._open.values())
        for listener in listeners:
            listener.stop_accepting()
        try:
            async with asyncio.timeout(drain):
                for listener in listeners:
                    await listener.guests.gone()
        except TimeoutError:
            log.info("ending the sessions that are still open")
        for listener in listeners:
            await listener.close("The gateway is shutting down.")


def _reach(target: Target) -> tuple[object, ...]:
    """What cannot change under an open session."""
    return target.connection.protocol, target.listen, target.upstream, target.credential, target.options
