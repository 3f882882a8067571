"""Hashes of passwords: what crypt(3), databases, directories and frameworks store in place of one.

They are secrets: whoever holds one guesses at it for as long as he likes. A digest of a file carries no mark like these.
"""

from __future__ import annotations

import re

from gateway.masking.shapes import ALNUM_BYTES, Shape, Span, after, word

_REST = re.compile(rb"[A-Za-z0-9./+=,$_-]{0,1024}")
_SCRAM_REST = re.compile(rb"[A-Za-z0-9+/=$:]{0,512}")


def _modular(data: bytes, start: int, end: int) -> Span:
    match = _REST.match(data, end)
    assert match is not None
    return start, end + len(match.group().rstrip(b",-_"))


def _scram(data: bytes, start: int, end: int) -> Span:
    """RFC 5802 as PostgreSQL writes it: iterations:salt$stored:server."""
    match = _SCRAM_REST.match(data, end)
    assert match is not None
    return start, match.end()


def _caching(data: bytes, start: int, end: int) -> Span | None:
    """`caching_sha2_password`: twenty bytes of any kind, and the digest."""
    match = _CACHING_REST.match(data, end - 1)
    return (start, match.end()) if match is not None else None


_CACHING_REST = re.compile(rb"[^\s\0\"']{18,64}[A-Za-z0-9./]{43}")


def _ended(data: bytes, start: int, end: int) -> Span | None:
    return (start, end) if after(data, end) not in ALNUM_BYTES else None


PASSWORD_HASH = (
    # crypt(5): $1$ MD5, $2b$ bcrypt, $5$ and $6$ SHA, $y$ yescrypt, $7$ scrypt, $apr1$ Apache, $argon2id$
    Shape(
        pattern=rb"\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|md5|apr1|argon2(?:id|i|d)|scrypt|bcrypt-sha256|pbkdf2(?:-sha\d{1,3})?)\$[A-Za-z0-9./+=,$-]{20}",
        check=_modular,
    ),
    word(rb"(?:pbkdf2_sha(?:1|256)|argon2|bcrypt_sha256|scrypt|bcrypt)\$[A-Za-z0-9./+=,$-]{24}", _modular),
    Shape(pattern=rb"SCRAM-SHA-(?:1|256|512)\$[0-9]{4,7}:[A-Za-z0-9+/=]{16}", check=_scram),
    Shape(pattern=rb"\$A\$00[0-9]\$[^\s\0\"']", check=_caching),  # mysql.user since 8.0
    word(rb"md5[0-9a-f]{32}\b", _ended),  # pg_authid
    Shape(pattern=rb"\*[0-9A-F]{40}", check=_ended),  # mysql.user
    Shape(
        pattern=rb"\{(?:SSHA|SSHA256|SSHA512|SHA|SMD5|CRYPT|PBKDF2[A-Z0-9-]*)\}[A-Za-z0-9+/$.]{16}",
        check=_modular,
    ),
)
