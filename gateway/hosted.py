"""What a protocol whose library owns the sockets needs of the gateway, and gives to it.

Most protocols are wires: bytes in, events out, moved by the relay. Where a library speaks the protocol itself (SSH), its
server asks a `Desk` to admit a client, and the `Seat` it gets about every command. The order of things is the gate's
all the same: nothing moves before `judge` has returned an Allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.model import Command, Connection, Final, Session
from gateway.wire import CommandAnswered, Mask


class Refused(Exception):
    """A client is not admitted, or its target cannot be had; the message may be shown to it."""


class CredentialRefused(Refused):
    """The target did not take what the gateway logs in with."""


class SessionOver(Exception):
    """The session has ended, or has to: nothing more may move in it."""


class Stream(Protocol):
    """One direction of an answer, masked as it flows."""

    def feed(self, data: bytes) -> bytes:
        """What may be given out now that `data` has come."""

    def flush(self) -> bytes:
        """What may be given out of a stream that has gone quiet."""

    def close(self) -> bytes:
        """The rest, at the end."""

    def counts(self) -> Mapping[str, int]:
        """Detector -> how many values it masked so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The final verdict on a command, and how its answer is masked."""

    verdict: Final
    mask: Mask
    stream: Callable[[bool], Stream]
    """A new stream; true for one whose length must not change."""


class Seat(Protocol):
    """One admitted client: its session, and the gate's ear."""

    @property
    def session(self) -> Session: ...

    async def judge(
        self, command: Command, tell: Callable[[str], None], *, after: Ruling | None = None
    ) -> Ruling:
        """The recorded verdict, waited for where people decide; `tell` says something to the waiting client.

        What `after` masked is masked again: this command may show what that one has read.
        Raises `SessionOver`. Cancelling it leaves the approval to be joined again; `withdraw` takes it back.
        """

    def withdraw(self, command_id: str) -> bool:
        """The client took a held command back; false where it is not held."""

    def active(self) -> None:
        """Bytes were moved: the session does not idle."""

    def answer(self, command_id: str, data: bytes) -> None:
        """Bytes of an answer as they are recorded, before the client has them. Raises `SessionOver`."""

    def noted(self, text: str) -> None:
        """Something that belongs in the record, masked as texts of commands are. Raises `SessionOver`."""

    def answered(self, event: CommandAnswered) -> None:
        """A released command is over. Raises `SessionOver`."""

    def close(self, reason: str) -> None:
        """The client has gone, or is sent away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedUpstream:
    """Where the target is, and how the gateway logs in."""

    host: str
    port: int
    known_hosts: str | None
    """A file that says which keys the target may show; None for the gateway user's own."""
    user: str
    password: str = ""
    key: str = ""
    """A private key, as text."""
    timeout: float


class Room:
    """Bytes that are in memory for peers who do not take them: of all clients together, and how many there may be."""

    def __init__(self) -> None:
        self.limit = 0
        self._taken = 0

    def more(self, count: int) -> bool:
        """Count so many more, or fewer where negative; whether all have room."""
        self._taken += count
        return self._taken <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedLimits:
    """What one client may take."""

    login: float
    clients: int
    command_bytes: int
    pending_bytes: int
    """What a client may send behind a command that waits."""


class Desk(Protocol):
    """One connection of the policy, as its server sees it."""

    @property
    def connection(self) -> Connection: ...
    @property
    def options(self) -> Mapping[str, str]:
        """The connection's `options`: protocol's own switches, checked when the policy was read."""

    @property
    def limits(self) -> HostedLimits: ...
    @property
    def room(self) -> Room:
        """One for all desks."""

    def now(self) -> float:
        """Unix seconds."""

    def secret(self, purpose: str) -> bytes:
        """32 bytes that are the gateway's own and stay the same over restarts."""

    def admit(self, *, user: str, secret: str, client: str, kill: Callable[[str], None]) -> Seat:
        """A seat for whoever `secret` stands for; `kill` ends the client from outside. Raises `Refused`."""

    def refuse(self, *, user: str, secret: str, client: str, kill: Callable[[str], None]) -> Seat:
        """Always raises `Refused`: for a connection that is not there, with what `admit` says where `secret` is no good."""

    def admit_proved(self, *, user: str, client: str, kill: Callable[[str], None]) -> Seat:
        """As `admit`, for a client that has proved to be the minted `user`."""

    def agent_keys(self, name: str) -> Sequence[str]:
        """The public keys of a root agent, as policies.yaml has them; none for a name that it does not have."""

    def admit_agent(self, *, user: str, client: str, kill: Callable[[str], None]) -> Seat:
        """As `admit`, for a client that has proved to hold a key of that agent."""

    async def guards(self, host: str, port: int) -> bool:
        """Whether a connection of the policy is known to lead there, so that any other way there leads around the gateway."""

    async def upstream(self) -> HostedUpstream:
        """Asked for anew each time, so that secrets can be rotated in place. Raises `Refused`."""

    async def renewed(self, refused: HostedUpstream) -> HostedUpstream | None:
        """With the secrets as they are now that the target refused what they were; None where they are no others."""


class Desks(Protocol):
    """The connections behind one address."""

    @property
    def first(self) -> Desk: ...

    def desk(self, name: str) -> Desk | None:
        """The desk of a connection; of the only one where `name` is empty; None where that says nothing."""


class Host(Protocol):
    """A protocol's own server on one address."""

    @property
    def address(self) -> tuple[str, int]: ...

    def stop_accepting(self) -> None: ...

    async def close(self, reason: str) -> None:
        """End every client, telling it why."""
