"""A throw-away relay for tests: one wire between a client and a real server, with a judge that is a plain function."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.model import Allow, Block, Command, Connection, Hold, Lineage, Session
from gateway.wire import (
    AnswerWithheld,
    Aside,
    CancelAsked,
    CommandAnswered,
    CommandAsked,
    CommandWithdrawn,
    Event,
    Hangup,
    Login,
    LoginAsked,
    LoginProved,
    Mask,
    Opening,
    Send,
    Side,
    Wire,
)
from tests.wires.masks import NOTHING

SESSION = Session(
    id="s1",
    lineage=Lineage(person="alice@example.com", chain=()),
    connection=Connection(name="shop", protocol="postgres"),
    scope=frozenset(),
    opened_at=0.0,
    expires_at=1e12,
)


@dataclass
class Pump:
    """`judge` answers at once, or with `None` to leave the command waiting for `decide`."""

    make_wire: Callable[[Opening], Wire]
    upstream: tuple[str, int]
    login: Login
    judge: Callable[[Command], Allow | Block | None] = lambda _command: Allow(rules=("test",))
    mask: Mask = NOTHING
    verifiers: dict[str, str] | None = None
    asked: list[Command] = field(default_factory=list)
    answered: list[CommandAnswered] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    sessions: list[_Live] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def __aenter__(self) -> Pump:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Live(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for live in self.sessions:
            live.close()
        await self._server.wait_closed()


class _Side(asyncio.Protocol):
    def __init__(self, received: Callable[[bytes], None]) -> None:
        self.received = received
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.received(b"")


class _Live(_Side):
    """One client."""

    def __init__(self, pump: Pump) -> None:
        super().__init__(lambda data: self.step(lambda: self.wire.receive(Side.CLIENT, data)))
        self.pump = pump
        self.wire = pump.make_wire(
            Opening(random=os.urandom, client_trusted_path=True, upstream_tls="disable")
        )
        self.up = _Side(lambda data: self.step(lambda: self.wire.receive(Side.UPSTREAM, data)))
        self.tasks: set[asyncio.Task[None]] = set()
        self.over = False
        self.held = ""
        """The command that waits for `decide`."""
        pump.sessions.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.step(self.wire.start)

    def step(self, enter: Callable[[], object]) -> None:
        if not self.over:
            try:
                self.carry_out(list(enter()))  # type: ignore[call-overload]
            except AnswerWithheld as withheld:
                self.carry_out(list(self.wire.end(str(withheld))))
                self.close()
            except BaseException:
                self.close()
                raise

    def carry_out(self, queue: list[Event]) -> None:
        while queue and not self.over:
            match queue.pop(0):
                case Send(Side.UPSTREAM, data):
                    self.up.transport.write(data)
                case Send(_, data):
                    self.transport.write(data)
                case CommandAsked(command):
                    self.pump.asked.append(command)
                    verdict = self.pump.judge(command)
                    if verdict is None:
                        queue[:0] = self.wire.notice(command.id, "held until somebody decides")
                        self.held = command.id
                        self.pump.held.set()
                    else:
                        queue[:0] = self.wire.answer(command.id, verdict, self.pump.mask)
                case CommandAnswered() as answered:
                    self.pump.answered.append(answered)
                case CommandWithdrawn(command_id):
                    self.pump.withdrawn.append(command_id)
                case LoginAsked(secret=None):
                    queue[:0] = self.wire.challenge(self.pump.verifiers)
                case LoginAsked() | LoginProved():
                    self.spawn(self.enter())
                case CancelAsked(key):
                    for live in self.pump.sessions:
                        if live.wire.cancel_key == key:
                            live.step(live.wire.cancel)
                case Aside(wire):
                    self.spawn(self.errand(wire))
                case Hangup():
                    self.close()

    async def enter(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self.up, *self.pump.upstream)
        self.step(lambda: self.wire.admit(SESSION, self.pump.login))

    async def errand(self, wire: Wire) -> None:
        reader, writer = await asyncio.open_connection(*self.pump.upstream)
        events = wire.start()
        while True:
            for event in events:
                if isinstance(event, Send):
                    writer.write(event.data)
            await writer.drain()
            if any(isinstance(event, Hangup) for event in events):
                break
            events = wire.receive(Side.UPSTREAM, await reader.read(65_536))
        writer.close()

    def decide(self, verdict: Allow | Block) -> None:
        """Answer what this client's wire has asked."""
        command_id, self.held = self.held, ""
        self.pump.held.clear()
        self.step(lambda: self.wire.answer(command_id, verdict, self.pump.mask))

    def spawn(self, work: object) -> None:
        task = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def close(self) -> None:
        self.over = True
        for side in (self, self.up):
            if side.transport is not None:
                side.transport.close()


__all__ = ["SESSION", "Hold", "Pump"]
