"""`countersign mask` as a filter: standard input to standard output, whatever the pieces, in bounded memory.

What came compressed by gzip or zstd is searched as what it says and goes out compressed again.
"""

from __future__ import annotations

import select
import sys
import zlib
from collections.abc import Iterator
from typing import Protocol

import zstandard

from gateway.masking.charsets import MarkedMask
from gateway.masking.decoding import BodyUnreadable, Decoder
from gateway.masking.engine import CompiledMask

_CHUNK = 65_536
CHUNK_READ = 4_096
"""What a model is given at once."""
QUIET = 0.2
"""Seconds without input after which a prompt is given out, however it ends."""
_MARKS = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How a compressed file begins."""


class Source(Protocol):
    def fileno(self) -> int: ...

    def read(self, size: int, /) -> bytes | None: ...


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> object: ...


def run(mask: CompiledMask, source: Source, out: Sink) -> int:
    """0: all of it is out, masked. 1: it could not be read to its end, or nobody reads any more."""
    try:
        for piece in _masked(mask, source):
            out.write(piece)
            out.flush()
    except BrokenPipeError:
        return 1
    except BodyUnreadable as error:
        print(f"{error}; the rest is withheld", file=sys.stderr)
        return 1
    return 0


def _masked(mask: CompiledMask, source: Source) -> Iterator[bytes]:
    size = CHUNK_READ if mask.reads else _CHUNK
    stream = MarkedMask(mask)
    first = _first(source, size)
    coding = next((name for mark, name in _MARKS.items() if first.startswith(mark)), "")
    if coding:
        yield from _compressed(stream, coding, first, source)
        return
    data = first
    while data:
        yield stream.feed(data)
        if stream.pending and not _ready(source):
            yield stream.pause()
        data = source.read(size) or b""
    yield stream.close()


def _first(source: Source, size: int) -> bytes:
    """As much as tells what it is: more is waited for only where it may be compressed."""
    first = b""
    while any(mark.startswith(first) and mark != first for mark in _MARKS):
        data = source.read(size)
        if not data:
            break
        first += data
    return first


def _ready(source: Source) -> bool:
    """Whether more comes, or the end, before it is quiet; what cannot be asked is always ready."""
    try:
        return bool(select.select([source.fileno()], [], [], QUIET)[0])
    except (OSError, ValueError):
        return True


def _compressed(stream: MarkedMask, coding: str, first: bytes, source: Source) -> Iterator[bytes]:
    decoder = Decoder([coding])
    packed = zlib.compressobj(wbits=31) if coding == "gzip" else zstandard.ZstdCompressor().compressobj()
    data = first
    while data:
        for piece in decoder.feed(data):
            yield packed.compress(stream.feed(piece))
        data = source.read(_CHUNK) or b""
    decoder.close()
    yield packed.compress(stream.close())
    yield packed.flush()
