"""One HTTP request in its one normal form, or the reason why there is none.

Two servers that read the same bytes differently are how requests are smuggled past a gateway. So whatever is not read
the same way by everybody (RFC 9110, 9112, 3986) has no normal form here: it is `RequestUnclear`, and unknown to policy.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gateway.facts.http.headers import HEADERS_MOST, Headers, fault, is_length, is_token, sanitised
from gateway.facts.http.paths import PathUnclear, normal_path, pairs

BODY_MOST = 1024 * 1024
"""Bytes of a body that are read."""


class RequestUnclear(Exception):
    """Peers would read this request differently; the message says where, and never holds a value of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    target: str
    """Path and query as they would be sent."""
    path: str
    """The normal form: decoded once, `/` first, no empty or dot segments."""
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: Headers
    """Lower-case names, in order."""
    body: bytes
    sanitised: tuple[str, ...]
    """Names of headers that the gateway does not pass on."""

    def header(self, name: str) -> str:
        """The value of a header that may stand once, or ""."""
        return next((value for key, value in self.headers if key == name), "")

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.headers if key == name)


def request_of(row: Mapping[str, Any]) -> Request:
    """The request that a row of `countersign explain` holds.

    Raises `RequestUnclear`, and `ValueError` for a row without a request.
    """
    if "raw_b64" in row:
        return _raw(_decoded(row["raw_b64"], "raw_b64"))
    if "method" not in row and isinstance(row.get("command"), str):
        row = _spoken(row["command"])
    method, path = row.get("method"), row.get("path")
    if not isinstance(method, str) or not isinstance(path, str):
        raise ValueError("the row has neither method and path nor raw_b64")  # noqa: TRY004 - a row is data
    target = path
    query = _query_text(row.get("query"))
    if query:
        target += ("&" if "?" in target else "?") + query
    return _made(method, target, _header_pairs(row.get("headers")), _row_body(row))


def _spoken(text: str) -> dict[str, Any]:
    """A request as people write it: method and target, then perhaps headers, an empty line and a body; or JSON at once."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.strip().split("\n")
    method, _, target = first.partition(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    plain, _, json = target.partition(" ")
    if json.startswith(("{", "[")) and not body:
        target, body = plain, json
        if "content-type" not in {name.lower() for name, _ in headers}:
            headers.append(("Content-Type", "application/json"))
    if not target:
        raise ValueError("a request is written as in GET /orders?status=paid")
    return {"method": method, "path": target.strip(), "headers": headers, "body": body}


def _row_body(row: Mapping[str, Any]) -> bytes:
    if "body_b64" in row:
        return _decoded(row["body_b64"], "body_b64")
    body = row.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise ValueError("body is a text; other bytes go into body_b64")  # noqa: TRY004 - a row is data
    return body.encode("utf-8", "surrogatepass")


def _decoded(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error:
        raise ValueError(f"{name} is not base64") from None


def _query_text(query: Any) -> str:
    if query is None:
        return ""
    if isinstance(query, str):
        return query.removeprefix("?")
    items: Iterable[Any] = query.items() if isinstance(query, Mapping) else query
    try:
        return urlencode([(str(name), str(value)) for name, value in items])
    except (TypeError, ValueError):
        raise ValueError("query is a text, or pairs of name and value") from None


def _header_pairs(headers: Any) -> list[tuple[str, str]]:
    if headers is None:
        return []
    items = headers.items() if isinstance(headers, Mapping) else headers
    try:
        return [(str(name), str(value)) for name, value in items]
    except (TypeError, ValueError):
        raise ValueError("headers are pairs of name and value") from None


def _raw(data: bytes) -> Request:
    """RFC 9112, strictly: what is lenient in one server is a hole in front of another."""
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
    return _made(words[0].decode("latin-1"), words[1].decode("latin-1"), headers, body)


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


def _made(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Request:
    if not is_token(method) or len(method) > 32:
        raise RequestUnclear("the method is no token")
    lower = tuple((name.lower(), value) for name, value in headers)
    if why := fault(lower, body):
        raise RequestUnclear(why)
    if len(body) > BODY_MOST:
        raise RequestUnclear(f"the body has more than {BODY_MOST} bytes")
    path, _, query = target.partition("?")
    try:
        normal = "*" if (method, target) == ("OPTIONS", "*") else normal_path(path)
        found = pairs(query)
    except PathUnclear as unclear:
        raise RequestUnclear(str(unclear)) from None
    return Request(
        method=method,
        target=target,
        path=normal,
        segments=tuple(filter(None, normal.split("/"))),
        query=found,
        headers=lower,
        body=body,
        sanitised=sanitised(lower),
    )
