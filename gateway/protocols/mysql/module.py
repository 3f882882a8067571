"""What the gateway needs of MySQL and MariaDB (`gateway.protocols.CommandReader`)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from gateway.contract import Estimate
from gateway.facts.mysql import ATTRIBUTES, Context, Server, follow, likewise
from gateway.facts.schema import Schema
from gateway.model import Command, Facts, Shape
from gateway.protocols.explained_row import command_bytes
from gateway.protocols.mysql.catalogue import NOTHING, Known
from gateway.protocols.mysql.catalogue import survey as _survey
from gateway.protocols.mysql.powers import powers
from gateway.protocols.mysql.replay import render
from gateway.protocols.mysql.wire import MysqlWire
from gateway.wire import Login, Opening, Upstream, Wire

SCHEMES: Mapping[str, int] = {"mysql": 3306, "mariadb": 3306}
ALPN = ""


def open_wire(opening: Opening) -> Wire:
    return MysqlWire(opening, opening.known if isinstance(opening.known, Known) else Known())


def read_facts(row: Mapping[str, Any], known: Known | None = None) -> Facts:
    """The facts of `command`, or of the bytes in `command_b64`, as a session would read them.

    `dialect` says for which server; without it, for both. `session_before` lists texts that went through before on the
    same session: what they set, prepare and use counts. Raises `ValueError` for a row without a command.
    """
    dialect = str(row.get("dialect", "")).lower()
    servers = (Server(dialect),) if dialect in {"mysql", "mariadb"} else tuple(Server)
    context = Context(servers=servers)
    for before in row.get("session_before", ()):
        context = follow(str(before), context)
    texts = known.texts if known is not None else NOTHING
    return texts.read(command_bytes(row).decode("utf-8", "replace"), context)


def shape(command: Command, facts: Facts) -> Shape | None:
    return likewise.shape(command.text, facts)


def environment(
    *, host: str, port: int, database: str, user: str, secret: str, tls: bool = False
) -> Mapping[str, str]:
    """The variables that mysql and mariadb read; who connects and to what they take from their command line."""
    del database, user, tls
    return {"MYSQL_HOST": host, "MYSQL_TCP_PORT": str(port), "MYSQL_PWD": secret}


def client_line(
    *, host: str, port: int, database: str, user: str, asks: bool = False, tls: bool = False
) -> str:
    """mysql, asking for the secret or taking it from MYSQL_PWD.

    MariaDB's before 11.4 has to be told to use TLS, by an option that MySQL's no longer has: `loose` lets that one pass.
    """
    line = ["mysql", "--protocol=TCP", f"--host={host}", f"--port={port}", f"--user={user}"]
    line += ["--loose-ssl"] if tls else []
    line += ["--password"] if asks else []
    return shlex.join([*line, database] if database else line)


async def estimate(upstream: Upstream, login: Login, command: Command) -> Estimate | None:
    """None: what EXPLAIN counts is the rows that are looked at, and another connection may read the text otherwise."""
    del upstream, login, command
    return None


def knowledge() -> Known:
    return Known()


def schema(known: Known) -> Schema | None:
    return known.schema


async def survey(upstream: Upstream, login: Login, known: Known) -> str:
    return await _survey(upstream, login, known)


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
