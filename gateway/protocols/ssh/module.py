"""What the gateway needs of SSH (`gateway.protocols.HostedModule`)."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Collection, Mapping
from typing import Any

from gateway.facts.shell import ATTRIBUTES, read, unread
from gateway.model import Facts
from gateway.protocols.ssh.server import serve
from gateway.protocols.ssh.timeline import render

SCHEMES: Mapping[str, int] = {"ssh": 22}
OPTIONS: Mapping[str, Collection[str]] = {"shell": ("guarded", "refuse", "hold")}


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
        try:
            return read(data.decode(), before=before)
        except UnicodeDecodeError:
            return unread("the text is not UTF-8")
    if isinstance(row.get("command"), str):
        return read(str(row["command"]), before=before)
    raise ValueError("the row has neither command nor command_b64")


def environment(*, host: str, port: int, database: str, user: str, secret: str) -> Mapping[str, str]:
    """For sshpass; clients with a password of their own take it from there too."""
    del host, port, database, user
    return {"SSHPASS": secret}


def client_line(*, host: str, port: int, database: str, user: str) -> str:
    """ssh, with the password from SSHPASS; a command may follow."""
    del database
    return shlex.join(["sshpass", "-e", "ssh", "-p", str(port), f"{user}@{host}"])


__all__ = ["ATTRIBUTES", "OPTIONS", "SCHEMES", "client_line", "environment", "read_facts", "render", "serve"]
