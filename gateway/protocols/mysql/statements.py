"""The prepared statements of one session, by the numbers that the server gave them."""

from __future__ import annotations

from typing import Final

from gateway.facts.mysql import Context
from gateway.model import Facts
from gateway.protocols.mysql.result_set import ResultSet
from gateway.wire import Mask


class Statement:
    """A text that the server has prepared."""

    def __init__(self, query: bytes, text: str, context: Context, *, read: bool) -> None:
        self.query: Final = query
        self.text: Final = text
        self.context: Final = context
        """As it was when it was prepared."""
        self.read: Final = read
        """The session's character set was one that is read here."""
        self.number = -1
        self.parameters = 0
        self.types: tuple[int, ...] | None = None
        """As the client bound them last."""
        self.told: tuple[int, ...] | None = None
        """As the server knows them: an execution that was refused never told it."""
        self.long: dict[int, bytearray] = {}
        """What came for parameters ahead of the execution."""
        self.long_raw: list[bytes] = []
        self.too_long = False
        self.cursor: Cursor | None = None

    def forget_long(self) -> int:
        """Drop what came ahead; how many bytes that were."""
        weight = sum(map(len, self.long_raw))
        self.long, self.long_raw, self.too_long = {}, [], False
        return weight


class Cursor:
    """An execution whose rows are fetched."""

    def __init__(self, command_id: str, result: ResultSet, *, facts: Facts, mask: Mask | None) -> None:
        self.command_id: Final = command_id
        self.result: Final = result
        """Its columns."""
        self.facts: Final = facts
        self.mask: Final = mask
        self.rows = 0
        self.masked: dict[str, int] = {}


class Statements:
    """Of one session."""

    def __init__(self) -> None:
        self._all: dict[int, Statement] = {}
        self.weight = 0
        """Bytes of their texts."""
        self.long = 0
        """Bytes that wait for executions."""

    def __len__(self) -> int:
        return len(self._all)

    def get(self, number: int) -> Statement | None:
        return self._all.get(number)

    def add(self, statement: Statement) -> None:
        self._all[statement.number] = statement
        self.weight += len(statement.query)

    def close(self, number: int) -> Statement | None:
        statement = self._all.pop(number, None)
        if statement is not None:
            self.weight -= len(statement.query)
            self.long -= statement.forget_long()
        return statement

    def clear(self) -> list[Statement]:
        """Forget them all."""
        gone = list(self._all.values())
        self._all.clear()
        self.weight = self.long = 0
        return gone

    def forget_long(self, statement: Statement) -> None:
        self.long -= statement.forget_long()
