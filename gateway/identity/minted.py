"""Short-lived user and password pairs that stand for a token, for clients that can only prove a password.

Only verifiers are kept (as PostgreSQL keeps one: `SCRAM-SHA-256$...`, RFC 5802, and as MySQL does), beside the claims they
stand for; the password is shown once. A name of our form that nobody has is answered with a verifier too, made from the name and a
key, so that the exchange fails at its end and does not tell which names exist (RFC 5802 §7).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.identity.claims import Claims
from gateway.identity.tokens import Issuer, TokenRefused
from gateway.store import Store

TABLE = "minted"
SCHEME = "scram-sha-256"
HASHES: Mapping[str, str] = {"mysql_native_password": "sha1", "caching_sha2_password": "sha256"}
"""MySQL's plugins, whose verifier is the password hashed twice. It has no salt, which 256 random bits do not need."""
ITERATIONS = 4_096
"""PostgreSQL's own count. Nobody guesses 256 random bits, so more would only cost every login."""
SALT_BYTES = 16
PASSWORD_BYTES = 32
LIVE_PER_TOKEN = 20

_USER = re.compile(r"cs_[a-z2-7]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A pair as it was minted: the only time that its password is known here."""

    user: str
    password: str = field(repr=False)
    expires_at: float


class Minted:
    """The pairs that are live. Changes are durable after the store's `commit`."""

    def __init__(self, store: Store, issuer: Issuer, *, key: bytes, clock: Callable[[], float]) -> None:
        """`key`: 32 bytes that stay the same over restarts, for the verifiers of names that nobody has."""
        self._store = store
        self._issuer = issuer
        self._key = key
        self._clock = clock

    def mint(self, token: str, *, key: str = "", user: str = "") -> Credential:
        """A pair that admits whoever `token` admits, for as long; `key` is what its holder proved. Raises `TokenRefused`.

        `user` is a name of `new_user`, where something was to be made for it first.
        """
        claims = self._issuer.verify(token, key=key)
        self._sweep()
        live = sum(1 for each in self._store.all(TABLE).values() if each["token_id"] == claims.token_id)
        if live >= LIVE_PER_TOKEN:
            raise TokenRefused(
                "invalid_request",
                f"this token already has {live} user and password pairs: use one of them again",
            )
        user = user or new_user()
        password = _base32(secrets.token_bytes(PASSWORD_BYTES))
        self._store.put(
            TABLE,
            user,
            {
                "token_id": claims.token_id,
                "expires_at": claims.expires_at,
                "verifier": verifier(password, salt=secrets.token_bytes(SALT_BYTES)),
                "twice": {plugin: _twice(password.encode(), kind) for plugin, kind in HASHES.items()},
                "payload": self._issuer.payload(token),
            },
        )
        return Credential(user=user, password=password, expires_at=claims.expires_at)

    def verifiers(self, user: str) -> Mapping[str, str] | None:
        """By scheme, what a wire needs to let `user` prove the password; None for a name that is not of our form."""
        if not _USER.fullmatch(user):
            return None
        entry = self._store.get(TABLE, user)
        if entry is None:
            return self._mock(user)
        return {SCHEME: str(entry["verifier"]), **{str(k): str(v) for k, v in entry.get("twice", {}).items()}}

    def proves(self, user: str, password: str) -> bool:
        """Whether a password that was handed over is `user`'s; as much work for a name that nobody has."""
        known = self.verifiers(user)
        if known is None:
            return False
        salt = base64.b64decode(known[SCHEME].split("$")[1].partition(":")[2])
        same = hmac.compare_digest(verifier(password, salt=salt).encode(), known[SCHEME].encode())
        return same and self._store.get(TABLE, user) is not None

    def claims(self, user: str) -> Claims:
        """Whom the proved `user` stands for, if that token still holds. Raises `TokenRefused`."""
        entry = self._store.get(TABLE, user)
        if entry is None:
            raise TokenRefused("invalid_grant", "the user is unknown or has ended")
        return self._issuer.check(entry["payload"])

    def _sweep(self) -> None:
        now = self._clock()
        for user, each in list(self._store.all(TABLE).items()):
            if each["expires_at"] <= now or self._issuer.revoked(each["token_id"]):
                self._store.delete(TABLE, user)

    def _mock(self, user: str) -> Mapping[str, str]:
        salt, stored, server = (
            hmac.digest(self._key, part + user.encode(), "sha256")
            for part in (b"salt:", b"stored:", b"server:")
        )
        nobody = hmac.digest(self._key, b"password:" + user.encode(), "sha256")
        return {
            SCHEME: _text(salt[:SALT_BYTES], stored, server),
            **{plugin: _twice(nobody, kind) for plugin, kind in HASHES.items()},
        }


def new_user() -> str:
    """A name that nobody has."""
    return "cs_" + _base32(secrets.token_bytes(10))


def verifier(password: str, *, salt: bytes) -> str:
    """As `pg_authid.rolpassword` has it: `SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY` (RFC 5802 §3).

    The passwords minted here are ASCII, so that SASLprep (RFC 4013) leaves them as they are.
    """
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(errors="surrogateescape"), salt, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    return _text(salt, hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256"))


def _twice(password: bytes, kind: str) -> str:
    return hashlib.new(kind, hashlib.new(kind, password).digest()).hexdigest()


def _text(salt: bytes, stored: bytes, server: bytes) -> str:
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()
