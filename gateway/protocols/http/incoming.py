"""A client's bytes, as requests: the one that is being read, and what is behind it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from gateway.protocols.http.framing import TooLarge, take_head
from gateway.protocols.http.requests import Asked
from gateway.wire import Limits


class Refusal:
    """What a request gets in place of an answer, once it has come whole."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status: Final = status
        self.message: Final = message


class Incoming:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.bytes = bytearray()
        """What has come, and is not read."""
        self.asked: Asked | None = None
        """Whose body is being read."""
        self.refusal: Refusal | None = None
        """What it gets, whatever its body is."""
        self._body: list[bytes] = []
        self._size = 0
        self._thrown_away = 0

    def is_too_much(self, *, knocked: bool) -> bool:
        """Whether more waits than may. `knocked`: behind a head, whose body may come at once."""
        return len(self.bytes) > 2 * (self._limits.command_bytes if knocked else self._limits.pipelined_bytes)

    def throw_away(self, data: bytes) -> bool:
        """Behind a last answer; whether that was more than anybody has to take."""
        self._thrown_away += len(data)
        return self._thrown_away > self._limits.command_bytes

    @property
    def is_amid_a_body(self) -> bool:
        """Whether the client may be sending: closing on it takes it the answer (RFC 9112 §9.6)."""
        return self.asked is not None and not self.asked.body.done and not self.asked.waits_for_100

    def begin(self) -> Asked | None:
        """The next request, once its head is there. Raises `ProtocolViolation`."""
        if self.bytes.startswith(b"\r\n"):
            del self.bytes[:2]  # RFC 9112 §2.2: some clients send one behind a body
        head = take_head(self.bytes)
        if head is None:
            return None
        self.asked = asked = Asked(head)
        if (asked.sized or 0) > self._limits.command_bytes:
            raise TooLarge("a request is larger than it may be")
        if asked.credential is not None and len(asked.credential.secret) > self._limits.secret_bytes:
            raise TooLarge("a credential is larger than it may be")
        return asked

    def body(self, asked: Asked) -> bytes | None:
        """Of the request that is being read, once it is whole; then that is over. Raises `ProtocolViolation`."""
        data = asked.body.take(self.bytes)
        self._size += len(data)
        if self._size > self._limits.command_bytes:
            raise TooLarge("a request is larger than it may be")
        if self.refusal is None:
            self._body.append(data)
        if not asked.body.done:
            return None
        whole, self._body, self._size, self.asked = b"".join(self._body), [], 0, None
        return whole
