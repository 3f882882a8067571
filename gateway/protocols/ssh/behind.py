"""What stands behind the channels of one client: its seat, its target, and what its connection says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

import asyncssh

from gateway.hosted import Room, Seat

if TYPE_CHECKING:
    from gateway.protocols.ssh.channel import Channel


class Behind(Protocol):
    """What a channel needs of the client it belongs to."""

    @property
    def seat(self) -> Seat: ...
    @property
    def shell(self) -> str:
        """`refuse`, `guarded` or `hold`: what becomes of interactive shells."""

    @property
    def name(self) -> str:
        """What a prompt shows."""

    @property
    def pending_bytes(self) -> int: ...
    @property
    def exact(self) -> bool:
        """Whether what is binary is left unmasked."""

    @property
    def room(self) -> Room: ...
    @property
    def command_bytes(self) -> int: ...

    async def target(self) -> asyncssh.SSHClientConnection:
        """The connection to the target, made once. Raises `Refused`."""

    async def leads_around(self, host: str, port: int) -> bool:
        """Whether a connection from the target to there would reach what the gateway guards."""

    def refused(self, what: str) -> bool:
        """Put into the record what was asked for and is refused unasked; false."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...

    def closed(self, channel: Channel) -> None: ...

    def forwarded(self) -> None:
        """A forwarded connection is over."""
