"""The protocols, by name: the only place where a name becomes code.

Every protocol's commands are read (`reader`), so that policies are written, checked and explained for all of them;
those in `SPOKEN` have a wire as well and are served (`load`).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from gateway.contract import Estimate
from gateway.model import Command, Facts
from gateway.wire import Login, Opening, Wire

_MODULES: Mapping[str, str] = {
    name: f"gateway.protocols.{name}.module" for name in ("postgres", "mysql", "ssh", "http", "kubernetes")
}
NAMES = frozenset(_MODULES)
SPOKEN = frozenset({"postgres"})
"""Those that have a wire."""


class ProtocolUnknown(Exception):
    """A policy names a protocol that the gateway does not speak."""


class CommandReader(Protocol):
    """What every protocol's module supplies: enough to write and try rules for it."""

    SCHEMES: Mapping[str, int]
    """How an upstream address may begin, the usual scheme first, and the port that each means."""
    ATTRIBUTES: frozenset[str]
    """Every attribute that its facts may have."""

    def read_facts(self, row: Mapping[str, Any]) -> Facts:
        """What a row of `countersign explain` would do. Raises `ValueError` for a row that holds no command."""


class ProtocolModule(CommandReader, Protocol):
    """What the module of a protocol with a wire supplies."""

    ALPN: str
    """The protocol's registered name for TLS from the first byte (RFC 7301), or ""."""

    def open_wire(self, opening: Opening) -> Wire:
        """The protocol state of one new client connection."""

    def render(self, answer: bytes, shape: bytes) -> str:
        """The recorded bytes of one command's answer, as a person reads them; safe to print on a terminal."""

    def environment(
        self, *, host: str, port: int, database: str, user: str, secret: str
    ) -> Mapping[str, str]:
        """Variables by which the protocol's usual clients find the connection."""

    def client_line(self, *, host: str, port: int, database: str, user: str) -> str:
        """A shell line that starts the usual client; it holds no secret."""

    def knowledge(self) -> object:
        """What is to be known of one target, for `Opening.known`: nothing yet."""

    async def survey(self, upstream: Any, login: Login, known: Any) -> None:
        """Renew `known` by what the target's own catalogue says. Raises nothing for what the target does."""

    async def estimate(self, upstream: Any, login: Login, command: Command) -> Estimate | None:
        """How much a held command would touch, as far as the target can tell without running it."""


def reader(name: str) -> CommandReader:
    """What reads the commands of a protocol. Raises `ProtocolUnknown`."""
    if name not in NAMES:
        raise ProtocolUnknown(f"protocol {name!r} is not known; known are {', '.join(sorted(NAMES))}")
    return cast(CommandReader, import_module(_MODULES[name]))


def load(name: str) -> ProtocolModule:
    """The module of a protocol that is served. Raises `ProtocolUnknown`."""
    if name not in SPOKEN:
        raise ProtocolUnknown(f"protocol {name!r} is not served here; served are {', '.join(sorted(SPOKEN))}")
    return cast(ProtocolModule, import_module(_MODULES[name]))
