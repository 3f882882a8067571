"""What psycopg does with a session beside queries: notifications, cancels, many at once, minted credentials."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading

import psycopg
import pytest
from psycopg import errors

from tests.live.connected import AsyncConnection, Connection, Notes, session_of
from tests.live.house import SAM, WITHIN, Gateway, eventually, url

# Notifications, cancels.


def test_notifications_arrive_with_the_true_sender(connection: Connection, direct: Connection) -> None:
    connection.execute("LISTEN deploys")
    direct.execute("SELECT pg_notify('deploys', 'v7 for ada8@example.com')")
    (notice,) = connection.notifies(timeout=30, stop_after=1)
    assert (notice.channel, notice.pid) == ("deploys", direct.info.backend_pid)
    assert notice.payload == "v7 for ****@example.com"


def test_the_backends_id_is_the_servers_own(connection: Connection) -> None:
    assert connection.execute("SELECT pg_backend_pid()").fetchone() == (connection.info.backend_pid,)


@pytest.mark.parametrize("version", ["3.0", "latest"])
@pytest.mark.parametrize("way", ["cancel", "cancel_safe"])
def test_a_running_query_is_cancelled(gateway: Gateway, direct: Connection, way: str, version: str) -> None:
    account = url(gateway.account(), max_protocol_version=version)
    with psycopg.connect(account, autocommit=True) as session:

        def stop() -> None:
            eventually(lambda: sleeps(direct, session.info.backend_pid))
            getattr(session, way)()

        with gateway.api.meanwhile(stop), pytest.raises(errors.QueryCanceled):
            session.execute("SELECT pg_sleep(60)")
        assert session.execute("SELECT 1").fetchone() == (1,)


def sleeps(asked: Connection, pid: int) -> bool:
    found = asked.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'", [pid]
    )
    return found.fetchone() == (1,)


@pytest.mark.parametrize("way", ["cancel", "cancel_safe"])
def test_a_held_command_is_taken_back(
    connection: Connection, gateway: Gateway, table: str, notes: Notes, way: str
) -> None:
    seen = []

    def stop() -> None:
        seen.append(gateway.api.pending(table))
        getattr(connection, way)()

    with gateway.api.meanwhile(stop), pytest.raises(errors.QueryCanceled):
        connection.execute(f"DELETE FROM {table} WHERE id = %s", [1])
    assert gateway.api.until(seen[0], "withdrawn")
    assert notes() == ["first"] * 3
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_cancel_when_nothing_runs_harms_nothing(connection: Connection) -> None:
    connection.execute("SELECT 1")
    connection.cancel_safe()
    assert connection.execute("SELECT 2").fetchone() == (2,)


def test_a_cancel_with_another_key_is_ignored(gateway: Gateway, table: str, connection: Connection) -> None:
    """The process id is known to everybody; the secret behind it is what counts."""

    def stop() -> None:
        approval = gateway.api.pending(table)
        with socket.create_connection(("127.0.0.1", gateway.ports["shop"])) as other:
            other.sendall(struct.pack("!IIII", 16, 80877102, connection.info.backend_pid, 12345678))
            assert other.recv(1) == b""
        gateway.api.vote(approval, "approve")

    with gateway.api.meanwhile(stop):
        assert connection.execute(f"UPDATE {table} SET note = 'x' WHERE id = 1").rowcount == 1


# Asynchronous.


async def test_many_sessions_at_once(gateway: Gateway) -> None:
    account = await asyncio.to_thread(gateway.account)

    async def one(number: int) -> tuple[int, str]:
        async with await psycopg.AsyncConnection.connect(url(account)) as connection:
            cursor = await connection.execute("SELECT id, email FROM customers WHERE id = %s", [number])
            row = await cursor.fetchone()
            assert row is not None
            return row[0], row[1]

    rows = await asyncio.gather(*(one(number) for number in range(1, 31)))
    assert [number for number, _ in rows] == list(range(1, 31))
    assert all(email.startswith("***") for _, email in rows)


async def test_one_session_reads_while_another_is_held(
    async_connection: AsyncConnection, gateway: Gateway, table: str
) -> None:
    account = await asyncio.to_thread(gateway.account)
    async with await psycopg.AsyncConnection.connect(url(account), autocommit=True) as other:
        async with asyncio.TaskGroup() as tasks:
            held = tasks.create_task(other.execute(f"DELETE FROM {table} WHERE id = %s", [2]))
            approval = await asyncio.to_thread(gateway.api.pending, table)
            for _ in range(20):
                assert await (await async_connection.execute("SELECT 1")).fetchone() == (1,)
            assert not held.done()
            await asyncio.to_thread(gateway.api.vote, approval, "approve")
        assert held.result().rowcount == 1


async def test_an_asynchronous_pipeline_with_a_refusal(async_connection: AsyncConnection, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):  # noqa: PT012  raised when the pipeline ends
        async with async_connection.pipeline():
            before = await async_connection.execute("SELECT 'before'")
            await async_connection.execute(f"DROP TABLE {table}")
            await async_connection.execute("SELECT 'behind'")
    assert await before.fetchone() == ("before",)
    assert await (await async_connection.execute("SELECT 1")).fetchone() == (1,)


async def test_a_task_that_is_cancelled_takes_its_held_command_back(
    async_connection: AsyncConnection, gateway: Gateway, table: str, notes: Notes
) -> None:
    held = asyncio.create_task(async_connection.execute(f"DELETE FROM {table} WHERE id = 1"))
    approval = await asyncio.to_thread(gateway.api.pending, table)
    held.cancel()
    with pytest.raises((asyncio.CancelledError, errors.QueryCanceled)):
        await held
    await asyncio.to_thread(gateway.api.until, approval, "withdrawn")
    assert await asyncio.to_thread(notes) == ["first"] * 3
    assert await (await async_connection.execute("SELECT 1")).fetchone() == (1,)


def test_a_session_that_masks_much_leaves_others_their_turn(connection: Connection, gateway: Gateway) -> None:
    """Two million rows with an address in each are work for most of a minute; a kill does not wait for them."""
    flowing = threading.Event()

    def kill() -> None:
        assert flowing.wait(WITHIN)
        gateway.operator.call(f"/v1/sessions/{session_of(connection)}/kill", {"person": SAM})

    def stream() -> int:
        count = 0
        rows = connection.cursor().stream("SELECT o.id, c.email FROM orders o, customers c", size=1000)
        with contextlib.suppress(errors.AdminShutdown):
            for _ in rows:
                count += 1
                flowing.set()
        return count

    with gateway.api.meanwhile(kill):
        assert stream() < 1_000_000


# Minted credentials.


def test_a_minted_password_is_proved_and_never_handed_over(gateway: Gateway) -> None:
    with psycopg.connect(url(gateway.minted(), require_auth="scram-sha-256")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert connection.pgconn.used_password


def test_a_wrong_password_and_an_unknown_user_fail_alike(gateway: Gateway) -> None:
    minted = gateway.minted()
    unknown = minted.user[:-4] + "aaaa"
    said = []
    for user in (minted.user, unknown):
        with pytest.raises(psycopg.OperationalError) as refused:
            psycopg.connect(url(gateway.minted()), user=user, password="wrong", require_auth="scram-sha-256")
        said.append(str(refused.value).replace(user, "USER"))
    assert said[0] == said[1]


def test_a_token_cannot_stand_where_a_proof_is_demanded(gateway: Gateway) -> None:
    with pytest.raises(psycopg.OperationalError, match="scram-sha-256"):
        psycopg.connect(url(gateway.account(), require_auth="scram-sha-256"))


def test_what_is_minted_ends_with_its_token(gateway: Gateway) -> None:
    token = gateway.token()
    account = gateway.minted(token)
    with psycopg.connect(url(account)) as connection:
        connection.execute("SELECT 1")
        gateway.revoke(token)
        with pytest.raises(errors.AdminShutdown):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="revoked"):
        psycopg.connect(url(account))
