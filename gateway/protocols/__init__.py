"""The protocols, by name: the only place where a name becomes code.

Every protocol's commands are read (`reader`), so that policies are written, checked and explained for all of them; it is
talked through the gateway by a wire of ours (`load`), or by a library that owns its sockets (`load_hosted`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from gateway.contract import Estimate
from gateway.facts.schema import Schema
from gateway.hosted import Desks, Host
from gateway.minting import Role
from gateway.model import Command, Effects, Facts, Shape
from gateway.wire import Login, Opening, Wire

_MODULES: Mapping[str, str] = {
    name: f"gateway.protocols.{name}.module" for name in ("postgres", "mysql", "ssh", "http", "kubernetes")
}
NAMES = frozenset(_MODULES)
WIRES = frozenset({"postgres", "mysql", "http", "kubernetes"})
HOSTED = frozenset({"ssh"})
SERVED = WIRES | HOSTED
ENCRYPTS = frozenset({"ssh"})
"""Those that encrypt by themselves, and know hosts by their keys: no TLS goes around them."""
SURVEYED = frozenset({"postgres", "mysql"})
"""Those whose targets have a catalogue that facts can be read by."""


NEEDS_TLS = frozenset({"kubernetes"})
"""Those whose usual clients show no credential in clear, not even on this machine."""
CONFIGURED = frozenset({"kubernetes"})
"""Those whose usual clients find a connection, and enter it, by a file."""
ROLES = frozenset({"postgres"})
"""Those at whose targets a role can be made for one session."""


class ProtocolUnknown(Exception):
    """A policy names a protocol that the gateway does not speak."""


Certify = Callable[[str], Mapping[str, Any]]
"""A public key -> the gateway's answer for it."""


class CommandReader(Protocol):
    """What every protocol's module supplies: enough to write and try rules for it."""

    SCHEMES: Mapping[str, int]
    """How an upstream address may begin, the usual scheme first, and the port that each means."""
    ATTRIBUTES: frozenset[str]
    """Every attribute that its facts may have."""

    def read_facts(self, row: Mapping[str, Any]) -> Facts:
        """What a row of `countersign explain` would do. Raises `ValueError` for a row that holds no command."""

    def shape(self, command: Command, facts: Facts) -> Shape | None:
        """What a command that does this has in common with those that differ in values that change nothing of it."""


class ServedModule(CommandReader, Protocol):
    """What the module of a protocol that is served supplies."""

    def render(self, answer: bytes, shape: bytes) -> str:
        """The recorded bytes of one command's answer, as a person reads them; safe to print on a terminal."""

    def environment(
        self, *, host: str, port: int, database: str, user: str, secret: str, tls: bool = False
    ) -> Mapping[str, str]:
        """Variables by which the protocol's usual clients find the connection; `tls`: the gateway offers that."""

    def client_line(
        self, *, host: str, port: int, database: str, user: str, asks: bool = False, tls: bool = False
    ) -> str:
        """A shell line that starts the usual client; it holds no secret. `asks`: a person types that."""


class SurveyedModule(CommandReader, Protocol):
    """What the module of a protocol supplies whose targets have a catalogue."""

    def knowledge(self) -> object:
        """What is to be known of one target, for `Opening.known`: nothing yet."""

    async def survey(self, upstream: Any, login: Login, known: Any) -> str:
        """Renew `known` by what the target's own catalogue says; "" or why it cannot. Raises nothing the target does."""

    def schema(self, known: Any) -> Schema | None:
        """The tables of one target, as far as they are `known`."""

    async def powers(self, upstream: Any, login: Login) -> Mapping[str, Effects] | None:
        """What a credential may do there beside reading -> the effects of which a scope has one where that is needed.

        None where the target does not tell.
        """

    def read_facts(self, row: Mapping[str, Any], known: Any = None) -> Facts:
        """As of every protocol, by what is `known` of the target."""


class ProtocolModule(ServedModule, SurveyedModule, Protocol):
    """What the module of a protocol with a wire supplies."""

    ALPN: str
    """The protocol's registered name for TLS from the first byte (RFC 7301), or ""."""

    def open_wire(self, opening: Opening) -> Wire:
        """The protocol state of one new client connection."""

    async def estimate(self, upstream: Any, login: Login, command: Command) -> Estimate | None:
        """How much a held command would touch, as far as the target can tell without running it."""


class ConfiguredModule(ServedModule, Protocol):
    """What the module of a protocol supplies whose clients are told by a file."""

    CONFIGURATION: str
    """The variable that names such a file."""

    def configuration(
        self, *, name: str, host: str, port: int, user: str, secret: str, tls: bool, ca: bytes = b""
    ) -> str:
        """What is in it. `user` is "" where `secret` is a token; `ca`: certificates to trust in place of the system's."""


class RoleModule(Protocol):
    """What makes roles at a protocol's targets."""

    async def mint(self, upstream: Any, login: Login, role: Role) -> None:
        """Make it, as whoever `login` is. Raises `RoleFailed`; then nobody can tell whether it is there."""

    async def drop(self, upstream: Any, login: Login, name: str, *, owner: str) -> None:
        """Gone with its sessions; what it owned is `owner`'s, "" for `login`'s. One that is not there is fine. Raises `RoleFailed`."""

    async def made(self, upstream: Any, login: Login, prefix: str) -> Sequence[str]:
        """The roles there whose names begin so. Raises `RoleFailed`."""


class HostedModule(ServedModule, Protocol):
    """What the module of a protocol whose library owns the sockets supplies."""

    async def serve(self, desks: Desks, *, host: str, port: int) -> Host:
        """Begin to accept. Raises `OSError` where the address cannot be had."""

    def certify(
        self,
        secret: Callable[[str], bytes],
        public_key: str,
        *,
        connection: str,
        user: str,
        name: str,
        expires_at: float,
    ) -> Mapping[str, str]:
        """What lets the holder of a key enter as the minted `user`, and know the server. Raises `ValueError`."""

    def authority(self, secret: Callable[[str], bytes]) -> str:
        """What targets have to trust so that the gateway can log in without a stored credential."""

    def host(self, secret: Callable[[str], bytes]) -> Mapping[str, str]:
        """By what clients know the gateway: `host_key`, `host_authority` and the key's `fingerprint`."""

    def known_host(self, host: str, port: int, host_key: str) -> str:
        """What the usual client takes down of a host that it knows. Raises `ValueError` where the key is none."""

    def write_access(self, directory: Path, *, name: str, host: str, port: int, certify: Certify) -> str:
        """Put what the usual client needs to enter by certificate into a directory; the line that uses it."""


def own_secrets(name: str, secret: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """The secrets that a protocol has for itself, by what each is for."""
    return lambda purpose: secret(f"{name}-{purpose}")


def reader(name: str) -> CommandReader:
    """What reads the commands of a protocol. Raises `ProtocolUnknown`."""
    if name not in NAMES:
        raise ProtocolUnknown(f"protocol {name!r} is not known; known are {', '.join(sorted(NAMES))}")
    return cast(CommandReader, import_module(_MODULES[name]))


def surveyed(name: str) -> SurveyedModule:
    """The module of a protocol whose targets have a catalogue. Raises `ProtocolUnknown`."""
    if name not in SURVEYED:
        raise ProtocolUnknown(f"no catalogue is read of {name!r}, but of {', '.join(sorted(SURVEYED))}")
    return cast(SurveyedModule, import_module(_MODULES[name]))


def scheme_tls(name: str) -> Mapping[str, str]:
    """How targets are met where the address says by its scheme whether there is TLS."""
    return cast(Mapping[str, str], getattr(reader(name), "SCHEME_TLS", {}))


def scheme(name: str, *, tls: bool) -> str:
    """How an address at the gateway begins."""
    told = scheme_tls(name).items()
    return next((each for each, how in told if (how != "disable") is tls), name)


def options(name: str) -> Mapping[str, Collection[str]]:
    """The switches that connections of a protocol have, and what each may be."""
    return cast(Mapping[str, Collection[str]], getattr(reader(name), "OPTIONS", {}))


def served(name: str) -> ServedModule:
    """The module of a protocol that is served, however. Raises `ProtocolUnknown`."""
    if name not in SERVED:
        raise ProtocolUnknown(f"protocol {name!r} is not served here; served are {', '.join(sorted(SERVED))}")
    return cast(ServedModule, import_module(_MODULES[name]))


def configured(name: str) -> ConfiguredModule:
    """The module of a protocol whose clients are told by a file. Raises `ProtocolUnknown`."""
    if name not in CONFIGURED:
        raise ProtocolUnknown(
            f"clients of {name!r} need no file, but those of {', '.join(sorted(CONFIGURED))}"
        )
    return cast(ConfiguredModule, served(name))


def longest_password(name: str) -> int:
    """Characters that the usual client takes as a password."""
    return int(getattr(served(name), "LONGEST_PASSWORD", 1_000_000))


def timed(name: str) -> Callable[[bytes, bytes], Iterable[tuple[float, str, str]]]:
    """How a player shows recorded answers of a protocol: all at once where it does not keep its own time."""
    module = served(name)
    own = getattr(module, "timed", None)
    if own is not None:
        return cast("Callable[[bytes, bytes], Iterable[tuple[float, str, str]]]", own)
    return lambda answer, shape: [(0.0, "o", module.render(answer, shape).replace("\n", "\r\n"))]


def shape(name: str, command: Command, facts: Facts) -> Shape | None:
    """What a command of a protocol has in common with others; None where that, or what it does, cannot be told."""
    return reader(name).shape(command, facts) if facts.complete else None


def load(name: str) -> ProtocolModule:
    """The module of a protocol with a wire. Raises `ProtocolUnknown`."""
    if name not in WIRES:
        raise ProtocolUnknown(f"protocol {name!r} has no wire here; {', '.join(sorted(WIRES))} have")
    return cast(ProtocolModule, import_module(_MODULES[name]))


def needs_alpn(name: str) -> bool:
    """Whether a client that begins with TLS has to say by ALPN that it speaks the protocol."""
    module = load(name)
    return bool(module.ALPN) and bool(getattr(module, "NEEDS_ALPN", True))


def role_maker(name: str) -> RoleModule:
    """What makes roles at targets of a protocol. Raises `ProtocolUnknown`."""
    if name not in ROLES:
        raise ProtocolUnknown(f"protocol {name!r} has no roles here; {', '.join(sorted(ROLES))} have")
    return cast(RoleModule, import_module(f"gateway.protocols.{name}.roles"))


def load_hosted(name: str) -> HostedModule:
    """The module of a protocol whose library owns the sockets. Raises `ProtocolUnknown`."""
    if name not in HOSTED:
        raise ProtocolUnknown(f"protocol {name!r} is not hosted here; {', '.join(sorted(HOSTED))} are")
    return cast(HostedModule, import_module(_MODULES[name]))
