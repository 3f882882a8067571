"""Packets of the client/server protocol: how bytes are cut into them, and what stands in them.

Written from "Packets" and "Basic Data Types" of MySQL's protocol reference and of MariaDB's. A packet has three bytes of
length and one of sequence; one of 16 MiB - 1 goes on in the next, which is empty where nothing is left.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.wire import ProtocolViolation

HEADER: Final = 4
LARGEST: Final = 0xFFFFFF
"""Bytes in one packet; exactly so many say that it goes on in the next."""
OK: Final = 0x00
MORE: Final = 0x01
LOCAL_INFILE: Final = 0xFB
EOF: Final = 0xFE
ERR: Final = 0xFF
LONGEST_EOF: Final = 9
"""A packet that begins with 0xFE and is longer is a row."""
_KEPT = 8
_SHOWN = re.compile(rb"[^\x20-\x7e]")


def frame(payload: bytes, sequence: int) -> bytes:
    """A payload as packets, the first with this sequence number."""
    parts: list[bytes] = []
    pos = 0
    while True:
        piece = payload[pos : pos + LARGEST]
        parts.append(len(piece).to_bytes(3, "little") + bytes((sequence & 0xFF,)) + piece)
        pos += LARGEST
        sequence += 1
        if len(piece) < LARGEST:
            return b"".join(parts)


class Packet:
    """A payload, however many packets it came in."""

    __slots__ = ("payload", "raw", "sequence")

    def __init__(self, payload: bytes, sequence: int, raw: bytes) -> None:
        self.payload: Final = payload
        self.sequence: Final = sequence
        """Of the last packet: what answers it has the next."""
        self.raw: Final = raw
        """The very bytes."""


class Packets:
    """Bytes of one side that have not been taken up yet."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._dropped = b""
        """The front of a payload that is dropped as it comes."""
        self._dropping = -1
        """How much of its present packet is still to come; -1 where nothing is dropped."""
        self._goes_on = False
        self._number = 0

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        self._data += data

    def rest(self) -> bytes:
        """Everything that has come, untaken."""
        data = bytes(self._data)
        self._data.clear()
        return data

    def first(self) -> int | None:
        """The first byte of the next payload, if that is there; -1 where the payload has none."""
        if len(self._data) < HEADER:
            return None
        if not self._data[0] | self._data[1] | self._data[2]:
            return -1
        return self._data[HEADER] if len(self._data) > HEADER else None

    def announced(self) -> int:
        """How long the next payload is at least, as far as that is told; 0 where nothing is."""
        pos = total = 0
        data = self._data
        while len(data) - pos >= HEADER:
            size = int.from_bytes(data[pos : pos + 3], "little")
            total += size
            pos += HEADER + size
            if size < LARGEST:
                break
        return total

    def take(self) -> Packet | None:
        """The next payload, if all of it is there. Raises `ProtocolViolation` for numbers out of order."""
        data = self._data
        pos = 0
        parts: list[bytes] = []
        sequence = -1
        while len(data) - pos >= HEADER:
            size = int.from_bytes(data[pos : pos + 3], "little")
            number = data[pos + 3]
            if sequence >= 0 and number != (sequence + 1) & 0xFF:
                raise ProtocolViolation("the packets of one message are numbered out of order")
            end = pos + HEADER + size
            if end > len(data):
                return None
            parts.append(bytes(data[pos + HEADER : end]))
            sequence, pos = number, end
            if size < LARGEST:
                raw = bytes(data[:pos])
                del data[:pos]
                return Packet(parts[0] if len(parts) == 1 else b"".join(parts), sequence, raw)
        return None

    @property
    def dropping(self) -> bool:
        return self._dropping >= 0

    def drop(self) -> Packet | None:
        """Drop the next payload as it comes; its front, of `_KEPT` bytes, once it is all gone."""
        data = self._data
        while True:
            if self._dropping < 0 or (not self._dropping and self._goes_on):
                if len(data) < HEADER:
                    return None
                size, self._number = int.from_bytes(data[:3], "little"), data[3]
                if self._dropping < 0:
                    self._dropped = b""
                self._dropping, self._goes_on = size, size == LARGEST
                del data[:HEADER]
            taken = min(self._dropping, len(data))
            self._dropped += bytes(data[: min(taken, max(0, _KEPT - len(self._dropped)))])
            del data[:taken]
            self._dropping -= taken
            if self._dropping:
                return None
            if not self._goes_on:
                self._dropping = -1
                return Packet(self._dropped, self._number, b"")


class Body:
    """Reads a payload from its front. What is not there raises `ProtocolViolation`."""

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0) -> None:
        self.data: Final = data
        self.pos = pos
        self.end: Final = len(data)

    @property
    def left(self) -> int:
        return self.end - self.pos

    def take(self, count: int) -> bytes:
        end = self.pos + count
        if count < 0 or end > self.end:
            raise ProtocolViolation("a packet is shorter than what it says of itself")
        found = self.data[self.pos : end]
        self.pos = end
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def counted(self) -> int:
        """A length-encoded integer."""
        first = self.number(1)
        if first < 0xFB:
            return first
        if first in {0xFB, 0xFF}:
            raise ProtocolViolation("a length begins with a byte that begins none")
        return self.number({0xFC: 2, 0xFD: 3, 0xFE: 8}[first])

    def string(self) -> bytes:
        """A length-encoded string."""
        return self.take(self.counted())

    def text(self) -> bytes:
        """A string up to a zero."""
        end = self.data.find(b"\0", self.pos)
        if end < 0:
            raise ProtocolViolation("a string does not end")
        found = self.data[self.pos : end]
        self.pos = end + 1
        return found

    def rest(self) -> bytes:
        return self.take(self.left)

    def over(self) -> None:
        if self.left:
            raise ProtocolViolation("a packet is longer than what it says of itself")


def counted(value: int) -> bytes:
    """A length-encoded integer."""
    if value < 0xFB:
        return bytes((value,))
    if value <= 0xFFFF:
        return b"\xfc" + value.to_bytes(2, "little")
    if value <= 0xFFFFFF:
        return b"\xfd" + value.to_bytes(3, "little")
    return b"\xfe" + value.to_bytes(8, "little")


def string(value: bytes) -> bytes:
    """A length-encoded string."""
    return counted(len(value)) + value


def shown(data: bytes) -> str:
    """A few bytes of a peer's for a log."""
    return _SHOWN.sub(b"?", data[:40]).decode("ascii")
