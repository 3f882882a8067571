"""Which file went by: SHA-256 over its bytes as their receiver had them, so that an auditor can tell it again.

`Digest` follows one file whose reads or writes carry offsets (SFTP), `Copies` finds the files in the stream of a legacy
`scp`. Both only look on: what they cannot follow has no digest, and moves all the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

_LONGEST_LINE = 8_192
_FILE = re.compile(rb"C[0-7]{1,6} ([0-9]{1,18}) ([^\n/]+)\n")
_BESIDE = re.compile(rb"(?:D[0-7]{1,6} [0-9]{1,18} [^\n]+|E|T[0-9 ]+|\x01[^\n]*)\n")
"""A directory's beginning and end, times, and what could not be sent."""


class Digest:
    """One file, as long as its bytes come in order."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self._from = self._next = -1
        self._followed = True

    def add(self, offset: int, data: bytes | memoryview) -> None:
        if self._next < 0:
            self._from = self._next = offset
        self._followed = self._followed and offset == self._next
        self.size += len(data)
        if self._followed:
            self._hash.update(data)
            self._next += len(data)

    def lost(self) -> None:
        """Not all that was added came to pass."""
        self._followed = False

    def cut(self, size: int) -> None:
        """The file has this size from now on."""
        self._followed = self._followed and size == max(self._next, 0)

    def __str__(self) -> str:
        if not self.size:
            return "0 bytes"
        if not self._followed:
            return f"{self.size} bytes in no order"
        start = f" from byte {self._from} on" if self._from else ""
        return f"{self.size} bytes{start}, sha256 {self._hash.hexdigest()}"


class Copies:
    """One direction of `scp -f` or `scp -t`: lines that announce, and the bytes of each file behind its line."""

    def __init__(self, found: Callable[[str], None]) -> None:
        """`found` gets a sentence for each whole file."""
        self._found = found
        self._line = b""
        self._name = ""
        self._left = -1
        """Bytes of the current file that have not come; below zero there is none."""
        self._digest = Digest()
        self._lost = False

    def feed(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._lost:
            view = view[self._body(view) if self._left >= 0 else self._head(view) :]

    def _body(self, view: memoryview) -> int:
        piece = view[: self._left]
        self._digest.add(self._digest.size, piece)
        self._left -= len(piece)
        if not self._left:
            self._found(f"{self._name}: {self._digest}")
            self._left = -1
        return len(piece)

    def _head(self, view: memoryview) -> int:
        if not self._line and view[0] == 0:
            return 1  # "fine": behind each file, and for each line
        begun = len(self._line)
        self._line += bytes(view[: _LONGEST_LINE - begun])
        line, end, _ = self._line.partition(b"\n")
        if not end:
            self._lost = len(self._line) >= _LONGEST_LINE
            return len(view)
        self._line = b""
        if (file := _FILE.fullmatch(line + end)) is not None:
            self._name = file[2].decode("utf-8", "backslashreplace")
            self._left, self._digest = int(file[1]), Digest()
            if not self._left:
                self._body(view[:0])
        else:
            self._lost = _BESIDE.fullmatch(line + end) is None
        return len(line) + 1 - begun
