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
from typing import Any

import re2

from gateway.masking import credentials
from gateway.masking.shapes import Shape, Span
from gateway.masking.vendors import VENDORS

JUDGED = 960
"""Characters that are decoded: what stands behind them is hidden with them, but does not decide."""
_REST = re.compile(rb"[A-Za-z0-9+/_-]{0,65536}={0,2}")
_TEXT = bytes([*range(32, 127), 9, 10, 13])
_DOCKER = re.compile(rb'"auths?"\s*:')


@functools.cache
def _secrets() -> tuple[Any, tuple[Shape, ...]]:
    shapes = (
        *credentials.PRIVATE_KEY,
        *credentials.JWT,
        *(shape for shapes in VENDORS.values() for shape in shapes),
        *credentials.PASSWORD,
    )
    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    found = re2.Set.SearchSet(options)
    for shape in shapes:
        found.Add(shape.pattern)
    found.Compile()
    return found, shapes


@functools.cache
def _compiled(pattern: bytes) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)


def holds_secret(text: bytes) -> bool:
    """Whether any detector of secrets finds one in this decoded text."""
    if _DOCKER.search(text):
        return True
    found, shapes = _secrets()
    return any(
        shapes[index].check(text, *match.span()) is not None
        for index in found.Match(text) or []
        for match in _compiled(shapes[index].pattern).finditer(text)
    )


def _value(data: bytes, start: int, end: int) -> Span | None:
    start = end - 16
    whole = _REST.match(data, start)
    assert whole is not None
    value = data[start : min(whole.end(), start + JUDGED)].rstrip(b"=")
    try:
        text = base64.b64decode(
            value[: len(value) // 4 * 4 or None] if len(value) % 4 == 1 else value + b"=" * (-len(value) % 4),
            altchars=b"-_" if b"-" in value or b"_" in value else None,
            validate=True,
        )
    except binascii.Error:
        return None
    if len(text.translate(None, _TEXT)) or not holds_secret(text):
        return None
    return start, whole.end()


_TEXT_QUAD = rb"[CDI-Za-f][AC-HQS-Xgi-nwyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589]"
"""What four characters begin with that stand for three of text: identifiers and digests must not be candidates."""
ENCODED = (
    Shape(pattern=rb"[:=>][ \t]{0,3}(?:\\?[\"'])?(?:" + _TEXT_QUAD + rb"[A-Za-z0-9+/_-]){4}", check=_value),
    Shape(pattern=rb"(?:\n|\\n)[ \t]{2,8}(?:" + _TEXT_QUAD + rb"[A-Za-z0-9+/]){4}", check=_value),
)
