"""Which rules of a mask reach what stands in a body.

A column rule reaches a member of that name in any object: `*.ssn` each that is called so, `customers.name` those in something
that is called `customers`: a member that they stand in, however deep, or a part of the request's path. What cannot be told
apart is hidden. A path reaches from the top of each document; behind a column's name, from the top of what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.masking.documents import leaf
from gateway.masking.paths import JsonPath
from gateway.masking.strategies import strictest
from gateway.model import Facts
from gateway.wire import Mask

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_REMEMBERED = 10_000
_PLACES = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a document, as far as rules care."""

    around: frozenset[str]
    """The names of what it stands in."""
    open: tuple[tuple[int, int], ...]
    """For paths on their way here, which one and how many steps of it are done."""


@dataclass(frozen=True, slots=True)
class Found:
    """What rules say of a member or element."""

    strategy: str | None
    """How all of it is hidden, if it is."""
    place: Place
    """Where what it holds stands."""
    inside: tuple[tuple[JsonPath, str], ...] = ()
    """What is hidden in it where it is a text that is JSON."""
    is_document: bool = False
    """Where it is a text, that is such a body itself."""
    tells: bool = False
    """Where it is a text, `Names.told` is to know what it says."""

    @property
    def is_plain(self) -> bool:
        """Whether nobody cares for a text or number here."""
        return self.strategy is None and not (self.inside or self.is_document or self.tells)


class Names:
    """The rules of one mask that name things, for one answer."""

    lines = False
    """Whether the body is lines, of which some are JSON and others are not, whatever it looks like."""
    apart = False
    """Whether texts are searched one by one: beside what they are called, what stands for hidden ones would be found."""

    def __init__(self, mask: Mask, facts: Facts) -> None:
        self._mask = mask
        self._stored = {each.name: sorted(each.sources) for each in facts.outputs or ()}
        parts = self._path(facts).split("/")
        around = frozenset(part.lower() for part in parts if _WORD.fullmatch(part))
        self._paths: list[tuple[JsonPath, str]] = list(mask.paths(("*",)))
        """All there are, the least that shows first."""
        self.any = bool(self._paths) or mask.rule(("*",)) is not None
        """Whether there is a rule that names anything."""
        self._everywhere = frozenset(path for path, _ in mask.paths(()))
        self.top = Place(around, self._opened(mask.paths(sorted(around)) if around else mask.paths(())))
        self.placed = any(step.place is not None for path, _ in self._paths for step in path.steps)
        """Whether a path tells one element of an array from another."""
        self._plain: dict[Place, dict[bytes, int]] = {}
        self._known: dict[tuple[Place, str | int], Found] = {}
        self.value: str | None = None
        """How a body is hidden that is one value: `/customers/7/ssn`."""
        if _WORD.fullmatch(parts[-1]):
            self.value = self._member(Place(around - {parts[-1].lower()}, ()), parts[-1]).strategy

    def _path(self, facts: Facts) -> str:
        """Where the body is had."""
        return str(facts.attributes.get("http.path", ""))

    def _opened(self, paths: Iterable[tuple[JsonPath, str]]) -> tuple[tuple[int, int], ...]:
        return tuple((self._paths.index(each), 0) for each in paths)

    def hidden(self, strategy: str, item: object) -> object:
        """What stands for a leaf."""
        return leaf(strategy, self._mask)(item)

    def told(self, text: str) -> None:
        """What was said where that tells."""

    def member(self, place: Place, name: str) -> Found:
        found = self._known.get((place, name))
        if found is None:
            found = self._remember(place, name, self._member(place, name))
        return found

    def column(self, place: Place, name: str) -> str | None:
        """How a column so called is hidden."""
        called = name.lower().rpartition(".")[2]
        if self._mask.rule((called,), label=called) is None and name not in self._stored:
            return None
        return self._member(place, name if name in self._stored else called).strategy

    def plain(self, place: Place) -> dict[bytes, int]:
        """What is known of names of members there, as bytes. Callers fill it."""
        if len(self._plain) >= _PLACES:
            self._plain.clear()
        return self._plain.setdefault(place, {})

    def element(self, place: Place, number: int) -> Found:
        if not self.placed:
            number = 0  # they are all alike
        found = self._known.get((place, number))
        if found is None:
            further, strategy = self._step(place, number)
            found = self._remember(place, number, Found(strategy, Place(place.around, further)))
        return found

    def _remember(self, place: Place, key: str | int, found: Found) -> Found:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[place, key] = found
        return found

    def _member(self, place: Place, name: str) -> Found:
        called = name.lower().replace(".", "_")
        stored = [
            *self._stored.get(name, []),
            *(each[:-1] + called for each in self._stored.get("*", []) if each.endswith(".*")),
        ]
        known = [called, *(each for each in stored if "." not in each)]
        names = [f"{above}.{each}" for each in known for above in sorted(place.around)] or known
        names += [each for each in stored if "." in each]
        further, by_path = self._step(place, name, *(each.rpartition(".")[2] for each in stored))
        rules = [self._mask.rule((each,), label=each.rpartition(".")[2]) for each in names]
        strategy = strictest(each for each in (*rules, by_path) if each is not None)
        inside: tuple[tuple[JsonPath, str], ...] = ()
        if self._mask.opens(names, label=called):
            opened = self._mask.paths(names, label=called)
            inside = tuple(each for each in opened if each[0] not in self._everywhere)
            further += self._opened(inside)
        return Found(strategy, Place(place.around | {*known}, further), inside)

    def _step(self, place: Place, *keys: str | int) -> tuple[tuple[tuple[int, int], ...], str | None]:
        """The paths that go on from what is called so, and the strategy of one that ends there."""
        further: list[tuple[int, int]] = []
        ended: list[str] = []
        for which, done in place.open:
            path, strategy = self._paths[which]
            step = path.steps[done]
            if step.deep:
                further.append((which, done))
            if any(map(step.reaches, keys)):
                if done + 1 == len(path.steps):
                    ended.append(strategy)
                else:
                    further.append((which, done + 1))
        return tuple(dict.fromkeys(further)), strictest(ended)
