"""A session that begins, scripted: its first packets, and what the wire sends to either side."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.protocols.postgres import messages
from gateway.protocols.postgres.wire import PostgresWire
from gateway.wire import Event, Login, Send, Side
from tests.wires.playbook import startup
from tests.wires.pump import SESSION

SSL, GSS = messages.untagged(messages.SSL_REQUEST), messages.untagged(messages.GSSENC_REQUEST)
HELLO = b"\x16\x03\x01\x02\x00\x01"
LOGIN = Login(user="gateway", password="stored", database="shop", application="cs-1")


def client(wire: PostgresWire, data: bytes) -> Sequence[Event]:
    return wire.receive(Side.CLIENT, data)


def server(wire: PostgresWire, data: bytes) -> Sequence[Event]:
    return wire.receive(Side.UPSTREAM, data)


def asked(wire: PostgresWire, **parameters: str) -> Sequence[Event]:
    return client(wire, startup(**{"user": "alice", "database": "shop", **parameters}))


def sent(events: Sequence[Event], side: Side) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Send) and event.to is side)


def admitted(wire: PostgresWire, **parameters: str) -> Sequence[Event]:
    asked(wire, **parameters)
    wire.challenge(None)
    client(wire, messages.password(b"token\0"))
    return wire.admit(SESSION, LOGIN)
