"""What a token reaches, as the verbs `run` and `connect` use it: addresses from the gateway, variables from the protocol.

Where a connection is neither encrypted nor on this machine, a token must not be handed over as password; a minted pair
is proved by challenge and response and can cross it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.commands.proving import bound
from gateway.commands.token_client import Refused, TokenClient, Unreachable, loopback
from gateway.protocols import (
    CONFIGURED,
    SERVED,
    ProtocolUnknown,
    ServedModule,
    configured,
    longest_password,
    served,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One connection in a token's scope."""

    name: str
    protocol: str
    host: str
    port: int
    database: str
    tls: bool
    effects: tuple[str, ...]

    def takes(self, token: str) -> bool:
        """Whether a token may cross it as it is, needs no proof, and the usual client takes a password that long.

        Raises `Refused` for a protocol that is not served.
        """
        clients(self)
        return (
            (self.tls or loopback(self.host))
            and not bound(token)
            and len(token) <= longest_password(self.protocol)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The holder of a token, and where it may go."""

    agent: str
    root: str
    expires_at: float
    connections: tuple[Reached, ...]

    def only(self, name: str) -> Reached:
        """The connection of that name; raises `Refused` where the token does not reach it."""
        for connection in self.connections:
            if connection.name == name:
                return connection
        reaches = ", ".join(connection.name for connection in self.connections) or "nothing"
        raise Refused(f"the token of {self.agent} does not reach {name}; it reaches {reaches}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """User and password for a connection: the token itself, or a minted pair that stands for it."""

    user: str
    secret: str = field(repr=False)


def reach(client: TokenClient, token: str) -> Reach:
    """Asks the gateway. Raises `Refused` or `Unreachable`."""
    answer = client.get("/v1/connections", bearer=token)
    try:
        return Reach(
            agent=str(answer["agent"]),
            root=str(answer["root"]),
            expires_at=float(answer["expires_at"]),
            connections=tuple(_reached(each) for each in answer["connections"]),
        )
    except (KeyError, TypeError, ValueError):
        raise Unreachable(f"{client.url} answers, but not as a gateway of this version does") from None


def mint(client: TokenClient, token: str) -> Account:
    """A user and password that stand for `token` as long as it holds. Raises `Refused` or `Unreachable`."""
    pair = client.post("/oauth/minted", {}, bearer=token)
    if not pair.get("user") or not pair.get("password"):
        raise Unreachable(f"{client.url} answers, but not as a gateway of this version does")
    return Account(user=str(pair["user"]), secret=str(pair["password"]))


def clients(connection: Reached) -> ServedModule:
    """What is known of the protocol's usual clients; raises `Refused` where it is newer than we."""
    try:
        return served(connection.protocol)
    except ProtocolUnknown as unknown:
        raise Refused(f"{connection.name}: {unknown}; use a countersign as new as the gateway") from None


def environment(connection: Reached, account: Account) -> Mapping[str, str]:
    """The variables by which the protocol's usual clients find and enter `connection`."""
    return clients(connection).environment(
        host=connection.host,
        port=connection.port,
        database=connection.database,
        user=account.user,
        secret=account.secret,
        tls=connection.tls,
    )


def configuration(connection: Reached, account: Account, *, ca: bytes = b"") -> str:
    """The file by which clients find and enter `connection`; of a token, `account` has no user. Raises `Refused`."""
    clients(connection)
    try:
        module = configured(connection.protocol)
    except ProtocolUnknown as unknown:
        raise Refused(f"{connection.name}: {unknown}") from None
    return module.configuration(
        name=connection.name,
        host=connection.host,
        port=connection.port,
        user=account.user,
        secret=account.secret,
        tls=connection.tls,
        ca=ca,
    )


def every_variable() -> frozenset[str]:
    """The names of all variables by which clients of any protocol may have been given an account."""
    return frozenset(
        name
        for protocol in SERVED
        for name in served(protocol).environment(host="-", port=0, database="-", user="-", secret="")
    ) | {configured(protocol).CONFIGURATION for protocol in CONFIGURED}


def without_collisions(each: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """All of them at once, or None where two would need the same variable for different things."""
    together: dict[str, str] = {}
    for variables in each:
        for name, value in variables.items():
            if together.setdefault(name, value) != value:
                return None
    return together


def _reached(answer: Mapping[str, Any]) -> Reached:
    return Reached(
        name=str(answer["name"]),
        protocol=str(answer["protocol"]),
        host=str(answer["host"]),
        port=int(answer["port"]),
        database=str(answer["database"]),
        tls=bool(answer["tls"]),
        effects=tuple(str(effect) for effect in answer["effects"]),
    )
