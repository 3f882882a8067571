"""What a shell knows while it is followed, and what it may know where commands may run or not.

Each name has every value that it may have, so two states join into one that allows for both. Lines of one session
share a state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from gateway.facts.shell.tree import Node
from gateway.facts.shell.values import COUNT, WILD

MANY = 16
"""Values that are told apart."""
_PLACES = 6
_ASSIGNED = re.compile(
    r"([A-Za-z_]\w*)(?:\[[^\]]*\])?\s*(?:\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=))|(?:\+\+|--)\s*([A-Za-z_]\w*)"
)
T = TypeVar("T")


@dataclass(slots=True)
class Shell:
    """Variables, functions, aliases, arguments and directory of one shell."""

    variables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: dict[str, tuple[Node | None, ...]] = field(default_factory=dict)
    """`None` among the bodies: the function may not be defined, and the program of that name runs."""
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    positionals: tuple[str, ...] | None = None
    """`None` where they are not known."""
    directories: tuple[str, ...] = ("",)
    """Where `cd` may have led; "" is where the session began."""
    visited: tuple[str, ...] = ("",)
    descriptors: dict[str, str] = field(default_factory=dict)
    """Files that were opened for reading, by descriptor."""
    doubts: tuple[str, ...] = ()
    """Why no later line can be known: a search path, IFS or an option was changed."""
    fixed: frozenset[str] = frozenset()
    """Variables that were made readonly: setting them again may fail."""
    altered: frozenset[str] = frozenset()
    """Variables that are declared to change whatever they are set to."""
    traps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By signal, what may run then, with whatever the shell has become by that time."""
    trapped: frozenset[object] = frozenset()
    """What those would do, as far as that counts already."""
    left: bool = False
    """A `return`, `break` or `exit` was passed: what follows may not run."""

    def copy(self) -> Shell:
        return replace(
            self,
            variables=dict(self.variables),
            functions=dict(self.functions),
            aliases=dict(self.aliases),
            traps=dict(self.traps),
        )

    def become(self, other: Shell) -> None:
        """Take over the state of another, which is not used any more."""
        for one in fields(self):
            setattr(self, one.name, getattr(other, one.name))

    def join(self, other: Shell) -> None:
        """Allow for the state of another beside this one's."""
        self.variables = {
            name: several((*values, *theirs))
            for name, values, theirs in _paired(self.variables, other.variables, (WILD,))
        }
        self.functions = {
            name: tuple({id(body): body for body in (*bodies, *theirs)}.values())
            for name, bodies, theirs in _paired(self.functions, other.functions, (None,))
        }
        self.aliases = {
            name: several((*texts, *theirs))
            for name, texts, theirs in _paired(self.aliases, other.aliases, ())
        }
        for signal, codes in other.traps.items():
            self.traps[signal] = tuple(dict.fromkeys((*self.traps.get(signal, ()), *codes)))
        self.trapped &= other.trapped
        self.altered |= other.altered
        if self.positionals != other.positionals:
            self.positionals = None
        self.go(*self.directories, *other.directories)
        self.visited = several((*self.visited, *other.visited))
        self.doubts = tuple(dict.fromkeys((*self.doubts, *other.doubts)))
        self.fixed |= other.fixed
        self.left = self.left or other.left

    def set(self, name: str, values: Iterable[str]) -> None:
        if name in self.altered:
            values = (WILD,)
        if self.left or name in self.fixed:
            values = (*self.variables.get(name, (WILD,)), *values)
        self.variables[name] = several(values)

    def compute(self, text: str) -> None:
        """Arithmetic leaves a number in what it assigns to, as far as it comes to that."""
        for found in _ASSIGNED.finditer(text):
            name = found[1] or found[2]
            self.variables[name] = several((*self.variables.get(name, ()), COUNT))

    def go(self, *directories: str) -> None:
        """Where a relative path begins from now on."""
        distinct = tuple(dict.fromkeys((*(self.directories if self.left else ()), *directories)))
        self.directories = distinct if len(distinct) <= _PLACES else (WILD,)
        self.visited = several((*self.visited, *self.directories))


def several(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, or anything where they are too many."""
    distinct = tuple(dict.fromkeys(values))
    return distinct if len(distinct) <= MANY else (WILD,)


def _paired(
    ours: Mapping[str, tuple[T, ...]], theirs: Mapping[str, tuple[T, ...]], absent: tuple[T, ...]
) -> Iterable[tuple[str, tuple[T, ...], tuple[T, ...]]]:
    for name in {**ours, **theirs}:
        yield name, ours.get(name, absent), theirs.get(name, absent)
