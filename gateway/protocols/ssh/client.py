"""One client's connection: who it is, and what else than commands it may ask for (nothing)."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hmac
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import asyncssh

from gateway.hosted import Desk, Desks, Refused, Room, Seat, SessionOver
from gateway.protocols.ssh import asking, lines, sftp
from gateway.protocols.ssh.bulk import gives_in_bulk, takes_in_bulk
from gateway.protocols.ssh.channel import Channel
from gateway.protocols.ssh.exact import refusing_hosts, taking_bytes
from gateway.protocols.ssh.forwarding import forward
from gateway.protocols.ssh.keys import TARGETS
from gateway.protocols.ssh.packet_size import refusing_tiny_packets
from gateway.protocols.ssh.target import enter
from gateway.protocols.ssh.unpadded import unpadded
from gateway.protocols.ssh.unserved import Unserved, without_agent_and_display

log = logging.getLogger("countersign.ssh")

SEPARATOR = "%"
LONGEST_REFUSED = 300
"""Characters that the record has of what is refused unasked."""
CHANNELS = 64
"""Open at once in one connection, forwarded connections among them."""
ATTEMPTS = 10
"""Passwords and keys that one connection may try."""

Admit = Callable[..., Seat]


class Client(Unserved):
    """The server's side of one connection."""

    seat: Seat
    """From the moment the client has proved who it is."""

    _desk: Desk
    """Of the connection that it named with its user."""

    def __init__(self, desks: Desks, clients: set[Client], authority: asyncssh.SSHKey) -> None:
        self._desks = desks
        self._clients = clients
        self._authority = authority
        self._tasks: set[asyncio.Task[None]] = set()
        self._target: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._channels: set[Channel] = set()
        self._forwarded = 0
        self._user = ""
        self._peer = ""
        self._seated = False
        self._named = False
        self._attempts = 0
        self._proved: Admit | None = None
        """How the client is let in, once its last key or certificate is proved."""

    # Who it is.

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        host, port = conn.get_extra_info("peername")[:2]
        self._peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        refusing_hosts(conn, self.refused)
        refusing_tiny_packets(conn, self.refused)
        unpadded(conn)
        takes_in_bulk(conn)
        self._clients.add(self)
        if len(self._clients) > self._desks.first.limits.clients:
            conn.disconnect(
                asyncssh.DISC_TOO_MANY_CONNECTIONS,
                "This connection has as many clients as it may have; try later.",
            )

    def begin_auth(self, username: str) -> bool:
        """`user`, or `user%connection` where an address has several."""
        self._user, _, name = username.partition(SEPARATOR)
        desk = self._desks.desk(name)
        self._named = desk is not None
        self._desk = desk or self._desks.first
        if not self._named and not name:
            self._connection.send_auth_banner("countersign: log in as user%connection\n")
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        del username
        if self._tried_enough():
            return False
        admit = self._desk.admit if self._named else self._desk.refuse
        try:
            self._sit(admit(user=self._user, secret=password, client=self._peer, kill=self.kill))
        except Refused as refused:
            log.info("refused a client", extra={"peer": self._peer, "connection": self._desk.connection.name})
            self._connection.send_auth_banner(f"countersign: {refused}\n")
            return False
        return True

    def _tried_enough(self) -> bool:
        self._attempts += 1
        if self._attempts == ATTEMPTS + 1:
            self._connection.disconnect(
                asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many attempts to log in."
            )
        return self._attempts > ATTEMPTS

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_ca_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """The certificate's principal is the minted user that its token was given."""
        del username  # the library compares it with the certificate's principals
        if self._tried_enough() or not self._named:
            return False
        self._proved = functools.partial(self._desk.admit_proved, user=self._user)
        return hmac.compare_digest(key.public_data, self._authority.public_data)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """An agent's own key, as policies.yaml has it."""
        del username
        if self._tried_enough() or not self._named:
            return False
        self._proved = functools.partial(self._desk.admit_agent, user=self._user)
        return any(_same_key(line, key) for line in self._desk.agent_keys(self._user))

    def auth_completed(self) -> None:
        """A password has let the client in already; a key or a certificate does now that it is proved."""
        if self._seated:
            return
        try:
            if self._proved is None:
                raise Refused("Nothing was proved.")
            self._sit(self._proved(client=self._peer, kill=self.kill))
        except Refused as refused:
            self._connection.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, str(refused))

    def _sit(self, seat: Seat) -> None:
        self.seat = seat
        self._seated = True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._clients.discard(self)
        try:
            for task in list(self._tasks):
                task.cancel()
            if self._target is not None:
                self._target.add_done_callback(_hang_up)
                self._target.cancel()
        finally:
            if self._seated:
                self.seat.close("the client left")

    def kill(self, reason: str) -> None:
        """End the connection now, telling the client why."""
        try:
            for channel in list(self._channels):
                channel.say(reason)
        finally:
            self._connection.disconnect(asyncssh.DISC_BY_APPLICATION, reason)

    # What it asks for; the rest is `Unserved`.

    def session_requested(self) -> tuple[asyncssh.SSHServerChannel[Any], Channel] | bool:
        if not self._seated or self._full():
            return False
        channel = Channel(self, run_lines=lines.run, run_files=sftp.run)
        self._channels.add(channel)
        theirs = self._connection.create_server_channel()
        gives_in_bulk(theirs)
        without_agent_and_display(theirs, self.refused)
        return taking_bytes(theirs), channel

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> Coroutine[Any, Any, asyncssh.SSHTCPSession[bytes]] | bool:
        del orig_host, orig_port
        if not self._seated or self._full():
            return False
        if self._desk.options.get("forwarding") != "judged":
            return self.refused(f"forwarding to {asking.place(dest_host, dest_port)}")
        self._forwarded += 1
        return forward(self, dest_host, dest_port)

    def refused(self, what: str) -> bool:
        """Something that is not asked about belongs in the record all the same."""
        with contextlib.suppress(SessionOver):
            self.seat.noted(f"refused {asking.shown(what)[:LONGEST_REFUSED]}")
        return False

    def _full(self) -> bool:
        return len(self._channels) + self._forwarded >= CHANNELS

    # What its channels need (`behind.Behind`).

    @property
    def shell(self) -> str:
        return self._desk.options.get("shell", "guarded")

    @property
    def name(self) -> str:
        return self._desk.connection.name

    @property
    def pending_bytes(self) -> int:
        return self._desk.limits.pending_bytes

    @property
    def exact(self) -> bool:
        return self._desk.options.get("binary") == "exact"

    @property
    def room(self) -> Room:
        return self._desk.room

    @property
    def command_bytes(self) -> int:
        return self._desk.limits.command_bytes

    async def leads_around(self, host: str, port: int) -> bool:
        return await self._desk.guards(host, port)

    def closed(self, channel: Channel) -> None:
        self._channels.discard(channel)

    def forwarded(self) -> None:
        self._forwarded -= 1

    async def target(self) -> asyncssh.SSHClientConnection:
        if self._target is None or _lost(self._target):
            session = self.seat.session
            work = enter(
                self._desk,
                authority=self._desk.secret(TARGETS),
                name=f"countersign {session.id} {session.lineage.agent}",
            )
            self._target = asyncio.get_running_loop().create_task(work)
        return await asyncio.shield(self._target)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a channel's task failed", exc_info=error, extra={"peer": self._peer})
            self.kill("The gateway failed while it served this session; nothing was let through.")


def _same_key(line: str, key: asyncssh.SSHKey) -> bool:
    try:
        known = asyncssh.import_public_key(line)
    except asyncssh.KeyImportError:
        return False
    return hmac.compare_digest(known.public_data, key.public_data)


def _lost(target: asyncio.Task[asyncssh.SSHClientConnection]) -> bool:
    """Whether it was not to be had, or is not any more: the next command tries anew."""
    if not target.done():
        return False
    return target.cancelled() or target.exception() is not None or target.result().is_closed()


def _hang_up(target: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
    if not target.cancelled() and target.exception() is None:
        target.result().abort()
