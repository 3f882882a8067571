"""What gets past a mask without being an answer: a value stored under a name that no mask knows, or told by conditions.

Facts say which stored columns decide about rows (`condition`) and which go elsewhere (`carried`); whether that
matters is the policy's to say. `partial` shows part of a value on purpose, so that one may sort and search by it;
what is hidden altogether could be had bit by bit from who comes first or is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from gateway.masking.columns import ColumnPattern, all_surely
from gateway.model import Effect, Facts, Output
from gateway.policy.globs import is_glob
from gateway.policy.model import MaskPolicy, Policy

_SHOWN_IN_PART = "partial"
_ANY_COLUMN = "?"
"""A name that only a pattern for all columns of a table matches."""
_pattern = lru_cache(maxsize=1_024)(ColumnPattern)


def under_masks(policy: Policy, masks: Iterable[str], facts: Facts) -> Facts:
    """The facts, with `exfil` if they carry what these masks hide past them; the same object where they do not."""
    if Effect.EXFIL in facts.effects:
        return facts
    lent = [mask for name in masks if (mask := policy.masks.get(name)) is not None and mask.columns]
    if not lent or not any(_tells(mask, facts) or _leaks(mask, lent, facts) for mask in lent):
        return facts
    return replace(facts, effects=facts.effects | {Effect.EXFIL})


def _tells(mask: MaskPolicy, facts: Facts) -> bool:
    hidden = [pattern for pattern, strategy in mask.columns.items() if strategy != _SHOWN_IN_PART]
    return any(
        _pattern(pattern).may_be(resource.name) and not _spared(mask, resource.name)
        for resource in facts.resources
        if resource.kind == "condition"
        for pattern in hidden
    )


def _leaks(mask: MaskPolicy, lent: Sequence[MaskPolicy], facts: Facts) -> bool:
    return any(_uncovered(mask, pattern, lent, moved) for moved in facts.carried for pattern in mask.columns)


def _uncovered(mask: MaskPolicy, pattern: str, lent: Sequence[MaskPolicy], moved: Output) -> bool:
    """Whether a column of this pattern is among what is moved, and no mask hides it where it goes."""
    to, column = moved.name, pattern.rpartition(".")[2]
    sources = moved.sources
    if moved.exact and not is_glob(column):  # of a star, the column of that name, which it keeps
        sources = frozenset(_named(source, column) for source in sources)
        to = _named(to, column)
    if not any(_pattern(pattern).may_be(source) and not _spared(mask, source) for source in sources):
        return False
    to = _named(to, _ANY_COLUMN)
    return not to or not any(
        _pattern(other).may_be(to) and not _spared(each, to) for each in lent for other in each.columns
    )


def _named(name: str, column: str) -> str:
    return name[:-1] + column if name.endswith(".*") else name


def _spared(mask: MaskPolicy, name: str) -> bool:
    return all_surely(map(_pattern, mask.except_), (name,))
