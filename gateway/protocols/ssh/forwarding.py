"""A forwarded connection (RFC 4254 §7.2): where it goes is judged, what flows through it is counted and not read."""

from __future__ import annotations

from typing import Any

import asyncssh

from gateway.hosted import Refused, SessionOver
from gateway.model import Block
from gateway.protocols.ssh import asking
from gateway.protocols.ssh.channel import Behind
from gateway.wire import CommandAnswered

PROHIBITED = asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED


async def forward(client: Behind, host: str, port: int) -> asyncssh.SSHTCPSession[bytes]:
    """The client's end of a connection that the target makes. Raises `asyncssh.ChannelOpenError`."""
    if client.leads_around(host, port):
        raise asyncssh.ChannelOpenError(PROHIBITED, "This leads around the gateway.")
    command = asking.forward(host, port)
    try:
        ruling = await client.seat.judge(command, lambda _: None)
        if isinstance(ruling.verdict, Block):
            raise asyncssh.ChannelOpenError(PROHIBITED, ruling.verdict.message)
        ends = _Ends(client, command.id)
        target = await client.target()
        await target.create_connection(lambda: ends.target, host, port)
    except Refused as refused:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, str(refused)) from refused
    except SessionOver:
        raise asyncssh.ChannelOpenError(PROHIBITED, "The session is over.") from None
    return ends.client


class _Ends:
    """The two channels of one forwarded connection."""

    def __init__(self, behind: Behind, command_id: str) -> None:
        self._behind = behind
        self._command_id = command_id
        self._over = False
        self.client, self.target = _End(self), _End(self)
        self.client.other, self.target.other = self.target, self.client

    def over(self) -> None:
        if self._over:
            return
        self._over = True
        sent, received = self.client.passed, self.target.passed
        self._behind.seat.answered(
            CommandAnswered(self._command_id, outcome=f"{sent} bytes out, {received} bytes back")
        )


class _End(asyncssh.SSHTCPSession[bytes]):
    other: _End

    def __init__(self, ends: _Ends) -> None:
        self._ends = ends
        self.passed = 0
        self.channel: asyncssh.SSHTCPChannel[bytes] | None = None
        self._early: list[bytes] = []

    def connection_made(self, chan: Any) -> None:
        self.channel = chan
        for data in self._early:
            chan.write(data)
        self._early.clear()

    def write(self, data: bytes) -> None:
        if self.channel is None:
            self._early.append(data)
        elif not self.channel.is_closing():
            self.channel.write(data)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        del datatype
        self.passed += len(data)
        self.other.write(data)

    def eof_received(self) -> bool:
        if self.other.channel is not None and not self.other.channel.is_closing():
            self.other.channel.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.other.channel is not None:
            self.other.channel.pause_reading()

    def resume_writing(self) -> None:
        if self.other.channel is not None:
            self.other.channel.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.other.channel is not None:
            self.other.channel.close()
        self._ends.over()
