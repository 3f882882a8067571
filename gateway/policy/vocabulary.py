"""What the rest of the gateway tells policy: the names a file may use, and how commands and masks read.

Policy imports neither protocols nor masking; `gateway.vocabulary` composes this from both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gateway.model import Facts
from gateway.policy.model import CustomDetector, MaskPolicy

FactReader: TypeAlias = Callable[[str, Mapping[str, Any]], Facts]
"""`(protocol, row)` -> facts; the row is one of `countersign explain --jsonl`."""
ColumnTeller: TypeAlias = Callable[[tuple[str, ...], Facts], tuple[str, ...]]
"""`(masks of a verdict, facts)` -> sorted names of the result columns that column rules of those masks would touch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    protocols: Mapping[str, Mapping[str, int]]
    """Protocol -> how its addresses may begin, the usual scheme first, and the port that each scheme means."""
    attributes: frozenset[str]
    """Every attribute that any protocol's facts may carry."""
    detectors: frozenset[str]
    strategies: frozenset[str]
    read_facts: FactReader
    masked_columns: Callable[[Mapping[str, MaskPolicy]], ColumnTeller]
    """The masks of a policy -> what they touch."""
    shares_addresses: frozenset[str] = frozenset()
    """Protocols of which several connections may listen on one address: clients name theirs when they log in."""
    encrypts: frozenset[str] = frozenset()
    """Protocols that encrypt by themselves, and know hosts by their keys: no TLS goes around them."""
    scheme_tls: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Protocol -> scheme -> how such targets are met, where the scheme says whether there is TLS."""
    makes_roles: frozenset[str] = frozenset()
    """Protocols whose targets have roles that the gateway can make for one session."""
    options: Mapping[str, Mapping[str, Collection[str]]] = field(default_factory=dict)
    """Protocol -> the switches that its connections have, and what each may be."""
    uninstalled: Mapping[str, str] = field(default_factory=dict)
    """Detectors that are known and whose engine is not there -> what installs it."""
    validators: frozenset[str] = frozenset()
    """The checks that a detector of the file may name."""
    detector_faults: Callable[[CustomDetector], Iterable[tuple[str, int, str]]] = lambda _: ()
    """A detector of the file -> `(key, index, what is wrong)`."""
