"""The recorded bytes of one answer as text: aligned tables, command tags, errors; nothing that a terminal obeys."""

from __future__ import annotations

import unicodedata

from gateway.protocols.postgres import messages
from gateway.protocols.postgres.messages import HEADER, Body, Column
from gateway.protocols.postgres.parameters import shown_value
from gateway.wire import ProtocolViolation

WIDEST = 60
"""Characters of a value that a table shows."""
MOST_ROWS = 1_000
"""Rows of one result that are laid out; of those behind them only the number is told."""
_COPIED_SHOWN = 64 * 1024

_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\"}


def visible(text: str) -> str:
    """Control, format and private characters as escapes, so that nothing is hidden or obeyed."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _NAMES.get(character) or _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


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
        self._rows: list[list[str]] = []
        self._count = 0
        self._copied = 0

    def message(self, tag: str, data: bytes, pos: int, end: int) -> None:
        match tag:
            case "T":
                self.close()
                self._columns, self._kept = messages.read_row_description(data, pos, end), None
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

    def _row(self, body: Body) -> None:
        self._count += 1
        if self._count > MOST_ROWS:
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
        self._rows.append(values)

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
        if not self._rows:
            if self._columns is not None:
                self.lines.append(" | ".join(visible(column.name) for column in self._columns))
                self.lines.append("(0 rows)")
            self._columns = None
            return
        width = max(map(len, self._rows))
        names = [visible(column.name) for column in self._columns or ()]
        head = names + [f"column {place + 1}" for place in range(len(names), width)]
        table = [head, *([_cut(value) for value in row] for row in self._rows)]
        widths = [max(_width(row[place]) for row in table if place < len(row)) for place in range(len(head))]
        self.lines.append(_line(head, widths))
        self.lines.append("-+-".join("-" * width for width in widths))
        self.lines += [_line(row, widths) for row in table[1:]]
        more = f", the first {MOST_ROWS} are shown" if self._count > MOST_ROWS else ""
        self.lines.append(f"({self._count} row{'s' * (self._count != 1)}{more})")
        self._rows, self._count, self._columns = [], 0, None


def _value(value: bytes, column: Column | None) -> str:
    if column is not None and column.format == 1:
        return shown_value(value, column.type_oid)
    return value.decode("utf-8", "backslashreplace")


def _cut(value: str) -> str:
    return value if len(value) <= WIDEST else f"{value[: WIDEST - 1]}…"


def _width(text: str) -> int:
    """Columns of a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _line(row: list[str], widths: list[int]) -> str:
    cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
    return " | ".join(cells).rstrip()
