"""What the gateway needs of HTTP services (`gateway.protocols.CommandReader`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model import Effect, Facts

SCHEMES: Mapping[str, int] = {"https": 443, "http": 80}
ATTRIBUTES: frozenset[str] = frozenset()


def read_facts(_row: Mapping[str, Any]) -> Facts:
    """Nothing is understood yet: everything is unknown."""
    return Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)
