"""Hosts that are written differently and are the same."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

LOOPBACK = "localhost"
_PATIENCE = 2.0
"""Seconds for a name to be found."""

Resolve: TypeAlias = Callable[..., Awaitable[Sequence[Any]]]
"""As a loop's `getaddrinfo`."""


def canonical(host: str) -> str:
    """One spelling for all that are known to mean one host: addresses as C libraries read them, names as DNS does."""
    name = host.strip().strip("[]").partition("%")[0].lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(name))
        except (OSError, UnicodeError, ValueError):
            loops = name in {"", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}
            return LOOPBACK if loops or name == LOOPBACK or name.endswith(f".{LOOPBACK}") else name
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or _embedded(address) or address
    # Connecting to "any address" connects to oneself.
    return LOOPBACK if address.is_loopback or address.is_unspecified else str(address)


def is_address(host: str) -> bool:
    """Whether it says by itself where it is."""
    same = canonical(host)
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(same))
    return same == LOOPBACK


async def found(name: str, port: int, resolve: Resolve) -> frozenset[str]:
    """Where a name leads from here, in the one spelling; nothing where nobody knows."""
    try:
        async with asyncio.timeout(_PATIENCE):
            places = await resolve(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return frozenset()
    return frozenset(canonical(str(place[4][0])) for place in places)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in `64:ff9b::1.2.3.4` (RFC 6052) or `::1.2.3.4` (RFC 4291 section 2.5.5.1)."""
    within = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    high = int(address) >> 32
    if high == 0x64_FF9B << 64 or (high == 0 and int(within) > 0xFFFF):
        return within
    return None
