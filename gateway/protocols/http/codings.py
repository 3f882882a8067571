"""Which content codings may pass: those that can be undone here."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.masking.decoding import READABLE

_KNOWN = frozenset({*READABLE, "x-gzip", "identity"})


def accept_encoding(value: bytes) -> bytes:
    """What to ask the service for where the client asked for this: no coding that cannot be undone here."""
    kept = []
    for each in value.decode("latin-1").split(","):
        name, _, weight = each.strip().partition(";")
        if name.strip().lower() in _KNOWN and weight.replace(" ", "").lower() not in {
            "q=0",
            "q=0.0",
            "q=0.00",
        }:
            kept.append(each.strip())
    return ", ".join(kept).encode("latin-1") or b"identity"


def codings(headers: Sequence[tuple[bytes, bytes]]) -> list[str]:
    """In which codings a body is, in the order in which they were applied."""
    named = [
        each.strip().lower()
        for name, value in headers
        if name.lower() == b"content-encoding"
        for each in value.decode("latin-1").split(",")
    ]
    return [each for each in named if each not in {"", "identity"}]
