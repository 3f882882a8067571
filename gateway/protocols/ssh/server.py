"""The SSH server of one connection: host key, algorithms, limits, and a `Client` for each who comes."""

from __future__ import annotations

import functools
import logging

import asyncssh

from gateway.hosted import Desks
from gateway.protocols.ssh.algorithms import STRONG
from gateway.protocols.ssh.client import Client
from gateway.protocols.ssh.kept import WINDOW
from gateway.protocols.ssh.keys import AUTHORITY, HOST, HOSTS, NEXT, host_certificate, key
from gateway.protocols.ssh.lines import LONGEST_TYPED

log = logging.getLogger("countersign.ssh")

KEEPALIVE = 30.0
TITLE = "countersign"

asyncssh.set_log_level("WARNING")  # below that it logs commands as they come


class Server:
    """Fulfils `gateway.hosted.Host`."""

    def __init__(self, acceptor: asyncssh.SSHAcceptor, clients: set[Client]) -> None:
        self._acceptor = acceptor
        self._clients = clients

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._acceptor.get_addresses()[0][:2]
        return host, port

    def stop_accepting(self) -> None:
        self._acceptor.close()

    async def close(self, reason: str) -> None:
        self.stop_accepting()
        for client in list(self._clients):
            client.kill(reason)


async def serve(desks: Desks, *, host: str, port: int) -> Server:
    """Begin to accept. Raises `OSError` where the address cannot be had."""
    clients: set[Client] = set()
    desk = desks.first
    authority = key(desk.secret(AUTHORITY))
    own, following = key(desk.secret(HOST)), key(desk.secret(NEXT))
    others = [following] if following.public_data != own.public_data else []
    acceptor = await asyncssh.listen(
        host,
        port,
        server_factory=functools.partial(Client, desks, clients, authority),
        server_host_keys=[(own, host_certificate(desk.secret(HOSTS), own)), *others],
        send_server_host_keys=True,  # OpenSSH's clients learn the next key, and forget one that was replaced
        server_version=TITLE,
        login_timeout=desk.limits.login,
        keepalive_interval=KEEPALIVE,
        line_editor=True,
        line_history=100,
        max_line_length=LONGEST_TYPED,
        encoding="utf-8",
        window=WINDOW,
        errors="surrogateescape",
        agent_forwarding=False,
        x11_forwarding=False,
        allow_scp=False,
        gss_host=None,
        compression_algs=None,
        rekey_bytes=1 << 30,
        **STRONG,
    )
    server = Server(acceptor, clients)
    log.info(
        "the host key's fingerprint", extra={"host_key": own.get_fingerprint(), "port": server.address[1]}
    )
    return server
