"""Links to recordings: whoever has one may read the masked transcript of that one session, for a while.

The gateway signs session and expiry with HMAC-SHA-256 (RFC 2104) under a key that outlives a restart, so that a link
needs no state and no account. It can be neither made nor prolonged elsewhere, nor turned to another session.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from urllib.parse import quote

LIFETIME = 30 * 86_400
"""Seconds from the making of a link to its end."""


class Links:
    """Makes links, and knows its own again."""

    def __init__(self, key: bytes, *, public_url: Callable[[], str], clock: Callable[[], float]) -> None:
        """`public_url()` is where people reach the gateway's pages, "" where they cannot."""
        self._key = key
        self._public_url = public_url
        self._clock = clock

    def link(self, session_id: str) -> str:
        """The address of a session's replay page, good from now on for `LIFETIME`; "" where there are no pages."""
        base = self._public_url()
        if not base:
            return ""
        until = f"{int(self._clock()) + LIFETIME}"
        name = quote(session_id, safe="")
        return f"{base}/replay/{name}?until={until}&sig={self._signature(session_id, until)}"

    def holds(self, session_id: str, *, until: str, signature: str) -> bool:
        """Whether `link` made this for that session, and its time is not over. Any text may be given."""
        made = self._signature(session_id, until).encode()
        # A signature that is ours was made over an expiry that is ours: a plain number.
        genuine = hmac.compare_digest(made, signature.encode("utf-8", "surrogatepass"))
        return genuine and int(until) > self._clock()

    def _signature(self, session_id: str, until: str) -> str:
        message = f"countersign replay\0{session_id}\0{until}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, "sha256").hex()
