"""What a client sends that is no UTF-8: the library refuses it, or ends the connection for it, before anybody hears of it.

Its handlers are looked up by the name of the request, so another one can stand in their place.
"""
# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncssh
from asyncssh.packet import SSHPacket


def taking_bytes(channel: asyncssh.SSHServerChannel[Any]) -> asyncssh.SSHServerChannel[Any]:
    """The channel; in the commands and subsystems asked for, each byte that is no UTF-8 comes as a lone surrogate."""

    def text(packet: SSHPacket) -> str:
        sent = packet.get_string()
        packet.check_end()
        return sent.decode("utf-8", "surrogateescape")

    own: Any = channel
    own._process_exec_request = lambda packet: own._start_session(command=text(packet))
    own._process_subsystem_request = lambda packet: own._start_session(subsystem=text(packet))
    return channel


def refusing_hosts(connection: asyncssh.SSHServerConnection, refused: Callable[[str], bool]) -> None:
    """Where no host can have the name that is asked for, that channel is refused, and what is open goes on."""
    own: Any = connection
    taken = own._process_direct_tcpip_open

    def open_one(packet: SSHPacket) -> Any:
        try:
            return taken(packet)
        except asyncssh.ProtocolError:
            refused("forwarding to a name that is no UTF-8")
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "The name of the host is no UTF-8."
            ) from None

    own._process_direct_tcpip_open = open_one
