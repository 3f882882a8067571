"""Proofs of keys (RFC 9449), as a client makes them, and as one should not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.identity.proofs import hash_of, thumbprint

_NUMBERS = count()
MAKES = {"ES256": ECAlgorithm, "EdDSA": OKPAlgorithm, "PS256": RSAAlgorithm}


def made(algorithm: str) -> Any:
    match algorithm:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Client:
    """A client with a key of its own."""

    algorithm: str = "ES256"
    private: Any = None
    jwk: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.private = self.private or made(self.algorithm)
        self.jwk = MAKES[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)

    @property
    def thumbprint(self) -> str:
        return thumbprint(self.private.public_key())

    def proof(
        self,
        url: str,
        *,
        at: float,
        method: str = "POST",
        token: str = "",
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A good proof, with `header` and `claims` laid over it; None takes a member away."""
        good = {"jti": f"proof-{next(_NUMBERS)}", "htm": method, "htu": url, "iat": int(at)}
        if token:
            good["ath"] = hash_of(token)
        said = {name: value for name, value in {**good, **claims}.items() if value is not None}
        head = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk, **(header or {})}
        return self.signed(
            json.dumps({name: value for name, value in head.items() if value is not None}), json.dumps(said)
        )

    def signed(self, header: str, claims: str) -> str:
        """Exactly these texts, under the key's own signature."""
        parts = ".".join(jwt.utils.base64url_encode(text.encode()).decode() for text in (header, claims))
        signer = jwt.PyJWS().get_algorithm_by_name(self.algorithm)
        signature = signer.sign(parts.encode(), self.private)
        return f"{parts}.{jwt.utils.base64url_encode(signature).decode()}"
