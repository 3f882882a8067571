"""TLS over bytes that somebody else moves: ciphertext in, plaintext out, and the reverse.

`ssl.MemoryBIO` rather than the event loop's own upgrade, because a protocol may begin TLS in the middle of a
connection (PostgreSQL's SSLRequest), or with the first bytes of the handshake already read (direct TLS), and
nothing may slip past between the two.
"""

from __future__ import annotations

import contextlib
import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

CHUNK = 64 * 1024


class TlsFailed(Exception):
    """The handshake did not succeed, or the peer broke TLS afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decrypted:
    """What one arrival of ciphertext led to."""

    plaintext: bytes = b""
    reply: bytes = b""
    """Bytes that the peer must get: handshake messages, alerts."""
    established: bool = False
    """The handshake ended with this arrival."""
    closed: bool = False
    """The peer said that it will send no more."""


class TlsLayer:
    """One side's TLS connection."""

    def __init__(
        self, context: ssl.SSLContext, *, server_side: bool, server_hostname: str | None = None
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_hostname
        )
        self._established = False

    def start(self) -> bytes:
        """The first bytes to send: a client's hello, nothing for a server."""
        return self.receive(b"").reply

    def receive(self, data: bytes) -> Decrypted:
        """Ciphertext has arrived. Raises `TlsFailed`; `last_words` then holds the alert for the peer."""
        self._incoming.write(data)
        established = False
        closed = False
        parts: list[bytes] = []
        try:
            if not self._established:
                self._object.do_handshake()
                self._established = established = True
            while True:
                part = self._object.read(CHUNK)
                if not part:
                    closed = True
                    break
                parts.append(part)
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass
        except ssl.SSLZeroReturnError:
            closed = True
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise TlsFailed(_reason(error)) from error
        return Decrypted(
            plaintext=b"".join(parts), reply=self._outgoing.read(), established=established, closed=closed
        )

    def send(self, data: bytes) -> bytes:
        """`data` encrypted. Only after the handshake."""
        self._object.write(data)
        return self._outgoing.read()

    def close(self) -> bytes:
        """The farewell to send before the transport closes."""
        with contextlib.suppress(ssl.SSLError):
            self._object.unwrap()
        return self._outgoing.read()

    @property
    def last_words(self) -> bytes:
        return self._outgoing.read()

    @property
    def agreed_protocol(self) -> str | None:
        """What ALPN (RFC 7301) agreed on."""
        return self._object.selected_alpn_protocol()

    @property
    def peer_certificate(self) -> bytes:
        """The peer's certificate in DER; b"" where it showed none."""
        return self._object.getpeercert(binary_form=True) or b""


def end_point(certificate: bytes) -> bytes:
    """The `tls-server-end-point` channel binding of a DER certificate (RFC 5929 §4.1)."""
    if not certificate:
        return b""
    algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    name = algorithm.name if algorithm is not None else "sha256"
    return hashlib.new("sha256" if name in {"md5", "sha1"} else name, certificate).digest()


def leaf(certificate_file: str) -> bytes:
    """The first certificate of a PEM file, in DER."""
    return x509.load_pem_x509_certificates(Path(certificate_file).read_bytes())[0].public_bytes(Encoding.DER)


def server_context(certificate: str, key: str, *, alpn: str = "") -> ssl.SSLContext:
    """What clients meet. TLS 1.2 or later; sessions are not resumed, so that each one is judged afresh."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def client_context(mode: str, *, authority: str | None = None, alpn: str = "") -> ssl.SSLContext:
    """How targets are met: `verify-full` checks chain and host name, `require` only encrypts."""
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def _reason(error: ssl.SSLError | ssl.CertificateError) -> str:
    message = getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__
    return str(message).replace("_", " ").lower()
