"""What clients may ask for beside commands and connections, and are never given: each such request is in the record."""
# ruff: noqa: SLF001

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import asyncssh

from gateway.model import Block
from gateway.protocols.ssh import asking


class Unserved(asyncssh.SSHServer, ABC):
    """Listens on nothing for a client, and joins no sockets and no networks."""

    @abstractmethod
    def refused(self, what: str) -> bool:
        """Put into the record what was asked for and is refused unasked; false, as the library wants to hear it."""

    def server_requested(self, listen_host: str, listen_port: int) -> bool:
        return self.refused(f"listening on {asking.place(listen_host, listen_port)}")

    def unix_server_requested(self, listen_path: str) -> bool:
        return self.refused(f"listening on the socket {listen_path}")

    def unix_connection_requested(self, dest_path: str) -> bool:
        return self.refused(f"forwarding to the socket {dest_path}")

    def tun_requested(self, unit: int | None) -> bool:
        return self.refused("a tunnel" if unit is None else f"the tunnel {unit}")

    tap_requested = tun_requested


def without_agent_and_display(
    channel: asyncssh.SSHServerChannel[Any], refused: Callable[[str], bool]
) -> None:
    """The channel forwards neither the client's agent nor its display."""
    own: Any = channel
    own._process_auth_agent_req_at_openssh_dot_com_request = lambda _: refused("forwarding of an agent")
    own._process_x11_req_request = lambda _: refused("forwarding of a display")


def needs_terminal(program: str) -> Block:
    """What runs without a terminal at the target may not be what draws on one."""
    return Block(
        rules=("no terminal",),
        message=f"{asking.shown(program)} needs a terminal at the target, and only a shell in `hold` mode has one.",
    )
