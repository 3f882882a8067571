"""The gateway's own keys, and the certificates they sign: for agents' keys here, for the gateway's sessions at targets.

All keys come from secrets that outlive restarts, so what clients and targets were told to trust stays true.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

HOST, NEXT, HOSTS, AUTHORITY, TARGETS = "host", "host-next", "hosts", "authority", "targets"
"""What a secret is for: the server's own key; the one that will follow it, or the same where none is announced; signing that; signing agents' keys; signing the gateway's keys for targets."""
ALIAS = "countersign"
"""What the server is called in its certificate, wherever it is reached."""
FOR_A_SESSION = 300.0
"""Seconds that a certificate for a target lives: long enough to log in."""


def key(seed: bytes) -> asyncssh.SSHKey:
    """The Ed25519 key of these 32 bytes."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return asyncssh.import_private_key(pem.decode())


def public_line(seed: bytes) -> str:
    """As known_hosts and TrustedUserCAKeys files have it."""
    return key(seed).export_public_key().decode().strip()


def fingerprint(seed: bytes) -> str:
    """As OpenSSH's client shows the key of a server that it does not know."""
    return key(seed).get_fingerprint()


def certify(seed: bytes, public_key: str, *, principals: Sequence[str], name: str, expires_at: float) -> str:
    """A user certificate for an agent's key, good for these principals alone. Raises `ValueError`.

    What its agent may have forwarded is up to the policy.
    """
    try:
        theirs = asyncssh.import_public_key(public_key)
    except asyncssh.KeyImportError as error:
        raise ValueError("public_key is no public key: send the one line of a .pub file") from error
    return _signed(key(seed), theirs, principals=principals, name=name, expires_at=expires_at, forwards=True)


def host_certificate(authority: bytes, host: asyncssh.SSHKey) -> asyncssh.SSHCertificate:
    """The server's own key, certified for as long as the keys last: the names it is reached by are not known here."""
    return key(authority).generate_host_certificate(host, ALIAS, principals=[ALIAS])


def session_key(
    seed: bytes, *, principal: str, name: str, now: float, forwards: bool
) -> tuple[asyncssh.SSHKey, asyncssh.SSHCertificate]:
    """A key of one session's own and its certificate, for a target that trusts the gateway's authority."""
    own = asyncssh.generate_private_key("ssh-ed25519")
    expires_at = now + FOR_A_SESSION
    text = _signed(
        key(seed), own, principals=[principal], name=name, expires_at=expires_at, forwards=forwards
    )
    return own, asyncssh.import_certificate(text)


def _signed(
    authority: asyncssh.SSHKey,
    subject: asyncssh.SSHKey,
    *,
    principals: Sequence[str],
    name: str,
    expires_at: float,
    forwards: bool,
) -> str:
    certificate = authority.generate_user_certificate(
        subject,
        name,
        principals=list(principals),
        valid_before=int(expires_at),
        permit_x11_forwarding=False,
        permit_agent_forwarding=False,
        permit_port_forwarding=forwards,
        permit_user_rc=False,
    )
    return certificate.export_certificate().decode().strip()
