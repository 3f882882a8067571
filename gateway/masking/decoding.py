"""Bodies as they travel, turned into what can be searched: chunked, and compressed by gzip, deflate, brotli or zstd.

Bytes in, pieces out, none longer than `PIECE`, so that nobody ever holds what a small body blows up to. A body ends
in `BodyUnreadable` when it is damaged, cut off, goes on behind its end, in a coding that is not known here, or grows
beyond its limits: what cannot be read cannot be searched, so it is not passed on.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import brotli
import zstandard

PIECE = 64 * 1024
READABLE = ("gzip", "deflate", "br", "zstd")
"""What may be offered upstream as `Accept-Encoding`."""
_MOST_CODINGS = 3
_ZSTD_WINDOW = 8 * 1024 * 1024
"""RFC 8878, 3.1.1.1.2: what a decoder should support, and for HTTP (RFC 9659) the most that may be used."""
_ZSTD_INPUT = 64
"""Bytes handed over at once: a block of four may stand for 128 KiB."""


class BodyUnreadable(Exception):
    """A body whose text cannot be had, so that nothing of it may be passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """What a body may grow to."""

    bytes: int = 1024 * 1024 * 1024
    """All of it, decoded."""
    growth: int = 1_100
    """How many times longer than as it came; the most that deflate can do is 1,032."""
    free: int = 16 * 1024 * 1024
    """Below this, growth does not count."""


class Stage(Protocol):
    """One coding undone. `done` says that it has seen its end."""

    @property
    def done(self) -> bool: ...

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class Decoder:
    """A body in these codings, which were applied in this order, as HTTP's headers list them."""

    def __init__(self, codings: Sequence[str], limits: BodyLimits | None = None) -> None:
        names = [coding.strip().lower() for coding in codings]
        names = [name for name in names if name not in {"", "identity"}]
        if len(names) > _MOST_CODINGS:
            raise BodyUnreadable(f"a body in {len(names)} codings is not read")
        self._stages = [_stage(name) for name in reversed(names)]
        self._limits = limits or BodyLimits()
        self._taken = self._given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` decodes to, piece by piece. Raises `BodyUnreadable`."""
        self._taken += len(data)
        limits = self._limits
        for piece in self._through(data, 0):
            self._given += len(piece)
            if self._given > limits.bytes:
                raise BodyUnreadable(f"a body is longer than {limits.bytes} bytes")
            if self._given > limits.free and self._given > limits.growth * self._taken:
                raise BodyUnreadable(f"a body grows to more than {limits.growth} times its length")
            yield piece

    def close(self) -> None:
        """The body has ended. Raises `BodyUnreadable` if it should not have."""
        if self._taken and not all(stage.done for stage in self._stages):
            raise BodyUnreadable("a body ends before its end")

    def _through(self, data: bytes, at: int) -> Iterator[bytes]:
        if at == len(self._stages):
            for start in range(0, len(data), PIECE):
                yield data[start : start + PIECE]
            return
        try:
            for piece in self._stages[at].feed(data):
                yield from self._through(piece, at + 1)
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise BodyUnreadable(f"a body is damaged: {error}") from None


def _stage(name: str) -> Stage:
    match name:
        case "gzip" | "x-gzip":
            return _Gzip()
        case "deflate":
            return _Deflate()
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
        case "chunked":
            return Chunked()
        case _:
            raise BodyUnreadable(f"the coding {name[:40]!r} is not read; {', '.join(READABLE)} are")


def _inflated(made: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    while data and not made.eof:
        piece = made.decompress(data, PIECE)
        data = made.unconsumed_tail
        if piece:
            yield piece
    while not made.eof and (piece := made.decompress(b"", PIECE)):
        yield piece


class _Gzip:
    """RFC 1952: one or more members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    @property
    def done(self) -> bool:
        return self._member.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            yield from _inflated(self._member, data)
            data = self._member.unused_data


class _Deflate:
    """RFC 1950; or RFC 1951 alone, which servers send too and which begins otherwise."""

    def __init__(self) -> None:
        self._made: zlib._Decompress | None = None
        self._head = b""

    @property
    def done(self) -> bool:
        return self._made is not None and self._made.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._made is None:
            self._head += data
            if len(self._head) < 2:
                return
            wrapped = self._head[0] & 0x0F == 8 and int.from_bytes(self._head[:2], "big") % 31 == 0
            self._made = zlib.decompressobj(wbits=15 if wrapped else -15)
            data, self._head = self._head, b""
        if self._made.eof and data:
            raise BodyUnreadable("a body goes on behind its end")
        yield from _inflated(self._made, data)
        if self._made.unused_data:
            raise BodyUnreadable("a body goes on behind its end")


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        self._made = brotli.Decompressor()

    @property
    def done(self) -> bool:
        return bool(self._made.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._made.is_finished() and data:
            raise BodyUnreadable("a body goes on behind its end")
        piece = self._made.process(data, output_buffer_limit=PIECE)
        while piece:
            yield piece
            # It may have taken all of its input and still hold back output.
            piece = b"" if self.done else self._made.process(b"", output_buffer_limit=PIECE)


class _Zstd:
    """RFC 8878: one or more frames."""

    def __init__(self) -> None:
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._context.decompressobj()

    @property
    def done(self) -> bool:
        return bool(self._frame.eof)

    def feed(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            if self._frame.eof:
                self._frame = self._context.decompressobj()
            part = data[at : at + _ZSTD_INPUT]
            at += len(part)
            piece = self._frame.decompress(part)
            if self._frame.eof:
                at -= len(self._frame.unused_data)
            if piece:
                yield piece


_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\r\n]*)?")
_LONGEST_LINE = 4096
_LONGEST_TRAILER = 64 * 1024


class Chunked:
    """RFC 9112, 7.1, as strictly as it is written: each line ends with CR LF. Trailers are read over and left out."""

    def __init__(self) -> None:
        self.done = False
        self._line = b""
        self._left = 0
        """Of the chunk, with the CR LF behind it."""
        self._trailer = -1
        """Bytes of the trailer so far; -1 before the last chunk."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            if self.done:
                raise BodyUnreadable("a body goes on behind its end")
            if self._left > 2:
                piece = data[at : at + self._left - 2]
                at += len(piece)
                self._left -= len(piece)
                yield piece
                continue
            end = data.find(b"\n", at)
            upto = len(data) if end < 0 else end + 1
            self._line += data[at:upto]
            at = upto
            if len(self._line) > _LONGEST_LINE:
                raise BodyUnreadable("a line of a chunked body is too long")
            if end >= 0:
                line, self._line = self._line, b""
                self._read(line)

    def _read(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise BodyUnreadable("a line of a chunked body does not end with CR LF")
        line = line[:-2]
        if self._left:
            if line:
                raise BodyUnreadable("a chunk is longer than it says")
            self._left = 0
        elif self._trailer >= 0:
            self._trailer += len(line)
            if self._trailer > _LONGEST_TRAILER:
                raise BodyUnreadable("the trailer of a chunked body is too long")
            self.done = not line
        else:
            size = _SIZE.fullmatch(line)
            if size is None:
                raise BodyUnreadable("a chunk does not say how long it is")
            length = int(size[1], 16)
            if length:
                self._left = length + 2
            else:
                self._trailer = 0
