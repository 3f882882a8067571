"""A chained file: records that each carry the hash of the one before, so that none can be changed, dropped or moved.

A record is one line of JSON, its header, and then as many raw bytes as the header's `size` says, with a line feed. The header begins
with `n` (counting from 0), `at` (Unix seconds), `kind`, `prev` (SHA-256, hex, of the whole record before; zeros
for the first of all) and `size`; what else it holds depends on the kind. Written by appending alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from hashlib import sha256
from typing import IO, Any, Final

import orjson
from orjson import JSONEncodeError, dumps

from gateway.recorder.lines import record as laid_out

ORIGIN = "0" * 64
"""What the first record of all gives as the hash of the record before it."""
HEADER_BYTES = 256 * 1024 * 1024
"""A longer header line is not one of ours: a command of the largest size, escaped, stays below."""

_JOINED: Final = 16 * 1024
"""Bytes of a payload up to which copying it is cheaper than to hash and to write it apart."""
_NOTHING: Final = sha256()
"""Copied for each record: that is sooner done than to look the algorithm up."""


class ChainBroken(Exception):
    """A record does not hold. `number` is its place in the file, counting from 0."""

    def __init__(self, number: int, fault: str) -> None:
        super().__init__(f"record {number} does not hold: {fault}")
        self.number = number
        self.fault = fault


class TornTail(Exception):
    """The file ends inside a record: its last write was cut off. `offset` is where that record begins."""

    def __init__(self, number: int, offset: int) -> None:
        super().__init__(f"the file ends inside record {number}")
        self.number = number
        self.offset = offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as it was read."""

    number: int
    at: float
    kind: str
    fields: Mapping[str, Any]
    """The whole header."""
    payload: bytes
    hash: str
    end: int
    """Offset of the next record."""


class ChainWriter:
    """Appends records to an open descriptor. Not for concurrent use."""

    __slots__ = ("_descriptor", "_link", "_pending", "number")

    def __init__(self, descriptor: int, *, head: str = ORIGIN, number: int = 0) -> None:
        self._descriptor = descriptor
        self._pending: list[bytes] = []
        self.go_on(head, number)

    @property
    def head(self) -> str:
        """The hash of the last record, in hex."""
        return self._link.hex()

    def go_on(self, head: str, number: int) -> None:
        """Behind a record whose hash is `head`; the next one gets `number`."""
        self._link = bytes.fromhex(head)
        self.number = number

    def append(self, kind: str, at: float, fields: Mapping[str, Any], payload: bytes = b"") -> None:
        """Lay a record out behind those that wait. It is written by the next `flush`."""
        header = {"n": self.number, "at": at, "kind": kind, "prev": self.head, "size": len(payload), **fields}
        self._add(encoded(header) + b"\n", payload)

    def frame(
        self, kind: bytes, at: float, fields: bytes, payload: bytes = b"", *, known: bytes = b""
    ) -> None:
        """The same for records that come by the thousand: `fields` and `known` are a JSON object already."""
        size = len(payload)
        if size <= _JOINED:
            self._add(laid_out(self.number, at, kind, self._link, size, fields, known, payload))
        else:
            self._add(laid_out(self.number, at, kind, self._link, size, fields, known, b""), payload)

    def _add(self, record: bytes, payload: bytes = b"") -> None:
        digest = _NOTHING.copy()
        digest.update(record)
        self._pending.append(record)
        if payload:
            digest.update(payload)
            digest.update(b"\n")
            self._pending += (payload, b"\n")
        self._link = digest.digest()
        self.number += 1

    def take(self) -> bytes:
        """The framed records that wait, for a caller that writes them itself."""
        pending = self._pending
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        pending.clear()
        return data

    def flush(self) -> None:
        """Hand everything to the operating system: it now survives this process. Raises `OSError`."""
        if self._pending:
            write_all(self._descriptor, self.take())

    def sync(self) -> None:
        """`flush`, and wait for the disk: it now survives the machine. Raises `OSError`."""
        self.flush()
        os.fdatasync(self._descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, or raise `OSError`."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def records(file: IO[bytes], *, head: str = ORIGIN, number: int = 0) -> Iterator[Record]:
    """Every record from where `file` stands, each checked against the one before.

    `head` and `number` say what the first must name. Raises `ChainBroken` at the first record that does not
    hold and `TornTail` where the file ends inside one.
    """
    offset = file.tell()
    while line := file.readline(HEADER_BYTES):
        if not line.endswith(b"\n"):
            if len(line) == HEADER_BYTES:
                raise ChainBroken(number, "its header is longer than any that is written")
            raise TornTail(number, offset)
        header = _header(line, number)
        if header["prev"] != head:
            raise ChainBroken(number, "it does not follow the record before it, which was changed or removed")
        size = header["size"]
        rest = file.read(size + 1) if size else b""
        if size and len(rest) <= size:
            raise TornTail(number, offset)
        if size and not rest.endswith(b"\n"):
            raise ChainBroken(number, "its payload does not end where it should")
        digest = sha256(line)
        digest.update(rest)
        head = digest.hexdigest()
        offset += len(line) + len(rest)
        yield Record(
            number=number,
            at=header["at"],
            kind=header["kind"],
            fields=header,
            payload=rest[:-1],
            hash=head,
            end=offset,
        )
        number += 1


def _header(line: bytes, number: int) -> dict[str, Any]:
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ChainBroken(number, "its header is not JSON") from None
    match header:
        case {"n": int(n), "at": float() | int(), "kind": str(), "prev": str(), "size": int(size)} if (
            size >= 0
        ):
            if n != number:
                raise ChainBroken(number, f"it says that it is record {n}")
            return dict(header)
        case _:
            raise ChainBroken(number, "its header lacks what every header has")


def encoded(value: Any) -> bytes:
    """`value` as JSON; a str that is not Unicode (a lone surrogate) with that part escaped."""
    try:
        return dumps(value)
    except JSONEncodeError:
        return dumps(_unicode(value))


def _unicode(value: Any) -> Any:
    match value:
        case str():
            return str(value).encode("utf-8", "backslashreplace").decode()
        case dict():
            return {str(_unicode(key)): _unicode(each) for key, each in value.items()}
        case list() | tuple():
            return [_unicode(each) for each in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _unicode(asdict(value))
        case _:
            return value
