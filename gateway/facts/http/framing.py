"""A request from the very bytes of the wire (RFC 9112), strictly: what is lenient in one server is a hole in front of another."""

from __future__ import annotations

import re

from gateway.facts.http.headers import HEADERS_MOST, is_length
from gateway.facts.http.request import BODY_MOST, Request, RequestUnclear, made


def from_bytes(data: bytes) -> Request:
    """One whole request and nothing behind it. Raises `RequestUnclear`."""
    if len(data) > 2 * BODY_MOST:
        raise RequestUnclear(f"the request has more than {2 * BODY_MOST} bytes")
    head, ended, rest = data.partition(b"\r\n\r\n")
    if not ended:
        raise RequestUnclear("the head of the request does not end")
    lines = head.split(b"\r\n")
    if len(lines) > HEADERS_MOST + 1:
        raise RequestUnclear(f"there are more than {HEADERS_MOST} headers")
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines):
        raise RequestUnclear("a line ends in something else than CR LF, or holds a NUL")
    words = lines[0].split(b" ")
    if len(words) != 3 or words[2] not in {b"HTTP/1.1", b"HTTP/1.0"}:
        raise RequestUnclear("the request line is not method, target and HTTP/1.1")
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in {b" ", b"\t"}:
            raise RequestUnclear("a header is folded")
        name, colon, value = line.partition(b":")
        if not colon:
            raise RequestUnclear("a line is no header")
        headers.append((name.decode("latin-1"), value.decode("latin-1").strip(" \t")))
    names = [name.lower() for name, _ in headers]
    if words[2] == b"HTTP/1.1" and "host" not in names:
        raise RequestUnclear("there is no Host")
    if "transfer-encoding" in names:
        if words[2] == b"HTTP/1.0":
            raise RequestUnclear("HTTP/1.0 knows no Transfer-Encoding")
        body = _chunked(rest)
    else:
        length = next((value for name, value in headers if name.lower() == "content-length"), "0")
        if not is_length(length, rest):
            raise RequestUnclear("the body is not as long as Content-Length says")
        body = rest
    return made(words[0].decode("latin-1"), words[1].decode("latin-1"), headers, body)


def _chunked(data: bytes) -> bytes:
    """RFC 9112 §7.1 without extensions and trailers: both are where parsers part."""
    parts: list[bytes] = []
    at = 0
    while True:
        end = data.find(b"\r\n", at)
        size = data[at:end] if end >= 0 else b""
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
            raise RequestUnclear("a chunk has no plain size")
        length, at = int(size, 16), end + 2
        if data[at + length : at + length + 2] != b"\r\n":
            raise RequestUnclear("a chunk does not end where it says")
        if length == 0:
            if data[at + 2 :]:
                raise RequestUnclear("bytes follow the last chunk")
            return b"".join(parts)
        parts.append(data[at : at + length])
        at += length + 2
