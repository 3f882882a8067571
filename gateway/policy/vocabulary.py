"""The names that a policy may use for things which other parts of the gateway define.

Policy imports neither protocols nor masking; whoever composes the gateway tells it what they offer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.model import Facts

FactReader: TypeAlias = Callable[[str, Mapping[str, Any]], Facts]
"""`(protocol, row)` -> facts; the row is one of `countersign explain --jsonl`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    protocols: Mapping[str, int]
    """Protocol -> the port its servers usually listen on."""
    attributes: frozenset[str]
    """Every attribute that any protocol's facts may carry."""
    detectors: frozenset[str]
    strategies: frozenset[str]
