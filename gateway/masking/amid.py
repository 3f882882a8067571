"""A mask for bytes that may be no text at all: archives, images, packs of git.

In what is compressed or encrypted every pattern comes up by chance, about once a megabyte, and hiding it would break the
file and hide nothing. So a hit does not count where the bytes in front of it are none that any text has: control
characters and, many of them, bytes that are no UTF-8. Texts of older charsets have no control characters; records in binary
files have few stray bytes. Values in both are still found.
"""

from __future__ import annotations

import re

from gateway.masking.engine import CompiledMask
from gateway.masking.scanner import Hit

_BEFORE = 96
"""Bytes in front of a hit that are looked at: those behind it may not have come yet."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
"""What no text has; escape sequences colour some."""
_STRAY = _BEFORE // 4


class AmidBinary(CompiledMask):
    """Finds what `mask` finds, but for what is chance; `starred` says that lengths have to stay."""

    def __init__(self, mask: CompiledMask, *, starred: bool = False) -> None:
        self.__dict__.update(mask.__dict__)
        self.starred = starred

    def find(self, data: bytes) -> list[Hit]:
        return _meant(data, super().find(data))

    def find_from(self, data: bytes, start: int, read: tuple[int, int] | None = None) -> list[Hit]:
        return _meant(data, super().find_from(data, start, read))

    def stand_in(self, data: bytes, start: int, end: int, detector: str) -> bytes:
        return b"*" * (end - start) if self.starred else super().stand_in(data, start, end, detector)


def _meant(data: bytes, hits: list[Hit]) -> list[Hit]:
    return [hit for hit in hits if not _by_chance(data[max(0, hit[0] - _BEFORE) : hit[0]])]


def _by_chance(before: bytes) -> bool:
    if _CONTROLS.search(before) is None:
        return False
    return before.decode("utf-8", "replace").count("\N{REPLACEMENT CHARACTER}") >= _STRAY
