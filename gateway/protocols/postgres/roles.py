"""Roles that are made for one session each: created with what its scope needs, ended and dropped with all they leave.

The password never travels: the statement holds a SCRAM verifier. A role may log in once at a time, for a short while,
and makes no roles. Whoever makes it becomes a member of it, to end its sessions and to give away what it owns.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg

from gateway.minting import LoginNotTaken, Role, RoleFailed
from gateway.model import Effect, Effects
from gateway.protocols.postgres.aside import connect
from gateway.protocols.postgres.scram import make_verifier
from gateway.wire import Login, Upstream

T = TypeVar("T")

WITHIN = 8.0
"""Seconds for each statement, half of them to wait for a lock."""
LONGEST_NAME = 63
LONGEST_COMMENT = 500
SALT_BYTES = 16
ATTEMPTS = 4
"""Two who change the privileges on one thing at once: the later one fails, and is tried again."""
GOODBYES = 250
"""Looks at whether a role's sessions have ended, twenty milliseconds apart."""
_WRITING = {"default_transaction_read_only": "off", "standard_conforming_strings": "on"}
_TURN = "SELECT pg_catalog.pg_advisory_xact_lock(x'636f756e74726f6c'::bit(64)::int8)"
"""One at a time for each database, whichever gateway it is."""
_BEFORE = """
    SELECT pg_catalog.to_char(
            (pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $1)) AT TIME ZONE 'UTC',
            'YYYY-MM-DD HH24:MI:SS+00') AS until,
        pg_catalog.current_schemas(false)::text[] AS path,
        pg_catalog.current_database()::text AS database"""
_MADE = (
    "SELECT rolname::text FROM pg_catalog.pg_roles WHERE pg_catalog.left(rolname::text, $2) = $1 ORDER BY 1"
)
_SESSIONS = "SELECT pid FROM pg_catalog.pg_stat_activity WHERE usename = $1"
_END = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = $1"

BARE = "LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 1"
ON_TABLES: Mapping[Effect, tuple[str, ...]] = {
    Effect.READ: ("SELECT",),
    Effect.WRITE: ("INSERT", "UPDATE", "DELETE"),
    Effect.DESTRUCTIVE: ("DELETE", "TRUNCATE"),
    Effect.DDL: ("REFERENCES",),
}
ON_SEQUENCES: Mapping[Effect, tuple[str, ...]] = {
    Effect.READ: ("SELECT",),
    Effect.WRITE: ("USAGE", "UPDATE"),
}
ON_SCHEMAS: Mapping[Effect, tuple[str, ...]] = {Effect.DDL: ("CREATE",)}


async def mint(upstream: Upstream, login: Login, role: Role) -> None:
    """Raises `RoleFailed`; then there is no such role, or nobody can tell."""

    async def work(connection: Any) -> None:
        before = await connection.fetchrow(_BEFORE, role.valid)
        await connection.execute("SET search_path TO ''")
        script = statements(
            role,
            version=connection.get_server_version().major,
            until=before["until"],
            path=before["path"],
            salt=secrets.token_bytes(SALT_BYTES),
        )
        async with connection.transaction():
            await connection.execute(";\n".join((_TURN, *script) if role.schemas else script))
            may = "SELECT pg_catalog.has_database_privilege($1, $2, 'CONNECT')"
            if not await connection.fetchval(may, role.name, before["database"]):
                database, name = identifier(before["database"]), identifier(role.name)
                await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {name}")

    await _asked(upstream, login, work)


async def drop(upstream: Upstream, login: Login, name: str, *, owner: str) -> None:
    """Gone with its sessions and privileges; what it owned is `owner`'s. Raises `RoleFailed`."""
    quoted, heir = identifier(name), identifier(owner) if owner else "CURRENT_USER"

    async def work(connection: Any) -> None:
        if not await connection.fetchval(_MADE, name, len(name)):
            return
        await connection.execute(f"ALTER ROLE {quoted} NOLOGIN CONNECTION LIMIT 0")
        await connection.execute(_END.replace("$1", literal(name)))
        for _ in range(GOODBYES):
            if not await connection.fetch(_SESSIONS, name):
                break
            await connection.execute("SELECT pg_catalog.pg_sleep(0.02)")
        else:
            raise RoleFailed("its session at the target does not end")
        async with connection.transaction():
            await connection.execute(
                f"{_TURN}; REASSIGN OWNED BY {quoted} TO {heir}; DROP OWNED BY {quoted}; DROP ROLE {quoted}"
            )

    await _asked(upstream, login, work)


async def made(upstream: Upstream, login: Login, prefix: str) -> Sequence[str]:
    """The roles there whose names begin so. Raises `RoleFailed`."""

    async def work(connection: Any) -> Sequence[str]:
        return [row[0] for row in await connection.fetch(_MADE, prefix, len(prefix))]

    return await _asked(upstream, login, work)


def statements(role: Role, *, version: int, until: str, path: Sequence[str], salt: bytes) -> list[str]:
    """What makes it. Bare names mean to it what they mean to who makes it: facts are read by that one's search path."""
    name = identifier(role.name)
    verifier = literal(make_verifier(role.password, salt))
    made = [
        f"CREATE ROLE {name} {BARE} VALID UNTIL {literal(until)} PASSWORD {verifier}",
        f"COMMENT ON ROLE {name} IS {literal(_plain(role.comment))}",
        f"GRANT {name} TO CURRENT_USER" + (" WITH INHERIT TRUE, SET TRUE" if version >= 16 else ""),
        *(f"GRANT {identifier(each)} TO {name}" for each in role.member_of),
        f"ALTER ROLE {name} SET search_path TO {', '.join(map(identifier, path)) or literal('')}",
    ]
    for schema in map(identifier, role.schemas):
        tables, sequences = _privileges(role.effects, ON_TABLES), _privileges(role.effects, ON_SEQUENCES)
        inside = _privileges(role.effects, ON_SCHEMAS)
        if tables or sequences or inside:
            made.append(f"GRANT {', '.join(('USAGE', *inside))} ON SCHEMA {schema} TO {name}")
        if tables:
            made.append(f"GRANT {', '.join(tables)} ON ALL TABLES IN SCHEMA {schema} TO {name}")
        if sequences:
            made.append(f"GRANT {', '.join(sequences)} ON ALL SEQUENCES IN SCHEMA {schema} TO {name}")
    return made


def _privileges(effects: Effects, each: Mapping[Effect, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for effect in each if effect in effects for name in each[effect]))


def identifier(name: str) -> str:
    """As PostgreSQL reads it exactly. Raises `RoleFailed` for what it would cut or end at."""
    if not name or "\0" in name or len(name.encode()) > LONGEST_NAME:
        raise RoleFailed("a name there is empty or longer than 63 bytes")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """With `standard_conforming_strings`, which the connection begins with."""
    if "\0" in text:
        raise RoleFailed("a text for the target holds a zero")
    return "'" + text.replace("'", "''") + "'"


def _plain(text: str) -> str:
    """In characters that every encoding of a database has."""
    return "".join(each if " " <= each <= "~" else "?" for each in text)[:LONGEST_COMMENT]


async def _asked(upstream: Upstream, login: Login, work: Callable[[Any], Awaitable[T]]) -> T:
    """`work` on a connection of its own, again where somebody else changed the same thing at once."""
    for attempt in range(ATTEMPTS):
        try:
            connection = await connect(
                upstream, login, application="countersign roles", timeout=WITHIN, settings=_WRITING
            )
            try:
                return await work(connection)
            finally:
                connection.terminate()
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise LoginNotTaken(
                f"the target did not let in who makes the roles (SQLSTATE {error.sqlstate})"
            ) from None
        except asyncpg.PostgresError as error:
            if _crossed(error) and attempt + 1 < ATTEMPTS:
                continue
            raise RoleFailed(_reason(error)) from None
        except TimeoutError:
            raise RoleFailed(f"the target did not answer within {WITHIN:g} s") from None
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError) as error:
            raise RoleFailed(f"the target could not be asked ({type(error).__name__})") from None
    raise AssertionError("the last attempt returns or raises")


def _crossed(error: Any) -> bool:
    """Two who update one row of the catalogue have no code of their own."""
    return error.sqlstate in {"40001", "40P01"} or (
        error.sqlstate == "XX000" and "concurrently" in str(error)
    )


def _reason(error: Any) -> str:
    match error.sqlstate:
        case "42501":
            return "who makes the roles may not do that there (SQLSTATE 42501)"
        case "42704" | "3F000":
            return f"a role or schema that the policy names is not there (SQLSTATE {error.sqlstate})"
        case "2BP01":
            return "something there still depends on it (SQLSTATE 2BP01)"
        case "55P03" | "57014":
            return f"something there is locked by others (SQLSTATE {error.sqlstate})"
        case other:
            return f"the target refused (SQLSTATE {other})"
