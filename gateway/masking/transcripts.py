"""Secrets in what was said over a wire or on a terminal: the lines of protocols, and what installers and planners print."""

from __future__ import annotations

import re

from gateway.masking.shapes import LOOK_BEHIND, Shape, Span, word
from gateway.masking.values import LONGEST_VALUE, SENTENCE, is_strong, is_value, looks_secret, value_at

_TO_BLANK = re.compile(rb"[^\s\0]{1,%d}" % LONGEST_VALUE)
_CHANGES = re.compile(
    rb"(?i)(?:passw(?:or)?d|passphrase|secret|token|api_?key|access_?key|private_?key)\w{0,16}\"?[ \t]*[:=][ \t]*\"[^\"\r\n\0]*\Z"
)


def _said(data: bytes, _start: int, end: int) -> Span | None:
    """To the next blank, whatever it is made of."""
    match = _TO_BLANK.match(data, end - 1)
    if match is None or not is_value(data, match.span(), quoted=True):
        return None
    return None if SENTENCE.fullmatch(match.group()) else match.span()


def _quoted(data: bytes, _start: int, end: int) -> Span | None:
    """A word of its own is a user, as in `AUTH "default" "secret"`."""
    span = value_at(data, end - 1)
    if span is None or not is_value(data, span, quoted=True):
        return None
    return span if looks_secret(data[span[0] : span[1]], least=6) else None


def _strong(data: bytes, _start: int, end: int) -> Span | None:
    span = value_at(data, end - 1)
    return span if span is not None and is_strong(data[span[0] : span[1]]) else None


_FTP = re.compile(rb"(?i)\bftp\b")
_ENDS = re.compile(rb"[ \t]*(?:[\r\n\0]|\Z)")


def _scripted(data: bytes, start: int, end: int) -> Span | None:
    """`user name password`, a line that is fed to `ftp`."""
    if not _FTP.search(data[max(0, start - LOOK_BEHIND) : start + 4]):
        return None
    span = _strong(data, start, end)
    return span if span is not None and _ENDS.match(data, span[1]) else None


def _changed(data: bytes, start: int, end: int) -> Span | None:
    """`password = "x" -> "y"`: what a plan of Terraform makes of it."""
    named = _CHANGES.search(data[max(0, start - LOOK_BEHIND) : start])
    span = value_at(data, end - 2)
    return span if named is not None and span is not None and is_value(data, span, quoted=True) else None


_PROMPT = re.compile(rb"(?:\A|[\r\n\0]|>[ \t]?|C:[ \t]?)[ \t]{0,4}\Z")
_SCHEMES = re.compile(
    rb"(?i)(?:plain|login|cram-md5|digest-md5|xoauth2|gssapi|ntlm|scram-sha-[0-9]+|tls|ssl)"
)


def _commanded(data: bytes, start: int, end: int) -> Span | None:
    """`PASS x`, `AUTH x`, `AUTH user x` alone on a line, where no name of a test or file stands."""
    span = value_at(data, end - 1)
    if span is None or not _PROMPT.search(data[max(0, start - 8) : start]) or not _ENDS.match(data, span[1]):
        return None
    value = data[slice(*span)]
    if not is_strong(value) or _SCHEMES.fullmatch(value) or re.search(rb"[/\\.:]|^(?i:test)", value):
        return None
    return (
        span
        if looks_secret(value.rstrip(b"0123456789"), least=1) or data[start:end].startswith(b"AUTH")
        else None
    )


TRANSCRIPTS = (
    # FTP, POP3, SMTP, IMAP, Redis
    Shape(
        pattern=rb"(?:(?:>|[CS]:|SEND:|Command:)[ \t]{1,4}|\bUSER[ \t][^\s\0]{1,64}\s{1,4}(?:-{0,3}>[ \t])?)PASS[ \t]{1,2}[^\s\0]",
        check=_said,
    ),
    word(
        rb"AUTH(?:ENTICATE)?[ \t](?:PLAIN|LOGIN|XOAUTH2)[ \t][A-Za-z0-9+/]{7}[A-Za-z0-9+/=]",
        lambda data, _start, end: value_at(data, end - 8),
    ),
    Shape(pattern=rb"\bLOGIN[ \t]\"?[A-Za-z0-9._@-]{1,64}\"?[ \t]\"?[^\s\0\"(]", check=_strong),
    word(rb"(?:PASS|(?:HELLO[ ][0-9][ ])?AUTH(?:[ ][A-Za-z0-9._-]{1,32})?)[ ][^\s\0]", _commanded),
    Shape(pattern=rb"\"(?i:auth)\"[ \t](?:\"[^\"\s\0]{1,48}\"[ \t])?\"", check=_quoted),
    Shape(
        pattern=rb"(?:[\r\n][ \t]{0,8}|\bftp>[ \t])user[ \t]{1,2}[^\s\0]{1,32}[ \t]{1,2}[^\s\0]",
        check=_scripted,
    ),
    # what installers say once
    Shape(
        pattern=rb"(?i:password[ \t]is[ \t]generated[ \t]for|temporary[ \t]password[ \t]for)[ \t][^\s\0:]{1,64}:[ \t]{1,2}[^\s\0]",
        check=_said,
    ),
    Shape(
        pattern=rb"(?i:following[ \t]password)[^\r\n\0:]{0,60}:\s{1,8}[0-9A-Za-z]{12}",
        check=lambda data, _start, end: value_at(data, end - 12),
    ),
    Shape(pattern=rb"\"[ \t](?:->|=>)[ \t]\"[^\"\s\0]", check=_changed),
)
