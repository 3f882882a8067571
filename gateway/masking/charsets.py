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
