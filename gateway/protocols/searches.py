"""How values are searched, whatever protocol they come by, and how bytes are that are no text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.masking.scanner import TOO_MANY, Hit
from gateway.wire import Mask

_LENGTH_BEFORE = re.compile(rb"\x00[\x00-\xff]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What values are searched by, and where hits are counted."""

    mask: Mask
    counts: dict[str, int]

    def find(self, data: bytes) -> list[Hit]:
        hits = self.mask.find(data)
        self.count(hits)
        return hits

    def count(self, hits: list[Hit]) -> None:
        for _, _, name in hits:
            self.counts[name] = self.counts.get(name, 0) + 1

    def find_in_opaque(self, value: bytes) -> list[Hit]:
        """In bytes of which nobody knows what they are.

        What follows a zero may be a length that looks like a digit or a letter, or the text itself: both are tried.
        """
        hits = self.mask.find(value)
        if b"\0" in value:
            hits = _united(hits, self.mask.find(_LENGTH_BEFORE.sub(b"\0\0\0\0", value)))
        self.count(hits)
        return hits

    def cover_in_place(self, value: bytes, hits: list[Hit]) -> bytes:
        """With as many bytes as it had, wherever they stand."""
        out = bytearray(value)
        for start, end, name in hits:
            said = self.mask.replace(value[start:end].decode("utf-8", "surrogateescape"), detector=name)
            hidden = said.encode("utf-8", "surrogateescape")
            out[start:end] = hidden if len(hidden) == end - start else b"*" * (end - start)
        return bytes(out)


def _united(hits: list[Hit], others: list[Hit]) -> list[Hit]:
    """The hits of two readings, those that overlap as one."""
    found: list[Hit] = []
    for start, end, name in sorted((*hits, *others)):
        if found and start < found[-1][1]:
            begin, finish, known = found[-1]
            found[-1] = (begin, max(end, finish), TOO_MANY if name == TOO_MANY else known)
        else:
            found.append((start, end, name))
    return found
