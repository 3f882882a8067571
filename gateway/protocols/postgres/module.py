"""What the gateway needs of PostgreSQL (`gateway.protocols.ProtocolModule`)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from copy import copy
from typing import Any

from gateway.contract import Estimate
from gateway.facts.postgres import ATTRIBUTES, likewise
from gateway.facts.schema import Schema
from gateway.model import Command, Facts, Shape
from gateway.protocols.explained_row import command_bytes
from gateway.protocols.postgres.catalogue import survey as _survey
from gateway.protocols.postgres.estimate import estimate as _estimate
from gateway.protocols.postgres.exchange import Exchange
from gateway.protocols.postgres.knowing import Knowing, Known
from gateway.protocols.postgres.powers import powers
from gateway.protocols.postgres.reading import Reader
from gateway.protocols.postgres.replay import render
from gateway.protocols.postgres.wire import PostgresWire
from gateway.wire import Limits, Login, Opening, Upstream, Wire

SCHEMES: Mapping[str, int] = {"postgresql": 5432, "postgres": 5432}
ALPN = "postgresql"


def open_wire(opening: Opening) -> Wire:
    knowing = Knowing(opening.known if isinstance(opening.known, Known) else Known())
    return PostgresWire(
        opening,
        read=knowing.read,
        read_each=knowing.read_each,
        plan_rows=knowing.plan_rows,
        plan_copy=knowing.plan_copy,
        background=knowing,
    )


def read_facts(row: Mapping[str, Any], known: Known | None = None) -> Facts:
    """The facts of `command`, or of the exact bytes in `command_b64`, as a session would read them.

    `session_before` lists texts that went through before on the same session: what they prepare, declare and set
    counts. Raises `ValueError` for a row without a command.
    """
    exchange = Exchange(limits=Limits())
    # What went before counts for this session alone: others may read by the same knowledge.
    knowing = Knowing(copy(known) if known is not None else Known())
    reader = Reader(exchange, knowing.read)
    for before in row.get("session_before", ()):
        text = str(before)
        statement = reader.statement(text.encode())
        exchange.names.run(0, statement)
        knowing.released(statement.facts, text)
        for name, value in _SETS.findall(text):
            exchange.reported(name.lower(), value.lower())
    data = command_bytes(row)
    if b"\0" in data:
        return reader.unknown("").facts
    statement, _ = reader.judged(reader.statement(data))
    return statement.facts


_SETS = re.compile(
    r"""\b(standard_conforming_strings|client_encoding)\b['"]?\s*(?:=|,|\bto\b)\s*['"]?(\w+)""", re.IGNORECASE
)
"""Settings that change how texts are read, as SET, SET SESSION and set_config name them."""


def shape(command: Command, facts: Facts) -> Shape | None:
    return likewise.shape(command.text, facts, command.parameters)


def environment(
    *, host: str, port: int, database: str, user: str, secret: str, tls: bool = False
) -> Mapping[str, str]:
    """The variables of libpq: psql and every driver built on it read them."""
    del tls  # they find out
    return {"PGHOST": host, "PGPORT": str(port), "PGDATABASE": database, "PGUSER": user, "PGPASSWORD": secret}


def client_line(
    *, host: str, port: int, database: str, user: str, asks: bool = False, tls: bool = False
) -> str:
    """psql, asking for the secret or taking it from PGPASSWORD."""
    del asks, tls  # it asks where the variable is not set, and finds out whether there is TLS
    return shlex.join(["psql", f"host={host} port={port} dbname={database} user={user}"])


def knowledge() -> Known:
    return Known()


def schema(known: Known) -> Schema | None:
    return known.schema


async def survey(upstream: Upstream, login: Login, known: Known) -> str:
    return await _survey(upstream, login, known)


async def estimate(upstream: Upstream, login: Login, command: Command) -> Estimate | None:
    return await _estimate(upstream, login, command)


__all__ = [
    "ALPN",
    "ATTRIBUTES",
    "SCHEMES",
    "client_line",
    "environment",
    "estimate",
    "knowledge",
    "open_wire",
    "powers",
    "read_facts",
    "render",
    "schema",
    "shape",
    "survey",
]
