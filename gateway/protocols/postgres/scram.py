"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides (RFC 5802, RFC 7677), and verifiers as PostgreSQL keeps them.

Nothing here waits or knows of messages: text in, text out. A peer that breaks the exchange raises
`ScramFailed`; its text says what was wrong and never holds a secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import stringprep
import unicodedata
from dataclasses import dataclass, field

PLAIN = "SCRAM-SHA-256"
PLUS = "SCRAM-SHA-256-PLUS"
BINDING = "tls-server-end-point"
LEAST_ITERATIONS = 4_096
"""RFC 7677 §4."""
MOST_ITERATIONS = 1_000_000
"""Above this a server would have the gateway compute for it."""
ITERATIONS = 4_096
NONCE_BYTES = 18
KEY_BYTES = 32


class ScramFailed(Exception):
    """The other side broke the exchange, or could not prove what it had to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """What a server keeps in place of a password; who reads it still cannot log in with it."""

    iterations: int
    salt: bytes
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Verifier:
        """From PostgreSQL's `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`. Raises `ScramFailed`."""
        try:
            scheme, parameters, keys = text.split("$")
            iterations, salt = parameters.split(":")
            stored_key, server_key = keys.split(":")
            verifier = cls(
                iterations=int(iterations),
                salt=_unbase64(salt),
                stored_key=_unbase64(stored_key),
                server_key=_unbase64(server_key),
            )
        except ValueError:
            raise ScramFailed("this is not a SCRAM verifier") from None
        if scheme != PLAIN or len(verifier.stored_key) != KEY_BYTES or len(verifier.server_key) != KEY_BYTES:
            raise ScramFailed("this is not a SCRAM-SHA-256 verifier")
        return verifier

    def __str__(self) -> str:
        keys = f"{_base64(self.stored_key)}:{_base64(self.server_key)}"
        return f"{PLAIN}${self.iterations}:{_base64(self.salt)}${keys}"


def make_verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """The verifier of `password`, as PostgreSQL's `pg_authid.rolpassword` would hold it."""
    salted = _salted(password, salt, iterations)
    return str(
        Verifier(
            iterations=iterations,
            salt=salt,
            stored_key=hashlib.sha256(_hmac(salted, b"Client Key")).digest(),
            server_key=_hmac(salted, b"Server Key"),
        )
    )


class ScramServer:
    """Lets a client prove that it knows a password, from its verifier.

    Call `first` with the client's first message, then `final` with its last; what each gives goes back to the
    client. `binding` is the tls-server-end-point data of the certificate that the client was shown, b"" without TLS.
    """

    def __init__(self, verifier: Verifier, *, nonce: bytes, binding: bytes = b"") -> None:
        self._verifier = verifier
        self._nonce = _base64(nonce)
        self._binding = binding
        self._header = ""
        self._exchange = ""

    @property
    def mechanisms(self) -> tuple[str, ...]:
        return (PLUS, PLAIN) if self._binding else (PLAIN,)

    def first(self, mechanism: str, message: str) -> str:
        """client-first-message -> server-first-message."""
        if mechanism not in self.mechanisms:
            raise ScramFailed(f"{mechanism!r} was not offered")
        flag, _, rest = message.partition(",")
        authzid, _, bare = rest.partition(",")
        if authzid:
            raise ScramFailed("the client wants to act for another user")
        if mechanism == PLUS and flag != f"p={BINDING}":
            raise ScramFailed(f"channel binding {flag!r} is not {BINDING}")
        if mechanism == PLAIN and flag == "y" and self._binding:
            raise ScramFailed(
                "somebody between client and gateway took channel binding out of what was offered"
            )
        if mechanism == PLAIN and flag not in {"n", "y"}:
            raise ScramFailed(f"channel binding {flag!r} needs {PLUS}")
        fields = _fields(bare)
        if [name for name, _ in fields[:2]] != ["n", "r"] or not fields[1][1]:
            raise ScramFailed("the client's first message has no name and nonce")
        self._header = f"{flag},,"
        self._nonce = fields[1][1] + self._nonce
        answer = f"r={self._nonce},s={_base64(self._verifier.salt)},i={self._verifier.iterations}"
        self._exchange = f"{bare},{answer}"
        return answer

    def final(self, message: str) -> str:
        """client-final-message -> server-final-message; raises unless the client has proved the password."""
        unproved, _, proof = message.rpartition(",p=")
        fields = _fields(unproved)
        if [name for name, _ in fields[:2]] != ["c", "r"]:
            raise ScramFailed("the client's last message has no binding and nonce")
        bound = self._header.encode() + (self._binding if self._header.startswith("p=") else b"")
        if not hmac.compare_digest(_unbase64(fields[0][1]), bound):
            raise ScramFailed("the client spoke to another certificate than the gateway's")
        if not hmac.compare_digest(fields[1][1].encode(), self._nonce.encode()):
            raise ScramFailed("the nonce is not the one of this exchange")
        exchange = f"{self._exchange},{unproved}".encode()
        signature = _hmac(self._verifier.stored_key, exchange)
        claimed = _unbase64(proof)
        if len(claimed) != KEY_BYTES:
            raise ScramFailed("the proof has a wrong length")
        client_key = _xor(claimed, signature)
        if not hmac.compare_digest(hashlib.sha256(client_key).digest(), self._verifier.stored_key):
            raise ScramFailed("the password is wrong")
        return f"v={_base64(_hmac(self._verifier.server_key, exchange))}"


class ScramClient:
    """Proves to a server that we know a password, and makes it prove the same.

    `first` begins, `final` answers the server's first message, `verify` checks its last.
    """

    def __init__(
        self, password: str, *, nonce: bytes, offered: tuple[str, ...], binding: bytes = b""
    ) -> None:
        """`binding` is the tls-server-end-point data of the server's certificate, b"" without TLS."""
        self._password = password
        self._nonce = _base64(nonce)
        if PLUS in offered and binding:
            self.mechanism, self._header, self._bound = PLUS, f"p={BINDING},,", binding
        elif PLAIN in offered:
            self.mechanism, self._bound = PLAIN, b""
            self._header = "y,," if binding else "n,,"
        else:
            raise ScramFailed(f"the server offers none of {PLAIN} and {PLUS}")
        self._server_signature = b""

    def first(self) -> str:
        return f"{self._header}n=,r={self._nonce}"

    def final(self, message: str) -> str:
        """server-first-message -> client-final-message."""
        fields = _fields(message)
        if [name for name, _ in fields[:3]] != ["r", "s", "i"]:
            raise ScramFailed("the server's first message has no nonce, salt and iteration count")
        nonce, salt, iterations = (value for _, value in fields[:3])
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise ScramFailed("the server's nonce does not continue ours")
        if (
            not iterations.isascii()
            or not iterations.isdigit()
            or len(iterations) > len(str(MOST_ITERATIONS))
        ):
            raise ScramFailed("the server's iteration count is not a number that makes sense")
        count = int(iterations)
        if not LEAST_ITERATIONS <= count <= MOST_ITERATIONS:
            raise ScramFailed(f"{count} iterations are not between {LEAST_ITERATIONS} and {MOST_ITERATIONS}")
        salted = _salted(self._password, _unbase64(salt), count)
        unproved = f"c={_base64(self._header.encode() + self._bound)},r={nonce}"
        exchange = f"n=,r={self._nonce},{message},{unproved}".encode()
        client_key = _hmac(salted, b"Client Key")
        proof = _xor(client_key, _hmac(hashlib.sha256(client_key).digest(), exchange))
        self._server_signature = _hmac(_hmac(salted, b"Server Key"), exchange)
        return f"{unproved},p={_base64(proof)}"

    def verify(self, message: str) -> None:
        """server-final-message: raises unless the server knows the password too."""
        name, value = _fields(message)[0]
        if name == "e":
            raise ScramFailed(f"the server refused the proof: {value}")
        if not self._server_signature or name != "v":
            raise ScramFailed("the server's last message proves nothing")
        if not hmac.compare_digest(_unbase64(value), self._server_signature):
            raise ScramFailed("the server does not know the password: it is not the one we were sent to")


def saslprep(password: str) -> str:
    """RFC 4013. A password that it forbids is used as it is, as PostgreSQL does."""
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in password
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not prepared or any(forbids(character) for character in prepared for forbids in _FORBIDDEN):
        return password
    if any(map(stringprep.in_table_d1, prepared)) and (
        any(map(stringprep.in_table_d2, prepared))
        or not (stringprep.in_table_d1(prepared[0]) and stringprep.in_table_d1(prepared[-1]))
    ):
        return password
    return prepared


_FORBIDDEN = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def _salted(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", saslprep(password).encode(), salt, iterations)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ScramFailed("this is not base64") from None


def _fields(message: str) -> list[tuple[str, str]]:
    """`a=b,c=d` in order. Raises for what is not of that shape, and for an extension that must be understood."""
    fields = []
    for part in message.split(","):
        name, separator, value = part.partition("=")
        if len(name) != 1 or not separator:
            raise ScramFailed("a SCRAM message has a field without a name")
        if name == "m":
            raise ScramFailed("a SCRAM message needs an extension that nobody here knows")
        fields.append((name, value))
    return fields
