"""How a message begins and where it ends (RFC 9112), read strictly and in pieces of any size.

What is lenient in one server is a hole in front of another, so nothing is read here that two servers could read in two
ways; and what is sent on is written anew, never the framing that came.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from gateway.facts.http.headers import HEADERS_MOST, is_token
from gateway.wire import ProtocolViolation

HEAD_MOST: Final = 64 * 1024
"""Bytes of a request line or status line with all headers."""
LINE_MOST: Final = 256
"""Bytes of a line that says how long a chunk is."""

Header = tuple[bytes, bytes]
Headers = Sequence[Header]

_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"0|[1-9][0-9]{0,17}")
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Malformed(ProtocolViolation):
    """A message that peers would read differently. The message never holds a value of it."""


class TooLarge(ProtocolViolation):
    """More than a peer may send at once."""


class Head:
    """The first line and the headers of a message, as they came."""

    def __init__(self, start: bytes, headers: list[Header]) -> None:
        self.start: Final = start
        self.headers: Final = headers

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]

    def listed(self, name: bytes) -> set[bytes]:
        """The words of a header that is a list, in lower case."""
        return {word.strip(b" \t").lower() for value in self.values(name) for word in value.split(b",")} - {
            b""
        }


def take_head(inbox: bytearray) -> Head | None:
    """The head at the beginning of `inbox`, taken out of it once it is whole. Raises `Malformed`, `TooLarge`."""
    end = inbox.find(_END, 0, HEAD_MOST + len(_END))
    if end < 0:
        if len(inbox) > HEAD_MOST:
            raise TooLarge(f"a head has more than {HEAD_MOST} bytes")
        _check_line_ends(inbox)
        return None
    lines = bytes(inbox[:end]).split(b"\r\n")
    del inbox[: end + len(_END)]
    if len(lines) > HEADERS_MOST + 1:
        raise TooLarge(f"there are more than {HEADERS_MOST} headers")
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines):
        raise Malformed("a line ends in something else than CR LF, or holds a NUL")
    return Head(lines[0], [_header(line) for line in lines[1:]])


def _check_line_ends(inbox: bytearray) -> None:
    """Of a head that has not come whole: one that never will is refused now, and not when somebody's patience ends."""
    whole = inbox.count(b"\r\n")
    if b"\0" in inbox or inbox.count(b"\n") != whole or inbox.count(b"\r") - inbox.endswith(b"\r") != whole:
        raise Malformed("a line ends in something else than CR LF, or holds a NUL")


def _header(line: bytes) -> Header:
    if line[:1] in {b" ", b"\t"}:
        raise Malformed("a header is folded")
    name, colon, value = line.partition(b":")
    if not colon or not is_token(name.decode("latin-1")):
        raise Malformed("a line is no header")
    value = value.strip(b" \t")
    if not _VALUE.fullmatch(value):
        raise Malformed("a header holds a control character")
    return name, value


class Body(Protocol):
    """Takes a message's body out of what has come."""

    done: bool
    """Nothing of it is to come any more."""

    def take(self, inbox: bytearray) -> bytes:
        """What is there of it, taken out of `inbox`. Raises `Malformed`."""

    def closed(self) -> bool:
        """Whether the body is whole where the peer sends no more."""


class Sized:
    """So many bytes."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def take(self, inbox: bytearray) -> bytes:
        data = bytes(inbox[: self._left])
        del inbox[: len(data)]
        self._left -= len(data)
        self.done = self._left == 0
        return data

    def closed(self) -> bool:
        return self.done


class UntilClosed:
    """Whatever comes until the peer closes."""

    done = False

    def take(self, inbox: bytearray) -> bytes:
        data = bytes(inbox)
        inbox.clear()
        return data

    def closed(self) -> bool:
        return True


class Chunked:
    """Pieces that each say how long they are, without extensions: there parsers part (RFC 9112 §7.1).

    Fields behind the last one are read, and dropped, as anybody on the way may do with them.
    """

    def __init__(self, *, trailers: bool) -> None:
        """`trailers`: whether there may be such fields at all."""
        self._trailers = trailers
        self._left = 0
        self._ending = False
        """The line end behind a piece's bytes is next."""
        self._last = False
        self.done = False
        self._trailed = 0

    def take(self, inbox: bytearray) -> bytes:
        parts: list[bytes] = []
        at = 0
        while not self.done:
            if self._left:
                part = bytes(inbox[at : at + self._left])
                at += len(part)
                self._left -= len(part)
                parts.append(part)
                if self._left:
                    break
                self._ending = True
            elif self._ending:
                found = bytes(inbox[at : at + 2])
                if not b"\r\n".startswith(found):
                    raise Malformed("a chunk does not end where it says")
                if len(found) < 2:
                    break
                at += 2
                self._ending = False
            else:
                line = _line(inbox, at)
                if line is None:
                    break
                at += len(line) + 2
                self._took(line)
        del inbox[:at]
        return b"".join(parts)

    def _took(self, line: bytes) -> None:
        if not self._last:
            if not _SIZE.fullmatch(line):
                raise Malformed("a chunk has no plain size")
            self._left = int(line, 16)
            self._last = self._left == 0
        elif not line:
            self.done = True
        else:
            self._trailed += len(line)
            if not self._trailers or self._trailed > LINE_MOST * 32:
                raise Malformed("fields follow the last chunk")
            _header(line)

    def closed(self) -> bool:
        return self.done


def _line(inbox: bytearray, at: int) -> bytes | None:
    end = inbox.find(b"\n", at, at + LINE_MOST + 2)
    if end < 0:
        if len(inbox) - at >= LINE_MOST + 2 or re.search(rb"\r[^\n]", inbox[at:]):
            raise Malformed("a line of a chunked body does not end")
        return None
    line = bytes(inbox[at : end + 1])
    if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
        raise Malformed("a line ends in something else than CR LF")
    return line[:-2]


def length_of(head: Head) -> int | None:
    """What Content-Length says; None where it does not stand there. Raises `Malformed`."""
    values = head.values(b"content-length")
    if not values:
        return None
    if len(values) > 1 or not _LENGTH.fullmatch(values[0]):
        raise Malformed("Content-Length is not one plain number")
    return int(values[0])


def is_chunked(head: Head) -> bool:
    """Whether the body comes in chunks. Raises `Malformed` for any other coding, and beside a Content-Length."""
    values = head.values(b"transfer-encoding")
    if not values:
        return False
    if len(values) > 1 or values[0].lower() != b"chunked" or head.values(b"content-length"):
        raise Malformed("Transfer-Encoding stands beside Content-Length, or is not just chunked")
    return True


def written(start: bytes, headers: Headers) -> bytes:
    """A head, to be sent."""
    return b"".join((start, b"\r\n", *(name + b": " + value + b"\r\n" for name, value in headers), b"\r\n"))


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body; nothing of no bytes, which would end it."""
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


LAST_CHUNK: Final = b"0\r\n\r\n"
