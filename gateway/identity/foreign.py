"""Tokens that others signed (RFC 7515, 7519), read as RFC 8725 advises: what is not plainly in order is refused.

Nothing that a token says of itself chooses how it is verified, but the name of one of its issuer's own keys and one of
a few algorithms that fit that key. Keys that it brings along or points to are not looked at: such a token is refused.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.identity.json_strictly import NotJson, read_object

TOKEN_CHARACTERS = 16_384
CLOCKS_APART = 60.0
"""How far an issuer's clock may be from ours, in seconds."""
KEYS_TRIED = 4
"""Of an issuer's keys, how many may bear one name."""
RSA_BITS = (2_048, 8_192)
FITTING: Mapping[str, tuple[str, str]] = {
    "RS256": ("RSA", ""),
    "RS384": ("RSA", ""),
    "RS512": ("RSA", ""),
    "PS256": ("RSA", ""),
    "PS384": ("RSA", ""),
    "PS512": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Algorithm to the kind of key, and its curve. None of them knows a shared secret."""
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK (RFC 7518 §6) that nobody but its owner may know."""
TYPES = frozenset({"", "jwt", "at+jwt", "application/jwt", "application/at+jwt"})
UNREAD = ("crit", "b64", "jku", "x5u", "enc", "zip", "cty")
"""Parts of a header that would change how a token is read, or where its key comes from."""

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_LATEST = 1e11


class ForeignRefused(Exception):
    """Not a token that counts. The message is for those who could show that its issuer signed it, and for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unverified:
    """A token whose form is in order. Nothing it says is known to be true."""

    text: str = field(repr=False)
    algorithm: str
    key_id: str | None
    claims: Mapping[str, Any] = field(repr=False)

    @property
    def issuer(self) -> str:
        """Whose it says it is; "" where it does not say it as text."""
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) else ""


def unverified(token: str) -> Unverified:
    """Raises `ForeignRefused` for what is no plainly signed token."""
    header, claims, algorithm = opened(token)
    key_id, kind = header.get("kid"), header.get("typ", "")
    if "jwk" in header:
        raise ForeignRefused("`jwk` in a token's header is not understood here")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise ForeignRefused("its `typ` says that it is something else than a token")
    if key_id is not None and not (isinstance(key_id, str) and 0 < len(key_id) <= 256):
        raise ForeignRefused("its `kid` cannot name a key")
    return Unverified(text=token, algorithm=algorithm, key_id=key_id, claims=claims)


def opened(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any], str]:
    """Header, claims and algorithm of what may be a signed token (RFC 7515 §3.1). Raises `ForeignRefused`."""
    if len(token) > TOKEN_CHARACTERS:
        raise ForeignRefused("the token is too long")
    segments = token.split(".")
    if len(segments) != 3 or not all(map(_SEGMENT.fullmatch, segments)):
        raise ForeignRefused("this is no signed token")
    try:
        header, claims = (read_object(_decoded(segment)) for segment in segments[:2])
        _decoded(segments[2])
    except NotJson:
        raise ForeignRefused(
            "header and claims have to be JSON objects in which no key stands twice"
        ) from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in FITTING:
        raise ForeignRefused(f"its algorithm has to be one of {', '.join(FITTING)}")
    for part in UNREAD:
        if part in header:
            raise ForeignRefused(f"`{part}` in a token's header is not understood here")
    return header, claims, algorithm


def keys_of(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The keys of a JWK set (RFC 7517) that may verify signatures; others are passed over."""
    keys = document.get("keys")
    return tuple(key for key in keys if may_verify(key)) if isinstance(keys, list) else ()


def may_verify(key: object) -> bool:
    """A public key for signatures. One whose private half stands beside it is everybody's."""
    if not isinstance(key, dict) or key.get("kty") not in {"RSA", "EC", "OKP"} or key.keys() & PRIVATE:
        return False
    operations = key.get("key_ops", ["verify"])
    return key.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def fitting(token: Unverified, keys: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Those of an issuer's keys that `token` may be signed by."""
    return tuple(
        key
        for key in keys
        if fits(token.algorithm, key) and (token.key_id is None or key.get("kid") == token.key_id)
    )


def fits(algorithm: str, key: Mapping[str, Any]) -> bool:
    """Whether a key is of the kind that an algorithm of `FITTING` needs, and says nothing against it."""
    kind, curve = FITTING[algorithm]
    return (
        key.get("kty") == kind
        and (not curve or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
    )


def verify(token: Unverified, keys: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The claims, if one of its issuer's keys signed them. Raises `ForeignRefused`.

    A token that names no key is verified only where one key alone fits, so that nothing has to be guessed.
    """
    found = fitting(token, keys)
    if len(found) > (1 if token.key_id is None else KEYS_TRIED):
        raise ForeignRefused("it does not say which of its issuer's keys signed it")
    for key in found:
        if signed_by(token.text, token.algorithm, key) is not None:
            return token.claims
    raise ForeignRefused("its issuer did not sign it")


def signed_by(token: str, algorithm: str, key: Mapping[str, Any]) -> PublicKey | None:
    """The public key that a JWK is, if it signed `token`."""
    try:
        public = jwt.PyJWK(dict(key), algorithm=algorithm).key
        if isinstance(public, RSAPublicKey) and not RSA_BITS[0] <= public.key_size <= RSA_BITS[1]:
            return None
        jwt.PyJWS(algorithms=[algorithm]).decode(token, public, algorithms=[algorithm])
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return public if isinstance(public, PublicKey) else None


def check(
    claims: Mapping[str, Any], *, issuer: str, audience: str, now: float, max_age: float | None = None
) -> None:
    """Whose, for whom, and when. Raises `ForeignRefused`, whose message may be told: the signature was good."""
    if claims.get("iss") != issuer:
        raise ForeignRefused("another issuer's token")
    meant = claims.get("aud")
    if meant != audience and not (isinstance(meant, list) and audience in meant):
        raise ForeignRefused(f"the token is not for this gateway: its `aud` has to be {audience}")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise ForeignRefused("the token has no `sub`")
    ends, begins, issued = (time_of(claims, name) for name in ("exp", "nbf", "iat"))
    if ends is None:
        raise ForeignRefused("the token has no end: `exp` is missing")
    if ends <= now - CLOCKS_APART:
        raise ForeignRefused("the token has expired")
    if max(begins or 0.0, issued or 0.0) > now + CLOCKS_APART:
        raise ForeignRefused("the token is not valid yet: check the clocks")
    if max_age is not None and (issued is None or issued < now - max_age - CLOCKS_APART):
        raise ForeignRefused("the token was issued too long ago, or does not say when: get a new one")


def time_of(claims: Mapping[str, Any], name: str) -> float | None:
    """A claim that is a time, None where there is none. Raises `ForeignRefused`."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ForeignRefused(f"`{name}` has to be a number of seconds")
    if not 0 <= value <= _LATEST:
        raise ForeignRefused(f"`{name}` is no time")
    return float(value)


def _decoded(segment: str) -> bytes:
    """base64url without padding, in its one spelling."""
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise ForeignRefused("this is no signed token") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != segment:
        raise ForeignRefused("this is no signed token")
    return data
