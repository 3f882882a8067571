"""Secrets that one name speaks for together: maps, lists and the lines below a heading, whose own names are their owners'."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.masking.shapes import ALNUM_BYTES, Shape, Span, before, whole, word
from gateway.masking.values import is_random, is_strong, is_value, looks_secret, value_at

_USERS = re.compile(
    rb"\s*[A-Za-z_][\w.-]{0,31}[ \t]{0,8}[:=][ \t]{0,8}([^\s\0,]{1,128})(?=[ \t]*(?:[\r\n,]|\Z))"
)


def _of_users(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """`name = password` line by line below a heading."""
    match = _USERS.match(data, end - 1)
    while match is not None and is_strong(match[1]) and is_value(data, match.span(1), quoted=False):
        yield match.span(1)
        match = _USERS.match(data, match.end(), match.end() + 256)


_NO_NAME = re.compile(
    rb"(?i)[\w.-]*(?:name|type|path|file|dir|url|uri|ref|id|ttl|version|arn|provider|engine|store|mount|host|region|key|from|date|time|at|enabled|format|backend|image)\Z"
)


def _held(data: bytes, start: int, end: int) -> Span | None:
    """`default['password']['postgres'] = 'x'`: the names are the owners'."""
    inner = re.split(rb"[\"'\]\[ \t:=>]+", data[start : end - 1].rstrip(b"\"'] \t:=>"))[-1]
    return _of_owner(data, inner, end - 1, quoted=True)


def _of_owner(data: bytes, name: bytes, at: int, *, quoted: bool) -> Span | None:
    span = value_at(data, at)
    if span is None or _NO_NAME.match(name) or not is_value(data, span, quoted=quoted):
        return None
    value = data[span[0] : span[1]]
    return span if is_strong(value) and looks_secret(value, least=8) else None


_MEMBER = re.compile(rb"\s{0,24}[\"']?([A-Za-z0-9_.@-]{1,48})[\"']?[ \t]{0,4}(?:=>|=|:)[ \t]{0,4}(?=[\"'])")
_NEXT_MEMBER = re.compile(rb"[\"'][ \t]{0,4}[,;]?")
_DEEPER = re.compile(rb"([ \t]{1,16})[\"']?([A-Za-z0-9_.@-]{1,48})[\"']?:[ \t]{1,4}(?=[^\s\0])")
_TO_NEXT_LINE = re.compile(rb"[^\r\n\0]*\r?\n")


def _members(data: bytes, start: int, end: int) -> Iterator[Span]:
    """`"tokens": {"host": "x", "other": "y"}`"""
    if before(data, start) in ALNUM_BYTES and data[start] in ALNUM_BYTES:  # another shape's candidate
        return
    at = end
    while (member := _MEMBER.match(data, at)) is not None and (
        span := value_at(data, member.end())
    ) is not None:
        if (found := _of_owner(data, member[1], member.end(), quoted=True)) is not None:
            yield found
        if (more := _NEXT_MEMBER.match(data, span[1])) is None:
            return
        at = more.end()


_ITEM = re.compile(rb"\s{0,24}(?=[\"'])")


def _items(data: bytes, start: int, end: int) -> Iterator[Span]:
    """`PASSWORDS = ["x", "y"]`"""
    passwords = data[start:end].lower().lstrip(b"_\"'").startswith(b"pass")
    at = end
    while (item := _ITEM.match(data, at)) is not None and (span := value_at(data, item.end())) is not None:
        value = data[slice(*span)]
        # a parser's tokens are lists as well
        drawn = looks_secret(value, least=5) if passwords else is_random(value, least=16)
        if drawn and is_value(data, span, quoted=True):
            yield span
        if (more := _NEXT_MEMBER.match(data, span[1])) is None:
            return
        at = more.end()


def _lines_below(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """`stringData:` of a Secret, and lists of secrets by their owners, as YAML has them."""
    at, indentation = end, None
    while (member := _DEEPER.match(data, at)) is not None and indentation in {None, member[1]}:
        indentation = member[1]
        if data[member.end() : member.end() + 1] in {b"|", b">"}:
            return
        found = _of_owner(
            data, member[2], member.end(), quoted=data[member.end() : member.end() + 1] in {b'"', b"'"}
        )
        if found is not None:
            yield found
        if (line := _TO_NEXT_LINE.match(data, member.end())) is None:
            return
        at = line.end()


GATHERED = (
    Shape(
        pattern=rb"(?i:\[users\]|\bchpasswd:(?:\s{1,16}(?:expire:[ \t]{0,4}[a-z]{2,5}\s{1,16})?(?:list|users):(?:[ \t]{0,4}\|-?)?)?)[ \t]{0,4}[\r\n]",
        check=whole,
        spans=_of_users,
    ),
    Shape(
        pattern=rb"(?i:\b(?:passwords?|secrets?|tokens?|credentials?|bearer|api_?keys?|basic)[\"']?\]\[[\"']?)[A-Za-z0-9_.@-]{1,48}[\"']?\]?[ \t]{0,4}(?:=>|=|:)[ \t]{0,4}[\"']",
        check=_held,
    ),
    word(
        rb"(?i:passwords?|secrets?|tokens?|credentials?|bearer|api_?keys?|basic|secret_?data)[\"']?[ \t]{0,4}(?:=>|[:=])?[ \t]{0,4}\{",
        spans=_members,
    ),
    word(
        rb"(?i:passwords|secrets|tokens|credentials|api_?keys|stringdata)[\"']?:[ \t]{0,4}\r?\n",
        spans=_lines_below,
    ),
    word(
        rb"(?i:passwords|secrets|tokens|api_?keys)[\"']?[ \t]{0,4}(?:=>|[:=])[ \t]{0,4}[\[(]",
        spans=_items,
    ),
)
