"""What the gateway needs of SSH (`gateway.protocols.HostedModule`)."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Callable, Collection, Mapping
from typing import Any

from gateway.facts.shell import ATTRIBUTES, read
from gateway.model import Facts
from gateway.protocols.ssh import keys
from gateway.protocols.ssh.client import SEPARATOR
from gateway.protocols.ssh.configuration import known_host, write_access
from gateway.protocols.ssh.server import serve
from gateway.protocols.ssh.shapes import shape
from gateway.protocols.ssh.timeline import render, timed

SCHEMES: Mapping[str, int] = {"ssh": 22}
LONGEST_PASSWORD = 1_023
"""OpenSSH's client cuts what is longer (its `read_passphrase`)."""
OPTIONS: Mapping[str, Collection[str]] = {
    "shell": ("guarded", "refuse", "hold"),
    "forwarding": ("refused", "judged"),
    "binary": ("masked", "exact"),
}


def read_facts(row: Mapping[str, Any]) -> Facts:
    """The facts of `command`, or of the exact bytes in `command_b64`, as bash would read them.

    `session_before` lists lines of the same guarded session: what they set, define and change counts. Raises
    `ValueError` for a row without a command.
    """
    before = tuple(str(line) for line in row.get("session_before", ()))
    if "command_b64" in row:
        try:
            data = base64.b64decode(str(row["command_b64"]), validate=True)
        except binascii.Error:
            raise ValueError("command_b64 is not base64") from None
        return read(data.decode("utf-8", "surrogateescape"), before=before)
    if isinstance(row.get("command"), str):
        return read(str(row["command"]), before=before)
    raise ValueError("the row has neither command nor command_b64")


def environment(
    *, host: str, port: int, database: str, user: str, secret: str, tls: bool = False
) -> Mapping[str, str]:
    """For sshpass; clients with a password of their own take it from there too."""
    del host, port, database, user, tls
    return {"SSHPASS": secret}


def client_line(
    *, host: str, port: int, database: str, user: str, asks: bool = False, tls: bool = False
) -> str:
    """ssh, with the password from SSHPASS or asking for it; a command may follow."""
    del database, tls
    carried = [] if asks else ["sshpass", "-e"]
    return shlex.join([*carried, "ssh", "-p", str(port), f"{user}@{host}"])


def certify(
    secret: Callable[[str], bytes],
    public_key: str,
    *,
    connection: str,
    user: str,
    name: str,
    expires_at: float,
) -> Mapping[str, str]:
    """A user certificate for an agent's key; the server's own key, and what certifies that. Raises `ValueError`."""
    signed = keys.certify(
        secret(keys.AUTHORITY),
        public_key,
        principals=[user, f"{user}{SEPARATOR}{connection}"],
        name=name,
        expires_at=expires_at,
    )
    told = host(secret)
    return {"certificate": signed, "host_key": told["host_key"], "host_authority": told["host_authority"]}


def host(secret: Callable[[str], bytes]) -> Mapping[str, str]:
    """By what clients know the gateway: the server's own key, what certifies that, its fingerprint, and the next key if announced."""
    own, following = secret(keys.HOST), secret(keys.NEXT)
    told = {
        "host_key": keys.public_line(own),
        "host_authority": keys.public_line(secret(keys.HOSTS)),
        "fingerprint": keys.fingerprint(own),
    }
    if following != own:
        told |= {
            "next_host_key": keys.public_line(following),
            "next_fingerprint": keys.fingerprint(following),
        }
    return told


def authority(secret: Callable[[str], bytes]) -> str:
    """A line for a target's TrustedUserCAKeys file."""
    return keys.public_line(secret(keys.TARGETS))


__all__ = [
    "ATTRIBUTES",
    "OPTIONS",
    "SCHEMES",
    "authority",
    "certify",
    "client_line",
    "environment",
    "host",
    "known_host",
    "read_facts",
    "render",
    "serve",
    "shape",
    "timed",
    "write_access",
]
