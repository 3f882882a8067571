"""What an agent's OpenSSH needs to enter a connection by certificate, as files in a directory of its own."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import asyncssh

from gateway.protocols.ssh.keys import ALIAS

Certify = Callable[[str], Mapping[str, Any]]
"""A public key -> the gateway's answer: `user`, `certificate`, `host_key`, `host_authority`."""


def write_access(directory: Path, *, name: str, host: str, port: int, certify: Certify) -> str:
    """Make a key here, have it certified, and write a configuration; the line that uses it.

    The private key never leaves the directory. Raises `OSError`.
    """
    private = asyncssh.generate_private_key("ssh-ed25519")
    answer = certify(private.export_public_key().decode())
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = {
        "key": private.export_private_key().decode(),
        "key-cert.pub": f"{answer['certificate']}\n",
        # Clients that know certificates go by the alias; others find the key itself.
        "known_hosts": f"@cert-authority {ALIAS} {answer['host_authority']}\n"
        f"{known_host(host, port, answer['host_key'])}\n",
        "config": _configuration(directory.resolve(), name, host, port, f"{answer['user']}%{name}"),
    }
    for each, text in files.items():
        _write(directory / each, text)
    return shlex.join(["ssh", "-F", str(directory / "config"), name])


def known_host(host: str, port: int, host_key: str) -> str:
    """The line of a known_hosts file by which clients know the gateway's key. Raises `ValueError` where that is none."""
    try:
        key = asyncssh.import_public_key(host_key).export_public_key().decode().split()
    except asyncssh.KeyImportError as error:
        raise ValueError("the host key is no public key") from error
    return " ".join([f"[{host}]:{port}" if port != 22 else host, *key[:2]])


def _configuration(directory: Path, name: str, host: str, port: int, user: str) -> str:
    options = {
        "HostName": host,
        "Port": str(port),
        "User": user,
        "IdentityFile": f'"{directory}/key"',
        "CertificateFile": f'"{directory}/key-cert.pub"',
        "IdentitiesOnly": "yes",
        "HostKeyAlias": ALIAS,
        "UserKnownHostsFile": f'"{directory}/known_hosts"',
        "StrictHostKeyChecking": "yes",
    }
    return f"Host {name}\n" + "".join(f"    {option} {value}\n" for option, value in options.items())


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
