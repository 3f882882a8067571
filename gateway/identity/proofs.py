"""Proofs that whoever shows a token holds the key it is bound to (DPoP, RFC 9449): one for each request, each counts once.

A proof that this process can vouch for counts by its own time. Where it cannot - the proof is from before the start, or
a clock was set back - and where policies.yaml asks for it, a proof has to carry a nonce of ours, whose time nobody else
can choose. What is remembered of proofs is bounded; when it is full, none is taken.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.identity import foreign
from gateway.identity.addresses import AddressUnclear, plain
from gateway.identity.foreign import FITTING, ForeignRefused, PublicKey
from gateway.identity.wishes import UNPROVED

ALGORITHMS = tuple(FITTING)
TYPE = "dpop+jwt"
PROOF_CHARACTERS = 8_000
"""One header line has to hold it."""
JTI_CHARACTERS = 256
LASTS = 60.0
"""How long before now a proof may have been made, and how far ahead its maker's clock may be, in seconds."""
NONCE_LASTS = 120.0
REMEMBERED = 200_000
REMEMBERED_PER_KEY = 20_000
"""Proofs at a time; with the above, 160 requests a second and more under one key."""
SWEEP_SECONDS = 15.0

NONCE_WANTED = "use_dpop_nonce"
FULL = "temporarily_unavailable"

_REQUIRED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}


class ProofRefused(Exception):
    """No proof that counts. `error` is RFC 9449's word for it; with `nonce` the next one may."""

    def __init__(self, error: str, message: str, *, nonce: str = "") -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.nonce = nonce


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that is in order, and may have been used before."""

    key: str
    """The thumbprint (RFC 7638) of the key that made it: `jkt`."""
    token: str | None
    """The hash of the token that it goes with: `ath`. None where it names none."""
    identity: str
    until: float
    """When it no longer counts: by the wall clock, or for one with a nonce by the steady one."""
    by_nonce: bool


class Proofs:
    """Judges proofs, and remembers those that were used."""

    def __init__(
        self, *, clock: Callable[[], float], steady: Callable[[], float], nonces: Callable[[], bool]
    ) -> None:
        """`nonces()` says whether every proof has to carry one; `steady` is a clock that nobody sets."""
        self._clock = clock
        self._steady = steady
        self._nonces = nonces
        self._secret = secrets.token_bytes(32)
        # Proofs count seconds whole: one of the second in which we started is taken for a later one.
        self._since = math.floor(clock())
        self._latest = clock()
        self._used: dict[bytes, Proof] = {}
        self._by_key: Counter[str] = Counter()
        self._swept_at = steady()

    @property
    def fresh_nonce(self) -> str:
        """A nonce for the next proof, where they are asked for; otherwise ""."""
        return self.nonce() if self._nonces() else ""

    def nonce(self) -> str:
        return self._nonce_of(max(0, math.floor(self._steady())))

    def read(self, shown: Sequence[str], *, method: str, url: str) -> Proof:
        """The proof in a request's `DPoP` headers, for `method` and the address that it was sent to.

        Raises `ProofRefused`. Nothing is remembered yet: `spend` it once it is known who shows it.
        """
        if len(shown) != 1:
            wanted = "one DPoP proof" if shown else "a DPoP proof (RFC 9449)"
            raise self._refused(f"the request needs {wanted} in its `DPoP` header")
        try:
            key, claims = _signed(shown[0])
            if claims.get("htm") != method:
                raise ForeignRefused(f"the proof's `htm` has to be {method}")
            if plain(claims.get("htu")) != plain(url):
                raise ForeignRefused(f"the proof's `htu` has to be {url}, as the gateway is known")
            proof = self._timed(key, claims)
        except (ForeignRefused, AddressUnclear) as refused:
            raise self._refused(str(refused)) from None
        self._unused(proof)
        return proof

    def spend(self, proof: Proof) -> None:
        """Lets a proof count, once. Raises `ProofRefused`."""
        self._sweep()
        identity = self._unused(proof)
        if len(self._used) >= REMEMBERED or self._by_key[proof.key] >= REMEMBERED_PER_KEY:
            raise ProofRefused(FULL, "too many proofs came in the last minute: try again later")
        self._used[identity] = proof
        self._by_key[proof.key] += 1

    def _unused(self, proof: Proof) -> bytes:
        """What a proof is remembered by."""
        identity = hashlib.sha256(f"{proof.key}\0{proof.identity}".encode()).digest()
        if identity in self._used:
            raise self._refused(
                "the proof was used before: make a new one, with a new `jti`, for each request"
            )
        return identity

    def _timed(self, key: str, claims: Mapping[str, Any]) -> Proof:
        """What is said of when it was made, and by whom that can be vouched for."""
        identity, nonce, token = claims.get("jti"), claims.get("nonce"), claims.get("ath")
        if not isinstance(identity, str) or not 0 < len(identity) <= JTI_CHARACTERS:
            raise ForeignRefused(f"the proof's `jti` has to be text of at most {JTI_CHARACTERS} characters")
        if not (token is None or isinstance(token, str)):
            raise ForeignRefused("the proof's `ath` has to be text")
        made, begins, ends = (foreign.time_of(claims, name) for name in ("iat", "nbf", "exp"))
        now = self._latest_now()
        if made is None:
            raise ForeignRefused("the proof does not say when it was made: `iat` is missing")
        if (ends is not None and ends <= now) or (begins is not None and begins > now + LASTS):
            raise ForeignRefused("the proof says itself that it is not for now")
        if nonce is not None:
            until = self._ends(nonce) if isinstance(nonce, str) else None
            if until is None:
                raise self._wants_nonce("the proof's nonce is not one of this gateway's, or is over")
            return Proof(key=key, token=token, identity=identity, until=until, by_nonce=True)
        if not now - LASTS <= made <= now + LASTS:
            raise ForeignRefused(
                f"the proof was not made within {LASTS:g} s of now: check the clock, or use the nonce"
            )
        if self._nonces() or made < max(self._since, self._latest - LASTS):
            raise self._wants_nonce("make the proof again, with this nonce")
        return Proof(key=key, token=token, identity=identity, until=made + LASTS, by_nonce=False)

    def _refused(self, message: str) -> ProofRefused:
        return ProofRefused(UNPROVED, message, nonce=self.nonce())

    def _wants_nonce(self, message: str) -> ProofRefused:
        return ProofRefused(NONCE_WANTED, message, nonce=self.nonce())

    def _latest_now(self) -> float:
        now = self._clock()
        self._latest = max(self._latest, now)
        return now

    def _nonce_of(self, second: int) -> str:
        told = second.to_bytes(8, "big")
        return _base64url(told + hmac.digest(self._secret, told, "sha256")[:16])

    def _ends(self, nonce: str) -> float | None:
        """When a nonce of this process ends; None where it is none, or has."""
        try:
            second = int.from_bytes(base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))[:8], "big")
            ours = self._nonce_of(second)
        except (ValueError, OverflowError):
            return None
        same = hmac.compare_digest(ours.encode(), nonce.encode("utf-8", "surrogatepass"))
        until = second + NONCE_LASTS
        return until if same and self._steady() < until else None

    def _sweep(self) -> None:
        steady = self._steady()
        if steady - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = steady
        self._latest_now()
        for identity, proof in list(self._used.items()):
            # Just what would not be taken again anyhow: a clock that was set back makes no old proof new.
            if proof.until < (steady if proof.by_nonce else self._latest):
                del self._used[identity]
                self._by_key[proof.key] -= 1
        self._by_key = +self._by_key


def hash_of(token: str) -> str:
    """`ath` (RFC 9449 §4.2)."""
    return _base64url(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())


def thumbprint(public: PublicKey) -> str:
    """RFC 7638, of the key itself: however its JWK was spelled, it has one."""
    match public:
        case RSAPublicKey():
            jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
        case EllipticCurvePublicKey():
            jwk = ECAlgorithm.to_jwk(public, as_dict=True)
        case _:
            jwk = OKPAlgorithm.to_jwk(public, as_dict=True)
    members = {name: jwk[name] for name in _REQUIRED[jwk["kty"]]}
    return _base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _signed(proof: str) -> tuple[str, Mapping[str, Any]]:
    """The thumbprint of the key that it brings and is signed by, and what it says. Raises `ForeignRefused`."""
    if len(proof) > PROOF_CHARACTERS:
        raise ForeignRefused("the proof is too long")
    header, claims, algorithm = foreign.opened(proof)
    if header.get("typ") != TYPE:
        raise ForeignRefused(f"the proof's `typ` has to be {TYPE}")
    key = header.get("jwk")
    if not isinstance(key, dict) or not foreign.may_verify(key) or not foreign.fits(algorithm, key):
        raise ForeignRefused("the proof's `jwk` has to be a public key that fits its algorithm")
    public = foreign.signed_by(proof, algorithm, key)
    if public is None:
        raise ForeignRefused("the proof is not signed by its own key")
    return thumbprint(public), claims


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
