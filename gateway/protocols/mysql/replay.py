"""The recorded bytes of one answer as text: aligned tables, what OK and ERR say; nothing that a terminal obeys."""

from __future__ import annotations

from gateway.protocols.mysql import binary, charsets
from gateway.protocols.mysql.columns import WIDTHS, Column, Kind, read_column
from gateway.protocols.mysql.errors import CURSOR_EXISTS, LAST_ROW_SENT, is_eof, read_eof, read_err, read_ok
from gateway.protocols.mysql.packets import ERR, HEADER, LARGEST, OK, Body
from gateway.protocols.mysql.plans import columns_of
from gateway.protocols.tables import Table, visible
from gateway.wire import ProtocolViolation

BINARY, FIELDS = b"B", b"F"
"""How the shape of an answer begins whose rows are binary, or that lists the fields of a table."""
_LABELS = charsets.named("utf8mb4")
_MOST_SHOWN = 256
"""Bytes of a value that are looked at."""


def render(answer: bytes, shape: bytes) -> str:
    """`answer`: the server's packets for one command, as the client got them. `shape`: as `ResultSet.shape`.

    A recording that was cut ends in a line that says so; bytes that are no packets end the text likewise.
    """
    rendering = _Rendering(shape)
    pos = 0
    while (end := _end(answer, pos)) > 0:
        try:
            rendering.packet(_payload(answer, pos, end))
        except (ProtocolViolation, ValueError):
            break
        pos = end
    rendering.close()
    if pos < len(answer):
        rendering.lines.append(f"(cut: {len(answer) - pos} more bytes are not a whole packet)")
    return "\n".join(rendering.lines)


def _end(data: bytes, pos: int) -> int:
    """Where the payload that begins at `pos` ends, however many packets it comes in; 0 if it does not."""
    while len(data) - pos >= HEADER:
        size = int.from_bytes(data[pos : pos + 3], "little")
        pos += HEADER + size
        if size < LARGEST:
            return pos if pos <= len(data) else 0
    return 0


def _payload(data: bytes, pos: int, end: int) -> bytes:
    return b"".join(
        data[start + HEADER : min(end, start + HEADER + LARGEST)]
        for start in range(pos, end, HEADER + LARGEST)
    )


class _Rendering:
    """Lines in the making."""

    def __init__(self, shape: bytes) -> None:
        self.lines: list[str] = []
        self._binary = shape[:1] == BINARY
        self._table: Table | None = None
        self._columns: list[Column] = []
        self._expected = 0
        """Definitions that are still to come, and behind them an EOF."""
        self._listing = shape == FIELDS
        if len(shape) > 1:
            self._columns = list(columns_of(shape[1:], _LABELS))
            self._begin()

    def packet(self, payload: bytes) -> None:
        if self._listing:
            self._field(payload)
        elif self._expected:
            self._definition(payload)
        elif self._table is not None and not self._ends(payload):
            self._row(payload)
        elif payload[:1] == bytes((ERR,)):
            self.close()
            failed = read_err(payload)
            said = visible(failed.message.decode("utf-8", "replace"))
            self.lines.append(f"ERROR {failed.code} ({failed.state}): {said}")
        elif is_eof(payload):
            done = read_eof(payload)
            if not done.status & CURSOR_EXISTS or done.status & LAST_ROW_SENT:
                self.close()
        elif payload[:1] == bytes((OK,)):
            done = read_ok(payload)
            rows = f", {done.affected} row{'s' * (done.affected != 1)} affected"
            warned = f", {done.warnings} warning{'s' * (done.warnings != 1)}" if done.warnings else ""
            self.lines.append(f"OK{rows}{warned}")
        else:
            body = Body(payload)
            self._expected = body.counted() + 1
            body.over()
            self._columns = []

    def _ends(self, payload: bytes) -> bool:
        return is_eof(payload) or payload[:1] == bytes((ERR,))

    def _definition(self, payload: bytes) -> None:
        if self._expected > 1:
            self._columns.append(read_column(payload, _LABELS))
        elif is_eof(payload):
            self._begin()
        else:
            raise ProtocolViolation("an EOF is none")
        self._expected -= 1

    def _field(self, payload: bytes) -> None:
        if is_eof(payload):
            self.close()
            self._listing = False
            return
        if self._table is None:
            self._table = Table(["field"])
        self._table.add([visible(read_column(payload, _LABELS, listed=True).name or "?")])

    def _begin(self) -> None:
        self._table = Table([column.name or "?" for column in self._columns])

    def _row(self, payload: bytes) -> None:
        assert self._table is not None
        if not self._table.wanted:
            self._table.add()
            return
        body = Body(payload)
        values = self._binary_values(body) if self._binary else self._text_values(body)
        body.over()
        self._table.add(
            [
                "NULL" if value is None else visible(_shown(value, column))
                for value, column in zip(values, self._columns, strict=True)
            ]
        )

    def _text_values(self, body: Body) -> list[bytes | None]:
        values: list[bytes | None] = []
        for _ in self._columns:
            if body.left and body.data[body.pos] == 0xFB:
                body.take(1)
                values.append(None)
            else:
                values.append(body.string())
        return values

    def _binary_values(self, body: Body) -> list[bytes | None]:
        body.take(1)
        nulls = int.from_bytes(body.take((len(self._columns) + 9) // 8), "little")
        values: list[bytes | None] = []
        for place, column in enumerate(self._columns):
            if nulls >> (place + 2) & 1:
                values.append(None)
            else:
                width = WIDTHS.get(column.kind)
                value = body.take(width) if width else body.string()
                values.append(binary.to_text(value, column))
        return values

    def close(self) -> None:
        """The rows so far, laid out under their columns."""
        if self._table is not None:
            self.lines += self._table.lines()
        self._table = None


def _shown(value: bytes, column: Column) -> str:
    if column.kind is Kind.BIT:
        return str(int.from_bytes(value[:_MOST_SHOWN], "big"))
    read = column.charset.read(value[:_MOST_SHOWN])[0]
    if column.kind in {Kind.BYTES, Kind.GEOMETRY}:
        try:
            said = read.decode("utf-8")
        except UnicodeDecodeError:
            said = ""
        return said if said.isprintable() and (said or not read) else "0x" + read.hex()
    return read.decode("utf-8", "backslashreplace")
