"""Accepting clients for one connection of the policy: addresses, limits, TLS, and a relay for each client."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import ssl
from collections.abc import Callable
from typing import cast

from gateway.admission import Admission
from gateway.end import End
from gateway.gate import Gate
from gateway.guests import Guests
from gateway.model import Connection
from gateway.policy.model import Policy, Target, TlsPolicy
from gateway.protocols import ProtocolModule, load, needs_alpn
from gateway.relay import Relay, Spawn
from gateway.tls import TlsLayer, end_point, leaf, server_context
from gateway.upstream.dial import Dialer
from gateway.upstream.logins import Logins
from gateway.wire import Opening, ProtocolViolation, Wire

BACKLOG = 1_024


class Listener:
    """The door of one connection."""

    def __init__(
        self,
        target: Target,
        policy: Policy,
        *,
        gate: Gate,
        admission: Admission,
        spawn: Spawn,
        clock: Callable[[], float],
        known: Callable[[Target], object],
        logins: Logins,
    ) -> None:
        """`known(target)` is what its protocol knows of the target (`Opening.known`)."""
        self._target = target
        self._known = known
        self._limits = policy.limits
        self._protocol: ProtocolModule = load(target.connection.protocol)
        self._needs_alpn = needs_alpn(target.connection.protocol)
        self._tls = _ServerTls(policy.tls, alpn=self._protocol.ALPN) if policy.tls is not None else None
        self.gate = gate
        self.admission = admission
        self.spawn = spawn
        self.dialer = Dialer(target, logins, alpn=self._protocol.ALPN, timeout=policy.limits.dial)
        self._clock = clock
        self.guests: Guests[Relay] = Guests()
        self._logins: dict[Relay, asyncio.TimerHandle] = {}
        self._server: asyncio.Server | None = None

    @property
    def target(self) -> Target:
        return self._target

    @property
    def connection(self) -> Connection:
        return self._target.connection

    @property
    def pipelined_bytes(self) -> int:
        return self._limits.wire.pipelined_bytes

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, with the port that the system chose where the policy says 0."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def open(self) -> None:
        """Begin to accept. Raises `OSError` where the address cannot be had."""
        listen = self._target.listen
        self._server = await asyncio.get_running_loop().create_server(
            self._accept, listen.host, listen.port, backlog=BACKLOG
        )

    def adopt(self, target: Target, policy: Policy) -> None:
        """From the next client on, this holds."""
        self._target, self._limits = target, policy.limits

    def stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()

    async def close(self, reason: str) -> None:
        """Accept no more, and end what is open."""
        self.stop_accepting()
        self.guests.kill(reason)

    def _accept(self) -> asyncio.Protocol:
        relay = Relay(self, clock=self._clock)
        self.guests.came(relay)
        self._logins[relay] = asyncio.get_running_loop().call_later(
            self._limits.login, relay.kill, f"Nobody logged in within {self._limits.login:.0f} s."
        )
        return cast(asyncio.Protocol, relay.client)

    # What a relay asks of its door.

    @property
    def full(self) -> bool:
        return len(self.guests) > self._limits.connections

    def open_wire(self, peer: str) -> Wire:
        return self._protocol.open_wire(
            Opening(
                limits=self._limits.wire,
                client_tls=self._tls is not None,
                client_trusted_path=_trusted(peer),
                upstream_tls=self._target.upstream.tls,
                upstream_host=self._target.upstream.host,
                upstream_port=self._target.upstream.port,
                random=secrets.token_bytes,
                known=self._known(self._target),
            )
        )

    def client_tls(self, client: End, received: bytes) -> None:
        if self._tls is None:
            raise ProtocolViolation("TLS was begun where none is offered")
        client.start_tls(self._tls.context, received=received)

    def binding(self, tls: TlsLayer, *, direct: bool) -> bytes:
        assert self._tls is not None
        if direct and self._needs_alpn and tls.agreed_protocol != self._protocol.ALPN:
            raise ProtocolViolation("TLS from the first byte needs ALPN")
        return self._tls.binding

    def admitted(self, relay: Relay) -> None:
        timer = self._logins.pop(relay, None)
        if timer is not None:
            timer.cancel()

    def closed(self, relay: Relay) -> None:
        self.admitted(relay)
        if relay.live is not None:
            self.dialer.ended(relay.live.session)
        self.guests.left(relay)


class _ServerTls:
    """The gateway's certificate, as one protocol shows it."""

    def __init__(self, files: TlsPolicy, *, alpn: str) -> None:
        self.context: ssl.SSLContext = server_context(files.certificate, files.key, alpn=alpn)
        self.binding = end_point(leaf(files.certificate))


def _trusted(peer: str) -> bool:
    """Whether secrets may cross to `peer` in clear: only on loopback."""
    host = peer.rsplit(":", 1)[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
