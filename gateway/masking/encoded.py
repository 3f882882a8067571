"""Base64 that hides a secret: the values of a Kubernetes Secret, of a Docker configuration, of a CI variable.

What stands like base64 in the place of a value is decoded before it is judged: it is a secret if its text holds
one (an armour, a token, a password in a URL). An encoded certificate, picture or word is left alone. What stands
behind the name of a secret (`password: cGFzcw==`) is hidden by that name already.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Iterator
from typing import Any

import re2

from gateway.masking import credentials, passwords
from gateway.masking.linear import linear, options
from gateway.masking.shapes import Shape, Span, word
from gateway.masking.values import OPENSSH_KIND, is_strong, looks_secret, value_at
from gateway.masking.vendors import VENDORS

JUDGED = 960
"""Characters that are decoded: what stands behind them is hidden with them, but does not decide."""
_ASCII = rb"[C-DI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/]"
"""Four signs of base64 that three bytes of ASCII give: digests, UUIDs and pictures are hardly ever made of them."""
_REST = re.compile(rb"[A-Za-z0-9+/_-]{0,65536}={0,2}")
_WHOLE = re.compile(rb"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?![A-Za-z0-9+/=_-])")
_TEXT = bytes([*range(32, 127), 9, 10, 13])
_DOCKER = re.compile(rb'"auths?"\s*:')
_PUBLIC = re.compile(rb"\s*(?:-{5}BEGIN (?!.*PRIVATE)|\{|\[|" + OPENSSH_KIND + rb" )")
_KEY = rb"[\"']?[\w.-]+[\"']?"
"""A key, which writers of YAML quote where it looks like a number or a word of theirs: `"2024"`, `"on"`."""
_IN_SECRET = re.compile(
    # YAML, also in a diff: nothing but deeper lines since `data:`; JSON: no brace closed since `"data": {`
    rb"(?:(?:\A|\n|\\n)[-+]?([ \t]*)data:[ \t]*\r?(?:\n[-+]?\1[ \t]+"
    + _KEY
    + rb":[^\r\n]*\r?)*\n[-+]?\1[ \t]+"
    + _KEY
    + rb"|\"data\"\s*:\s*\{[^{}]*)\Z"
)
_FARTHEST = 800
"""Bytes that are looked at for the beginning of a Secret's data; with a candidate's own they stay below its longest."""


@functools.cache
def _secrets() -> tuple[Any, tuple[Shape, ...]]:
    shapes = (
        *credentials.PRIVATE_KEY,
        *credentials.JWT,
        *(shape for shapes in VENDORS.values() for shape in shapes),
        *passwords.PASSWORD,
    )
    found = re2.Set.SearchSet(options())
    for shape in shapes:
        found.Add(shape.pattern)
    found.Compile()
    return found, shapes


def holds_secret(text: bytes) -> bool:
    """Whether any detector of secrets finds one in this decoded text."""
    if _DOCKER.search(text):
        return True
    found, shapes = _secrets()
    return any(
        shapes[index].check(text, *match.span()) is not None
        for index in found.Match(text) or []
        for match in linear(shapes[index].pattern).finditer(text)
    )


def _text_at(data: bytes, start: int, end: int) -> bytes | None:
    """What is encoded there, if it is ASCII text."""
    value = data[start : min(end, start + JUDGED)].rstrip(b"=")
    try:
        text = base64.b64decode(
            value[: len(value) // 4 * 4 or None] if len(value) % 4 == 1 else value + b"=" * (-len(value) % 4),
            altchars=b"-_" if b"-" in value or b"_" in value else None,
            validate=True,
        )
    except binascii.Error:
        return None
    return text if text and not text.translate(None, _TEXT) else None


def _value(data: bytes, start: int, end: int) -> Span | None:
    """A value, or a line of its own, that decodes to text in which there is a secret."""
    start = end - 16
    whole = _REST.match(data, start)
    assert whole is not None
    text = _text_at(data, start, whole.end())
    return whole.span() if text is not None and holds_secret(text) else None


def _in_secret(data: bytes, start: int, end: int) -> Span | None:
    """A value of a Kubernetes Secret's `data`: all of them are secret but certificates and public keys."""
    begin = end - 8
    if (whole := _WHOLE.match(data, begin)) is None:
        return None
    text = _text_at(data, begin, whole.end())
    if text is None or _PUBLIC.match(text):
        return None
    if len(whole.group()) < 12 and not whole.group().endswith(b"="):
        return None
    return whole.span() if _IN_SECRET.search(data, max(0, start - _FARTHEST), start) else None


_OF_SECRET = re.compile(rb"\bkind:[ \t]{0,4}[\"']?Secret\b(?:(?!\n---)[^\0])*\Z")
_SHORT = re.compile(
    rb"([ \t]{1,8})[\"']?[A-Za-z0-9_.-]{1,64}[\"']?:[ \t]{1,4}[\"']?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)[\"']?[ \t]*(?:\r?\n|\Z)"
)


def _short_ones(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Values of a Secret that are too short to be known as base64 where nothing says so."""
    if not _OF_SECRET.search(data, max(0, start - _FARTHEST), start):
        return
    at = data.rindex(b"\n", start, end) + 1
    while (line := _SHORT.match(data, at)) is not None:
        if 4 <= len(line[2]) < 12 and _text_at(data, *line.span(2)) is not None:
            yield line.span(2)
        at = line.end()


_PLAIN_LINE = re.compile(rb"([ \t]+)[\"']?[\w.-]{1,64}[\"']?:[ \t]+([^\r\n\0]{1,400})\r?(?:\n|\Z)")


def _is_told(value: bytes) -> bool:
    return is_strong(value) and looks_secret(value, least=6) and re.search(rb"\s|://", value) is None


def _in_string_data(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """What no name or address looks like among the values of a Secret's `stringData`, whatever it is called."""
    line = _PLAIN_LINE.match(data, end)
    indent = line[1] if line is not None else b""
    while line is not None and line[1] == indent:
        value = value_at(data, line.start(2))
        if value is not None and _is_told(data[slice(*value)]):
            yield value
        line = _PLAIN_LINE.match(data, line.end())


ENCODED = (
    word(rb"stringData:[ \t]{0,4}\r?\n", spans=_in_string_data),
    word(rb"data:[ \t]{0,4}\r?\n[ \t]{1,8}[\"']?[A-Za-z0-9_.-]", spans=_short_ones),
    word(rb"(?:" + _ASCII + rb"){4}", _value, judged=JUDGED),
    Shape(
        pattern=rb"\"?:[ \t]{0,3}\"?"
        + _ASCII
        + rb"(?:"
        + _ASCII
        + rb"|[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=))",
        check=_in_secret,
        judged=JUDGED,
    ),
)
