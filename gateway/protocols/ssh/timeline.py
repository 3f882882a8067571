"""How answers stand in recordings: what came out of which stream, and when.

An entry is one byte for the stream, four for the milliseconds since the command was let through, four for the length, and
the bytes as the client got them. `render` makes a person's text of it, `timed` a player's.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD = struct.Struct(">cII")
_LATEST = 0xFFFF_FFFF
_DECODER = codecs.getincrementaldecoder("utf-8")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")

OUT, ERR, RESIZE, SIZE = b"o", b"e", b"r", b"s"
"""`RESIZE`: the size of a terminal at the target; `SIZE`: of the client's, where the target has none."""
_STREAMS = (OUT, ERR, RESIZE, SIZE)


class Entry(NamedTuple):
    stream: bytes
    milliseconds: int
    data: bytes


def head(stream: bytes, seconds: float, length: int) -> bytes:
    """What stands before the bytes of an entry."""
    return _HEAD.pack(stream, min(int(seconds * 1000), _LATEST), length)


def entries(answer: bytes) -> Iterator[Entry]:
    """The entries of a recorded answer; one that the recording's limit cut is as short as it was cut."""
    at = 0
    while at + _HEAD.size <= len(answer):
        stream, milliseconds, length = _HEAD.unpack_from(answer, at)
        at += _HEAD.size
        yield Entry(stream, milliseconds, answer[at : at + length])
        at += length


def _texts(answer: bytes) -> Iterator[tuple[bytes, int, str]]:
    """The entries with their bytes as text: a character that two of one stream share stands in the later one."""
    decoders = {stream: _DECODER("replace") for stream in _STREAMS}
    milliseconds = 0
    for stream, milliseconds, data in entries(answer):
        if stream in decoders:
            yield stream, milliseconds, decoders[stream].decode(data)
    for stream, decoder in decoders.items():
        if rest := decoder.decode(b"", final=True):
            yield stream, milliseconds, rest


def render(answer: bytes, _shape: bytes) -> str:
    """What stood on the screen, safe to print on a terminal; standard error is marked."""
    shown: list[str] = []
    for stream, _, whole in _texts(answer):
        if stream in {RESIZE, SIZE}:
            continue
        text = whole.replace("\r\n", "\n")
        text = _UNPRINTABLE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
        shown.append(
            text if stream == OUT else "".join(f"! {line}" for line in text.splitlines(keepends=True))
        )
    return "".join(shown)


def timed(answer: bytes, _shape: bytes) -> Iterator[tuple[float, str, str]]:
    """As an asciicast has it: seconds since the command was let through, `o` or `r`, and the text.

    A terminal at the target says itself how lines end; else they end as a player needs it.
    """
    terminal = False
    for stream, milliseconds, text in _texts(answer):
        if stream in {RESIZE, SIZE}:
            terminal = terminal or stream == RESIZE
            yield milliseconds / 1000, "r", text
        elif text:
            lines = text if terminal else text.replace("\r\n", "\n").replace("\n", "\r\n")
            yield milliseconds / 1000, "o", lines
