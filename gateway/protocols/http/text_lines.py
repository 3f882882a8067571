"""Text that comes line by line, as logs do: each line is given out when it is whole."""

from __future__ import annotations

from collections.abc import Callable


class LineTooLong(Exception):
    """A line does not end."""


class Lines:
    def __init__(self, shown: Callable[[bytes], bytes], *, longest: int) -> None:
        """`shown`: what is shown of a line, with its end."""
        self._shown = shown
        self._longest = longest
        self._kept = b""

    @property
    def between(self) -> bool:
        return not self._kept

    def feed(self, data: bytes) -> bytes:
        """The lines that are whole now. Raises `LineTooLong`."""
        whole, end, rest = data.rpartition(b"\n")
        if not end:
            self._kept += data
            if len(self._kept) > self._longest:
                raise LineTooLong
            return b""
        lines = (self._kept + whole).split(b"\n")
        self._kept = rest
        return b"".join(self._shown(line + end) for line in lines)

    def close(self) -> bytes:
        rest, self._kept = self._kept, b""
        return self._shown(rest) if rest else b""
