"""A connection of the gateway's own, read-only unless told otherwise, beside the sessions that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import asyncpg

from gateway.tls import client_context
from gateway.wire import Login, Upstream

_SETTINGS = {
    "default_transaction_read_only": "on",
    "row_security": "on",
    "client_min_messages": "error",
    "jit": "off",
}


async def connect(
    upstream: Upstream,
    login: Login,
    *,
    application: str,
    timeout: float,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """An asyncpg connection on which no statement takes longer than `timeout` seconds."""
    return await asyncpg.connect(
        host=upstream.host,
        port=upstream.port,
        user=login.user,
        password=login.password or None,
        database=login.database or login.user,
        ssl="disable" if upstream.tls == "disable" else client_context(upstream.tls, authority=upstream.ca),
        timeout=timeout,
        statement_cache_size=0,
        server_settings={
            **_SETTINGS,
            **settings,
            **({"role": login.acts_as} if login.acts_as else {}),
            "application_name": login.application or application,
            "statement_timeout": str(int(timeout * 1000)),
            "lock_timeout": str(int(timeout * 500)),
        },
    )
