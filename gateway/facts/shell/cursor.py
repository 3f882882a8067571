"""A position in a text. Every step is counted and every nesting measured, so hostile text ends in `Unreadable`."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.facts.shell.tree import Unreadable

DEPTH = 40
"""Commands and substitutions that may stand inside one another."""


@dataclass(slots=True)
class Budget:
    """What is left of the steps that a text and everything inside it may take."""

    steps: int


class Cursor:
    """Where in a text a reader stands, how deep, and with how many steps left."""

    __slots__ = ("at", "budget", "depth", "text")

    def __init__(self, text: str, *, depth: int = 0, budget: Budget | None = None) -> None:
        self.text = text
        self.at = 0
        self.depth = depth
        self.budget = budget or Budget(4 * len(text) + 1_000)
        if depth > DEPTH:
            raise Unreadable("the text nests too deep")

    def step(self) -> None:
        self.budget.steps -= 1
        if self.budget.steps < 0:
            raise Unreadable("the text takes too many steps to read")

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            raise Unreadable("the text nests too deep")
