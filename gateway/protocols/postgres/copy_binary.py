"""The data of one COPY TO STDOUT in binary: tuples that are masked as DataRow messages are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gateway.model import Output
from gateway.protocols.column_rules import column_rules
from gateway.protocols.postgres import copy_rows as copied
from gateway.protocols.postgres import values
from gateway.protocols.postgres.kinds import BUILT_IN, Types
from gateway.protocols.postgres.messages import Column, frame
from gateway.protocols.postgres.results import ResultMask
from gateway.wire import Mask, ProtocolViolation

LONGEST_ROW = 64 * 1024 * 1024
_ROW, _COPY = b"Dd"
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"


class BinaryCopyMask:
    """Rows in binary: a signature, then tuples as in DataRow, then a count of -1.

    For each message that comes one goes, with what has become whole by it: readers rely on the server's boundaries.
    """

    def __init__(
        self,
        count: int,
        outputs: Sequence[Output] | None,
        mask: Mask,
        *,
        read: Collection[str] = (),
        complete: bool = True,
        columns: Sequence[Column] | None = None,
        encoding: str = "",
        types: Types = BUILT_IN,
    ) -> None:
        self._encoding = encoding
        names = [None] * count if columns is None else [column.name for column in columns]
        rules = column_rules(names, outputs, mask, read=read, complete=complete)
        self._count = count
        known = columns or [Column(str(place + 1), 0, 0, 0, 0) for place in range(count)]
        binary = [replace(column, format=values.BINARY_FORMAT) for column in known]
        self._result = ResultMask(binary, rules, mask, types)
        self._kept = b""
        self._begun = False
        self._ended = False

    @property
    def masked(self) -> dict[str, int]:
        return self._result.masked

    def data(self, data: bytes) -> bytes:
        """Whole CopyData messages, masked; a tuple that is not yet whole is kept."""
        messages = [self._pieces(part) for part in copied.contents(data)]
        rows = [piece for pieces in messages for piece in pieces if piece[0] == _ROW]
        masked = iter(
            copied.contents(_retagged(self._result.rows(b"".join(rows), self._encoding))) if rows else ()
        )
        out: list[bytes] = []
        for pieces in messages:
            said = [next(masked) if piece[0] == _ROW else piece[1:] for piece in pieces]
            if said:
                out.append(frame(b"d", *said))
        return b"".join(out)

    def _pieces(self, part: bytes) -> list[bytes]:
        """What has become whole with `part`: tuples as DataRow messages, anything else behind a zero."""
        kept = self._kept + part
        at = 0
        out: list[bytes] = []
        if not self._begun:
            at = self._head(kept)
            if at == 0:
                self._kept = kept
                return out
            out.append(b"\0" + kept[:at])
        while not self._ended and (end := self._tuple(kept, at)) > 0:
            self._ended = kept[at : at + 2] == b"\xff\xff"
            out.append(b"\0" + kept[at:end] if self._ended else frame(b"D", kept[at:end]))
            at = end
        self._kept = kept[at:]
        if self._ended and self._kept:
            raise ProtocolViolation("a binary COPY goes on behind its end")
        if len(self._kept) > LONGEST_ROW:
            raise ProtocolViolation(f"a COPY's row is longer than the {LONGEST_ROW} bytes that can be masked")
        return out

    def end(self) -> bytes:
        """Nothing: what is not a whole tuple when the data ends is a violation."""
        if self._kept:
            raise ProtocolViolation("a binary COPY ends within a row")
        return b""

    def _head(self, data: bytes) -> int:
        """The length of signature, flags and extension; 0 if they are not here yet."""
        if data[: len(_SIGNATURE)] != _SIGNATURE[: len(data)]:
            raise ProtocolViolation("a binary COPY does not begin with its signature")
        if len(data) < 19:
            return 0
        length = 19 + int.from_bytes(data[15:19], "big")
        if length > LONGEST_ROW:
            raise ProtocolViolation("a binary COPY's header is too long")
        self._begun = len(data) >= length
        return length if self._begun else 0

    def _tuple(self, data: bytes, at: int) -> int:
        """Where the tuple that begins at `at` ends; -1 if that is not here yet."""
        if len(data) - at < 2:
            return -1
        count = int.from_bytes(data[at : at + 2], "big", signed=True)
        if count == -1:
            return at + 2
        if count != self._count:
            raise ProtocolViolation("a COPY's row has not as many fields as the COPY has columns")
        at += 2
        for _ in range(count):
            if len(data) - at < 4:
                return -1
            size = int.from_bytes(data[at : at + 4], "big", signed=True)
            if size < -1:
                raise ProtocolViolation("a field of a binary COPY has an impossible length")
            at += 4 + max(size, 0)
            if at > len(data):
                return -1
        return at


def _retagged(rows: bytes) -> bytes:
    """DataRow messages as CopyData."""
    out = bytearray(rows)
    pos = 0
    while pos < len(out):
        out[pos] = _COPY
        pos += 1 + int.from_bytes(out[pos + 1 : pos + 5], "big")
    return bytes(out)
