"""Sessions through the gateway, as psycopg has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import psycopg

from tests.live.house import Gateway

Notes = Callable[[], list[str]]
Connection: TypeAlias = psycopg.Connection[Any]
AsyncConnection: TypeAlias = psycopg.AsyncConnection[Any]


def session_of(connection: Connection) -> str:
    name = connection.info.parameter_status("application_name") or ""
    session = re.search(r"\[countersign (\w+)", name)
    assert session, name
    return session[1]


def judged(gateway: Gateway, connection: Connection) -> list[str]:
    """The texts of all commands that the gateway has judged in this connection's session."""
    page = gateway.operator.call(f"/v1/sessions/{session_of(connection)}/transcript?limit=500")
    return [entry["text"] for entry in page["entries"] if entry["kind"] == "command"]
