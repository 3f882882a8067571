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

WILDCARDS = frozenset("*?")
FOREIGN = re.compile(r"[\[\]^$|\\%]")
"""Marks of other pattern languages, in which an operator would expect a match that never comes."""


def is_glob(text: str) -> bool:
    return not WILDCARDS.isdisjoint(text)


def _union(patterns: Iterable[str], flags: re.RegexFlag) -> re.Pattern[str]:
    # fnmatch translates into atomic groups: matching stays linear in the name, however many stars there are.
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns), flags)


@dataclass(frozen=True, slots=True)
class Globs:
    """Any of `patterns`, over plain names; case counts."""

    patterns: tuple[str, ...]
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", _union(self.patterns, re.RegexFlag(0)))

    def match(self, name: str) -> bool:
        return self._compiled.match(name) is not None


@dataclass(frozen=True, slots=True)
class Names:
    """Any of `patterns`, over dotted names of tables, columns and the like; case does not count."""

    patterns: tuple[str, ...]
    _exact: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _wide: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _wholes: re.Pattern[str] = field(init=False, repr=False, compare=False)
    dotted: Names | None = field(init=False, repr=False, compare=False)
    """Those of the patterns that have a dot."""

    def __post_init__(self) -> None:
        dotted = tuple(pattern for pattern in self.patterns if "." in pattern)
        object.__setattr__(
            self, "dotted", self if dotted == self.patterns else Names(dotted) if dotted else None
        )
        wide = dict.fromkeys(form for pattern in self.patterns for form in _wide_forms(pattern))
        wholes = dict.fromkeys(form for pattern in self.patterns for form in _wide_forms(_whole(pattern)))
        object.__setattr__(self, "_exact", _union(self.patterns, re.IGNORECASE))
        object.__setattr__(self, "_wide", _union(wide, re.IGNORECASE))
        object.__setattr__(self, "_wholes", _union(wholes, re.IGNORECASE))

    def is_exactly(self, name: str) -> bool:
        """The name, as it was written, is one of these."""
        return self._exact.match(name) is not None

    def could_be(self, name: str) -> bool:
        """The name could mean one of these: it says more than the pattern does, or less.

        `customers.*`, every column of a table, could mean each of them.
        """
        if self._wide.match(name) is not None:
            return True
        return name.endswith(".*") and self._wholes.match(name[:-2]) is not None


def _whole(pattern: str) -> str:
    """Of what the pattern's last part is a part; anything, where it does not say."""
    return pattern.rpartition(".")[0] or "*"


def _wide_forms(pattern: str) -> list[str]:
    """`public.orders` also as `*.public.orders` (a database before it) and as `orders` (no schema before it).

    A rest that is nothing but wildcards is left out: `secret.*` says nothing about a bare name.
    """
    parts = pattern.split(".")
    rests = (".".join(parts[start:]) for start in range(1, len(parts)))
    return [pattern, f"*.{pattern}", *(rest for rest in rests if not set(rest) <= {"*", "?", "."})]
