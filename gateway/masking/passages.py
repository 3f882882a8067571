"""The stretches of a text that a model reads one by one: lines and fields, and of a long line as much as ends at a blank.

Where a passage begins and ends is decided by the text alone, so that a text that comes in pieces is read as the same
passages. What was read is remembered by its digest: neither the text nor its values are kept.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterator

from gateway.masking.names import model

LONGEST_PASSAGE = 480
_KEPT = 16_384
_ENDS = re.compile(rb"[\0\r\n]")
_WORTH_READING = re.compile(rb"[A-Z][A-Za-z'.]|[\xc3-\xf4]")
"""A capital, or a letter of another script: names are written with one."""
_STRAY = re.compile("[\ud800-\udfff]")
"""Bytes that are no UTF-8. What has many of them is no text: nobody is named in a picture or an archive."""

Hit = tuple[int, int, str]


def passages(data: bytes, start: int) -> Iterator[tuple[int, int, bool]]:
    """`(start, end, whole)` of each passage from `start`, where one begins; the last is not whole if it may go on."""
    while start < len(data):
        match = _ENDS.search(data, start, start + LONGEST_PASSAGE)
        if match is not None:
            yield start, match.start(), True
            start = match.end()
        elif len(data) - start <= LONGEST_PASSAGE:
            yield start, len(data), False
            return
        else:
            end = _cut(data, start, start + LONGEST_PASSAGE)
            yield start, end, True
            start = end


def _cut(data: bytes, start: int, end: int) -> int:
    """Behind the last blank before `end`; where there is none, before the character that `end` would cut."""
    blank = data.rfind(b" ", start, end)
    if blank > start:
        return blank + 1
    while data[end] & 0xC0 == 0x80 and end - start > LONGEST_PASSAGE - 3:
        end -= 1
    return end


class Reading:
    """What the model finds, for these detectors; shared by all sessions."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(wanted)
        self._known: OrderedDict[bytes, tuple[Hit, ...]] = OrderedDict()

    def find(self, data: bytes, start: int, stop: int) -> list[Hit]:
        """Sorted, disjoint hits in the passages that begin at `start`, or between it and `stop`. Raises `TooMuchToRead`."""
        asked: dict[bytes, bytes] = {}
        found: dict[bytes, tuple[Hit, ...]] = {}
        places: list[tuple[int, bytes]] = []
        for begin, end, _ in passages(data, start):
            if begin >= stop:
                break
            passage = data[begin:end]
            if _WORTH_READING.search(passage) is None:
                continue
            digest = hashlib.blake2b(passage, digest_size=16).digest()
            places.append((begin, digest))
            if (known := self._known.pop(digest, None)) is not None:
                found[digest] = self._known[digest] = known
            else:
                asked[digest] = passage
        found |= self._read(asked)
        return [
            (begin + first, begin + last, name)
            for begin, digest in places
            for first, last, name in found[digest]
        ]

    def _read(self, asked: dict[bytes, bytes]) -> dict[bytes, tuple[Hit, ...]]:
        """What is in these passages, in bytes of each."""
        texts = {digest: passage.decode("utf-8", "surrogateescape") for digest, passage in asked.items()}
        legible = [digest for digest, text in texts.items() if 4 * len(_STRAY.findall(text)) <= len(text)]
        found = model().read([_STRAY.sub("\ufffd", texts[digest]) for digest in legible]) if legible else []
        read: dict[bytes, tuple[Hit, ...]] = dict.fromkeys(asked, ())
        for digest, entities in zip(legible, found, strict=True):
            text = texts[digest]
            read[digest] = tuple(
                (len(_bytes(text[:first])), len(_bytes(text[:last])), name)
                for first, last, name in entities
                if name in self._wanted
            )
        self._known.update(read)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return read


def beside(hits: list[Hit], read: list[Hit]) -> list[Hit]:
    """Both as one sorted list; where they overlap, what patterns found stays whole and the rest of the other is beside it."""
    out: list[Hit] = []
    for start, end, name in read:
        at = start
        first = bisect_right(hits, (start,))
        for begin, finish, _ in hits[max(0, first - 1) :]:
            if begin >= end:
                break
            if begin > at:
                out.append((at, begin, name))
            at = max(at, finish)
        if at < end:
            out.append((at, end, name))
    return sorted([*hits, *out])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
