"""What the gateway needs of the Kubernetes API (`gateway.protocols.ProtocolModule`)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from gateway.contract import Estimate
from gateway.facts.http import RequestUnclear, request_of
from gateway.facts.kubernetes import ATTRIBUTES, likewise, read, unclear
from gateway.model import Command, Facts, Shape
from gateway.protocols.http.target import address
from gateway.protocols.http.wire import HttpWire
from gateway.protocols.kubernetes.kubeconfig import configuration
from gateway.protocols.kubernetes.replay import render
from gateway.protocols.kubernetes.speech import KUBERNETES
from gateway.wire import Login, Opening, Upstream, Wire

SCHEMES: Mapping[str, int] = {"https": 443, "http": 80}
SCHEME_TLS: Mapping[str, str] = {"https": "verify-full", "http": "disable"}
ALPN = "http/1.1"
NEEDS_ALPN = False
"""As for HTTP: some clients name no protocol."""
CONFIGURATION = "KUBECONFIG"
"""The variable that names a file as `configuration` makes it."""
URL, USER, PASSWORD = (
    "COUNTERSIGN_KUBERNETES_URL",
    "COUNTERSIGN_KUBERNETES_USER",
    "COUNTERSIGN_KUBERNETES_PASSWORD",
)
_ASK = """printf 'Password: ' >&2; stty -echo; read -r p; stty echo; echo >&2"""
_KUBECTL = r"""
f=$(mktemp) && trap 'rm -f "$f"' EXIT && printf 'users: [{name: agent, user: {password: "%s"}}]' "$p" >"$f" &&
u=$1 && shift && kubectl --kubeconfig "$f" --server "$0" --user agent --username "$u" "$@"
""".strip().replace("\n", " ")
"""The password is in a file that is gone when kubectl is, and in no list of processes."""


def open_wire(opening: Opening) -> Wire:
    return HttpWire(opening, KUBERNETES)


def read_facts(row: Mapping[str, Any]) -> Facts:
    """The facts of the request that a row holds, as for HTTP. Raises `ValueError` for a row without one."""
    try:
        return read(request_of(row))
    except RequestUnclear as why:
        return unclear(str(why))


def shape(command: Command, facts: Facts) -> Shape | None:
    """Of a request whose text is as people write it."""
    try:
        return likewise.shape(request_of({"command": command.text}), facts)
    except (RequestUnclear, ValueError):
        return None


def environment(
    *, host: str, port: int, database: str, user: str, secret: str, tls: bool = False
) -> Mapping[str, str]:
    """Variables of our own: kubectl takes a file, and no account from its environment."""
    del database
    return {URL: address(host, port, tls=tls), USER: user, PASSWORD: secret}


def client_line(
    *, host: str, port: int, database: str, user: str, asks: bool = False, tls: bool = False
) -> str:
    """kubectl, asking for the password or told it in a way that no list of processes shows."""
    del database
    first = _ASK if asks else f"p=${PASSWORD}"
    return shlex.join(["sh", "-c", f"{first}; {_KUBECTL}", address(host, port, tls=tls), user])


async def estimate(upstream: Upstream, login: Login, command: Command) -> Estimate | None:
    """What a dry run tells is no number."""
    del upstream, login, command
    return None


__all__ = [
    "ALPN",
    "ATTRIBUTES",
    "CONFIGURATION",
    "NEEDS_ALPN",
    "SCHEMES",
    "SCHEME_TLS",
    "client_line",
    "configuration",
    "environment",
    "estimate",
    "open_wire",
    "read_facts",
    "render",
    "shape",
]
