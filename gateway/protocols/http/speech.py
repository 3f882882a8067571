"""What protocols that are HTTP underneath may say in ways of their own; as it stands here, plain HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from gateway.facts import http
from gateway.facts.http import Request
from gateway.facts.http.headers import Headers
from gateway.model import Facts
from gateway.protocols.http.codings import accept_encoding
from gateway.protocols.http.framing import Header
from gateway.protocols.http.naming import Names
from gateway.protocols.http.refusals import refusal
from gateway.wire import Limits, Mask

_RANGES = frozenset({b"range", b"if-range"})
"""A piece of a document cannot be masked as the whole is."""
_NO_UPGRADE = "The gateway does not let a connection go on in another protocol: WebSocket is not spoken here."


class Tunnel(Protocol):
    """What a connection carries once a target has agreed to go on in another protocol."""

    done: bool
    outcome: str
    failed: bool

    @property
    def masked(self) -> Mapping[str, int]:
        """Detector -> how many values it has hidden so far."""

    def ended(self, message: str) -> bytes:
        """What the client gets where the gateway ends it."""

    def from_client(self, inbox: bytearray) -> bytes:
        """What goes on to the target. Raises `ProtocolViolation`."""

    def from_target(self, inbox: bytearray) -> bytes:
        """What the client gets. Raises `ProtocolViolation`."""


class Parting(Protocol):
    """The refusal of an upgrade, in the protocol that was to follow."""

    begins: bytes
    """What the client gets at first."""
    done: bool

    @property
    def at_once(self) -> bytes:
        """All of it, where there is no time to see whether the client is ready."""

    def from_client(self, inbox: bytearray) -> bytes:
        """What the client gets for that. Raises `ProtocolViolation`."""


class Speech:
    name = "http"
    """Tells in digests what was read as what."""
    unjudged: frozenset[str] = frozenset()
    """Headers that are drawn anew for each request, and say nothing."""

    def read(self, request: Request) -> Facts:
        return http.read(request)

    def unclear(self, why: str) -> Facts:
        """The facts of a request that has no one meaning."""
        return http.unclear(why)

    def refuses_upgrade(self, method: str, target: str, headers: Headers) -> str:
        """Why nobody is asked whether the connection may go on in another protocol, or ""."""
        del method, target, headers
        return _NO_UPGRADE

    def upgrade_refused(self, headers: Headers, message: str) -> Parting:
        """The answer to one that policy or people refused: an agreement after all, where clients read no other."""
        raise AssertionError(headers, message)  # nobody is asked

    def tunnel(self, mask: Mask, secrets: Sequence[bytes], limits: Limits) -> Tunnel:
        """For an upgrade that was let through, and agreed to."""
        raise AssertionError(mask, secrets, limits)  # no upgrade is let through

    def refuses(self, request: Request) -> str:
        """Why a request is refused whatever policy says of it, or ""."""
        del request
        return ""

    def asked(self, headers: Sequence[Header], facts: Facts, mask: Mask) -> list[Header]:
        """What the target is asked for, where an answer of any other kind could not be given out."""
        del facts
        wanted = b", ".join(value for name, value in headers if name.lower() == b"accept-encoding")
        dropped = {b"accept-encoding"} if mask.empty else {b"accept-encoding", *_RANGES}
        kept = [each for each in headers if each[0].lower() not in dropped]
        narrowed = accept_encoding(wanted)
        return [*kept, (b"Accept-Encoding", narrowed)] if narrowed else kept

    def names(self, mask: Mask, facts: Facts, target: str, headers: Sequence[Header]) -> Names:
        """What rules name in the body that `target` gives behind such headers. Raises `AnswerWithheld` where that cannot be told."""
        del target, headers
        return Names(mask, facts)

    def refusal(
        self,
        status: HTTPStatus,
        message: str,
        *,
        accepts: str = "",
        without_body: bool = False,
        close: bool,
        rules: Sequence[str] = (),
    ) -> bytes:
        """A whole answer of the gateway's own."""
        return refusal(
            status,
            message,
            accepts=accepts,
            without_body=without_body,
            close=close,
            rules=rules,
        )


HTTP = Speech()
