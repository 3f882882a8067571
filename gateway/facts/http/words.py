"""The words of a name, and what they hint at: they only ever make a request more than its verb."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.facts.http.vocabulary import DESTROYING, EXECUTING, PRIVILEGED, SENDING
from gateway.model import Effect

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = re.compile(r"[^A-Za-z0-9]+")


def parts(name: str) -> tuple[str, ...]:
    """The lower-case words of a name in order: `deleteUser`, `delete-user` and `delete_user` are the same two."""
    return tuple(
        word.lower() for part in filter(None, _SPLIT.split(name)) for word in _CAMEL.split(part) if word
    )


def words(name: str) -> frozenset[str]:
    """The words of a name, and those that only a change of case cuts, whole as well: `ShutDown`, `pUrge`."""
    return frozenset(parts(name)) | {part.lower() for part in filter(None, _SPLIT.split(name))}


def hinted(found: Iterable[str]) -> set[Effect]:
    """What a request that changes something also does, going by its words."""
    known = frozenset(found)
    effects: set[Effect] = set()
    if known & DESTROYING:
        effects.add(Effect.DESTRUCTIVE)
    if known & PRIVILEGED:
        effects.add(Effect.PRIVILEGE)
    if known & EXECUTING:
        effects.add(Effect.EXEC)
    if known & SENDING:
        effects.add(Effect.EXFIL)
    return effects
