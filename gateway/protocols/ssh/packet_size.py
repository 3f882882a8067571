"""Channels whose other end takes tiny packets alone are refused: data for it would cost a packet for each byte or so.

How much one packet may hold is for each end to say when a channel is opened (RFC 4254 §5.1), and no number is too small
there, though every implementation has to take packets of 32,768 bytes (RFC 4253 §6.1). What is refused costs the other
end that channel and no more.
"""
# ruff: noqa: SLF001

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncssh
from asyncssh.connection import SSHConnection
from asyncssh.constants import DEFAULT_LANG, MSG_CHANNEL_OPEN, MSG_CHANNEL_OPEN_CONFIRMATION
from asyncssh.packet import SSHPacket

LEAST = 1024
"""Bytes of data that one packet has to hold: no client in use asks for fewer than 4,096."""


def refusing_tiny_packets(connection: SSHConnection, refused: Callable[[str], object]) -> None:
    """From now on no channel is open to packets of less; `refused` is told of each that the other end asks for."""
    own: Any = connection
    theirs = own._packet_handlers

    def opening(_: object, kind: int, number: int, packet: SSHPacket) -> None:
        look = SSHPacket(packet.get_remaining_payload())
        look.get_string()
        channel, _window, size = look.get_uint32(), look.get_uint32(), look.get_uint32()
        if size >= LEAST:
            theirs[kind](own, kind, number, packet)
            return
        refused(f"a channel with packets of at most {size} bytes")
        own.send_channel_open_failure(
            channel, asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, _why(size), DEFAULT_LANG
        )

    def confirmed(_: object, kind: int, number: int, packet: SSHPacket) -> None:
        look = SSHPacket(packet.get_remaining_payload())
        ours, other, window, size = (look.get_uint32() for _ in range(4))
        channel = own._channels.get(ours)
        if size >= LEAST or channel is None or channel._open_waiter is None:
            theirs[kind](own, kind, number, packet)
        else:
            _close(channel, other, window, size, packet)

    own._packet_handlers = {**theirs, MSG_CHANNEL_OPEN: opening, MSG_CHANNEL_OPEN_CONFIRMATION: confirmed}


def _close(channel: Any, other: int, window: int, size: int, packet: SSHPacket) -> None:
    """It is open now at the other end: close it there, and let who waits for it hear that it failed."""
    waits: asyncio.Future[SSHPacket] = channel._open_waiter
    channel._open_waiter = waits.get_loop().create_future()
    channel.process_open_confirmation(other, window, size, packet)
    channel._session = (
        asyncssh.SSHClientSession()
    )  # hears what still comes, until the other end has closed it too
    channel.abort()
    if not waits.done():
        waits.set_exception(asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, _why(size)))


def _why(size: int) -> str:
    return f"packets of {size} bytes are too small, {LEAST} is the least"
