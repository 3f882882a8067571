"""Statements that the server prepares, as drivers with a binary protocol have them; PyMySQL has none, so its connection is driven by hand."""

from __future__ import annotations

import struct
from typing import Any

from gateway.protocols.mysql import charsets
from gateway.protocols.mysql.binary import to_text
from gateway.protocols.mysql.columns import WIDTHS, Column, read_column
from gateway.protocols.mysql.packets import Body, string

_PREPARE, _EXECUTE, _CLOSE, _RESET, _FETCH = 0x16, 0x17, 0x19, 0x1A, 0x1C
_TEXT = 0xFD
_CURSOR = 1
_LABELS = charsets.named("utf8mb4")


class Refused(Exception):
    """An ERR: its code and what it says."""


class Prepared:
    """One statement. Its parameters are texts, its rows come in binary and are given as texts."""

    def __init__(self, connection: Any, sql: str) -> None:
        self._connection = connection
        connection._execute_command(_PREPARE, sql)
        body = Body(self._packet(), 1)
        self.id, columns, self._parameters = body.number(4), body.number(2), body.number(2)
        for count in (self._parameters, columns):
            for _ in range(count and count + 1):
                self._packet()

    def execute(self, *values: str, cursor: bool = False) -> list[tuple[str | None, ...]]:
        """Its rows; with `cursor`, none before they are fetched."""
        self._connection._execute_command(_EXECUTE, self._bound(values, cursor=cursor))
        first = self._packet()
        if first[:1] == b"\0":
            return []
        self._columns = [read_column(self._packet(), _LABELS) for _ in range(first[0])]
        self._packet()
        return [] if cursor else self._rows()

    def fetch(self, count: int) -> list[tuple[str | None, ...]]:
        self._connection._execute_command(_FETCH, struct.pack("<II", self.id, count))
        return self._rows()

    def close(self) -> None:
        self._connection._execute_command(_CLOSE, struct.pack("<I", self.id))

    def _bound(self, values: tuple[str, ...], *, cursor: bool) -> bytes:
        assert len(values) == self._parameters
        head = struct.pack("<IBI", self.id, _CURSOR if cursor else 0, 1)
        if not values:
            return head
        nulls, types = bytes((len(values) + 7) // 8), struct.pack("<H", _TEXT) * len(values)
        return head + nulls + b"\1" + types + b"".join(string(value.encode()) for value in values)

    def _rows(self) -> list[tuple[str | None, ...]]:
        rows = []
        while (payload := self._packet())[:1] != b"\xfe":
            rows.append(tuple(self._values(Body(payload, 1))))
        return rows

    def _values(self, body: Body) -> list[str | None]:
        nulls = int.from_bytes(body.take((len(self._columns) + 9) // 8), "little")
        values = [
            None if nulls >> place + 2 & 1 else _read(body, column)
            for place, column in enumerate(self._columns)
        ]
        body.over()
        return values

    def _packet(self) -> bytes:
        header = self._connection._rfile.read(4)
        payload: bytes = self._connection._rfile.read(int.from_bytes(header[:3], "little"))
        if payload[:1] == b"\xff":
            raise Refused(int.from_bytes(payload[1:3], "little"), payload[9:].decode())
        return payload


def _read(body: Body, column: Column) -> str:
    width = WIDTHS.get(column.kind)
    return to_text(body.take(width) if width else body.string(), column).decode("utf-8", "backslashreplace")
