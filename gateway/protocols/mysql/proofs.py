"""How a password is proved: of each of the servers' plugins what is sent, and what a kept verifier can check.

Written from the manuals of MySQL ("Pluggable Authentication") and MariaDB ("Authentication Plugins").
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

NATIVE: Final = "mysql_native_password"
CACHING: Final = "caching_sha2_password"
CLEAR: Final = "mysql_clear_password"
SHA256: Final = "sha256_password"
FAST_OK: Final = b"\x03"
FULL: Final = b"\x04"


def native(password: bytes, challenge: bytes) -> bytes:
    """SHA1(password) XOR SHA1(challenge + SHA1(SHA1(password))); nothing for no password."""
    if not password:
        return b""
    once = hashlib.sha1(password, usedforsecurity=False).digest()
    twice = hashlib.sha1(once, usedforsecurity=False).digest()
    return _xor(once, hashlib.sha1(challenge + twice, usedforsecurity=False).digest())


def caching(password: bytes, challenge: bytes) -> bytes:
    """SHA256(password) XOR SHA256(SHA256(SHA256(password)) + challenge); nothing for no password."""
    if not password:
        return b""
    once = hashlib.sha256(password).digest()
    twice = hashlib.sha256(once).digest()
    return _xor(once, hashlib.sha256(twice + challenge).digest())


def native_proved(proof: bytes, challenge: bytes, verifier: bytes) -> bool:
    """`verifier` is SHA1(SHA1(password))."""
    if len(proof) != len(verifier):
        return False
    once = _xor(proof, hashlib.sha1(challenge + verifier, usedforsecurity=False).digest())
    return hmac.compare_digest(hashlib.sha1(once, usedforsecurity=False).digest(), verifier)


def caching_proved(proof: bytes, challenge: bytes, verifier: bytes) -> bool:
    """`verifier` is SHA256(SHA256(password))."""
    if len(proof) != len(verifier):
        return False
    once = _xor(proof, hashlib.sha256(verifier + challenge).digest())
    return hmac.compare_digest(hashlib.sha256(once).digest(), verifier)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
