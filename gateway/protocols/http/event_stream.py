"""Server-sent events (WHATWG HTML, 9.2): each is given out when it is whole, with its data masked as JSON or as text."""

from __future__ import annotations

import re
from collections.abc import Callable

_LINE_END = rb"(?:\r\n|\n|\r(?!\n))"
_ENDS = re.compile(_LINE_END + rb"(?:\r\n|\n|\r)")
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
_DATA = re.compile(rb"(\xef\xbb\xbf)?data(?::[ ]?|\Z)")


class EventTooLong(Exception):
    """An event does not end."""


class Events:
    def __init__(self, data: Callable[[bytes], bytes], *, longest: int) -> None:
        """`data`: what is shown of an event's data, its lines joined; the same object where that is all of it."""
        self._data = data
        self._longest = longest
        self._buffer = bytearray()
        self._seen = 0

    @property
    def between(self) -> bool:
        return not self._buffer

    def feed(self, data: bytes) -> bytes:
        """The events that are whole now. Raises `EventTooLong`."""
        self._buffer += data
        out: list[bytes] = []
        at = 0
        while (match := _ENDS.search(self._buffer, max(at, self._seen))) is not None:
            out.append(self._event(bytes(self._buffer[at : match.end()])))
            at = self._seen = match.end()
        del self._buffer[:at]
        self._seen = max(0, len(self._buffer) - 3)
        if len(self._buffer) > self._longest:
            raise EventTooLong
        return b"".join(out)

    def close(self) -> bytes:
        rest = bytes(self._buffer)
        self._buffer.clear()
        return self._event(rest)

    def _event(self, event: bytes) -> bytes:
        lines = [match.groups() for match in _LINE.finditer(event)]
        leads = [_DATA.match(line) for line, _ in lines]
        data = b"\n".join(
            line[lead.end() :] for (line, _), lead in zip(lines, leads, strict=True) if lead is not None
        )
        shown = self._data(data)
        if shown is data:
            return event
        parts = shown.split(b"\n")
        out: list[bytes] = []
        for (line, end), lead in zip(lines, leads, strict=True):
            if lead is None:
                out += line, end
            elif parts:
                out += lead.group(), parts.pop(0), end
        return b"".join(out)
