"""How the verbs prove the key that a token is bound to (DPoP, RFC 9449): a key in a file, a proof for each request.

The key stays in its file, readable by its owner alone, and apart from the token: which file it is stands in a variable.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.commands.token_client import Misused

KEY = "COUNTERSIGN_DPOP_KEY"
FILE_BYTES = 64 * 1024


class Key:
    """A private key, P-256 or Ed25519, as `openssl genpkey` writes one."""

    def __init__(self, path: Path, *, make: bool = False) -> None:
        """With `make`, a file that is not there is made. Raises `Misused`."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if make and not path.exists():
            _make(path)
        try:
            private = load_pem_private_key(_read(path), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Misused(f"{path} holds no private key in PEM without a password") from None
        from jwt.algorithms import ECAlgorithm, OKPAlgorithm

        self._jwk: Mapping[str, Any]
        match private:
            case EllipticCurvePrivateKey() if isinstance(private.curve, SECP256R1):
                self._algorithm = "ES256"
                self._jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
            case Ed25519PrivateKey():
                self._algorithm = "EdDSA"
                self._jwk = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
            case _:
                raise Misused(f"{path} has to hold a key of P-256 or Ed25519")
        self._private = private

    @property
    def thumbprint(self) -> str:
        """RFC 7638; its members in order, without spaces."""
        members = {name: value for name, value in self._jwk.items() if name in {"crv", "kty", "x", "y"}}
        text = json.dumps(members, separators=(",", ":"), sort_keys=True)
        return _base64url(hashlib.sha256(text.encode()).digest())

    def proof(self, method: str, url: str, *, token: str = "", nonce: str = "") -> str:
        """For one request, now."""
        import jwt

        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url.partition("#")[0].partition("?")[0],
            "iat": int(time.time()),
        }
        if token:
            claims["ath"] = _base64url(hashlib.sha256(token.encode()).digest())
        if nonce:
            claims["nonce"] = nonce
        return jwt.encode(
            claims,
            self._private,
            algorithm=self._algorithm,
            headers={"typ": "dpop+jwt", "jwk": self._jwk},
        )


def own_key() -> Path | None:
    """Where the key of this process's own token is, if it has one."""
    named = os.environ.get(KEY, "").strip()
    return Path(named) if named else None


def bound(token: str) -> bool:
    """Whether a token says that it is bound to a key."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return bool(claims["cnf"]["jkt"])
    except (ValueError, IndexError, KeyError, TypeError, RecursionError):
        return False


def credential(method: str, url: str, token: str, *, key: Path | None, nonce: str = "") -> dict[str, str]:
    """The headers by which a request shows `token`, with a proof where it is bound. Raises `Misused`."""
    if not bound(token):
        return {"Authorization": f"Bearer {token}"}
    if key is None:
        raise Misused(f"the token is bound to a key: set {KEY} to the file that the key is in")
    return {
        "Authorization": f"DPoP {token}",
        "DPoP": Key(key).proof(method, url, token=token, nonce=nonce),
    }


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    text = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
    except OSError as error:
        raise Misused(f"{path} cannot be written: {error.strerror}") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise Misused(f"{path} is open to other users: chmod 600 {path}")
            return file.read(FILE_BYTES)
    except OSError as error:
        raise Misused(f"{path} cannot be read: {error.strerror}") from None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
