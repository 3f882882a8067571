"""Resource patterns, bare or of one kind: `orders`, `audit.*`, `table:public.orders`, `k8s:prod/secrets/*`, `path:/admin/**`.

A bare pattern speaks of whatever has dotted names. A kind's pattern speaks of that kind alone; where its names have
slashes, `*` is within one part and `**` is any number of them. As everywhere, a pattern is read exactly where it lets
through and widely where it stops: what contains the thing, or may be it, is meant too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model import Effect, Resource
from gateway.policy.globs import Names
from gateway.policy.paths import PathPattern, is_wild

FILE = "file"
SLASHED = frozenset({"k8s", "path", FILE})
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
_HOMES = ("/home/*", "/root", "/users/*")
"""Where `~` and names without a slash may be."""
_REACHING = frozenset({Effect.WRITE, Effect.DESTRUCTIVE, Effect.PRIVILEGE, Effect.EXFIL})
"""Done to a directory, they are done to what is in it."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Any of `patterns`."""

    patterns: tuple[str, ...]
    bare: Names | None = field(init=False, repr=False, compare=False)
    _kinds: tuple[tuple[str, Names], ...] = field(init=False, repr=False, compare=False)
    _slashed: tuple[tuple[str, PathPattern, PathPattern], ...] = field(init=False, repr=False, compare=False)
    """Kind, pattern as written, and in lower case."""

    def __post_init__(self) -> None:
        bare: list[str] = []
        kinds: dict[str, list[str]] = {}
        slashed: list[tuple[str, PathPattern, PathPattern]] = []
        for pattern in self.patterns:
            kind, colon, rest = pattern.partition(":")
            if not colon:
                bare.append(pattern)
            elif kind in SLASHED:
                slashed.append((kind, PathPattern(rest), PathPattern(rest.lower())))
            else:
                kinds.setdefault(kind, []).append(rest)
        object.__setattr__(self, "bare", Names(tuple(bare)) if bare else None)
        object.__setattr__(self, "_kinds", tuple((kind, Names(tuple(each))) for kind, each in kinds.items()))
        object.__setattr__(self, "_slashed", tuple(slashed))

    def is_exactly(self, kind: str, name: str) -> bool:
        """The thing, as it was named, is one of these, whatever it turns out to be."""
        if kind in SLASHED:
            # Files of different case are different files; of paths and objects nobody can count on that.
            return any(
                of == kind
                and (written.matches_all_of(name) if kind == FILE else pattern.matches_all_of(name.lower()))
                for of, written, pattern in self._slashed
            )
        if self.bare is not None and self.bare.is_exactly(name):
            return True
        return any(of == kind and names.is_exactly(name) for of, names in self._kinds)

    def could_be(self, kind: str, name: str, effect: Effect) -> bool:
        """The thing could be, or could contain, one of these."""
        if kind in SLASHED:
            return any(
                of == kind and _could_be(kind, pattern, name.lower(), effect)
                for of, _, pattern in self._slashed
            )
        # What is called nothing but `*` (UNLISTEN *) is all of its kind, of which a bare pattern says nothing.
        if self.bare is not None and name != "*" and self.bare.could_be(name):
            return True
        return any(of == kind and names.could_be(name) for of, names in self._kinds)

    def columns_could_be(self, resource: Resource) -> bool:
        """The column could be meant by a dotted pattern."""
        dotted = self.bare.dotted if self.bare is not None else None
        if dotted is not None and dotted.could_be(resource.name):
            return True
        return any(of == "column" and names.could_be(resource.name) for of, names in self._kinds)


def _could_be(kind: str, pattern: PathPattern, name: str, effect: Effect) -> bool:
    forms = _forms(kind, name)
    if any(map(pattern.meets, forms)):
        return True
    if kind == FILE and not name.startswith("/") and not is_wild(pattern.text.rpartition("/")[2]):
        # Where it was relative to, nobody can tell; by its last parts it may be the one.
        ends = name.removeprefix("~").lstrip("./")
        if ends and PathPattern(f"**/{ends}").meets(pattern.text):
            return True
    if effect is Effect.DESTRUCTIVE and any(map(pattern.reaches_below, forms)):
        return True
    # A collection of Kubernetes objects is every one of them.
    return (kind == "k8s" or effect in _REACHING) and any(map(pattern.is_below, forms))


def _forms(kind: str, name: str) -> tuple[str, ...]:
    """What a name may stand for, as patterns."""
    if kind == "k8s" and name.startswith(f"{ANY_NAMESPACE}/"):
        return (f"*{name[1:]}", name)
    if kind == FILE and not name.startswith("/"):
        below = name.partition("/")[2] if name.startswith("~") else name.removeprefix("./")
        return tuple(f"{home}/{below}".rstrip("/") for home in _HOMES)
    return (name,)
