"""The protocols that the gateway speaks, by name: the only place where a name becomes code."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from gateway.contract import Estimate
from gateway.model import Command, Facts
from gateway.wire import Login, Opening, Wire

_MODULES: Mapping[str, str] = {"postgres": "gateway.protocols.postgres.module"}
NAMES = frozenset(_MODULES)


class ProtocolUnknown(Exception):
    """A policy names a protocol that the gateway does not speak."""


class ProtocolModule(Protocol):
    """What a protocol's folder supplies."""

    DEFAULT_PORT: int
    ALPN: str
    """The protocol's registered name for TLS from the first byte (RFC 7301), or ""."""
    ATTRIBUTES: frozenset[str]
    """Every attribute that its facts may have."""

    def open_wire(self, opening: Opening) -> Wire:
        """The protocol state of one new client connection."""

    def read_facts(self, row: Mapping[str, Any]) -> Facts:
        """What a row of `countersign explain` would do. Raises `ValueError` for a row that holds no command."""

    def render(self, answer: bytes, shape: bytes) -> str:
        """The recorded bytes of one command's answer, as a person reads them; safe to print on a terminal."""

    def environment(
        self, *, host: str, port: int, database: str, user: str, secret: str
    ) -> Mapping[str, str]:
        """Variables by which the protocol's usual clients find the connection."""

    def client_line(self, *, host: str, port: int, database: str, user: str) -> str:
        """A shell line that starts the usual client; it holds no secret."""

    async def estimate(self, upstream: Any, login: Login, command: Command) -> Estimate | None:
        """How much a held command would touch, as far as the target can tell without running it."""


def load(name: str) -> ProtocolModule:
    """The module of a protocol. Raises `ProtocolUnknown`."""
    if name not in _MODULES:
        raise ProtocolUnknown(f"protocol {name!r} is not spoken here; known are {', '.join(sorted(NAMES))}")
    return cast(ProtocolModule, import_module(_MODULES[name]))
