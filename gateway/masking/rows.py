"""The table of an automaton whose states are worked out as texts need them: a row for each state, an entry for each column."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import Generic, TypeVar

from gateway.masking.sift import UNKNOWN

State = TypeVar("State", bound=Hashable)


class Rows(Generic[State]):
    """The table that `sift` reads."""

    def __init__(self, columns: int) -> None:
        self.table = array("I")
        self.states: list[State] = []
        self._columns = columns
        self._rows: dict[State, int] = {}

    def of(self, state: State) -> int:
        """Where the row of a state begins in the table."""
        row = self._rows.get(state)
        if row is None:
            row = self._rows[state] = len(self.table)
            self.states.append(state)
            self.table.extend([UNKNOWN] * self._columns)
        return row

    def state(self, row: int) -> State:
        return self.states[row // self._columns]
