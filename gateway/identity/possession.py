"""Whether a request may use the token that it shows: the one question for everything that is spoken over HTTP.

A token that is bound to a key counts with a proof of that key (RFC 9449 §7), and never as a mere bearer token; one that
is not bound counts by being shown (RFC 6750). What refuses says it as the standards do, for any server to pass on.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gateway.identity.claims import Claims
from gateway.identity.origins import Origins
from gateway.identity.proofs import ALGORITHMS, FULL, Proof, ProofRefused, Proofs, hash_of
from gateway.identity.tokens import Issuer, TokenRefused
from gateway.identity.wishes import UNPROVED
from gateway.policy.model import Policy

BEARER, DPOP = "bearer", "dpop"
INVALID_TOKEN = "invalid_token"  # noqa: S105 - RFC 6750's word
NONCE_HEADER = "DPoP-Nonce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A token whose holder may use it, and what it says."""

    token: str = field(repr=False)
    claims: Claims


class NotHeld(Exception):
    """The request may not use the token. `error` is RFC 6750's or RFC 9449's, `headers` go with the answer."""

    def __init__(
        self, message: str, *, error: str = INVALID_TOKEN, scheme: str = BEARER, nonce: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error = error
        self.status = 503 if error == FULL else 401
        self._scheme = scheme
        self._nonce = nonce

    @property
    def headers(self) -> Mapping[str, str]:
        """`WWW-Authenticate`, with what the refused scheme did wrong and what else is understood here."""
        wrong = f'error="{self.error}", error_description="{_quotable(self.message)}"'
        algorithms = f'algs="{" ".join(ALGORITHMS)}"'
        challenge = (
            f"DPoP {algorithms}, {wrong}"
            if self._scheme == DPOP
            else f'Bearer realm="countersign", {wrong}, DPoP {algorithms}'
        )
        return {"WWW-Authenticate": challenge, **({NONCE_HEADER: self._nonce} if self._nonce else {})}


class Possession:
    """Judges requests by the tokens and the proofs they show."""

    def __init__(
        self,
        issuer: Issuer,
        origins: Origins,
        policy: Callable[[], Policy],
        *,
        clock: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self._issuer = issuer
        self._origins = origins
        self.proofs = Proofs(clock=clock, steady=steady, nonces=lambda: policy().tokens.nonce)

    def held(self, *, method: str, url: str, headers: Iterable[tuple[str, str]], client: str) -> Held:
        """What the token of a request says, if the request may use it. Raises `NotHeld`.

        `url` is where the request was meant to go, by what the gateway knows of itself: a `Host` header is the
        sender's word, and a proof made for another place would fit it.
        """
        shown = [(name.lower(), value) for name, value in headers]
        scheme, token = _credential([value for name, value in shown if name == "authorization"])
        proof: Proof | None = None
        try:
            if scheme == DPOP:
                proof = self.proofs.read(
                    [value for name, value in shown if name == "dpop"], method=method, url=url
                )
                if not hmac.compare_digest((proof.token or "").encode(), hash_of(token).encode()):
                    raise ProofRefused(
                        UNPROVED, "the proof's `ath` has to be the hash of the token it goes with"
                    )
            claims = self._issuer.verify(token, key=proof.key if proof is not None else "")
            if proof is not None:
                if not claims.key:
                    raise TokenRefused("invalid_grant", "the token is not bound to a key: show it as Bearer")
                self.proofs.spend(proof)
            self._origins.used(claims, client, "api")
        except TokenRefused as refused:
            bound = scheme == DPOP or refused.error == UNPROVED
            raise NotHeld(refused.message, scheme=DPOP if bound else scheme) from None
        except ProofRefused as refused:
            raise NotHeld(refused.message, error=refused.error, scheme=DPOP, nonce=refused.nonce) from None
        return Held(token=token, claims=claims)

    def exchanged(self, token: str, proof: Proof | None, *, client: str) -> Claims:
        """As `held`, for a token that stands in the body of a request to the token endpoint (RFC 8693).

        The proof is the request's; that it names the token is not asked, as clients do not know to do so there.
        Raises `TokenRefused` and `ProofRefused`.
        """
        if proof is not None and proof.token is not None and proof.token != hash_of(token):
            raise ProofRefused(UNPROVED, "the proof's `ath` is the hash of another token")
        claims = self._issuer.verify(token, key=proof.key if proof is not None else "")
        self._origins.used(claims, client, "api")
        return claims


def _credential(authorization: list[str]) -> tuple[str, str]:
    """Scheme and token. Raises `NotHeld` where there is not exactly one."""
    scheme, _, token = (authorization[0] if len(authorization) == 1 else "").partition(" ")
    token = token.strip()
    if scheme.lower() not in {BEARER, DPOP} or not token or not token.isascii():
        raise NotHeld("this needs a token, as Bearer, or as DPoP with a proof where it is bound to a key")
    return scheme.lower(), token


def _quotable(text: str) -> str:
    """As RFC 6750 §3 lets a description be."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in text)
