"""The keys that sign tokens and seal recordings: a directory of Ed25519 JWKs (RFC 8037), readable by its owner alone.

The newest key signs; every other one verifies until its `exp`, which rotation stamps on it. A key's public half
stays in the directory for ever, because what it once sealed must stay verifiable. Files are created whole or not
at all: written beside, synced, renamed. Rotation stamps the old key before it writes the new one, so a crash in
between leaves a stamped newest key, which the next `open` reads as "rotation was begun" and finishes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.identity.host_keys import numbers, secrets_of
from gateway.identity.json_strictly import NotJson, read_object
from gateway.identity.private_files import KeysUnsafe, owner_only, write_whole
from gateway.identity.seed import look, open_seed

ALGORITHM = "EdDSA"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068's media type, not a secret
TOKEN_CHARACTERS = 7_000
"""A longer token is neither issued nor read: it has to fit one HTTP header line, and one password message."""

_PRIVATE = ".jwk"
_PUBLIC = ".pub"
_JWS = jwt.PyJWS(algorithms=[ALGORITHM])
_HEADER = {"alg": ALGORITHM, "typ": TOKEN_TYPE}
_UNSEEN = -1
"""No directory's time stamp: the next use reads the directory again."""


class SignatureRefused(Exception):
    """Not a token of this ring's: malformed, signed by nobody we know, or in a way we do not accept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    id: str
    private: Ed25519PrivateKey = field(repr=False)
    created: float
    ends: float | None
    """When it stops verifying, Unix seconds; None for the key that signs."""
    public: Ed25519PublicKey = field(init=False)
    header: str = field(init=False)
    """The first segment of every token that it signs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "public", self.private.public_key())
        header = json.dumps({**_HEADER, "kid": self.id}, separators=(",", ":"), sort_keys=True)
        object.__setattr__(self, "header", _base64url(header.encode()))


class KeyRing:
    """The signing keys of one gateway, or of several that share the directory."""

    def __init__(self, directory: Path, clock: Callable[[], float], seed: bytes) -> None:
        self._directory = directory
        self._clock = clock
        self._keys: dict[str, _Key] = {}
        self._seen = _UNSEEN
        self._secret = secrets_of(seed, numbers(directory))

    @classmethod
    def open(cls, directory: Path, *, clock: Callable[[], float] = time.time) -> KeyRing:
        """The ring in `directory`, which is made, with a first key, where there is none.

        Raises `KeysUnsafe` where others may read it, a file in it does not hold what its name says, or its seed is lost.
        """
        look(directory)  # where it was lost, nothing is made that a backup would have to replace
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner_only(directory)
        ring = cls(directory, clock, open_seed(directory))
        if ring._signer.ends is not None:
            ring._create()
        return ring

    @property
    def key_id(self) -> str:
        """The id (RFC 7638 thumbprint) of the key that signs now."""
        return self._signer.id

    def sign(self, claims: Mapping[str, Any]) -> str:
        """`claims` as a signed token (RFC 7519, RFC 9068 header)."""
        signer = self._signer
        return jwt.encode(
            dict(claims), signer.private, algorithm=ALGORITHM, headers={**_HEADER, "kid": signer.id}
        )

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token that one of these keys signed; what they say is the caller's to check.

        Raises `SignatureRefused`. The header has to be, byte for byte, what `sign` writes (RFC 8725 §3.1, §3.11), so
        there is no other algorithm or type, no `crit`, and no key brought along or pointed to.
        """
        self._refresh()
        header = token.partition(".")[0]
        key = next((key for key in self._keys.values() if key.header == header), None)
        # One token has one spelling: PyJWT would put up with padding.
        if key is None or len(token) > TOKEN_CHARACTERS or not token.isascii() or "=" in token:
            raise SignatureRefused("not signed by this gateway")
        try:
            # The signature alone: times, audience and issuer are the Issuer's to judge, by the clock it was given.
            return read_object(_JWS.decode(token, key.public, algorithms=[ALGORITHM]))
        except (jwt.InvalidTokenError, NotJson):
            raise SignatureRefused("not signed by this gateway") from None

    def sign_bytes(self, data: bytes) -> bytes:
        """A detached Ed25519 signature by the key `key_id`."""
        return self._signer.private.sign(data)

    def secret(self, purpose: str) -> bytes:
        """32 bytes that stay the same for `purpose` as long as the directory does, and that nobody else can know."""
        return self._secret(purpose)

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys that verify tokens now (RFC 7517), the signing one first."""
        self._refresh()
        newest_first = sorted(self._keys.values(), key=lambda key: key.created, reverse=True)
        return {"keys": [_public_jwk(key.id, key.public) for key in newest_first]}

    def rotate(self, *, keep: float) -> str:
        """A new key signs from now on; the others verify for `keep` more seconds. Returns the new key's id.

        `keep` is the longest life a token may have, or 0 to disown at once every token there is.
        """
        self._refresh()
        ends = self._clock() + keep
        for key in list(self._keys.values()):
            if key.ends is None or key.ends > ends:
                self._store(_Key(id=key.id, private=key.private, created=key.created, ends=ends))
        return self._create().id

    @property
    def _signer(self) -> _Key:
        self._refresh()
        return self._newest

    @property
    def _newest(self) -> _Key:
        return max(self._keys.values(), key=lambda key: key.created)

    def _refresh(self) -> None:
        # Another process that shares the directory may have rotated; the directory's time stamp tells.
        if self._directory.stat().st_mtime_ns != self._seen:
            self._load()
        self._drop_ended()
        if not self._keys:
            self._create()

    def _create(self) -> _Key:
        private = Ed25519PrivateKey.generate()
        # After a clock that was set back the new key must still be the newest one.
        created = max([self._clock(), *(key.created + 1 for key in self._keys.values())])
        key = _Key(id=thumbprint(private.public_key()), private=private, created=created, ends=None)
        self._store(key)
        return key

    def _store(self, key: _Key) -> None:
        public = _public_jwk(key.id, key.public)
        d = _base64url(key.private.private_bytes_raw())
        ends = {} if key.ends is None else {"exp": key.ends}
        write_whole(self._directory / (key.id + _PUBLIC), json.dumps(public).encode(), mode=0o644)
        write_whole(
            self._directory / (key.id + _PRIVATE),
            json.dumps({**public, "d": d, "iat": key.created, **ends}).encode(),
            mode=0o600,
        )
        self._keys[key.id] = key
        self._seen = _UNSEEN

    def _load(self) -> None:
        self._seen = self._directory.stat().st_mtime_ns
        self._keys = {key.id: key for key in map(_read_key, sorted(self._directory.glob("*" + _PRIVATE)))}

    def _drop_ended(self) -> None:
        now = self._clock()
        for key in list(self._keys.values()):
            if key.ends is not None and key.ends <= now:
                (self._directory / (key.id + _PRIVATE)).unlink(missing_ok=True)
                del self._keys[key.id]
                self._seen = _UNSEEN


def public_keys(directory: Path) -> dict[str, Ed25519PublicKey]:
    """Every key that ever signed in `directory`, by id; readable without the private halves."""
    keys: dict[str, Ed25519PublicKey] = {}
    for path in directory.glob("*" + _PUBLIC):
        try:
            public = public_key(json.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError):
            continue
        # The name is no evidence: a file counts for the key that it holds.
        keys[thumbprint(public)] = public
    return keys


def public_key(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    """The key of an OKP JWK; raises `ValueError`, `KeyError` or `TypeError` where it is none."""
    if jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519":
        raise ValueError("not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(_unbase64url(jwk["x"]))


def signed_by(public: Ed25519PublicKey, data: bytes, signature: bytes) -> bool:
    """Whether `public` made `signature` over `data`."""
    try:
        public.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def thumbprint(public: Ed25519PublicKey) -> str:
    """RFC 7638, with the members that RFC 8037 §2 requires of an OKP key."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public.public_bytes_raw())}
    return _base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _public_jwk(key_id: str, public: Ed25519PublicKey) -> dict[str, Any]:
    x = _base64url(public.public_bytes_raw())
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": key_id, "use": "sig", "alg": ALGORITHM}


def _read_key(path: Path) -> _Key:
    owner_only(path)
    try:
        jwk = json.loads(path.read_bytes())
        private = Ed25519PrivateKey.from_private_bytes(_unbase64url(jwk["d"]))
        ends = jwk.get("exp")
        key = _Key(
            id=thumbprint(private.public_key()),
            private=private,
            created=float(jwk["iat"]),
            ends=None if ends is None else float(ends),
        )
    except (ValueError, KeyError, TypeError):
        raise KeysUnsafe(f"{path} is damaged: restore it from a backup, or remove it") from None
    if path.name != key.id + _PRIVATE:
        raise KeysUnsafe(f"{path} holds another key than its name says: remove it")
    return key


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64url(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
