"""Bodies in other encodings than UTF-8: read as UTF-8, and written back as what they were."""

from __future__ import annotations

import codecs
import re

_MARKS = {
    b"\xff\xfe\0\0": "utf-32-le",
    b"\0\0\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
    b"\xef\xbb\xbf": "utf-8",
}
"""Byte order marks, the longest first."""
MARKED = 4
"""Bytes that tell."""
_UNMARKED = (
    (re.compile(rb"\0\0\0[^\0]", re.DOTALL), "utf-32-be"),
    (re.compile(rb"[^\0]\0\0\0", re.DOTALL), "utf-32-le"),
    (re.compile(rb"\0[^\0]\0[^\0]", re.DOTALL), "utf-16-be"),
    (re.compile(rb"[^\0]\0[^\0]\0", re.DOTALL), "utf-16-le"),
)
"""How two signs of ASCII begin, which all JSON does (RFC 4627, 3)."""
_AS_IT_IS = frozenset({"utf-8", "ascii", ""})


class CharsetUnknown(Exception):
    """An encoding that cannot be read, or bytes that are not in it."""


def charset(declared: str, begins: bytes) -> tuple[str, int]:
    """The encoding of a text, "" where it contains ASCII as it is, and how long its mark is. Raises `CharsetUnknown`."""
    mark = next((mark for mark in _MARKS if begins.startswith(mark)), b"")
    if mark:
        name = _MARKS[mark]
    else:
        name = next((name for pattern, name in _UNMARKED if pattern.match(begins)), "")
        try:
            codec = codecs.lookup(declared.strip("\"' ")) if declared and not name else None
        except (LookupError, ValueError):
            raise CharsetUnknown(declared[:40]) from None
        if codec is not None:
            if not codec._is_text_encoding:  # noqa: SLF001  # not rot13, zip and the like; there is no other way to ask
                raise CharsetUnknown(declared[:40])
            name = codec.name
    return ("" if name in _AS_IT_IS else name), len(mark)


class Recoding:
    """Text in an encoding, in and out."""

    def __init__(self, name: str) -> None:
        codec = codecs.lookup(name)
        assert codec.incrementaldecoder is not None
        assert codec.incrementalencoder is not None
        self._into = codec.incrementaldecoder("strict")
        self._between = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        self._out = codec.incrementalencoder("strict")

    def read(self, data: bytes, *, final: bool = False) -> bytes:
        """As UTF-8. Raises `CharsetUnknown`."""
        try:
            return self._into.decode(data, final).encode("utf-8", "surrogatepass")
        except UnicodeError:
            raise CharsetUnknown("bytes that are not in it") from None

    def write(self, data: bytes, *, final: bool = False) -> bytes:
        """As it was. Raises `CharsetUnknown`."""
        try:
            return self._out.encode(self._between.decode(data, final), final)
        except UnicodeError:
            raise CharsetUnknown("a sign that it does not have") from None
