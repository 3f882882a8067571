"""What a stored credential may do at its target beside reading, as the target says: each power, and the effects that need it."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from gateway.model import Effect, Effects
from gateway.protocols.postgres.aside import connect
from gateway.wire import Login, Upstream

WITHIN = 5.0
"""Seconds for each statement."""
_NEVER: Effects = frozenset()
_DEFINES: Effects = frozenset({Effect.DDL, Effect.DESTRUCTIVE})
_ATTRIBUTES: Mapping[str, tuple[str, Effects]] = {
    "rolsuper": ("is a superuser", _NEVER),
    "rolbypassrls": ("passes row security", _NEVER),
    "rolreplication": ("may replicate", _NEVER),
    "rolcreaterole": ("makes roles", frozenset({Effect.PRIVILEGE})),
    "rolcreatedb": ("makes databases", frozenset({Effect.DDL})),
}
_MEMBERSHIPS: Mapping[str, Effects] = {
    "pg_execute_server_program": frozenset({Effect.EXEC}),
    "pg_write_server_files": frozenset({Effect.EXFIL}),
    "pg_read_server_files": frozenset({Effect.EXFIL}),
    "pg_write_all_data": frozenset({Effect.WRITE}),
    "pg_signal_backend": frozenset({Effect.DESTRUCTIVE}),
    "pg_create_subscription": frozenset({Effect.EXFIL}),
}
"""Roles that PostgreSQL itself brings (https://www.postgresql.org/docs/current/predefined-roles.html)."""
_ASKED = f"""
    SELECT {", ".join(_ATTRIBUTES)},
        ARRAY(SELECT r.rolname::text FROM pg_catalog.pg_roles r
              WHERE r.rolname = ANY ($1) AND pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')) AS member_of,
        EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_|^information_schema$'
                    AND pg_catalog.pg_has_role(current_user, c.relowner, 'MEMBER')) AS owns,
        EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_|^information_schema$'
                    AND pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE')) AS writes,
        EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_|^information_schema$'
                    AND pg_catalog.has_table_privilege(c.oid, 'TRUNCATE')) AS empties
    FROM pg_catalog.pg_roles WHERE rolname = current_user"""  # noqa: S608  constants alone


async def powers(upstream: Upstream, login: Login) -> Mapping[str, Effects] | None:
    """What it may do -> the effects of which a scope has one where that is needed. None where nobody can tell."""
    try:
        connection = await connect(upstream, login, application="countersign doctor", timeout=WITHIN)
        try:
            row = await connection.fetchrow(_ASKED, list(_MEMBERSHIPS))
        finally:
            connection.terminate()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError):
        return None
    if row["rolsuper"]:
        return dict([_ATTRIBUTES["rolsuper"]])  # all else follows from it
    found = [_ATTRIBUTES[name] for name in _ATTRIBUTES if row[name]]
    found += [(f"is a member of {name}", _MEMBERSHIPS[name]) for name in sorted(row["member_of"])]
    if row["owns"]:
        found.append(("owns tables or views, so it may alter and drop them", _DEFINES))
    if row["writes"]:
        found.append(("may change rows", frozenset({Effect.WRITE, Effect.DESTRUCTIVE})))
    if row["empties"]:
        found.append(("may truncate tables", frozenset({Effect.DESTRUCTIVE})))
    return dict(found)
