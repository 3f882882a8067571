"""Assignments: what variables hold from then on, and what that does to the commands that follow."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.shell import builtins
from gateway.facts.shell.grammar import Parser
from gateway.facts.shell.redirecting import Redirecting
from gateway.facts.shell.tree import Assignment
from gateway.facts.shell.values import CLASS, WILD
from gateway.facts.shell.variables import meaning
from gateway.model import Effect


class Assigning(Redirecting):
    """What a shell that is followed does with assignments, over its redirections."""

    __slots__ = ()

    locals: list[dict[str, tuple[str, ...]]]
    """For each call of a function, what the variables were that it made its own."""

    def assigned(self, assignment: Assignment) -> None:
        """An assignment is made that stands in the text."""
        self.expander.values(assignment.subscript)
        if assignment.elements is not None:
            values = [
                v for word in assignment.elements for fields in self.expander.fields(word) for v in fields
            ]
            values = values if len(values) == 1 else [WILD]
        else:
            values = self.expander.value(assignment.value)
        self.assign(assignment.name, [WILD] if assignment.partial else values)

    def assign(self, name: str, values: Sequence[str]) -> None:
        """Set a variable, which may change what later words mean."""
        name, subscript, _ = name.replace(CLASS, "[").partition("[")
        effects, doubt = meaning(name, values)
        self.reading.add(*effects)
        if doubt:
            self.reading.doubt(doubt)
            self.shell.doubts = tuple(dict.fromkeys((*self.shell.doubts, doubt)))
        for value in values:
            self.holds(value)
        self.shell.set(name, [WILD] if subscript else values)

    def local(self, name: str) -> None:
        """A function makes a variable its own: it is what it was when the function has ended."""
        if self.locals:
            self.locals[-1].setdefault(name, self.shell.variables.get(name, (WILD,)))

    def holds(self, value: str) -> None:
        """A variable or an argument has this value: arithmetic anywhere later would compute a subscript in it."""
        if builtins.indexed(value):
            self.reading.add(Effect.EXEC)
            self.reading.doubt("a variable holds a subscript that runs a command")
            self.expander.values(Parser(value).document(value))
