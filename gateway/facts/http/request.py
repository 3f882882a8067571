"""One HTTP request in its one normal form, or the reason why there is none.

Two servers that read the same bytes differently are how requests are smuggled past a gateway. So whatever is not read
the same way by everybody (RFC 9110, 9112, 3986) has no normal form here: it is `RequestUnclear`, and unknown to policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.facts.http.headers import Headers, fault, is_token, sanitised
from gateway.facts.http.paths import PathUnclear, also_named, normal_path, pairs

BODY_MOST = 1024 * 1024
"""Bytes of a body that are read."""
METHOD_MOST = 32


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
    parameters: tuple[tuple[str, str], ...]
    """The query by every name that a service may know a value by."""
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


def made(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Request:
    """Raises `RequestUnclear`."""
    if not is_token(method) or len(method) > METHOD_MOST:
        raise RequestUnclear("the method is no token")
    lower = tuple((name.lower(), value) for name, value in headers)
    if why := fault(lower, body):
        raise RequestUnclear(why)
    if len(body) > BODY_MOST:
        raise RequestUnclear(f"the body has more than {BODY_MOST} bytes")
    path, _, query = target.partition("?")
    if not query.isascii():
        raise RequestUnclear("the query holds characters that have to be escaped")
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
        parameters=also_named(found),
        headers=lower,
        body=body,
        sanitised=sanitised(lower),
    )
