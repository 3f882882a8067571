"""What the gateway needs of HTTP services (`gateway.protocols.ProtocolModule`)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from gateway.contract import Estimate
from gateway.facts.http import ATTRIBUTES, RequestUnclear, likewise, read, request_of, unclear
from gateway.model import Command, Facts, Shape
from gateway.protocols.http.replay import render
from gateway.protocols.http.target import address
from gateway.protocols.http.wire import HttpWire
from gateway.wire import Login, Opening, Upstream, Wire

SCHEMES: Mapping[str, int] = {"https": 443, "http": 80}
SCHEME_TLS: Mapping[str, str] = {"https": "verify-full", "http": "disable"}
ALPN = "http/1.1"
NEEDS_ALPN = False
"""Many clients name no protocol, and what they then speak is HTTP/1.1."""
URL, USER, PASSWORD = "COUNTERSIGN_HTTP_URL", "COUNTERSIGN_HTTP_USER", "COUNTERSIGN_HTTP_PASSWORD"


def open_wire(opening: Opening) -> Wire:
    return HttpWire(opening)


def read_facts(row: Mapping[str, Any]) -> Facts:
    """The facts of the request in `method`, `path`, `query`, `headers` and `body`, or of the bytes in `raw_b64`.

    Raises `ValueError` for a row without a request.
    """
    try:
        return read(request_of(row))
    except RequestUnclear as why:
        return unclear(str(why))


def shape(command: Command, facts: Facts) -> Shape | None:
    """Of a request whose text is as people write it."""
    if "\r" in command.text:
        return None  # as text its lines end otherwise
    try:
        return likewise.shape(request_of({"command": command.text}), facts)
    except (RequestUnclear, ValueError):
        return None


def environment(
    *, host: str, port: int, database: str, user: str, secret: str, tls: bool = False
) -> Mapping[str, str]:
    """Variables of our own: HTTP's clients have none in common."""
    del database
    return {URL: address(host, port, tls=tls), USER: user, PASSWORD: secret}


def client_line(
    *, host: str, port: int, database: str, user: str, asks: bool = False, tls: bool = False
) -> str:
    """curl, asking for the password or told it in a way that no list of processes shows."""
    del database
    url = f"{address(host, port, tls=tls)}/"
    if asks:
        return shlex.join(["curl", "--user", user, url])
    told = f"""printf 'user = "%s:%s"\\n' "$0" "${PASSWORD}" | curl --config - "$@\""""
    return shlex.join(["sh", "-c", told, user, url])


async def estimate(upstream: Upstream, login: Login, command: Command) -> Estimate | None:
    """No service tells what a request would do before it does it."""
    del upstream, login, command
    return None


__all__ = [
    "ALPN",
    "ATTRIBUTES",
    "NEEDS_ALPN",
    "SCHEMES",
    "SCHEME_TLS",
    "client_line",
    "environment",
    "estimate",
    "open_wire",
    "read_facts",
    "render",
    "shape",
]
