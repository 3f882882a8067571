"""A forwarded connection (RFC 4254 §7.2): where it goes is judged, what flows through it is counted and not read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncssh

from gateway.hosted import Refused, SessionOver
from gateway.model import Block
from gateway.protocols.ssh import asking
from gateway.protocols.ssh.behind import Behind
from gateway.protocols.ssh.bulk import gives_in_bulk
from gateway.protocols.ssh.kept import WINDOW, Kept
from gateway.wire import CommandAnswered

PROHIBITED = asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED


async def forward(client: Behind, host: str, port: int) -> asyncssh.SSHTCPSession[bytes]:
    """The client's end of a connection that the target makes. Raises `asyncssh.ChannelOpenError`."""
    try:
        return await _forward(client, host, port)
    except BaseException:
        client.forwarded()
        raise


async def _forward(client: Behind, host: str, port: int) -> asyncssh.SSHTCPSession[bytes]:
    if await client.leads_around(host, port):
        client.refused(f"forwarding around the gateway to {asking.place(host, port)}")
        raise asyncssh.ChannelOpenError(PROHIBITED, "This leads around the gateway.")
    command = asking.forward(host, port)
    try:
        ruling = await client.seat.judge(command, lambda _: None)
    except SessionOver:
        raise asyncssh.ChannelOpenError(PROHIBITED, "The session is over.") from None
    if isinstance(ruling.verdict, Block):
        raise asyncssh.ChannelOpenError(PROHIBITED, ruling.verdict.message)
    ends = _Ends(client, command.id)
    try:
        target = await client.target()
        await target.create_connection(lambda: ends.target, host, port, window=WINDOW)
    except (Refused, asyncssh.Error, OSError) as error:
        why = str(error) if isinstance(error, Refused) else "The target cannot connect there."
        client.seat.answered(CommandAnswered(command.id, outcome="not connected", failed=True))
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, why) from error
    return ends.client


class _Ends:
    """The two channels of one forwarded connection."""

    def __init__(self, behind: Behind, command_id: str) -> None:
        self._behind = behind
        self._command_id = command_id
        self._over = False
        self._kept = Kept(behind.room)
        self.client, self.target = _End(self, "client"), _End(self, "target")
        self.client.other, self.target.other = self.target, self.client

    def moved(self) -> None:
        self._behind.seat.active()

    def unread(self, side: str, *, on: bool) -> None:
        if not self._kept.unread(side, on=on):
            self.client.closes()
            self.target.closes()

    def over(self) -> None:
        if self._over:
            return
        self._over = True
        self._kept.close()
        self._behind.forwarded()
        sent, received = self.client.passed, self.target.passed
        self._behind.seat.answered(
            CommandAnswered(self._command_id, outcome=f"{sent} bytes out, {received} bytes back")
        )


class _End(asyncssh.SSHTCPSession[bytes]):
    other: _End

    def __init__(self, ends: _Ends, side: str) -> None:
        self._ends = ends
        self._side = side
        self.passed = 0
        self._channel: asyncssh.SSHTCPChannel[bytes] | None = None
        self._early: list[Callable[[asyncssh.SSHTCPChannel[bytes]], None]] = []
        """What the other end did before this one was there."""

    def connection_made(self, chan: Any) -> None:
        self._channel = chan
        gives_in_bulk(chan)
        for act in self._early:
            act(chan)
        self._early.clear()

    def does(self, act: Callable[[asyncssh.SSHTCPChannel[bytes]], None]) -> None:
        if self._channel is None:
            self._early.append(act)
        elif not self._channel.is_closing():
            act(self._channel)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        del datatype
        self.passed += len(data)
        self._ends.moved()
        self.other.does(lambda channel: channel.write(data))

    def eof_received(self) -> bool:
        self.other.does(lambda channel: channel.write_eof())
        return True

    def pause_writing(self) -> None:
        self.other.reads(on=False)

    def resume_writing(self) -> None:
        self.other.reads(on=True)

    def reads(self, *, on: bool) -> None:
        if self._channel is not None:
            (self._channel.resume_reading if on else self._channel.pause_reading)()
            self._ends.unread(self._side, on=not on)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.other.closes()
        self._ends.over()

    def closes(self) -> None:
        if self._channel is not None:
            self._channel.close()
        else:
            self._early.append(lambda channel: channel.close())
