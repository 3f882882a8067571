"""Ports for servers that have to be told theirs."""

from __future__ import annotations

import random
import socket
from pathlib import Path


def free_port() -> int:
    """One that nobody listens at, from those that are not given to outgoing connections meanwhile."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(lowest // 2, lowest), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
