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

from gateway.facts.http.paths import PathUnclear, normal_path, pairs

BODY_MOST = 1024 * 1024
"""Bytes of a body that are read."""
HEADERS_MOST = 200
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,18}")
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""RFC 9110 §7.6.1: they speak of this hop alone."""
OURS = frozenset(
    {
        "authorization",
        "cookie",
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-cluster-client-ip",
        "x-envoy-external-address",
        "x-ssl-client-cert",
        "x-client-cert",
        "x-amzn-oidc-data",
        "x-amzn-oidc-identity",
    }
)
"""Who asks is the gateway's to say."""
OUR_PREFIXES = ("proxy-", "x-forwarded-", "x-remote-", "impersonate-", "x-auth-request-", "x-countersign-")
_REWRITING = frozenset(
    {"x-original-url", "x-rewrite-url", "x-original-method", "x-original-uri", "x-override-url"}
)
"""Some servers take these for the request itself."""
OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Some servers take these for the method."""
_FRAMING = frozenset(
    {"host", "content-length", "content-type", "content-encoding", "authorization", "cookie"}
)
"""What `Connection` may not name: it would be dropped on the way."""
_ONCE = frozenset({"host", "content-length", "content-type", "content-encoding", "transfer-encoding"})


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
    headers: tuple[tuple[str, str], ...]
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
    """A request as people write it: method and target, then perhaps headers, an empty line and a body."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.strip().split("\n")
    method, _, target = first.partition(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
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
    head, ended, rest = data.partition(b"\r\n\r\n")
    if not ended:
        raise RequestUnclear("the head of the request does not end")
    lines = head.split(b"\r\n")
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
        if not _LENGTH.fullmatch(length) or int(length) != len(rest):
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
    if not _TOKEN.fullmatch(method) or len(method) > 32:
        raise RequestUnclear("the method is no token")
    lower = tuple((name.lower(), value) for name, value in headers)
    _check_headers(lower, body)
    if len(body) > BODY_MOST:
        raise RequestUnclear(f"the body has more than {BODY_MOST} bytes")
    path, _, query = target.partition("?")
    try:
        normal = normal_path(path)
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
        sanitised=_sanitised(lower),
    )


def _check_headers(headers: tuple[tuple[str, str], ...], body: bytes) -> None:
    if len(headers) > HEADERS_MOST:
        raise RequestUnclear(f"there are more than {HEADERS_MOST} headers")
    names = [name for name, _ in headers]
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise RequestUnclear("the name of a header is no token")
        if not value.isprintable() and not _VALUE.fullmatch(value):
            raise RequestUnclear(f"the header {name} holds a control character")
        if name in _REWRITING:
            raise RequestUnclear(f"{name} may stand for another target")
    for name in _ONCE:
        if names.count(name) > 1:
            raise RequestUnclear(f"{name} stands there twice")
    if "_" in "".join(name for name in names if name.replace("_", "-") in _ONCE | _REWRITING | OVERRIDES):
        raise RequestUnclear("a header is spelled with _ where some servers read -")
    values = dict(headers)
    if "host" in values and not _HOST.fullmatch(values["host"]):
        raise RequestUnclear("Host is no host")
    if "transfer-encoding" in values and (
        "content-length" in values or values["transfer-encoding"].lower() != "chunked"
    ):
        raise RequestUnclear("Transfer-Encoding stands beside Content-Length, or is not just chunked")
    if "content-length" in values and (
        not _LENGTH.fullmatch(values["content-length"]) or int(values["content-length"]) != len(body)
    ):
        raise RequestUnclear("the body is not as long as Content-Length says")
    if _named(headers) & _FRAMING:
        raise RequestUnclear("Connection names a header that must not be dropped")


def _named(headers: tuple[tuple[str, str], ...]) -> set[str]:
    """What `Connection` names: it ends at this hop."""
    return {
        word.strip().lower() for name, value in headers if name == "connection" for word in value.split(",")
    }


def _sanitised(headers: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    named = _named(headers)
    return tuple(
        dict.fromkeys(
            name
            for name, value in headers
            if (name in HOP_BY_HOP and (name, value.lower()) != ("te", "trailers"))
            or name.replace("_", "-") in OURS
            or name in named
            or name.replace("_", "-").startswith(OUR_PREFIXES)
        )
    )
