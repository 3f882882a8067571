"""The library's server and client, connected over loopback: nothing of the user's own is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import asyncssh

KEY = asyncssh.generate_private_key("ssh-ed25519")
_NONE: Mapping[str, Any] = MappingProxyType({})


@asynccontextmanager
async def pair(
    server: asyncssh.SSHServer,
    client: Callable[[], asyncssh.SSHClient],
    *,
    both: Mapping[str, Any] = _NONE,
    **listening: Any,
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """The client's connection. The library's options `both` are for its two ends, `listening` for the server's alone."""
    async with (
        await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: server, server_host_keys=[KEY], **both, **listening
        ) as listens,
        asyncssh.connect(
            "127.0.0.1",
            listens.get_port(),
            client_factory=client,
            known_hosts=None,
            client_keys=None,
            config=None,
            agent_path=None,
            **both,
        ) as connection,
    ):
        yield connection
