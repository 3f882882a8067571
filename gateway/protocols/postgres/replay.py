"""The recorded bytes of one answer as text: aligned tables, command tags, errors; nothing that a terminal obeys."""

from __future__ import annotations

from gateway.protocols.postgres import messages
from gateway.protocols.postgres.messages import HEADER, Body, Column
from gateway.protocols.postgres.parameters import shown_value
from gateway.protocols.tables import Table, visible
from gateway.wire import ProtocolViolation

_COPIED_SHOWN = 64 * 1024


def render(answer: bytes, shape: bytes) -> str:
    """`answer`: the server's messages for one command, as the client got them. `shape`: their RowDescription.

    A recording that was cut ends in a line that says so; bytes that are no messages end the text likewise.
    """
    rendering = _Rendering(shape)
    pos = 0
    while len(answer) - pos >= HEADER.size:
        tag, size = HEADER.unpack_from(answer, pos)
        end = pos + 1 + size
        if size < 4 or end > len(answer):
            break
        try:
            rendering.message(chr(tag), answer, pos + 5, end)
        except ProtocolViolation:
            break
        pos = end
    rendering.close()
    if pos < len(answer):
        rendering.lines.append(f"(cut: {len(answer) - pos} more bytes are not a whole message)")
    return "\n".join(rendering.lines)


class _Rendering:
    """Lines in the making."""

    def __init__(self, shape: bytes) -> None:
        self.lines: list[str] = []
        self._columns: tuple[Column, ...] | None = None
        self._kept = messages.read_row_description(shape, 5, len(shape)) if shape else None
        """What stands in for a description until the answer brings its own."""
        self._table: Table | None = None
        self._copied = 0

    def message(self, tag: str, data: bytes, pos: int, end: int) -> None:
        match tag:
            case "T":
                self.close()
                self._columns, self._kept = messages.read_row_description(data, pos, end), None
                self._table = self._begun()
            case "D":
                self._take_kept()
                self._row(Body(data, pos, end))
            case "d":
                self._copy(data[pos:end])
            case "C":
                self._take_kept()
                self.close()
                self.lines.append(visible(Body(data, pos, end).text().decode("utf-8", "replace")))
            case "I":
                self.lines.append("(empty query)")
            case "s":
                self._take_kept()
                self.close()
                self.lines.append("(suspended: more rows could be asked for)")
            case "E" | "N":
                self.close()
                self._report(messages.read_fields(data, pos, end))
            case _:
                pass

    def _take_kept(self) -> None:
        if self._columns is None:
            self._columns, self._kept = self._kept, None
        if self._table is None and self._columns is not None:
            self._table = self._begun()

    def _begun(self) -> Table:
        return Table(None if self._columns is None else [column.name for column in self._columns])

    def _row(self, body: Body) -> None:
        if self._table is None:
            self._table = self._begun()
        if not self._table.wanted:
            self._table.add()
            return
        values = []
        for place in range(body.count()):
            size = body.int32()
            column = (
                self._columns[place] if self._columns is not None and place < len(self._columns) else None
            )
            if size < 0:
                values.append("NULL")
            else:
                value = body.take(size)
                values.append(visible(_value(value, column)))
        body.end()
        self._table.add(values)

    def _copy(self, data: bytes) -> None:
        if self._copied < _COPIED_SHOWN:
            text = data.decode("utf-8", "backslashreplace").removesuffix("\n")
            self.lines += map(visible, text.split("\n"))
        self._copied += len(data)

    def _report(self, fields: dict[bytes, bytes]) -> None:
        said = {letter: visible(value.decode("utf-8", "replace")) for letter, value in fields.items()}
        code = said.get(b"C", "")
        self.lines.append(f"{said.get(b'S', 'ERROR')} {code}: {said.get(b'M', '')}")
        self.lines += [
            f"{name}: {said[letter]}" for letter, name in ((b"D", "DETAIL"), (b"H", "HINT")) if letter in said
        ]

    def close(self) -> None:
        """The rows so far, laid out under their columns."""
        if self._copied > _COPIED_SHOWN:
            self.lines.append(f"({self._copied} bytes of copied data, the first {_COPIED_SHOWN} are shown)")
        self._copied = 0
        if self._table is not None:
            self.lines += self._table.lines()
        self._table = self._columns = None


def _value(value: bytes, column: Column | None) -> str:
    if column is not None and column.format == 1:
        return shown_value(value, column.type_oid)
    return value.decode("utf-8", "backslashreplace")
