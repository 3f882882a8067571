"""Tokens as an issuer makes them, and as somebody who would like to be one does: made from rows of `attacks.jsonl`.

A row says how its token differs from a good one: `header` and `claims` are laid over it (null takes away), `header_text`
and `claims_text` take its place as they stand, `sign` is the key or the trick, and `then` what is done to it after.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.identity.foreign import FITTING

NOW = 1_800_000_000
ISSUER = "https://ci.example/tenant"
CLAIMS: Mapping[str, Any] = {
    "iss": ISSUER,
    "aud": "countersign",
    "sub": "repo:acme/shop:ref:refs/heads/main",
    "repository": "acme/shop",
    "ref": "refs/heads/main",
    "iat": NOW - 5,
    "nbf": NOW - 5,
    "exp": NOW + 300,
    "jti": "one",
}
ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "attacks.jsonl").read_text(encoding="utf-8").splitlines()
    if line.strip()
]


@cache
def private(name: str) -> Any:
    match name.split("-"):
        case ["rsa", *rest]:
            return rsa.generate_private_key(65_537, 1_024 if rest == ["weak"] else 2_048)
        case ["ec", "384"]:
            return ec.generate_private_key(ec.SECP384R1())
        case ["ec", *_]:
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def public_jwk(name: str, **more: Any) -> dict[str, Any]:
    public = private(name).public_key()
    algorithm = {"rsa": jwt.algorithms.RSAAlgorithm, "ec": jwt.algorithms.ECAlgorithm}.get(
        name.split("-")[0], jwt.algorithms.OKPAlgorithm
    )
    made = algorithm.to_jwk(public, as_dict=True)
    made.pop("key_ops", None)
    return {**made, "kid": name, **more}


def published() -> dict[str, Any]:
    """What the issuer publishes: keys in use, and some that nothing may be verified with."""
    leaked = jwt.algorithms.OKPAlgorithm.to_jwk(private("ed-leaked"), as_dict=True)
    return {
        "keys": [
            public_jwk("rsa", use="sig", alg="RS256"),
            public_jwk("rsa-any", use="sig"),
            public_jwk("ec", use="sig"),
            public_jwk("ec-384"),
            public_jwk("ed", alg="EdDSA", key_ops=["verify"]),
            public_jwk("rsa-weak"),
            public_jwk("rsa-enc", use="enc"),
            public_jwk("ec-wrap", key_ops=["deriveKey"]),
            {**leaked, "kid": "ed-leaked"},
            {"kty": "oct", "k": encoded(b"k" * 32), "kid": "shared", "alg": "HS256"},
            {"kty": "PQC", "kid": "new"},
            "nonsense",
        ]
    }


def pem(name: str) -> bytes:
    return (
        private(name)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def forged(row: Mapping[str, Any]) -> str:
    sign = row.get("sign", "rsa")
    header = _laid({"alg": _algorithm(sign), "typ": "JWT", "kid": sign}, row.get("header", {}))
    claims = _laid(CLAIMS, row.get("claims", {}))
    head = row.get("header_text") or json.dumps(header)
    body = row.get("claims_text") or json.dumps(claims)
    for name, value in {**CLAIMS, "alg": header.get("alg")}.items():
        head, body = (text.replace(f"<{name}>", json.dumps(value)) for text in (head, body))
    signed = f"{encoded(_bytes(head))}.{encoded(_bytes(body))}"
    token = f"{signed}.{encoded(_signature(sign, str(header.get('alg')), signed.encode()))}"
    return AFTER[row["then"]](token) if "then" in row else token


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    # Bytes that are no UTF-8 are written as half surrogates in the corpus.
    return text.encode("utf-8", "surrogateescape")


def _laid(good: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    laid = {**good, **over}
    return {name: value for name, value in laid.items() if value is not None}


def _algorithm(sign: str) -> str:
    kinds = {"rsa": "RS256", "ec": "ES384" if sign == "ec-384" else "ES256", "ed": "EdDSA"}
    return kinds.get(sign.split("-")[0], "RS256")


def _signature(sign: str, algorithm: str, signed: bytes) -> bytes:
    match sign:
        case "nothing":
            return b""
        case "zeros":
            return b"\0" * 64
        case "hmac-pem":
            return hmac.digest(pem("rsa"), signed, hashlib.sha256)
        case "hmac-der":
            der = base64.b64decode(b"".join(pem("rsa").splitlines()[1:-1]))
            return hmac.digest(der, signed, hashlib.sha256)
        case "hmac-jwk":
            return hmac.digest(json.dumps(public_jwk("rsa")).encode(), signed, hashlib.sha256)
        case "hmac-empty":
            return hmac.digest(b"", signed, hashlib.sha256)
        case "hmac-shared":
            return hmac.digest(b"k" * 32, signed, hashlib.sha256)
        case _:
            # What the header says and the key cannot do is signed as the key's own kind is.
            able = FITTING.get(algorithm, ("", ""))[0] == public_jwk(sign)["kty"]
            known = jwt.get_algorithm_by_name(algorithm if able else _algorithm(sign))
            return bytes(known.sign(signed, private(sign)))


def _jwe(token: str) -> str:
    header = encoded(b'{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}')
    return ".".join(
        [header, encoded(b"k" * 256), encoded(b"i" * 12), encoded(token.encode()), encoded(b"t" * 16)]
    )


def _general(token: str) -> str:
    head, body, signature = token.split(".")
    return json.dumps({"payload": body, "signatures": [{"protected": head, "signature": signature}]})


def _respelled(token: str) -> str:
    """Its last character's spare bits set: other text, the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) | 1]


AFTER: Mapping[str, Callable[[str], str]] = {
    "cut": lambda token: token[:-20],
    "unsigned": lambda token: token.rpartition(".")[0] + ".",
    "two parts": lambda token: token.rpartition(".")[0],
    "four parts": lambda token: token + ".x",
    "padded": lambda token: ".".join(part + "=" * (-len(part) % 4 or 4) for part in token.split(".")),
    "standard alphabet": lambda token: token.replace("-", "+").replace("_", "/") + "+",
    "spaced": lambda token: token.replace(".", ". ", 1),
    "newline": lambda token: token + "\n",
    "prefixed": lambda token: "Bearer " + token,
    "full stops": lambda token: token.replace(".", "\u3002"),
    "swapped": lambda token: ".".join([token.split(".")[1], token.split(".")[0], token.split(".")[2]]),
    "twice": lambda token: token + token,
    "jwe": _jwe,
    "general json": _general,
    "respelled": _respelled,
    "nul": lambda token: token + "\0",
}
