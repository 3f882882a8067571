"""The headers of an answer, as the client gets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.wire import Mask

Headers = Sequence[tuple[bytes, bytes]]

_OF_THE_FORM = frozenset(
    b"""
    accept-ranges age allow alt-svc cache-control connection content-disposition content-encoding content-language content-length
    content-range content-type date etag expires keep-alive last-modified retry-after server transfer-encoding trailer vary via
    x-content-type-options x-frame-options strict-transport-security
    """.split()
)
"""What only says how the answer is to be taken: no detector looks at it."""
_OF_THE_BYTES = frozenset(
    b"etag digest content-digest repr-digest content-md5 content-length content-encoding accept-ranges signature signature-input".split()
)
"""What holds of a body only as it was."""


def masked(
    headers: Headers, mask: Mask, scrub: Callable[[bytes], bytes], counts: dict[str, int]
) -> list[tuple[bytes, bytes]]:
    """Each value without the gateway's own secrets, and what rules (`header.x-customer`) and detectors hide."""
    return [(name, _shown(name.lower(), scrub(value), mask, counts)) for name, value in headers]


def _shown(name: bytes, value: bytes, mask: Mask, counts: dict[str, int]) -> bytes:
    if mask.empty:
        return value
    called = f"header.{name.decode('latin-1')}"
    if (strategy := mask.rule((called,))) is not None:
        counts[called] = counts.get(called, 0) + 1
        return mask.replace(value.decode("latin-1"), strategy=strategy).encode("latin-1", "replace")
    if not mask.detects or name in _OF_THE_FORM or mask.spares((called,)):
        return value
    lead = name + b": "
    line = lead + value
    hits = [hit for hit in mask.find(line) if hit[0] >= len(lead)] or [
        (start + len(lead), end + len(lead), detector) for start, end, detector in mask.find(value)
    ]
    for _, _, detector in hits:
        counts[detector] = counts.get(detector, 0) + 1
    return mask.cover(line, hits)[len(lead) :] if hits else value


def without_measures(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Those that still hold of a body that is not what it was."""
    return [(name, value) for name, value in headers if name.lower() not in _OF_THE_BYTES]
