"""Where a target is, for what takes a `gateway.wire.Upstream`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Where:
    port: int
    host: str = "127.0.0.1"
    tls: str = "disable"
    ca: str | None = None
