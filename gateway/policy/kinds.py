"""Resource patterns, bare or of one kind: `orders`, `audit.*`, `table:public.orders`, `k8s:prod/secrets/*`, `path:/admin/**`.

A bare pattern speaks of whatever has dotted names. A kind's pattern speaks of that kind alone; where its names have
slashes, `*` is within one part and `**` is any number of them. As everywhere, a pattern is read exactly where it lets
through and widely where it stops: what contains the thing, or may be it, is meant too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.model import Effect, Resource
from gateway.policy.globs import Names

SLASHED = frozenset({"k8s", "path", "file"})
"""Kinds whose names are made of parts with slashes between."""
KNOWN = SLASHED | frozenset(
    [
        "table",
        "view",
        "matview",
        "column",
        "condition",
        "function",
        "procedure",
        "aggregate",
        "sequence",
        "schema",
        "database",
        "role",
        "setting",
        "channel",
        "extension",
        "index",
        "type",
        "domain",
        "trigger",
        "event",
        "rule",
        "policy",
        "publication",
        "subscription",
        "server",
        "collation",
        "operator",
        "language",
        "tablespace",
        "user",
        "host",
        "program",
        "service",
        "package",
        "process",
        "container",
        "remote",
        "field",
        "rpc",
        "tool",
    ]
)
"""Kinds that commands are known to touch. SQL has more, and gains some: what is not here is doubtful, not wrong."""
ANY_NAMESPACE = "-"
"""What stands for the namespace of a request that is about all of them."""
_REACHING = frozenset({Effect.WRITE, Effect.DESTRUCTIVE, Effect.PRIVILEGE, Effect.EXFIL})
"""Done to a directory, they are done to what is in it."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Any of `patterns`."""

    patterns: tuple[str, ...]
    bare: Names | None = field(init=False, repr=False, compare=False)
    _kinds: tuple[tuple[str, Names], ...] = field(init=False, repr=False, compare=False)
    _slashed: tuple[tuple[str, str, re.Pattern[str]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        bare: list[str] = []
        kinds: dict[str, list[str]] = {}
        slashed: list[tuple[str, str, re.Pattern[str]]] = []
        for pattern in self.patterns:
            kind, colon, rest = pattern.partition(":")
            if not colon:
                bare.append(pattern)
            elif kind in SLASHED:
                slashed.append((kind, rest.lower(), _compiled(rest.lower())))
            else:
                kinds.setdefault(kind, []).append(rest)
        object.__setattr__(self, "bare", Names(tuple(bare)) if bare else None)
        object.__setattr__(self, "_kinds", tuple((kind, Names(tuple(each))) for kind, each in kinds.items()))
        object.__setattr__(self, "_slashed", tuple(slashed))

    def is_exactly(self, kind: str, name: str) -> bool:
        """The thing, as it was named, is one of these."""
        if self.bare is not None and kind not in SLASHED and self.bare.is_exactly(name):
            return True
        return any(of == kind and names.is_exactly(name) for of, names in self._kinds) or any(
            of == kind and pattern.fullmatch(name.lower()) is not None for of, _, pattern in self._slashed
        )

    def could_be(self, kind: str, name: str, effect: Effect) -> bool:
        """The thing could be, or could contain, one of these."""
        if self.bare is not None and kind not in SLASHED and self.bare.could_be(name):
            return True
        return any(of == kind and names.could_be(name) for of, names in self._kinds) or any(
            of == kind and _could_be(text, pattern, name.lower(), effect)
            for of, text, pattern in self._slashed
        )

    def columns_could_be(self, resource: Resource) -> bool:
        """The column could be meant by a dotted pattern."""
        dotted = self.bare.dotted if self.bare is not None else None
        if dotted is not None and dotted.could_be(resource.name):
            return True
        return any(of == "column" and names.could_be(resource.name) for of, names in self._kinds)


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    special = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    text = "".join(special.get(part, re.escape(part)) for part in parts)
    # `/admin/**` is everything below /admin, and /admin itself.
    return re.compile(re.sub(r"/\.\*$", "(?:/.*)?", text), re.DOTALL)


def _could_be(text: str, pattern: re.Pattern[str], name: str, effect: Effect) -> bool:
    if pattern.fullmatch(name):
        return True
    if name.startswith(f"{ANY_NAMESPACE}/"):
        of_any = text.partition("/")[2]
        rest = name.partition("/")[2]
        return _compiled(of_any).fullmatch(rest) is not None or of_any.startswith(f"{rest}/")
    above = name.rstrip("/") + "/"
    whole = (
        not name.startswith("/") and "/" in name
    )  # a collection of Kubernetes objects is every one of them
    return (whole or effect in _REACHING) and text.startswith(above)
