"""A client's requests: what is refused before it is judged, what is judged, and what of it goes on."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from gateway.facts.http import Request, RequestUnclear
from gateway.facts.http.bodies import BodyUnclear, plain
from gateway.facts.http.headers import HOP_BY_HOP, fault, is_token, sanitised
from gateway.facts.http.request import METHOD_MOST, made
from gateway.model import Command, measured
from gateway.protocols.http.framing import (
    Body,
    Chunked,
    Head,
    Header,
    Malformed,
    Sized,
    is_chunked,
    length_of,
    written,
)
from gateway.protocols.http.speech import Speech

_TARGET: Final = re.compile(rb"/[\x21-\x7e]*|\*")
_ONCE_WRITTEN: Final = frozenset({"host", "content-length", "expect", "authorization", *HOP_BY_HOP})
"""Headers that are written anew, or for this hop alone."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request shows: a token as bearer, or user and password."""

    user: str
    secret: str = field(repr=False)

    def same(self, other: Credential) -> bool:
        return hmac.compare_digest(
            f"{self.user}\0{self.secret}".encode(), f"{other.user}\0{other.secret}".encode()
        )


class Asked:
    """A request whose head has come."""

    def __init__(self, head: Head) -> None:
        """Raises `Malformed`."""
        words = head.start.split(b" ")
        if len(words) != 3 or words[2] not in {b"HTTP/1.1", b"HTTP/1.0"}:
            raise Malformed("the request line is not method, target and HTTP/1.1")
        self.method: Final = words[0].decode("latin-1")
        self.target: Final = words[1].decode("latin-1")
        self.of_1_0: Final = words[2] == b"HTTP/1.0"
        if not is_token(self.method) or len(self.method) > METHOD_MOST:
            raise Malformed("the method is no token")
        if self.method == "CONNECT" or not _TARGET.fullmatch(words[1]):
            raise Malformed("the target is no path: this is no forward proxy")
        if self.target == "*" and self.method != "OPTIONS":
            raise Malformed("only OPTIONS asks about everything")
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in head.headers
        )
        framing = {"content-length", "transfer-encoding"}
        if why := fault(tuple(each for each in headers if each[0] not in framing), b""):
            raise Malformed(why)
        if not self.of_1_0 and not head.values(b"host"):
            raise Malformed("there is no Host")
        chunked = is_chunked(head)
        if chunked and self.of_1_0:
            raise Malformed("HTTP/1.0 knows no Transfer-Encoding")
        length = length_of(head)
        self.has_body: Final = chunked or bool(length)
        self.sized: Final = length
        self.body: Final[Body] = Chunked(trailers=False) if chunked else Sized(length or 0)
        self._wrote_body: Final = chunked or length is not None
        expected = head.listed(b"expect")
        if expected - {b"100-continue"}:
            raise Malformed("Expect asks for something else than 100-continue")
        self.waits_for_100 = bool(expected) and not self.of_1_0 and self.has_body
        """The body comes only once it is asked for."""
        said = head.listed(b"connection")
        self.keeps: Final = b"close" not in said and (not self.of_1_0 or b"keep-alive" in said)
        self.upgrades: Final = bool(head.listed(b"upgrade") - {b"h2c"})
        self.accepts: Final = b", ".join(head.values(b"accept")).decode("latin-1").lower()
        self.credential: Final = _credential(head.values(b"authorization"))
        self.headers: Final = headers
        dropped = {*sanitised(headers), *_ONCE_WRITTEN}
        self._passed: Final = [each for each in head.headers if _lower(each[0]) not in dropped]

    def judged(self, command_id: str, data: bytes, *, target: str, speech: Speech) -> Judged:
        """The whole request, as a command; `target` names where it goes, and `speech` reads it."""
        # What the target is called is not the client's to say.
        anew = {"host", "content-length", "transfer-encoding", "expect"}
        headers = [("host", target), *(each for each in self.headers if each[0] not in anew)]
        if self._wrote_body:
            headers.append(("content-length", str(len(data))))
        request: Request | None = None
        try:
            request = made(self.method, self.target, headers, data)
            facts = speech.read(request)
        except RequestUnclear as why:
            facts = speech.unclear(str(why))
        passed = [each for each in self._passed if _lower(each[0]) not in speech.unjudged]
        if self._wrote_body:
            passed.append((b"Content-Length", b"%d" % len(data)))
        shown = [each for each in passed if _lower(each[0]) != "content-length"]
        name = speech.name.encode()
        command = Command(
            id=command_id,
            text=_text(f"{self.method} {self.target}", shown, _body_text(request, data)),
            facts=facts,
            exact=(
                measured(
                    name, target.encode(), written(f"{self.method} {self.target}".encode(), passed), data
                ),
            ),
            around=measured(name, target.encode()),
        )
        return Judged(
            command=command,
            start=self._start(),
            headers=[*passed, *(each for each in self._passed if _lower(each[0]) in speech.unjudged)],
            body=data,
            refused=speech.refuses(request) if request is not None else "",
        )

    def refused(
        self, speech: Speech, status: HTTPStatus, message: str, *, close: bool, rules: Sequence[str] = ()
    ) -> bytes:
        """An answer of the gateway's own to it."""
        return speech.refusal(
            status,
            message,
            accepts=self.accepts,
            without_body=self.method == "HEAD",
            close=close,
            rules=rules,
        )

    def _start(self) -> bytes:
        return f"{self.method} {self.target} HTTP/1.1".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A request that is whole: what is asked about it, and what is sent of it once it was let through."""

    command: Command
    start: bytes
    headers: list[Header]
    body: bytes
    refused: str
    """Why it is refused whatever policy says of it, or ""."""

    def sent(self, *, own: Iterable[Header], kept: Iterable[Header]) -> bytes:
        """As it goes on: with headers of our `own` first, and those that are `kept` of its."""
        return written(self.start, [*own, *kept]) + self.body


def _lower(name: bytes) -> str:
    return name.decode("latin-1").lower()


def _credential(values: list[bytes]) -> Credential | None:
    """None where there is none; one that cannot be read proves nothing. Raises `Malformed` for several."""
    if not values:
        return None
    if len(values) > 1:
        raise Malformed("Authorization stands there twice")
    scheme, _, rest = values[0].partition(b" ")
    rest = rest.strip(b" ")
    match scheme.lower():
        case b"bearer" if rest.isascii() and b" " not in rest and rest:
            return Credential("", rest.decode())
        case b"basic":
            try:
                user, colon, secret = base64.b64decode(rest, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            return Credential(user, secret) if colon and secret else None
        case _:
            return None


def _text(first: str, headers: Iterable[Header], body: str) -> str:
    """A request as people read it, and `gateway.facts.http.rows` too."""
    head = [first, *(f"{_lower(name)}: {value.decode('latin-1')}" for name, value in headers)]
    return "\n".join(head) + (f"\n\n{body}" if body else "")


def _body_text(request: Request | None, data: bytes) -> str:
    """A body as people read it; of bytes that are no text, how many they are, and which."""
    if request is not None:
        try:
            data = plain(request)
        except BodyUnclear:
            return _bytes(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _bytes(data)


def _bytes(data: bytes) -> str:
    return f"({len(data)} bytes that are no text; SHA-256 {sha256(data).hexdigest()})"
