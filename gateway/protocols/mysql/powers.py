"""What a stored credential may do at its target beside reading, as the target says: each power, and the effects that need it."""

from __future__ import annotations

from collections.abc import Mapping

import aiomysql

from gateway.model import Effect, Effects
from gateway.protocols.mysql.aside import connect, rows
from gateway.wire import Login, Upstream

_NEVER: Effects = frozenset()
_GRANTEE = """GRANTEE = CONCAT(CHAR(39), SUBSTRING_INDEX(CURRENT_USER(), '@', 1), CHAR(39), '@',
    CHAR(39), SUBSTRING_INDEX(CURRENT_USER(), '@', -1), CHAR(39))"""
_EVERYWHERE = f"SELECT PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.USER_PRIVILEGES WHERE {_GRANTEE}"  # noqa: S608  constants alone
_SOMEWHERE = f"""
    SELECT PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.SCHEMA_PRIVILEGES WHERE {_GRANTEE}
    UNION SELECT PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.TABLE_PRIVILEGES WHERE {_GRANTEE}"""  # noqa: S608  constants alone
_HARMLESS = frozenset(
    {"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "LOCK TABLES", "REFERENCES"}
)
_FOR: Mapping[str, Effects] = {
    **dict.fromkeys(("INSERT", "UPDATE"), frozenset({Effect.WRITE})),
    **dict.fromkeys(("DELETE", "DELETE HISTORY"), frozenset({Effect.WRITE, Effect.DESTRUCTIVE})),
    **dict.fromkeys(("DROP", "SHUTDOWN", "RELOAD"), frozenset({Effect.DESTRUCTIVE})),
    **dict.fromkeys(
        ("CREATE", "ALTER", "INDEX", "CREATE VIEW", "CREATE TEMPORARY TABLES"), frozenset({Effect.DDL})
    ),
    **dict.fromkeys(
        ("CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER"), frozenset({Effect.DDL, Effect.EXEC})
    ),
    "EXECUTE": frozenset({Effect.EXEC, Effect.UNKNOWN}),
    "FILE": frozenset({Effect.EXFIL}),
    **dict.fromkeys(("CREATE USER", "CREATE ROLE", "DROP ROLE"), frozenset({Effect.PRIVILEGE})),
}
"""What is in neither table is never needed: SUPER and all that administers or replicates."""


async def powers(upstream: Upstream, login: Login) -> Mapping[str, Effects] | None:
    """What it may do -> the effects of which a scope has one where that is needed. None where nobody can tell."""
    try:
        connection = await connect(upstream, login, application="countersign doctor")
        try:
            everywhere = await rows(connection, _EVERYWHERE)
            somewhere = await rows(connection, _SOMEWHERE)
        finally:
            connection.close()
    except (aiomysql.Error, OSError, ValueError):
        return None
    found = {
        f"has {name} on everything": _FOR.get(name, _NEVER) for name, _ in everywhere if name not in _HARMLESS
    }
    found |= {
        f"has {name} on something": _FOR.get(name, _NEVER)
        for name, _ in somewhere
        if name not in _HARMLESS and (name, "YES") not in everywhere and (name, "NO") not in everywhere
    }
    if any(grantable == "YES" for _, grantable in (*everywhere, *somewhere)):
        found["may hand on what it has (GRANT OPTION)"] = frozenset({Effect.PRIVILEGE})
    return found
