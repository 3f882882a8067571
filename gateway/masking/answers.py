"""Secrets that services hand out and take back once: codes, tickets and assertions of OAuth, CAS and SAML, ids of Vault, replies of Redis."""

from __future__ import annotations

import re

from gateway.masking.called import NOT_SECRET_BEFORE, PASSWORD_NAMES
from gateway.masking.shapes import Shape, Span, word
from gateway.masking.values import is_random, is_value, looks_secret, value_at

_DRAWN_TO_END = re.compile(rb"(?:ST-[0-9]{1,6}-)?[A-Za-z0-9][A-Za-z0-9._~%+/-]{15,65536}={0,2}")


def _drawn(data: bytes, start: int, end: int) -> Span | None:
    """A value drawn by lot behind a name that means much else."""
    match = _DRAWN_TO_END.match(data, end - 1)
    if (
        match is None
        or data[match.end() : match.end() + 1] == b"("
        or NOT_SECRET_BEFORE.search(data[max(0, start - 16) : start])
    ):
        return None
    value = match.group().replace(b".", b"").replace(b"~", b"").replace(b"%2F", b"/")
    if not re.search(rb"[a-z]", value):  # an error's code
        return None
    parts = [part for part in re.split(rb"[/_-]", value) if len(part) >= 12]
    return match.span() if parts and is_random(max(parts, key=len), least=12) else None


def _of_reply(data: bytes, _start: int, end: int) -> Span | None:
    """`1) "requirepass"`, and in the next line the value."""
    span = value_at(data, end - 2)
    if span is None or not is_value(data, span, quoted=True):
        return None
    return span if looks_secret(data[slice(*span)], least=6) else None


ANSWERS = (
    # OAuth's code, its verifier and assertions, CAS's ticket, SAML's answer
    word(
        rb"(?:code|code_verifier|ticket|assertion|client_assertion|device_code|saml_?response|SAMLResponse|SAMLart|authorization_code|auth_code)\\?[\"']?[ \t]{0,2}[=:][ \t]{0,2}\\?[\"']?[A-Za-z0-9]",
        _drawn,
    ),
    word(
        rb"(?i:secret[_ ]?id)\\?[\"']?[ \t]{0,8}[:=]?[ \t]{0,24}\\?[\"']?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        lambda _data, _start, end: (end - 36, end),
    ),
    Shape(
        pattern=rb"(?i:requirepass|masterauth|"
        + PASSWORD_NAMES
        + rb"|secret|token|api_?key)\"\r?\n[ \t]{0,4}[0-9]{1,3}\)[ ]\"[^\"\s\0]",
        check=_of_reply,
    ),
)
