"""Secrets that people have chosen where a generator should have: `JWT_SECRET=mysupersecret`, `secret: 'keyboard cat'`.

What is called a secret mostly has to look like one, since the names of secrets are called so as well (`tlsSecret: web-tls`). Of
some names that is never meant: nobody keeps the secret that tokens are signed with in an object with a name.
"""

from __future__ import annotations

import re

from gateway.masking.linear import linear
from gateway.masking.lines import begins
from gateway.masking.shapes import Span
from gateway.masking.values import SENTENCE

_OWNER = rb"jwt|session|cookie|client|app|application|auth|hmac|signing|signature|csrf|hash|oauth2?|consumer|shared|access|refresh|token|flask|django|rails|express|nextauth|api|encryption"
_OWNED = re.compile(
    rb"(?i)(?:(?:" + _OWNER + rb")[_. -]?secret(?:[_.-]?key)?|secret[_.-]?key(?:[_.-]?base)?|jwt[_.-]?key)\Z"
)
_IN_A_LINE = re.compile(
    rb"(?:[A-Z0-9]+_)*(?:SECRET|SECRET_KEY|SECRET_KEY_BASE|JWT_KEY)\Z|(?i:(?:[a-z0-9]+[._-])*(?:jwt|session|cookie|hmac|token|signing|flask|radius|tacacs|shared)[._-](?:secret|key)(?:[._-]?[0-9])?)\Z"
    rb"|(?:[a-z]+(?:[A-Z][a-z]+)*)?(?:[jJ]wt|[sS]ession|[cC]ookie|[hH]mac|[tT]oken|[sS]igning|[cC]srf)(?:Secret|SecretKey)\Z"
)
"""Where no quotes say that the value is none of a program's names, the name has to be one of an environment or of properties."""
_NAME = re.compile(rb"[A-Za-z0-9_.-]*")
_LED = re.compile(rb"[A-Za-z0-9_.-]{0,40}\Z")
_RUN = re.compile(rb"(?=[a-z]*(?:secret|key|password|jwt))[a-z]{12,}")
"""Words written as one: what names a secret has signs between them."""
_BYTES = re.compile(rb"\b(?:byte|bytes|Buffer|GetBytes)\b")
_WORDS_ALONE = linear(rb"[A-Za-z0-9]+(?:[ .!?_'-]+[A-Za-z0-9]+)*[.!?]?")
_SAME = re.compile(rb"[^a-z0-9]")
_NAMES_OF_SECRETS = linear(rb"(?i)(?:client|secret|key|jwt|token|auth|basic|post|private|hs256|[_ .-])+")


def is_chosen(data: bytes, start: int, at: int, span: Span) -> bool:
    """Whether the name that is read from `start` to the value at `at` is one whose value is a secret, whatever it is."""
    value = data[slice(*span)]
    led, own = _LED.search(data, max(0, start - 40), start), _NAME.match(data, start, at)
    name = (led.group() if led is not None else b"") + (own.group() if own is not None else b"")
    quoted = span[0] != at
    if len(value) < 3 or not _WORDS_ALONE.fullmatch(value) or _NAMES_OF_SECRETS.fullmatch(value):
        return False
    words = value.split(b" ")
    if any(SENTENCE.fullmatch(word) for word in words) or len(words) > 8:
        return False
    if _SAME.sub(b"", name.lower()).endswith(_SAME.sub(b"", value.lower())):
        return False
    if not quoted:
        ended = data[span[1] : span[1] + 1] in {b"", b"\r", b"\n", b"\0"}
        return ended and begins(data, start) is not None and _IN_A_LINE.search(name) is not None
    if name.lower() == b"secret":
        return (
            len(words) > 1
            or (name.isupper() and len(value) > 7)
            or _RUN.fullmatch(value) is not None
            or _BYTES.search(data, start, span[0]) is not None
        )
    return _OWNED.search(name) is not None
