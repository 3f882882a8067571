"""Paths into JSON: `$.items[*].token`, as far as RFC 9535 has them without filters, slices and negative places.

`.name` and `['name']` are a member, `[2]` an element, `.*` and `[*]` all members or elements, `..` any depth. Names are
compared as they stand, a name with globs (`*_token`) by those. What a path leads to is hidden whole, with all that it
holds; a path that leads nowhere hides nothing.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

_STEP = re.compile(
    r"(?P<deep>\.\.)?(?:\.?(?P<all>\*)(?=[.\[]|\Z)|\[(?P<each>\*)\]|\[(?P<place>[0-9]{1,9})\]"
    r"|\[(?:'(?P<single>[^']+)'|\"(?P<double>[^\"]+)\")\]|\.?(?P<name>[^.\[\]'\"\s]+))"
)
_DEEPEST = 64
Hide: TypeAlias = Callable[[Any], Any]
"""A leaf -> what takes its place."""


class PathUnclear(Exception):
    """A path that cannot be read; the message says why."""


class TooDeep(Exception):
    """A document nests deeper than anything real."""


@dataclass(frozen=True, slots=True)
class _Step:
    name: re.Pattern[str] | None = None
    place: int | None = None
    """With neither: every member and element."""
    deep: bool = False

    def reaches(self, key: str | int) -> bool:
        if self.name is not None:
            return isinstance(key, str) and self.name.match(key) is not None
        return self.place is None or key == self.place


@dataclass(frozen=True, slots=True)
class JsonPath:
    steps: tuple[_Step, ...]


def json_path(text: str) -> JsonPath:
    """Raises `PathUnclear`."""
    if not text.startswith("$"):
        raise PathUnclear("a path begins with `$`, as in `$.items[*].token`")
    steps: list[_Step] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (at == match.end()) or text[at] not in ".[":
            raise PathUnclear(f"the path cannot be read from `{text[at : at + 20]}` on")
        name = match["name"] or match["single"] or match["double"]
        steps.append(
            _Step(
                name=None if name is None else re.compile(fnmatch.translate(name)),
                place=int(match["place"]) if match["place"] else None,
                deep=match["deep"] is not None,
            )
        )
        at = match.end()
    if not steps:
        raise PathUnclear("a path names something inside the document, as in `$.items[*].token`")
    return JsonPath(tuple(steps))


def hidden(document: Any, paths: Sequence[tuple[JsonPath, Hide]]) -> tuple[Any, int]:
    """The document with all that the paths lead to hidden, and how many leaves that were.

    Of several paths to one place the first counts. Raises `TooDeep`.
    """
    count = 0

    def whole(item: Any, hide: Hide, depth: int) -> Any:
        nonlocal count
        if depth > _DEEPEST:
            raise TooDeep
        if isinstance(item, dict):
            return {name: whole(inner, hide, depth + 1) for name, inner in item.items()}
        if isinstance(item, list):
            return [whole(inner, hide, depth + 1) for inner in item]
        count += 1
        return hide(item)

    def walk(item: Any, open_: list[tuple[int, int]], depth: int) -> Any:
        """`open_`: for paths on their way here, which one and how many steps of it are done."""
        if depth > _DEEPEST:
            raise TooDeep
        if not open_:
            return item
        if isinstance(item, dict):
            return {name: inside(name, inner, open_, depth) for name, inner in item.items()}
        if isinstance(item, list):
            return [inside(place, inner, open_, depth) for place, inner in enumerate(item)]
        return item

    def inside(key: str | int, item: Any, open_: list[tuple[int, int]], depth: int) -> Any:
        further: list[tuple[int, int]] = []
        for which, done in open_:
            path, hide = paths[which]
            step = path.steps[done]
            if step.deep:
                further.append((which, done))
            if step.reaches(key):
                if done + 1 == len(path.steps):
                    return whole(item, hide, depth + 1)
                further.append((which, done + 1))
        return walk(item, further, depth + 1)

    return walk(document, [(which, 0) for which in range(len(paths))], 0), count
