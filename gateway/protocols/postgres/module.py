"""What the gateway needs of PostgreSQL (`gateway.protocols.ProtocolModule`)."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Mapping
from typing import Any

from gateway.contract import Estimate
from gateway.facts.postgres import ATTRIBUTES, read
from gateway.model import Command, Effect, Facts
from gateway.protocols.postgres.copy import plan_copy
from gateway.protocols.postgres.estimate import Upstream
from gateway.protocols.postgres.estimate import estimate as _estimate
from gateway.protocols.postgres.replay import render
from gateway.protocols.postgres.results import plan_rows
from gateway.protocols.postgres.wire import PostgresWire
from gateway.wire import Login, Opening, Wire

DEFAULT_PORT = 5432
ALPN = "postgresql"


def open_wire(opening: Opening) -> Wire:
    return PostgresWire(opening, read=read, plan_rows=plan_rows, plan_copy=plan_copy)


def read_facts(row: Mapping[str, Any]) -> Facts:
    """The facts of `command`, or of the exact bytes in `command_b64`; bytes that are not UTF-8 cannot be read."""
    if "command_b64" in row:
        try:
            data = base64.b64decode(str(row["command_b64"]), validate=True)
        except binascii.Error:
            raise ValueError("command_b64 is not base64") from None
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)
    elif isinstance(row.get("command"), str):
        text = row["command"]
    else:
        raise ValueError("the row has neither command nor command_b64")
    if "\0" in text:
        return Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)
    return read(text)


def environment(*, host: str, port: int, database: str, user: str, secret: str) -> Mapping[str, str]:
    """The variables of libpq: psql and every driver built on it read them."""
    return {"PGHOST": host, "PGPORT": str(port), "PGDATABASE": database, "PGUSER": user, "PGPASSWORD": secret}


def client_line(*, host: str, port: int, database: str, user: str) -> str:
    """psql, asking for the secret or taking it from PGPASSWORD."""
    return shlex.join(["psql", f"host={host} port={port} dbname={database} user={user}"])


async def estimate(upstream: Upstream, login: Login, command: Command) -> Estimate | None:
    return await _estimate(upstream, login, command)


__all__ = [
    "ALPN",
    "ATTRIBUTES",
    "DEFAULT_PORT",
    "client_line",
    "environment",
    "estimate",
    "open_wire",
    "read_facts",
    "render",
]
