"""Escapes inside `$'...'`."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL
)
_LETTERS = dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True))


def decoded(text: str) -> str:
    """What stands between the quotes; a NUL ends it."""
    return _ESCAPE.sub(_character, text).split("\0", 1)[0]


def _character(found: re.Match[str]) -> str:
    hexadecimal, octal, short, long, control, other = found.groups()
    if hexadecimal:
        return _byte(int(hexadecimal, 16))
    if octal:
        return _byte(int(octal, 8) & 0xFF)
    if short or long:
        code = int(short or long, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    if control:
        return chr(ord(control) & 0x1F) if control.isascii() else "\ufffd"
    return _LETTERS.get(other, other if other in "\\'\"?" else "\\" + other)


def _byte(code: int) -> str:
    """A byte of a name: above ASCII it is part of some encoding, and no program is named so."""
    return chr(code) if code < 0x80 else "\ufffd"
