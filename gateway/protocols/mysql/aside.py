"""A connection of the gateway's own to MySQL or MariaDB, beside any session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aiomysql
from pymysql.constants import CLIENT

from gateway.tls import client_context
from gateway.wire import Login, Upstream


class _Connection(aiomysql.Connection):  # type: ignore[misc]  # the library has no types
    """Sends no password where all may read it, whatever the server asks for."""

    async def _request_authentication(self) -> None:
        if self._ssl_context and not self.server_capabilities & CLIENT.SSL:
            raise aiomysql.OperationalError(2026, "the server has no TLS")
        self._refuse_readable(self._server_auth_plugin)
        await super()._request_authentication()

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> Any:
        self._refuse_readable(plugin_name.decode("ascii", "replace"))
        return await super()._process_auth(plugin_name, auth_packet)

    def _refuse_readable(self, plugin: str) -> None:
        if plugin in {"mysql_clear_password", "mysql_old_password"} and not self._ssl_context:
            raise aiomysql.OperationalError(2059, "the server asks for a password that others could read")


async def connect(upstream: Upstream, login: Login, *, application: str) -> Any:
    """An aiomysql connection."""
    connection = _Connection(
        host=upstream.host,
        port=upstream.port,
        user=login.user,
        password=login.password,
        db=login.database or None,
        ssl=None if upstream.tls == "disable" else client_context(upstream.tls, authority=upstream.ca),
        charset="utf8mb4",
        autocommit=None,
        program_name=login.application or application,
    )
    try:
        await connection._connect()  # noqa: SLF001  as `aiomysql.connect` does
    except BaseException:
        connection.close()
        raise
    return connection


async def rows(connection: Any, sql: str) -> Sequence[tuple[str, ...]]:
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        return list(await cursor.fetchall())
