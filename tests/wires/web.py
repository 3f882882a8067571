"""HTTP sessions, scripted: requests and answers as bytes, and what became of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.model import Actor, Allow, Block, Command, Connection, Lineage, Session
from gateway.protocols.http.speech import HTTP, Speech
from gateway.protocols.http.wire import HttpWire
from gateway.wire import (
    CommandAnswered,
    CommandAsked,
    Event,
    Hangup,
    Limits,
    Login,
    LoginAsked,
    Mask,
    Opening,
    Reconnect,
    Send,
    Side,
    StartTls,
)
from tests.wires.conformance import ALLOW
from tests.wires.masks import NOTHING

SESSION = Session(
    id="s1",
    lineage=Lineage(person="alice@example.com", chain=(Actor(name="pipeline", token_id="t1"),)),
    connection=Connection(name="shop", protocol="http"),
    scope=frozenset(),
    opened_at=0.0,
    expires_at=1e12,
)
LOGIN = Login(user="", password="stored-credential")
TOKEN = b"token"
OWN = (
    b"Host: shop.internal\r\nAuthorization: Bearer stored-credential\r\n"
    b"X-Countersign-Session: s1\r\nX-Countersign-Lineage: alice@example.com, pipeline\r\n"
)
"""The headers that the target gets from the gateway."""


def opening(**settings: object) -> Opening:
    return Opening(
        **{
            "random": os.urandom,
            "client_trusted_path": True,
            "upstream_tls": "disable",
            "upstream_host": "shop.internal",
            "upstream_port": 80,
            **settings,
        }
    )


def request(
    start: str = "GET /orders", *headers: str, body: bytes = b"", token: bytes = TOKEN, version: str = "1.1"
) -> bytes:
    """As a client sends it."""
    head = [f"{start} HTTP/{version}", "Host: gate", *headers]
    if body:
        head.append(f"Content-Length: {len(body)}")
    if token:
        head.append(f"Authorization: Bearer {token.decode()}")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def sent(start: str = "GET /orders", *headers: str, body: bytes = b"") -> bytes:
    """As the target gets it."""
    length = [f"Content-Length: {len(body)}"] if body else []
    lines = "".join(f"{each}\r\n" for each in [*headers, *length, "Accept-Encoding: identity"])
    return f"{start} HTTP/1.1\r\n".encode() + OWN + lines.encode() + b"\r\n" + body


def answer(status: str = "200 OK", *headers: str, body: bytes = b"fine") -> bytes:
    head = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Web:
    """One connection of a client, with its gateway's side played."""

    wire: HttpWire
    judge: Callable[[Command], Allow | Block | None] = lambda _command: ALLOW
    mask: Mask = NOTHING
    login: Login = LOGIN
    admits: bool = True
    encrypts: bool = True
    """The target answers to the start of TLS."""
    asked: list[Command] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    to_client: bytes = b""
    to_target: bytes = b""

    def client(self, data: bytes) -> bytes:
        """What the client gets at once for these bytes."""
        return self._heard(self.wire.receive(Side.CLIENT, data))

    def target(self, data: bytes) -> bytes:
        """What the client gets at once for these bytes of the target."""
        return self._heard(self.wire.receive(Side.UPSTREAM, data))

    def decide(self, verdict: Allow | Block) -> bytes:
        return self._heard(self.wire.answer(self.asked[-1].id, verdict, self.mask))

    def told(self, events: Sequence[Event]) -> bytes:
        return self._heard(events)

    def sent(self) -> bytes:
        """What the target got since this was last asked."""
        found, self.to_target = self.to_target, b""
        return found

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def outcomes(self) -> list[tuple[str, bool]]:
        return [(event.outcome, event.failed) for event in self.events if isinstance(event, CommandAnswered)]

    @property
    def over(self) -> bool:
        return bool(self.of(Hangup))

    def _heard(self, events: Sequence[Event]) -> bytes:
        self.to_client = b""
        queue = list(events)
        while queue:
            event = queue.pop(0)
            self.events.append(event)
            match event:
                case Send(Side.CLIENT, data):
                    self.to_client += data
                case Send(_, data):
                    self.to_target += data
                case CommandAsked(command):
                    self.asked.append(command)
                    verdict = self.judge(command)
                    if verdict is not None:
                        queue[:0] = self.wire.answer(command.id, verdict, self.mask)
                case LoginAsked() | Reconnect() if self.admits:
                    queue[:0] = self.wire.admit(SESSION, self.login)
                case StartTls(Side.UPSTREAM) if self.encrypts:
                    queue[:0] = self.wire.tls_started(Side.UPSTREAM, b"")
        return self.to_client


def web(
    judge: Callable[[Command], Allow | Block | None] = lambda _command: ALLOW,
    *,
    mask: Mask = NOTHING,
    limits: Limits | None = None,
    login: Login = LOGIN,
    speech: Speech = HTTP,
    **settings: object,
) -> Web:
    if limits is not None:
        settings["limits"] = limits
    return Web(HttpWire(opening(**settings), speech), judge=judge, mask=mask, login=login)


def status(said: bytes) -> int:
    """Of the one answer that a client got."""
    assert said.startswith(b"HTTP/1.1 "), said
    return int(said[9:12])
