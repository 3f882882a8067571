"""What the gateway needs of HTTP services (`gateway.protocols.CommandReader`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.facts.http import ATTRIBUTES, RequestUnclear, likewise, read, request_of, unclear
from gateway.model import Command, Facts, Shape

SCHEMES: Mapping[str, int] = {"https": 443, "http": 80}


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
    try:
        return likewise.shape(request_of({"command": command.text}), facts)
    except (RequestUnclear, ValueError):
        return None


__all__ = ["ATTRIBUTES", "SCHEMES", "read_facts", "shape"]
