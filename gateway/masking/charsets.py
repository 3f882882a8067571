"""A stream in another encoding than UTF-8, masked as one in UTF-8 is and given out in its own encoding again.

Encodings that contain ASCII could be searched as they are, but for names and domains in other letters; in UTF-16 nothing
would be found at all.
"""

from __future__ import annotations

import codecs

from gateway.masking.decoding import BodyUnreadable
from gateway.masking.engine import CompiledMask
from gateway.masking.stream import StreamMask


class CharsetMask:
    """Raises `BodyUnreadable` for an encoding that is not known, and for bytes that are not in it."""

    def __init__(self, mask: CompiledMask, charset: str) -> None:
        try:
            codec = codecs.lookup(charset)
            text = codec._is_text_encoding  # noqa: SLF001  # not rot13, zip and the like; there is no other way to ask
        except (LookupError, AttributeError):
            text = False
        if not text:
            raise BodyUnreadable(f"the encoding {charset[:40]!r} is not known")
        self._stream = StreamMask(mask)
        self.hits = self._stream.hits
        """Every hit so far. Callers may empty it."""
        self._charset = charset
        self._into = codec.incrementaldecoder("strict")
        self._between = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        self._out = codec.incrementalencoder("strict")

    def feed(self, data: bytes) -> bytes:
        return self._written(self._stream.feed(self._read(data, final=False)), final=False)

    def flush(self) -> bytes:
        return self._written(self._stream.flush(), final=False)

    def close(self) -> bytes:
        rest = self._stream.feed(self._read(b"", final=True)) + self._stream.close()
        return self._written(rest, final=True)

    @property
    def masked(self) -> dict[str, int]:
        """Detector -> how many values it has hidden."""
        counts: dict[str, int] = {}
        for _, _, name in self._stream.hits:
            counts[name] = counts.get(name, 0) + 1
        return counts

    def _read(self, data: bytes, *, final: bool) -> bytes:
        try:
            return self._into.decode(data, final).encode("utf-8", "surrogatepass")
        except UnicodeError:
            raise BodyUnreadable(f"text is not in {self._charset}, as it says") from None

    def _written(self, data: bytes, *, final: bool) -> bytes:
        try:
            return self._out.encode(self._between.decode(data, final), final)
        except UnicodeError:
            raise BodyUnreadable(f"masked text cannot be written in {self._charset}") from None


_MARKS = {
    b"\xff\xfe\0\0": "utf-32-le",
    b"\0\0\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
"""Byte order marks, the longest first."""


class MarkedMask:
    """A stream whose first bytes may be the mark of UTF-16 or UTF-32, as what Windows writes to files begins.

    What has the mark is read as it says and, since anybody can write two bytes, as it stands as well. Raises
    `BodyUnreadable` where it is not what its mark says.
    """

    def __init__(self, mask: CompiledMask) -> None:
        self._mask = mask
        self._first = b""
        self._marked: CharsetMask | None = None
        self._plain: StreamMask | None = None

    def feed(self, data: bytes) -> bytes:
        if self._plain is not None:
            if self._marked is not None:
                data = self._marked.feed(data)
                self._marked.hits.clear()
            out = self._plain.feed(data)
            self._plain.hits.clear()
            return out
        self._first += data
        if len(self._first) < 4 and any(mark.startswith(self._first) for mark in _MARKS):
            return b""
        return self._begun()

    @property
    def pending(self) -> bool:
        """Whether something is kept back that `pause` may give out."""
        return self._plain is not None and self._marked is None and self._plain.pending > 0

    def pause(self) -> bytes:
        """As `StreamMask.pause`; what comes in UTF-16 comes from no terminal."""
        return self._plain.pause() if self._plain is not None and self.pending else b""

    def close(self) -> bytes:
        out = self._begun() if self._plain is None else b""
        assert self._plain is not None
        if self._marked is not None:
            out += self._plain.feed(self._marked.close())
        return out + self._plain.close()

    def _begun(self) -> bytes:
        mark = next((mark for mark in _MARKS if self._first.startswith(mark)), b"")
        if mark:
            self._marked = CharsetMask(self._mask, _MARKS[mark])
        self._plain = StreamMask(self._mask)
        return mark + self.feed(self._first[len(mark) :])
