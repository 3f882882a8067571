"""Patterns of names with slashes: `*` and `?` are within one part, `**` is any number of them.

Commands name such things by patterns as well (`rm /etc/shad*`), so whether two patterns can mean the same thing is
asked as often as whether a name fits one. The work is bounded: regular expressions are matched in linear time, and
a question that takes too long is answered with yes, which never lets anything through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import re2

STEPS = 5_000
"""After so many, two patterns are taken to meet."""
_WILD = re.compile(r"\*\*|\*|\?")
_ANY, _PART, _ONE = "**", "*", "?"
_INSIDE = "\ue000"
"""Stands for what a name's own wildcard may be, where it has to fit a pattern whatever that is."""


def is_wild(text: str) -> bool:
    return "*" in text or "?" in text


@dataclass(frozen=True, slots=True)
class PathPattern:
    """`/admin/**`, which is everything below /admin, and /admin itself."""

    text: str
    _exact: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_exact", _compiled(self.text))

    def matches_all_of(self, name: str) -> bool:
        """Whatever `name` may mean is matched."""
        if is_wild(name):
            if "?" in self.text:
                return False
            name = _WILD.sub(lambda wild: f"{_INSIDE}/{_INSIDE}" if wild[0] == _ANY else _INSIDE, name)
        return _fits(self._exact, name)

    def meets(self, name: str) -> bool:
        """Something that `name` may mean is matched."""
        if not is_wild(name):
            return _fits(self._exact, name)
        if not is_wild(self.text):
            return _fits(_compiled(name), self.text)
        return any(meet(pattern, other) for pattern in _both(self.text) for other in _both(name))

    def is_below(self, name: str) -> bool:
        """It says by its own first parts that what it matches is below `name`."""
        above = name.rstrip("/").split("/")
        parts = self.text.split("/")
        first = parts[: len(above)]
        return (
            len(parts) > len(above)
            and _ANY not in first
            and PathPattern("/".join(first)).meets(name.rstrip("/"))
        )

    def reaches_below(self, name: str) -> bool:
        """Something below `name` is matched."""
        return self.meets(f"{name.rstrip('/')}/**")


def _both(text: str) -> tuple[str, ...]:
    return (text, text[:-3]) if text.endswith("/**") else (text,)


def _compiled(text: str) -> Any:
    special = {_ANY: ".*", _PART: "[^/]*", _ONE: "[^/]"}
    parts = re.split(r"(\*\*|\*|\?)", text)
    made = "".join(special.get(part) or re.escape(part) for part in parts)
    return re2.compile("(?s)" + re.sub(r"/\.\*$", "(?:/.*)?", made))


def _fits(pattern: Any, name: str) -> bool:
    return pattern.fullmatch(name.encode("utf-8", "replace").decode()) is not None


def meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns: a walk over the pairs of places in them."""
    left, right = _tokens(one), _tokens(other)
    waiting, seen = [(0, 0)], {(0, 0)}
    while waiting:
        if len(seen) > STEPS:
            return True
        at, to = waiting.pop()
        if at == len(left) and to == len(right):
            return True
        for step in _steps(left, right, at, to):
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    return False


def _steps(left: list[str], right: list[str], at: int, to: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    mine = left[at] if at < len(left) else ""
    yours = right[to] if to < len(right) else ""
    if mine in {_ANY, _PART}:
        found.append((at + 1, to))
    if yours in {_ANY, _PART}:
        found.append((at, to + 1))
    if mine and yours and _share(mine, yours):
        found.append((at + (mine not in {_ANY, _PART}), to + (yours not in {_ANY, _PART})))
    return found


def _share(mine: str, yours: str) -> bool:
    """One character can be both."""
    if mine in {_PART, _ONE, _ANY}:
        return mine == _ANY or yours != "/"
    if yours in {_PART, _ONE, _ANY}:
        return yours == _ANY or mine != "/"
    return mine == yours


def _tokens(text: str) -> list[str]:
    return re.findall(r"\*\*|.", text, re.DOTALL)
