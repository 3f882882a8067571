"""The gateway's own connection to a target: its key has to be known beforehand, and nothing is forwarded back."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncssh

from gateway.hosted import CredentialRefused, Desk, HostedUpstream, Refused
from gateway.protocols.ssh.algorithms import STRONG
from gateway.protocols.ssh.bulk import takes_in_bulk
from gateway.protocols.ssh.keys import session_key
from gateway.protocols.ssh.packet_size import refusing_tiny_packets
from gateway.protocols.ssh.unpadded import unpadded

KEEPALIVE = 30.0


async def enter(desk: Desk, *, authority: bytes, name: str) -> asyncssh.SSHClientConnection:
    """As `connect`, once more where the target does not take a credential that was rotated meanwhile."""
    upstream = await desk.upstream()
    forwards = desk.options.get("forwarding") == "judged"
    try:
        return await connect(upstream, authority=authority, name=name, now=desk.now(), forwards=forwards)
    except CredentialRefused:
        other = await desk.renewed(upstream)
        if other is None:
            raise
        return await connect(other, authority=authority, name=name, now=desk.now(), forwards=forwards)


async def connect(
    upstream: HostedUpstream, *, authority: bytes, name: str, now: float, forwards: bool
) -> asyncssh.SSHClientConnection:
    """Logged in at the target: by the stored key or password, else by a certificate of this session's own.

    `name` stands in the target's log; `forwards`: connections through it may be asked for. Raises `Refused` with a sentence that tells no credential.
    """
    options: dict[str, Any] = {"password": upstream.password or None, "client_keys": None}
    if not upstream.password and not upstream.key:
        own = session_key(authority, principal=upstream.user, name=name, now=now, forwards=forwards)
        options["client_keys"] = [own]
    if upstream.known_hosts is not None:
        options["known_hosts"] = upstream.known_hosts
    try:
        if upstream.key:
            options["client_keys"] = [asyncssh.import_private_key(upstream.key)]
        async with asyncio.timeout(upstream.timeout):
            return await asyncssh.connect(
                upstream.host,
                upstream.port,
                username=upstream.user,
                config=None,
                agent_path=None,
                agent_forwarding=False,
                keepalive_interval=KEEPALIVE,
                client_factory=_Client,
                **STRONG,
                **options,
            )
    except TimeoutError:
        raise Refused(f"The target did not answer within {upstream.timeout:.0f} s.") from None
    except asyncssh.HostKeyNotVerifiable:
        raise Refused(
            "The target's host key is not the one that is known: nothing was sent to it. An operator compares it with the "
            "connection's known_hosts file."
        ) from None
    except asyncssh.PermissionDenied:
        raise CredentialRefused("The target did not accept the gateway's credential.") from None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise Refused("The gateway's key for this target cannot be read.") from None
    except (OSError, asyncssh.Error) as error:
        raise Refused(f"The target cannot be reached ({type(error).__name__}).") from error


class _Client(asyncssh.SSHClient):
    """Opens nothing that the target asks for: forwarded ports, agents and displays are refused by the library."""

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        refusing_tiny_packets(conn, lambda _: None)  # a target's own channels are refused whatever they are
        unpadded(conn)
        takes_in_bulk(conn)
