"""What the gateway needs of MySQL and MariaDB (`gateway.protocols.CommandReader`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model import Effect, Facts

SCHEMES: Mapping[str, int] = {"mysql": 3306, "mariadb": 3306}
ATTRIBUTES: frozenset[str] = frozenset()


def read_facts(_row: Mapping[str, Any]) -> Facts:
    """Nothing is understood yet: everything is unknown."""
    return Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)
