"""The target as requests to it name it, and how they prove there who the gateway is."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from enum import Enum
from typing import Final
from urllib.parse import quote

from gateway.model import Session
from gateway.protocols.http.framing import Header
from gateway.wire import Login, Opening

_USUAL: Final = {True: 443, False: 80}


class Link(Enum):
    """The connection to it."""

    OPENING = "the target is being reached"
    UP = "requests can be sent"
    DOWN = "the connection is of no more use"


class Target:
    """For one session, with the credential of one login."""

    def __init__(self, opening: Opening, session: Session, login: Login) -> None:
        encrypted = opening.upstream_tls != "disable"
        self.authority: Final = authority(opening)
        scheme = "https" if encrypted else "http"
        host, port = _bracketed(opening.upstream_host), opening.upstream_port
        names = {self.authority, f"{host}:{port}"} | ({host} if port == _USUAL[encrypted] else set())
        self.origins: Final[Sequence[bytes]] = [
            f"{begins}//{name}".lower().encode() for begins in (f"{scheme}:", "") for name in names
        ]
        credential = _credential(login)
        self.secrets: Final[Sequence[bytes]] = [
            secret for secret in (login.password.encode(), credential.partition(b" ")[2]) if secret
        ]
        self.headers: Final[Sequence[Header]] = [
            (b"Host", self.authority.encode()),
            *([(b"Authorization", credential)] if credential else []),
            (b"X-Countersign-Session", session.id.encode()),
            (b"X-Countersign-Lineage", _lineage(session)),
        ]


def authority(opening: Opening) -> str:
    """As `Host` has it: the port is left out where it is the scheme's own."""
    host, port = _bracketed(opening.upstream_host), opening.upstream_port
    return host if port == _USUAL[opening.upstream_tls != "disable"] else f"{host}:{port}"


def address(host: str, port: int, *, tls: bool) -> str:
    """The gateway's own, as clients are told it."""
    return f"{'https' if tls else 'http'}://{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _credential(login: Login) -> bytes:
    if login.user:
        return b"Basic " + base64.b64encode(f"{login.user}:{login.password}".encode())
    return b"Bearer " + login.password.encode() if login.password else b""


def _lineage(session: Session) -> bytes:
    """Person first, and the one asking last; what is no plain name is escaped as in an address."""
    lineage = session.lineage
    names = [lineage.person, *(actor.name for actor in lineage.chain)]
    return ", ".join(quote(name, safe="@.+_-") for name in names if name).encode()
