"""What the gateway needs of the Kubernetes API (`gateway.protocols.CommandReader`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.facts.http import RequestUnclear, request_of
from gateway.facts.kubernetes import ATTRIBUTES, likewise, read, unclear
from gateway.model import Command, Facts, Shape

SCHEMES: Mapping[str, int] = {"https": 443, "http": 80}


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


__all__ = ["ATTRIBUTES", "SCHEMES", "read_facts", "shape"]
