"""Passwords in URLs, in what drivers are told to connect by, and in lists of such: what tells them is their place."""

from __future__ import annotations

import re

from gateway.masking.shapes import ALNUM_BYTES, LOOK_BEHIND, Shape, Span, before, word
from gateway.masking.values import LONGEST_VALUE, is_strong, is_value, looks_secret

_PORT_AND_PATH = re.compile(rb"[0-9]{1,5}[/?#]")
"""`http://localhost:8080/@scope/package`: the host has ended before the sign."""
_AUTHORITY_ENDS = re.compile(rb"[^\s/\"'<>@]{1,128}@")


def _in_url(data: bytes, start: int, end: int) -> Span | None:
    """`scheme://user:password@host`: the candidate ends with the `@`; an `@` in the password is hidden too."""
    user = data.index(b"://", start, end) + 3
    colon = data.find(b":", user, end)
    if colon < 0:  # https://TOKEN@host
        return (user, end - 1) if looks_secret(data[user : end - 1], least=20) else None
    if before(data, start) not in ALNUM_BYTES or _PORT_AND_PATH.match(data, colon + 1, end):
        return None
    host = _AUTHORITY_ENDS.match(data, end)
    end = host.end() if host is not None and b":" not in host.group() else end
    if looks_secret(data[user:colon], least=20):  # https://TOKEN:x-oauth-basic@host
        return user, end - 1
    return (colon + 1, end - 1) if is_value(data, (colon + 1, end - 1), quoted=True) else None


def _go_name(data: bytes, start: int, _end: int) -> Span | None:
    """`user:password@tcp(host:3306)/db`, the data source name of Go's MySQL driver."""
    match = _USER_AND_PASSWORD.search(data, max(0, start - LOOK_BEHIND), start)
    return match.span(1) if match is not None and is_value(data, match.span(1), quoted=True) else None


_USER_AND_PASSWORD = re.compile(rb"[A-Za-z0-9_.-]{1,32}:([^\s\0:@/\"']{1,64})\Z")


def _oracle(data: bytes, start: int, end: int) -> Span | None:
    begin = data.index(b"/", start, end) + 1
    return (begin, end - 1) if is_value(data, (begin, end - 1), quoted=True) else None


_TO_AT = re.compile(rb"[^\s\0@\"']{1,64}")


def _behind_slash(data: bytes, _start: int, end: int) -> Span | None:
    """`sqlplus user/password@database`."""
    match = _TO_AT.match(data, end - 1)
    assert match is not None
    return match.span() if is_value(data, match.span(), quoted=True) else None


_HOST_ON_ITS_LINE = re.compile(rb"(?:\A|[\r\n'\"])[A-Za-z0-9.*_-]{1,64}\Z")


_TO_BLANK = re.compile(rb"[^\s\0]{1,%d}" % LONGEST_VALUE)


def _pgpass(data: bytes, start: int, end: int) -> Span | None:
    """`host:port:database:user:password`, a line of ~/.pgpass."""
    if (host := _HOST_ON_ITS_LINE.search(data[max(0, start - 65) : start])) is None or host[0].endswith(
        b"arn"
    ):
        return None
    match = _TO_BLANK.match(data, end - 1)
    assert match is not None
    if _IPV6.match(host[0].lstrip(b"\r\n'\"") + data[start : match.end()]):
        return None
    if not is_value(data, match.span(), quoted=False):
        return None
    usual = _USUAL_PORT.match(data, start) is not None
    return match.span() if usual or is_strong(match.group()) else None


_IPV6 = re.compile(rb"(?:[0-9A-Fa-f]{1,4}:){4,7}[0-9A-Fa-f:]{1,24}(?![0-9A-Za-z])")
_USUAL_PORT = re.compile(rb":(?:54[0-9]{2}|6432|\*):")
_EASY = re.compile(rb"(?<![A-Za-z0-9_$#./:@-])[A-Za-z][A-Za-z0-9_$#]{0,31}/([^\s\0/:@\"']{1,64})\Z")


def _easy_connect(data: bytes, start: int, _end: int) -> Span | None:
    """`user/password@//host:1521/service`, as Oracle's clients take it."""
    match = _EASY.search(data, max(0, start - LOOK_BEHIND), start)
    return match.span(1) if match is not None and is_value(data, match.span(1), quoted=True) else None


_BEFORE_PATH = re.compile(rb"[\"'`][A-Za-z0-9_.-]{1,32}:([^\s\0:@/\"']{1,64})\Z")


def _go_name_of_path(data: bytes, start: int, _end: int) -> Span | None:
    """`"user:password@/db"`, where the server is the usual one."""
    match = _BEFORE_PATH.search(data, max(0, start - LOOK_BEHIND), start)
    return match.span(1) if match is not None and is_value(data, match.span(1), quoted=True) else None


_BEFORE_HOST = re.compile(
    rb"(?:(?<=[\s=\"'(,])|\A)(?:[A-Za-z0-9_.-]{1,32}/)?[A-Za-z0-9_.-]{1,32}:([^\s\0:@/\"']{6,64})\Z"
)


def _before_host(data: bytes, start: int, _end: int) -> Span | None:
    """`user:password@host:5432` without a scheme; `domain/user:password@10.0.0.5`, as tools for Windows take it."""
    match = _BEFORE_HOST.search(data, max(0, start - LOOK_BEHIND), start)
    return match.span(1) if match is not None and is_strong(match[1]) else None


CONNECTIONS = (
    Shape(
        pattern=rb"@(?:[A-Za-z0-9.-]{1,63}:[0-9]{2,5}|[0-9]{1,3}(?:\.[0-9]{1,3}){3})\b", check=_before_host
    ),
    Shape(pattern=rb"@/[A-Za-z0-9_]", check=_go_name_of_path),
    word(
        rb"(?i:sqlplus|sqlldr|expdp|impdp)(?:[ \t]{1,4}-[A-Za-z]{1,8})?[ \t]{1,4}[A-Za-z0-9_$#]{1,32}/[^\s\0/@]",
        _behind_slash,
    ),
    Shape(pattern=rb"://[^\s\0/:@\"'<>]{0,128}(?::[^\s\0@\"'<>]{1,256})?@", check=_in_url),
    Shape(pattern=rb"@(?:tcp|unix)\(", check=_go_name),
    Shape(pattern=rb"oracle:thin:[^\s\0/:@]{1,32}/[^\s\0@\"']{1,64}@", check=_oracle),
    Shape(
        pattern=rb":(?:[0-9]{4,5}|\*):[^\s\0:]{1,63}:[^\s\0:]{1,63}:[^\s\0:]",
        check=_pgpass,
    ),
    Shape(pattern=rb"@//[A-Za-z0-9]", check=_easy_connect),
)
