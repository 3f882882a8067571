"""One result set on its way to the client: the number of its columns, their definitions, EOF, rows, and EOF again.

What has nothing to be masked passes as the objects it came in, cut as it came. Rows that are masked are gathered whole,
however many packets they come in.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model import Facts
from gateway.protocols.mysql.errors import CURSOR_EXISTS
from gateway.protocols.mysql.packets import EOF, ERR, HEADER, LARGEST, LONGEST_EOF, Body, frame
from gateway.protocols.mysql.plans import Plans
from gateway.protocols.mysql.row_mask import RowMask
from gateway.protocols.mysql.rows import follow
from gateway.wire import NOTHING_MASKED, AnswerWithheld, Limits, Mask, ProtocolViolation

_ALONE = 0x10000
"""A row of so many bytes is masked by itself: no stand-in for a value is so much longer that smaller ones need another packet."""
_EOF_SIZE = 5


class ResultSet:
    """`receive` takes what the server sends, beginning with the number of columns."""

    def __init__(
        self,
        *,
        binary: bool,
        mask: Mask | None,
        facts: Facts,
        limits: Limits,
        charset: str = "utf8mb4",
        shift: int = 0,
        plans: Plans | None = None,
    ) -> None:
        """`charset` is that of the labels (`character_set_results`), "" where nobody knows it."""
        self.done = False
        self.interrupted = False
        """An ERR came in place of what was next, and stands at the beginning of the rest."""
        self.cursor = False
        """No rows follow: they are fetched."""
        self.status = 0
        """The server's status flags, of the last EOF."""
        self.rows = 0
        self.shift = shift
        """By how much packets for the client are numbered higher than they came: only rows of 16 MiB change that."""
        self.shape = b"B" if binary else b"T"
        """What a replay needs besides the answer."""
        self._binary = binary
        self._mask = mask if mask is not None and not mask.empty else None
        self._facts = facts
        self._limit = limits.row_bytes
        self._charset = charset
        self._plans = plans if plans is not None else Plans()
        self._rows_mask: RowMask | None = None
        self._counting = False
        self._head = b""
        self._head_read = 0
        self._definitions_left = -1
        self._next = -1
        """The number of the next packet; -1 before the first."""
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 0
        self._skip = 0
        """How much of a packet that was passed on in part is still to come."""
        self._continued = False
        """The next packet goes on with the same row."""

    @property
    def masked(self) -> Mapping[str, int]:
        """Detector or column rule -> how many values it has masked so far."""
        return self._rows_mask.masked if self._rows_mask is not None else NOTHING_MASKED

    @property
    def whole(self) -> bool:
        """The client has only whole packets."""
        return not self._skip and not self._continued

    @property
    def sequence(self) -> int:
        """The number of the last packet that the client has."""
        return (max(self._next, 1) - 1 + self.shift) & 0xFF

    def fetch(self) -> ResultSet:
        """The rows that a COM_STMT_FETCH brings of this one."""
        fetched = ResultSet(
            binary=True,
            mask=self._mask,
            facts=self._facts,
            limits=Limits(row_bytes=self._limit),
            plans=self._plans,
        )
        fetched.shape = self.shape + self._head
        fetched._head = self._head
        fetched._begin_rows(self._rows_mask.afresh() if self._rows_mask is not None else None)
        return fetched

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """What the client gets, and what follows the result set.

        Raises `ProtocolViolation` for what is none. Whatever goes wrong in a mask, nothing is passed on.
        """
        try:
            return self._receive(data)
        except ProtocolViolation:
            raise
        except Exception as error:  # noqa: BLE001  # a mask runs the patterns of a policy over the data of strangers
            raise AnswerWithheld(error) from None

    def _receive(self, data: bytes) -> tuple[bytes, bytes]:
        if self._have:
            self._parts.append(data)
            self._have += len(data)
            if self._have < self._need:
                return b"", b""
            data = b"".join(self._parts)
            self._parts.clear()
            self._have = 0
        out: list[bytes] = []
        pos = 0
        if not self._head:
            pos = self._take_head(data, out)
        if self._head and not self.done:
            pos = self._count(data, pos, out) if self._counting else self._take_rows(data, pos, out)
        rest = data[pos:]
        if not self.done and rest:
            self._parts.append(rest)
            self._have = len(rest)
            rest = b""
        return out[0] if len(out) == 1 else b"".join(out), rest

    def _take_head(self, data: bytes, out: list[bytes]) -> int:
        """All up to the first EOF, which is passed on when it is whole."""
        end = len(data)
        pos = self._head_read
        while end - pos >= HEADER:
            size = int.from_bytes(data[pos : pos + 3], "little")
            stop = pos + HEADER + size
            if size >= LARGEST or not size or stop > self._limit:
                raise ProtocolViolation("what describes the columns of a result has an impossible length")
            if stop > end:
                self._head_read, self._need = pos, stop
                return 0
            first = data[pos + HEADER]
            if pos and first == ERR:
                self._interrupted(data, pos, out)
                return pos
            self._number(data[pos + 3])
            if self._definitions_left < 0:
                body = Body(data[HEADER:stop])
                self._definitions_left = body.counted()
                body.over()
                if not self._definitions_left:
                    raise ProtocolViolation("a result has no columns")
            elif self._definitions_left:
                self._definitions_left -= 1
            else:
                self._over(data, pos, size)
                self.done = False
                self._described(data[:stop], out)
                return stop
            pos = stop
        self._head_read, self._need = pos, pos + HEADER
        return 0

    def _number(self, number: int) -> None:
        if self._next >= 0 and number != self._next:
            raise ProtocolViolation("a packet's number is not the next one")
        self._next = (number + 1) & 0xFF

    def _described(self, head: bytes, out: list[bytes]) -> None:
        self._head = head
        rows_mask = None
        if self._mask is not None:
            plan = self._plans.plan(
                head, self._facts, self._mask, in_binary=self._binary, labels=self._charset
            )
            rows_mask, head = plan.mask.afresh(), plan.head
        self._pass(head, out)
        self._begin_rows(rows_mask)
        if self._binary and self.status & CURSOR_EXISTS:
            self.cursor = self.done = True

    def _begin_rows(self, rows_mask: RowMask | None) -> None:
        self._rows_mask = rows_mask if rows_mask is not None and not rows_mask.idle else None
        self._counting = self._rows_mask is None and not self.shift

    def _interrupted(self, data: bytes, pos: int, out: list[bytes]) -> None:
        self.done = self.interrupted = True
        self._pass(data[:pos], out)

    def _over(self, data: bytes, pos: int, size: int) -> None:
        """The EOF at `pos`."""
        if size != _EOF_SIZE or data[pos + HEADER] != EOF:
            raise ProtocolViolation("an EOF is none")
        self.status = int.from_bytes(data[pos + 7 : pos + 9], "little")
        self.done = True

    def _pass(self, packets: bytes, out: list[bytes]) -> None:
        """Whole packets, numbered as the client has to see them."""
        if packets:
            out.append(_renumbered(packets, self.shift) if self.shift else packets)

    def _count(self, data: bytes, pos: int, out: list[bytes]) -> int:
        """Rows that nothing is hidden in, in whatever pieces; gives where what is not passed on yet begins."""
        start, end = pos, len(data)
        if pos == 0 and end and self._skip >= end:
            self._skip -= end
            out.append(data)
            return end
        while pos < end:
            if self._skip:
                step = min(self._skip, end - pos)
                self._skip -= step
                pos += step
                continue
            self._need = HEADER + (not self._continued)
            if end - pos < self._need:
                break
            if not self._continued:
                if self._next < 0:
                    self._next = data[pos + 3]
                _, reach, count = follow(data, pos, self._next, LARGEST, self._binary)
                if count:
                    self.rows += count
                    self._next = (self._next + count) & 0xFF
                    self._skip, pos = max(0, reach - end), min(reach, end)
                    continue
            size = int.from_bytes(data[pos : pos + 3], "little")
            if not self._continued and size != LARGEST:
                pos = self._end(data, pos, size)
                break
            if not self._continued and data[pos + HEADER] == ERR:
                self.done = self.interrupted = True
                break
            self._number(data[pos + 3])
            self.rows += not self._continued
            self._continued = size == LARGEST
            self._skip = size
            pos += HEADER
        if pos > start:
            out.append(data if start == 0 and pos == end else data[start:pos])
        return pos

    def _end(self, data: bytes, pos: int, size: int) -> int:
        """What stands where no row does: an EOF, behind which it gives, or an ERR. `_need` says how much of it is missing."""
        if not size:
            raise ProtocolViolation("a row is empty")
        if data[pos + HEADER] == ERR:
            self.done = self.interrupted = True
            return pos
        if size >= LONGEST_EOF:
            raise ProtocolViolation("a packet is neither a row nor the end of rows")
        if pos + HEADER + size > len(data):
            self._need = HEADER + size
            return pos
        self._number(data[pos + 3])
        self._over(data, pos, size)
        return pos + HEADER + size

    def _take_rows(self, data: bytes, pos: int, out: list[bytes]) -> int:
        """Rows that have to be whole; gives where what is not passed on yet begins."""
        start, end = pos, len(data)
        self._need = HEADER + 1
        while end - pos > HEADER:
            if self._next < 0:
                self._next = data[pos + 3]
            whole, reach, count = follow(data, pos, self._next, _ALONE, self._binary)
            if whole > pos:
                count -= reach != whole
                self.rows += count
                self._next = (self._next + count) & 0xFF
                run = data if pos == 0 and whole == end else data[pos:whole]
                masked = self._rows_mask.rows(run) if self._rows_mask is not None else run
                if masked is not run or start == pos:
                    self._pass(data[start:pos], out)
                    self._pass(masked, out)
                    start = whole
                pos = whole
                continue
            if reach > pos:
                self._need = reach - pos
                break
            size = int.from_bytes(data[pos : pos + 3], "little")
            first = data[pos + HEADER]
            if size < _ALONE or first == ERR:
                stop = self._end(data, pos, size)
                if not self.done or self.interrupted:
                    break
                pos = stop
                break
            stop = self._large(data, pos)
            if not stop:
                break
            self._pass(data[start:pos], out)
            self._mask_large(data[pos:stop], out)
            pos = start = stop
        self._pass(data[start:pos], out)
        return pos

    def _large(self, data: bytes, pos: int) -> int:
        """Where the packets of a large row end; 0, and `_need` says what is missing, while they are not all here."""
        end, at = len(data), pos
        while True:
            if end - at < HEADER:
                self._need = at + HEADER - pos
                return 0
            size = int.from_bytes(data[at : at + 3], "little")
            at += HEADER + size
            if at - pos > self._limit:
                raise ProtocolViolation("a row that has to be masked is larger than limits: row_bytes")
            if size < LARGEST:
                break
        if at > end:
            self._need = at - pos
            return 0
        return at

    def _mask_large(self, packets: bytes, out: list[bytes]) -> None:
        first, pos, came = packets[3], 0, 0
        pieces: list[bytes] = []
        while pos < len(packets):
            self._number(packets[pos + 3])
            size = int.from_bytes(packets[pos : pos + 3], "little")
            pieces.append(packets[pos + HEADER : pos + HEADER + size])
            pos += HEADER + size
            came += 1
        row = b"".join(pieces)
        self.rows += 1
        masked = self._rows_mask.rows(row, framed=False) if self._rows_mask is not None else row
        if masked is row:
            self._pass(packets, out)
            return
        out.append(frame(masked, first + self.shift))
        self.shift += len(masked) // LARGEST + 1 - came


def _renumbered(packets: bytes, shift: int) -> bytes:
    out = bytearray(packets)
    pos = 0
    while pos < len(out):
        out[pos + 3] = (out[pos + 3] + shift) & 0xFF
        pos += HEADER + int.from_bytes(out[pos : pos + 3], "little")
    return bytes(out)
