"""What a policy may name in this build, and how its examples read: composed from the protocols and the masking engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gateway import protocols
from gateway.masking import custom, names
from gateway.masking.detectors import NAMES as DETECTORS
from gateway.masking.detectors import READ
from gateway.masking.engine import Masks
from gateway.masking.strategies import STRATEGIES
from gateway.model import Facts, Output
from gateway.policy.globs import is_glob
from gateway.policy.model import MaskPolicy
from gateway.policy.vocabulary import ColumnTeller, Vocabulary
from gateway.wire import Mask


def known() -> Vocabulary:
    modules = {name: protocols.reader(name) for name in protocols.NAMES}
    return Vocabulary(
        protocols={name: module.SCHEMES for name, module in modules.items()},
        shares_addresses=protocols.HOSTED,
        encrypts=protocols.ENCRYPTS,
        scheme_tls={name: protocols.scheme_tls(name) for name in modules},
        makes_roles=protocols.ROLES,
        options={name: protocols.options(name) for name in modules},
        attributes=frozenset[str]().union(*(module.ATTRIBUTES for module in modules.values())),
        detectors=frozenset(DETECTORS),
        uninstalled=dict.fromkeys(READ, command) if (command := names.missing()) else {},
        strategies=frozenset(STRATEGIES),
        read_facts=read_facts,
        masked_columns=masked_columns,
        validators=frozenset(custom.VALIDATORS),
        detector_faults=custom.faults,
    )


def read_facts(protocol: str, row: Mapping[str, Any]) -> Facts:
    """The facts of one row of `countersign explain`, read as that protocol reads a session."""
    return protocols.reader(protocol).read_facts(row)


def masked_columns(policies: Mapping[str, MaskPolicy]) -> ColumnTeller:
    """Tells by the engine that masks the answers. Of a star: the columns it could bring; only the target knows which do exist.

    Values that detectors find are masked wherever they stand; they are not foretold here.
    """
    masks = Masks(policies, key=b"")
    by_mask = {
        name: {column.rpartition(".")[2] for column in policy.of_columns} for name, policy in policies.items()
    }

    def tell(names: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
        if not names or not facts.outputs:
            return ()
        mask = masks.mask(names)
        candidates = frozenset[str]().union(*(by_mask[name] for name in names))
        return tuple(
            sorted({found for output in facts.outputs for found in _touched(mask, output, candidates)})
        )

    return tell


def _touched(mask: Mask, output: Output, candidates: frozenset[str]) -> set[str]:
    if output.name != "*":
        return {output.name} if _masks(mask, output.sources, output.name) else set()
    found: set[str] = set()
    for candidate in candidates:
        column = "*" if is_glob(candidate) else candidate
        sources = {_narrowed(source, column) for source in output.sources or {"*"}}
        if _masks(mask, sources, "" if column == "*" else column):
            found.add(column)
    return found


def _masks(mask: Mask, sources: Collection[str], label: str) -> bool:
    return mask.rule(sources, label=label) is not None or mask.opens(sources, label=label)


def _narrowed(source: str, column: str) -> str:
    return source[:-1] + column if source == "*" or source.endswith(".*") else source
