"""Headers: rules by `header.NAME`, and detectors in all that does not only say how the answer is to be read."""

from __future__ import annotations

import pytest

from gateway.protocols.http.codings import accept_encoding
from tests.protocols_http.answers import BOTH, DETECTING, NOTHING, SECRET, compiled, opened


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (b"X-Mail", b"jane@example.com", b"****@example.com"),
        (b"Location", b"/next?mail=jane@example.com", b"/next?mail=****@example.com"),
        (b"X-Customer", b"Jane", b"[redacted]"),
        (b"Set-Cookie", b"sid=3f7a9c1e5b2d8f6a4c0e; Path=/", b"sid=[redacted]; Path=/"),
        (b"Set-Cookie", b"theme=dark; Path=/", b"theme=dark; Path=/"),
        (b"X-Api-Key", b"9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c", b"[redacted]"),
        (b"Last-Modified", b"Mon, 01 Jan 2024 00:00:00 GMT", b"Mon, 01 Jan 2024 00:00:00 GMT"),
        (b"X-Echo", b"Bearer " + SECRET, b"Bearer " + b"*" * len(SECRET)),
        (b"Set-Cookie", b"upstream=" + SECRET, b"upstream=" + b"*" * len(SECRET)),
    ],
)
def test_what_is_sensitive_in_headers_is_hidden(name: bytes, before: bytes, after: bytes) -> None:
    assert opened(BOTH, headers=[(name, before)]).headers[1:] == [(name, after)]


def test_without_a_mask_only_the_credential_goes() -> None:
    headers = [(b"X-Mail", b"jane@example.com"), (b"X-Echo", SECRET)]
    assert opened(NOTHING, headers=headers).headers[1:] == [headers[0], (b"X-Echo", b"*" * len(SECRET))]


def test_a_rule_reaches_cookies_too() -> None:
    mask = compiled(columns={"header.set-cookie": "redact"})
    assert opened(mask, headers=[(b"Set-Cookie", b"a=b")]).headers[1:] == [(b"Set-Cookie", b"[redacted]")]


def test_what_held_of_the_bytes_as_they_were_goes() -> None:
    measures = [
        (b"ETag", b"x"),
        (b"Digest", b"x"),
        (b"Content-MD5", b"x"),
        (b"Repr-Digest", b"x"),
        (b"Accept-Ranges", b"bytes"),
    ]
    assert opened(DETECTING, headers=[*measures, (b"Vary", b"Accept")]).headers[1:] == [(b"Vary", b"Accept")]
    assert opened(NOTHING, headers=measures).headers[1:] == measures


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (b"gzip, deflate, br, zstd", b"gzip, deflate, br, zstd"),
        (b"gzip;q=0.5, compress, *;q=0.1", b"gzip;q=0.5"),
        (b"dcb, dcz", b"identity"),
        (b"*", b"identity"),
        (b"br;q=0, GZIP;q=1.0", b"GZIP;q=1.0"),
        (b"", b"identity"),
    ],
)
def test_only_codings_are_asked_for_that_can_be_undone(wanted: bytes, asked: bytes) -> None:
    assert accept_encoding(wanted) == asked
