"""What the gateway needs of HTTP services (`gateway.protocols.CommandReader`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.facts.http import ATTRIBUTES, RequestUnclear, read, request_of, unclear
from gateway.model import Facts

SCHEMES: Mapping[str, int] = {"https": 443, "http": 80}


def read_facts(row: Mapping[str, Any]) -> Facts:
    """The facts of the request in `method`, `path`, `query`, `headers` and `body`, or of the bytes in `raw_b64`.

    Raises `ValueError` for a row without a request.
    """
    try:
        return read(request_of(row))
    except RequestUnclear as why:
        return unclear(str(why))


__all__ = ["ATTRIBUTES", "SCHEMES", "read_facts"]
