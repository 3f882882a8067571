"""What the gateway needs of MySQL and MariaDB (`gateway.protocols.CommandReader`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.facts.mysql import ATTRIBUTES, Context, Server, follow, likewise
from gateway.facts.schema import Schema
from gateway.model import Command, Facts, Shape
from gateway.protocols.explained_row import command_bytes
from gateway.protocols.mysql.catalogue import NOTHING, Known
from gateway.protocols.mysql.catalogue import survey as _survey
from gateway.protocols.mysql.powers import powers
from gateway.wire import Login, Upstream

SCHEMES: Mapping[str, int] = {"mysql": 3306, "mariadb": 3306}


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


def knowledge() -> Known:
    return Known()


def schema(known: Known) -> Schema | None:
    return known.schema


async def survey(upstream: Upstream, login: Login, known: Known) -> str:
    return await _survey(upstream, login, known)


__all__ = ["ATTRIBUTES", "SCHEMES", "knowledge", "powers", "read_facts", "schema", "shape", "survey"]
