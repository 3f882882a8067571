"""A target's answers: how they are framed, and what of their heads goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from gateway.facts.http.headers import HOP_BY_HOP
from gateway.protocols.http.framing import (
    Body,
    Chunked,
    Head,
    Header,
    Malformed,
    Sized,
    UntilClosed,
    is_chunked,
    length_of,
)

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_OF_THIS_HOP: Final = frozenset(name.encode() for name in HOP_BY_HOP) | {
    b"proxy-authenticate",
    b"proxy-authentication-info",
    b"www-authenticate",
    b"authentication-info",
    b"alt-svc",
}
"""What speaks of the target's own connection, of other addresses of it, and to whoever logs in there: the gateway."""
_WITHOUT_BODY: Final = frozenset({204, 304})


class Answered:
    """The head of an answer to a request of this `method`."""

    def __init__(self, head: Head, *, method: str) -> None:
        """Raises `Malformed`."""
        found = _STATUS.fullmatch(head.start)
        if found is None:
            raise Malformed("the status line is not HTTP/1.1, a number and a reason")
        self.status: Final = int(found[2])
        self.reason: Final = _reason(self.status)
        self._head: Final = head
        chunked = is_chunked(head)
        if chunked and found[1] == b"0":
            raise Malformed("HTTP/1.0 knows no Transfer-Encoding")
        self.length: Final = length_of(head)
        self.has_body: Final = method != "HEAD" and self.status not in _WITHOUT_BODY
        self.body: Final[Body] = self._framed(chunked=chunked)
        said = head.listed(b"connection")
        self.keeps: Final = (
            b"close" not in said
            and (found[1] == b"1" or b"keep-alive" in said)
            and not isinstance(self.body, UntilClosed)
        )

    def _framed(self, *, chunked: bool) -> Body:
        if not self.has_body:
            return Sized(0)
        if chunked:
            return Chunked(trailers=True)
        return UntilClosed() if self.length is None else Sized(self.length)

    @property
    def is_interim(self) -> bool:
        return self.status < 200

    @property
    def start(self) -> bytes:
        return b"HTTP/1.1 %d %s" % (self.status, self.reason)

    def passed(self, origins: Iterable[bytes]) -> list[Header]:
        """The headers that go on; a `Location` at one of the target's own `origins` loses that, and stays at the gateway."""
        named = self._head.listed(b"connection") - {b"content-length", b"content-type", b"content-encoding"}
        dropped = _OF_THIS_HOP | named
        return [
            (name, _at_home(value, origins) if name.lower() == b"location" else value)
            for name, value in self._head.headers
            if name.lower() not in dropped and not name.lower().startswith(b"x-countersign")
        ]


def _reason(status: int) -> bytes:
    """The one of the standard: what a target says there is a text like any other, and nobody searches it."""
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""


def _at_home(location: bytes, origins: Iterable[bytes]) -> bytes:
    for origin in origins:
        rest = location[len(origin) :]
        if location[: len(origin)].lower() == origin and rest[:1] in {b"", b"/", b"?", b"#"}:
            # What begins with // would name a host, and browsers read \\ as /.
            return b"/" + rest.lstrip(b"/\\") if rest[:1] in {b"", b"/"} else b"/" + rest
    return location
