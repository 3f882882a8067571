"""The door of a connection whose protocol's library owns the sockets: admission, the gate and endings, for its server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NoReturn

from gateway.admission import Admission, AdmissionRefused
from gateway.gate import Gate
from gateway.guests import Guests
from gateway.hosted import HostedLimits, HostedUpstream, Refused, Room
from gateway.hosts import LOOPBACK, canonical, found, is_address
from gateway.model import Connection, Session
from gateway.policy.credentials import SecretMissing
from gateway.policy.model import Policy, Target
from gateway.protocols import HOSTED, load_hosted, own_secrets
from gateway.recorder import RecordingFailed
from gateway.relay import Spawn
from gateway.seated import Seated
from gateway.street import Street
from gateway.upstream.logins import Logins

log = logging.getLogger("countersign.listener")

NOWHERE = "such a connection"
"""No connection can have this name."""


class Hosting:
    """One connection's server, its limits, and its clients' seats."""

    def __init__(
        self,
        target: Target,
        policy: Policy,
        street: Street,
        *,
        room: Room,
        gate: Gate,
        admission: Admission,
        spawn: Spawn,
        secret: Callable[[str], bytes],
        clock: Callable[[], float],
        logins: Logins,
    ) -> None:
        self._target = target
        self._logins = logins
        self._limits = policy.limits
        self._gate = gate
        self._admission = admission
        self._spawn = spawn
        self._secret = secret
        self._clock = clock
        self._street = street
        self.room = room
        self.guests: Guests[Seated] = Guests()

    # What the doors ask of it.

    @property
    def target(self) -> Target:
        return self._target

    @property
    def street(self) -> Street:
        return self._street

    @property
    def address(self) -> tuple[str, int]:
        return self._street.address

    async def open(self) -> None:
        """Begin to accept. Raises `OSError` where the address cannot be had."""
        await self._street.join(self)

    def adopt(self, target: Target, policy: Policy) -> None:
        """From the next client on, this holds."""
        self._target, self._limits = target, policy.limits

    def stop_accepting(self) -> None:
        self._street.stop_accepting()

    async def close(self, reason: str) -> None:
        """Accept no more, and end what is open."""
        self.guests.kill(reason)
        await self._street.leave(self, reason)

    # What its server asks of it (`gateway.hosted.Desk`).

    @property
    def connection(self) -> Connection:
        return self._target.connection

    @property
    def options(self) -> Mapping[str, str]:
        return self._target.options

    @property
    def limits(self) -> HostedLimits:
        return HostedLimits(
            login=self._limits.login,
            clients=self._limits.connections,
            command_bytes=self._limits.wire.command_bytes,
            pending_bytes=self._limits.wire.pipelined_bytes,
        )

    def now(self) -> float:
        return self._clock()

    def secret(self, purpose: str) -> bytes:
        return own_secrets(self.connection.protocol, self._secret)(purpose)

    def admit(self, *, user: str, secret: str, client: str, kill: Callable[[str], None]) -> Seated:
        admit = partial(self._admission.admit, self.connection.name, user=user, secret=secret, client=client)
        return self._seated(admit, kill)

    def refuse(self, *, user: str, secret: str, client: str, kill: Callable[[str], None]) -> NoReturn:
        del kill
        try:
            self._admission.admit(NOWHERE, user=user, secret=secret, client=client)
        except AdmissionRefused as refusal:
            raise Refused(str(refusal)) from refusal
        raise Refused("There is no such connection.")

    def admit_proved(self, *, user: str, client: str, kill: Callable[[str], None]) -> Seated:
        admit = partial(self._admission.admit_proved, self.connection.name, user=user, client=client)
        return self._seated(admit, kill)

    def agent_keys(self, name: str) -> Sequence[str]:
        agent = self._gate.policy.agents.get(name)
        return agent.keys if agent is not None else ()

    def admit_agent(self, *, user: str, client: str, kill: Callable[[str], None]) -> Seated:
        return self._seated(
            partial(self._admission.admit_agent, self.connection.name, user=user, client=client), kill
        )

    async def guards(self, host: str, port: int) -> bool:
        """A target's own loopback counts as the target.

        Names of the policy are looked up where an address is given. A client's are not: it would tell others by asking.
        """
        meant = {canonical(host)}
        if LOOPBACK in meant:
            meant.add(canonical(self._target.upstream.host))
        targets = (self._target, *self._gate.policy.targets.values())
        guarded = {each.upstream.host for each in targets if each.upstream.port == port}
        if not meant.isdisjoint(map(canonical, guarded)):
            return True
        if not is_address(host):
            return False
        resolve = asyncio.get_running_loop().getaddrinfo
        names = [each for each in guarded if not is_address(each)]
        places = await asyncio.gather(*(found(name, port, resolve) for name in names))
        return any(not meant.isdisjoint(each) for each in places)

    async def upstream(self) -> HostedUpstream:
        upstream, stored = self._target.upstream, self._target.credential
        try:
            login = await self._logins.own(self._target, application="")
            key = await self._logins.key(self._target)
        except SecretMissing as missing:
            raise Refused(f"The gateway's credential for this target is missing: {missing}") from missing
        return HostedUpstream(
            host=upstream.host,
            port=upstream.port,
            known_hosts=upstream.ca,
            user=stored.user,
            password=login.password,
            key=key,
            timeout=self._limits.dial,
        )

    async def renewed(self, refused: HostedUpstream) -> HostedUpstream | None:
        found = await self._logins.others(self._target, password=refused.password, key=refused.key)
        return None if found is None else replace(refused, password=found[0], key=found[1])

    def _seated(self, admit: Callable[[], Session], kill: Callable[[str], None]) -> Seated:
        try:
            session = admit()
        except AdmissionRefused as refusal:
            raise Refused(str(refusal)) from refusal
        seat = Seated(self._gate, session, spawn=self._spawn, left=self.guests.left)
        try:
            seat.open(kill)
        except RecordingFailed as failure:
            log.exception("no recording, no session", extra={"session": session.id})
            raise Refused("This session cannot be recorded, so it cannot begin.") from failure
        left = session.expires_at - self._clock()
        if self._limits.session < left:
            seat.ends_in(self._limits.session, "This session has lasted as long as the policy lets it.")
        else:
            seat.ends_in(left, "The token of this session has expired.")
        seat.idles_out(self._limits.idle)
        self.guests.came(seat)
        return seat


def certifying(secret: Callable[[str], bytes]) -> Callable[..., Mapping[str, str]]:
    """Has a protocol certify a client's key (`gateway.api.reaching.Certify`)."""

    def certify(
        protocol: str, public_key: str, *, connection: str, user: str, name: str, expires_at: float
    ) -> Mapping[str, str]:
        if protocol not in HOSTED:
            raise ValueError(f"{protocol} connections are not entered by certificate")
        return load_hosted(protocol).certify(
            own_secrets(protocol, secret),
            public_key,
            connection=connection,
            user=user,
            name=name,
            expires_at=expires_at,
        )

    return certify


def hosts(secret: Callable[[str], bytes]) -> Mapping[str, Mapping[str, str]]:
    """Protocol -> by what its clients know the gateway (`HostedModule.host`)."""
    return {name: load_hosted(name).host(own_secrets(name, secret)) for name in sorted(HOSTED)}


def authorities(secret: Callable[[str], bytes]) -> Mapping[str, str]:
    """Protocol -> what targets have to trust where the gateway has no stored credential for them."""
    return {name: load_hosted(name).authority(own_secrets(name, secret)) for name in sorted(HOSTED)}
