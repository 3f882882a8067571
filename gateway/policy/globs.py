"""Patterns over names: `*` is any run of characters, dots included, `?` any one; nothing else is special.

Names of things are dotted and of unknown completeness: a text may say `orders` and mean `public.orders`. So a
resource pattern is read in two ways: exactly, where it lets something through, and widely (whatever could be
meant), where it stops or masks something. Both ignore case, as SQL does.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.policy.paths import meet

WILDCARDS = frozenset("*?")
FOREIGN = re.compile(r"[\[\](){}^$|\\%]|\A!")
"""Marks of other pattern languages, in which an operator would expect a match that never comes."""

MAX_PARTS = 16
"""More than any name has that means something; what comes before them counts as one."""


def is_glob(text: str) -> bool:
    return not WILDCARDS.isdisjoint(text)


def _union(patterns: Iterable[str]) -> re.Pattern[str]:
    # fnmatch translates into atomic groups: matching stays linear in the name, however many stars there are.
    return re.compile("|".join(map(fnmatch.translate, patterns)))


@dataclass(frozen=True, slots=True)
class Globs:
    """Any of `patterns`, over plain names; case counts."""

    patterns: tuple[str, ...]
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", _union(self.patterns))

    def match(self, name: str) -> bool:
        return self._compiled.match(name) is not None


@dataclass(frozen=True, slots=True)
class Names:
    """Any of `patterns`, over dotted names of tables, columns and the like; case does not count."""

    patterns: tuple[str, ...]
    dotted: Names | None = field(init=False, repr=False, compare=False)
    """Those of the patterns that have a dot."""
    _exact: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _wide: _Wide = field(init=False, repr=False, compare=False)
    _wholes: _Wide = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        dotted = tuple(pattern for pattern in self.patterns if "." in pattern)
        lower = [pattern.lower() for pattern in self.patterns]
        object.__setattr__(
            self, "dotted", self if dotted == self.patterns else Names(dotted) if dotted else None
        )
        object.__setattr__(self, "_exact", _union(lower))
        object.__setattr__(self, "_wide", _Wide.of(lower))
        object.__setattr__(self, "_wholes", _Wide.of(_whole(pattern) for pattern in lower))

    def is_exactly(self, name: str) -> bool:
        """The name, as it was written, is one of these; a name that is a pattern, whatever it turns out to be."""
        if not is_glob(name):
            return self._exact.match(name.lower()) is not None
        surely = [pattern.lower() for pattern in self.patterns if "?" not in pattern]
        return bool(surely) and _union(surely).match(name.lower()) is not None

    def could_be(self, name: str) -> bool:
        """The name could mean one of these: it says more than the pattern does, or less.

        `customers.*`, every column of a table, could mean each of them.
        """
        name = name.lower()
        if is_glob(name.removesuffix(".*")):  # as in `systemctl stop 'ngin*'`
            spelled = name.replace("*", "**")
            return any(meet(pattern.lower().replace("*", "**"), spelled) for pattern in self.patterns)
        return self._wide.match(name) or (name.endswith(".*") and self._wholes.match(name[:-2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wide:
    """Patterns compared with a name from the right, as far as both go: `public.orders` could be meant by `orders`.

    A rest of a pattern that is nothing but wildcards does not count: `audit.*` says nothing about a bare name.
    """

    names: frozenset[str]
    """Patterns without wildcards: found by looking up, since policies have many and commands touch much."""
    rests: frozenset[str]
    globs: re.Pattern[str] | None

    @classmethod
    def of(cls, patterns: Iterable[str]) -> _Wide:
        every = tuple(patterns)
        names = [pattern for pattern in every if not is_glob(pattern)]
        forms = dict.fromkeys(
            form
            for pattern in every
            if is_glob(pattern)
            for form in (pattern, f"*.{pattern}", *_rests(pattern))
            if set(form) - {"*", "?", "."} or form == pattern
        )
        return cls(
            names=frozenset(names),
            rests=frozenset(rest for name in names for rest in _rests(name)),
            globs=_union(forms) if forms else None,
        )

    def match(self, name: str) -> bool:
        if name in self.names or name in self.rests:
            return True
        if self.names and any(rest in self.names for rest in _rests(name)):
            return True
        return self.globs is not None and self.globs.match(name) is not None


def _rests(name: str) -> list[str]:
    """What is left of a dotted name behind each of its dots."""
    parts = name.rsplit(".", MAX_PARTS)
    return [".".join(parts[start:]) for start in range(1, len(parts))]


def _whole(pattern: str) -> str:
    """Of what the pattern's last part is a part; anything, where it does not say."""
    return pattern.rpartition(".")[0] or "*"
