"""The promises of the gateway, each by its name, kept by the process itself between real clients and a real server."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import psycopg
import pytest
from psycopg import errors

from gateway.demo.postgres import Account, Postgres
from tests.live import house
from tests.live.conftest import Run, Sit
from tests.live.house import ANA, BEN, MARIA, WITHIN, Api, Gateway, Refused, eventually, url

Notes = Callable[[], list[str]]
Connection: TypeAlias = psycopg.Connection[Any]


@pytest.fixture
def connection(gateway: Gateway) -> Iterator[Connection]:
    with psycopg.connect(url(gateway.account()), autocommit=True) as connection:
        yield connection


@pytest.fixture
def locks(postgres: Postgres, upstream: Account, table: str) -> Callable[[], str]:
    """Who holds or wants what lock on the test's table, asked past the gateway."""
    return lambda: postgres.psql(
        f"SELECT pid, mode FROM pg_locks WHERE relation = '{table}'::regclass", upstream
    )


# nothing_moves_unasked


def test_nothing_moves_unasked_of_a_simple_query(
    sit: Sit, gateway: Gateway, postgres: Postgres, upstream: Account, table: str, notes: Notes,
    locks: Callable[[], str],
) -> None:  # fmt: skip
    with sit() as psql:
        pid = psql.ask("SELECT pg_backend_pid();").split()[0]
        psql.type(f"SELECT 'with it'\\; UPDATE {table} SET note = 'changed' WHERE id = 1;")
        approval = gateway.api.pending(table)
        assert notes() == ["first"] * 3
        assert locks() == ""
        seen = postgres.psql(f"SELECT state, query FROM pg_stat_activity WHERE pid = {pid}", upstream)
        assert seen == "idle|SELECT pg_backend_pid();\n", "the server has not heard of it"
        gateway.api.vote(approval, "approve")
        psql.until("UPDATE 1")
    assert notes() == ["changed", "first", "first"]


async def test_nothing_moves_unasked_of_bound_statements(gateway: Gateway, table: str, notes: Notes) -> None:
    account = await asyncio.to_thread(gateway.account)
    by_asyncpg = await asyncpg.connect(url(account))
    by_psycopg = await psycopg.AsyncConnection.connect(url(account), autocommit=True)
    async with by_psycopg, asyncio.TaskGroup() as tasks:
        tasks.create_task(by_asyncpg.execute(f"UPDATE {table} SET note = $1 WHERE id = 1", "one"))
        tasks.create_task(by_psycopg.execute(f"UPDATE {table} SET note = %s WHERE id = 2", ["two"]))
        approvals = [await asyncio.to_thread(gateway.api.pending, f"id = {number}") for number in (1, 2)]
        assert await asyncio.to_thread(notes) == ["first"] * 3
        for approval in approvals:
            await asyncio.to_thread(gateway.api.vote, approval, "approve")
    await by_asyncpg.close()
    assert await asyncio.to_thread(notes) == ["one", "two", "first"]


def test_nothing_moves_unasked_while_it_is_described(
    connection: Connection, table: str, notes: Notes
) -> None:
    """Parse and Describe may go ahead of a verdict, since drivers need them; Bind and Execute may not."""
    connection.pgconn.prepare(b"asked", f"UPDATE {table} SET note = $1 RETURNING id".encode())
    described = connection.pgconn.describe_prepared(b"asked")
    assert (described.nparams, described.fname(0)) == (1, b"id")
    assert notes() == ["first"] * 3
    assert connection.execute("SELECT 1").fetchone() == (1,)


# unknown_is_not_no, strictest_wins


@pytest.mark.parametrize(
    "command",
    [
        "SELECT what_nobody_knows(1)",
        "SELECT 1 FROM customers WHERE what_nobody_knows(id)",
        f"SELECT 'too long to be read{'x' * 70_000}'",
    ],
    ids=["called", "asked", "too long"],
)
def test_unknown_is_not_no(connection: Connection, gateway: Gateway, command: str) -> None:
    said: list[str] = []

    def send() -> None:
        with pytest.raises(errors.InsufficientPrivilege) as refused:
            connection.execute(command)
        said.append(str(refused.value))

    with gateway.api.meanwhile(send):
        approval = gateway.api.pending(command[:60])
        gateway.api.vote(approval, "deny")
    assert approval["command"]["unread"]
    assert f"What it does is unknown: {approval['command']['unread']}." in said[0]


def test_strictest_wins(connection: Connection, table: str, notes: Notes) -> None:
    for together in (
        f"WITH gone AS (DELETE FROM {table} RETURNING id) SELECT * FROM gone",
        f"SELECT 1; UPDATE {table} SET note = 'x' WHERE id = 1; DROP TABLE {table}",
        f"EXPLAIN ANALYZE DELETE FROM {table}",
        "SELECT 1; CALL what_nobody_knows()",
    ):
        with pytest.raises(errors.InsufficientPrivilege, match="Destructive statements never run"):
            connection.execute(together)
    assert notes() == ["first"] * 3


# what_was_shown_runs


def test_what_was_shown_runs_and_nothing_else(gateway: Gateway, table: str, notes: Notes) -> None:
    account = gateway.account()
    text = f"UPDATE {table} SET note = 'changed' WHERE id = %s"

    with psycopg.connect(url(account), autocommit=True) as first:
        seen: list[Any] = []

        def approve_behind_its_back() -> None:
            seen.append(gateway.api.pending(table))
            with socket.socket(fileno=os.dup(first.pgconn.socket)) as line:
                line.shutdown(socket.SHUT_RDWR)
            gateway.api.approval(lambda each: each["id"] == seen[0]["id"] and each["waiting"] == 0)
            gateway.api.vote(seen[0], "approve")

        with gateway.api.meanwhile(approve_behind_its_back), pytest.raises(psycopg.OperationalError):
            first.execute(text, [1])
    with psycopg.connect(url(account), autocommit=True) as second:
        for other in ((text, [2]), (text.replace("changed", "Changed"), [1]), (f"{text} ", [1])):
            with (
                gateway.api.deciding("deny", containing=table) as asked,
                pytest.raises(errors.InsufficientPrivilege),
            ):
                second.execute(*other)
            assert asked[0]["id"] != seen[0]["id"]
        assert notes() == ["first"] * 3
        assert second.execute(text, [1]).rowcount == 1, "what was shown and approved runs at once"
        assert notes() == ["changed", "first", "first"]


def test_what_was_shown_runs_where_it_was_shown(gateway: Gateway, table: str) -> None:
    """The same words under another search_path may mean another table, so they are another approval."""
    account = gateway.account()
    text = f"DELETE FROM {table} WHERE id = 1"
    with (
        psycopg.connect(url(account), autocommit=True) as here,
        psycopg.connect(url(account), autocommit=True) as there,
    ):
        there.execute("SET search_path TO pg_catalog, public")
        shown = []
        for session in (here, there):
            with (
                gateway.api.deciding("deny", containing=text) as seen,
                pytest.raises(errors.InsufficientPrivilege),
            ):
                session.execute(text)
            shown += seen
    assert shown[0]["command"]["digest"] != shown[1]["command"]["digest"]


def test_what_was_shown_runs_only_if_all_of_it_was_shown(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    hidden = f"UPDATE {table} SET note = 'x' WHERE id = 1 {' ' * 3000} OR true AND id < 9"

    def decide() -> None:
        approval = gateway.api.pending(table)
        assert approval["review_required"]
        with pytest.raises(Refused) as refused:
            gateway.api.vote({**approval, "review_required": False}, "approve")
        assert refused.value.code == "review_first"
        gateway.api.vote(approval, "approve")

    with gateway.api.meanwhile(decide):
        connection.execute(hidden)
    assert notes() == ["x"] * 3


# approval_never_unmasks


def test_approval_never_unmasks(connection: Connection, gateway: Gateway) -> None:
    update = "UPDATE customers SET tier = tier WHERE id = %s RETURNING id, email, ssn"
    with gateway.api.deciding("approve", containing="RETURNING id, email, ssn"):
        row = connection.execute(update, [1]).fetchone()
    assert row == (1, "******@example.com", "[redacted]")


# a_child_is_never_wider


def test_a_child_is_never_wider_in_what_it_reaches(gateway: Gateway, table: str) -> None:
    reader = gateway.token(scope="shop:read")
    for wider in ("shop:read,write", "shop:read archive:read"):
        with pytest.raises(Refused) as refused:
            gateway.child(reader, "migrator", wider)
        assert refused.value.code == "invalid_scope"
    child = gateway.child(gateway.token(), "migrator", "shop:read")
    with psycopg.connect(url(gateway.account(child)), autocommit=True) as connection:
        with pytest.raises(errors.InsufficientPrivilege, match="outside its scope"):
            connection.execute(f"UPDATE {table} SET note = 'x' WHERE id = 1")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_child_is_never_wider_in_time_or_depth(gateway: Gateway) -> None:
    parent = gateway.token(expires_in="60")
    child = gateway.child(parent, "child", "shop:read", expires_in="3600")
    ends = [Api(gateway.url, token).call("/v1/connections")["expires_at"] for token in (parent, child)]
    assert ends[1] <= ends[0]
    deepest = gateway.child(gateway.child(child, "grandchild", "shop:read"), "last", "shop:read")
    with pytest.raises(Refused):
        gateway.child(deepest, "one-too-many", "shop:read")


def test_a_child_is_never_wider_than_a_parent_that_was_revoked(
    gateway: Gateway, table: str, notes: Notes
) -> None:
    parent = gateway.token()
    child = gateway.child(gateway.child(parent, "planner", "shop:read,write"), "migrator", "shop:read,write")
    with psycopg.connect(url(gateway.account(child)), autocommit=True) as connection:
        seen: list[Any] = []

        def revoke() -> None:
            seen.append(gateway.api.pending(table))
            gateway.revoke(parent)

        with gateway.api.meanwhile(revoke), pytest.raises(errors.AdminShutdown, match="revoked"):
            connection.execute(f"DELETE FROM {table} WHERE id = 1")
    gateway.api.until(seen[0], "withdrawn")
    assert notes() == ["first"] * 3


# nobody_in_the_chain_approves


def test_nobody_in_the_chain_approves(gateway: Gateway, table: str) -> None:
    """Ana is a DBA and may approve; not what an agent of her own asks."""
    account = gateway.account(gateway.child(gateway.token(person=ANA), "migrator", "shop:read,write"))
    with psycopg.connect(url(account), autocommit=True) as connection:

        def decide() -> None:
            approval = gateway.api.pending(table)
            assert approval["lineage"]["person"] == ANA
            for nobody in (ANA, ANA.upper(), MARIA, "release-pipeline", "migrator", ""):
                with pytest.raises(Refused):
                    gateway.api.vote(approval, "approve", person=nobody)
                with pytest.raises(Refused):
                    gateway.operator.vote(approval, "approve", person=nobody)
            gateway.api.vote(approval, "approve", person=BEN)

        with gateway.api.meanwhile(decide):
            assert connection.execute(f"DELETE FROM {table} WHERE id = 1").rowcount == 1


def test_no_token_of_an_agent_opens_the_api_that_decides(connection: Connection, gateway: Gateway) -> None:
    agent = Api(gateway.url, gateway.token())
    for path in ("/v1/changes?after=0", "/v1/approvals", "/v1/sessions", "/metrics", "/v1/directory"):
        with pytest.raises(Refused) as refused:
            agent.call(path)
        assert refused.value.status == 401


# a_refusal_is_polite


def test_a_refusal_is_polite(connection: Connection, gateway: Gateway, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege) as blocked:
        connection.execute(f"DROP TABLE {table}")
    said = blocked.value.diag
    assert said.message_primary == "Destructive statements never run through an agent."
    assert (said.severity, said.sqlstate) == ("ERROR", "42501")
    assert said.message_detail == "Decided by destructive-never."
    with (
        gateway.api.deciding("deny", containing=table, reason="Not during the freeze"),
        pytest.raises(errors.InsufficientPrivilege, match="Not during the freeze"),
    ):
        connection.execute(f"DELETE FROM {table} WHERE id = 1")
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    assert connection.execute("SELECT count(*) FROM orders").fetchone() == (5000,)


# fail_closed


def test_fail_closed_when_the_policy_file_breaks(upstream: Account, tmp_path: Path) -> None:
    with (
        house.gateway(tmp_path, upstream) as gateway,
        psycopg.connect(url(gateway.account()), autocommit=True) as connection,
    ):
        before = gateway.api.changes()["next"]
        gateway.policy_file.write_text(gateway.policy_file.read_text().replace("block:", "blok:"))

        def announced() -> bool:
            page = gateway.api.changes(before, wait=WITHIN)
            return any(
                "the old one stays in force" in str(each.get("announcement")) for each in page["changes"]
            )

        eventually(announced)
        with pytest.raises(errors.InsufficientPrivilege, match="Destructive statements never run"):
            connection.execute("DROP TABLE customers")


def test_fail_closed_when_nobody_can_be_asked(gateway: Gateway, psql: Run) -> None:
    """No bot and nobody else follows this gateway: what is held stays held until it expires, and does not run."""
    done = psql(stdin="INSERT INTO hasty VALUES (1);\nSELECT 1;\n")
    assert "Nobody decided in time" in done.stderr
    assert done.stdout == "1\n"


# malformed_is_violation


def open_session(account: Account) -> socket.socket:
    """A logged-in session, up to its first ReadyForQuery, without a driver that would keep us from nonsense."""
    session = socket.create_connection((account.host, account.port), timeout=WITHIN)
    parameters = b"user\0migrator\0database\0shop\0\0"
    session.sendall(struct.pack("!II", 8 + len(parameters), 196608) + parameters)
    assert session.recv(9, socket.MSG_WAITALL)[:1] == b"R"
    password = account.password.encode() + b"\0"
    session.sendall(b"p" + struct.pack("!I", 4 + len(password)) + password)
    received = b""
    while not received.endswith(b"Z\0\0\0\x05I"):
        received += session.recv(65536)
    return session


@pytest.mark.parametrize(
    "nonsense",
    [
        b"z\0\0\0\x04",
        b"Q\0\0\0\x03",
        b"Q\xff\xff\xff\xff",
        b"Q\0\0\0\x0cSELECT 1",
        b"R\0\0\0\x08\0\0\0\0",
        b"B\0\0\0\x05\0",
        b"E\0\0\0\x05\0",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_malformed_is_violation(gateway: Gateway, nonsense: bytes) -> None:
    with open_session(gateway.account()) as session:
        session.sendall(nonsense)
        answer = b""
        while received := session.recv(65536):
            answer += received
    assert answer[:1] == b"E"
    assert b"Protocol violation" in answer


# credentials_stay_inside

PERSONAL = ("bruno1@example.com", "219-09-1001", "+1 202-555-0101", "5555 5555 5555 4444")


def test_credentials_stay_inside_and_so_does_what_is_masked(
    upstream: Account, postgres: Postgres, tmp_path: Path
) -> None:
    answers: list[str] = []
    with house.gateway(tmp_path, upstream) as gateway:
        parent = gateway.token()
        child = gateway.child(parent, "migrator", "shop:read,write,ddl")
        minted = gateway.minted(child)
        secrets = [upstream.password, gateway.root_secret, gateway.bot_token, gateway.operator.credential]
        secrets += [parent, child, minted.password]
        for account in (gateway.account(child), minted):
            _lead_a_life(gateway, account)
        for wrong in (gateway.account(f"{child}x"), gateway.account(upstream.password)):
            with pytest.raises(psycopg.OperationalError) as refused:
                psycopg.connect(url(wrong))
            answers.append(str(refused.value))
        paths = ("/v1/changes", "/v1/approvals", "/v1/sessions?closed=9", "/v1/directory", "/healthz")
        answers += [json.dumps(gateway.operator.call(path)) for path in paths]
        for session in gateway.operator.call("/v1/sessions?closed=9"):
            answers.append(json.dumps(gateway.operator.call(f"/v1/sessions/{session['id']}/transcript")))
        replayed = gateway.countersign("replay", session["id"], "--state", str(gateway.state))
        assert "SELECT id, email, ssn" in replayed.stdout, replayed.stderr
        answers.append(replayed.stdout)
    kept = {
        str(file): file.read_bytes().decode(errors="replace")
        for file in [*gateway.state.rglob("*"), tmp_path / "gateway.log"]
        if file.is_file() and file.name != "operator.token" and file.parent.name != "keys"
    }
    assert any("******@example.com" in text for name, text in kept.items() if name.endswith(".rec"))
    kept |= {f"answer {number}": text for number, text in enumerate(answers)}
    for name, text in kept.items():
        for secret in secrets:
            assert secret not in text, name
            assert secret.rpartition(".")[2] not in text, name
        for personal in PERSONAL:
            assert personal not in text, f"{personal} in {name}"


def _lead_a_life(gateway: Gateway, account: Account) -> None:
    """What a session does in which something could leak: rows, copies, errors, holds, parameters, refusals."""
    with psycopg.connect(url(account), autocommit=True) as session:
        for binary in (False, True):
            session.execute("SELECT id, email, ssn, phone FROM customers WHERE id = 1", binary=binary)
        session.execute("SELECT card FROM orders WHERE id = 1")
        with session.cursor().copy("COPY customers TO STDOUT") as copy:
            assert len(list(copy)) == 400
        with pytest.raises(errors.InvalidTextRepresentation):
            session.execute("SELECT ssn::integer FROM customers WHERE id = 1")
        session.execute("SELECT id, email, ssn FROM customers WHERE email = %s", ["bruno1@example.com"])
        session.execute("SELECT id, email, ssn FROM customers WHERE email = 'bruno1@example.com'")
        for choice in ("approve", "deny"):
            try:
                with gateway.api.deciding(choice, containing="SET email"):
                    session.execute(
                        "UPDATE customers SET email = %s WHERE id = 1 AND phone <> '5555 5555 5555 4444'",
                        ["bruno1@example.com"],
                    )
            except errors.InsufficientPrivilege:
                assert choice == "deny"
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute("TRUNCATE customers /* for bruno1@example.com */")


# And what is recorded holds.


def test_recordings_and_the_journal_verify_and_a_changed_one_does_not(
    upstream: Account, tmp_path: Path
) -> None:
    with house.gateway(tmp_path, upstream) as gateway:
        for _ in range(2):
            with psycopg.connect(url(gateway.account()), autocommit=True) as session:
                session.execute("SELECT email FROM customers WHERE id = 1")
                with (
                    gateway.api.deciding("deny", containing="DELETE"),
                    pytest.raises(errors.InsufficientPrivilege),
                ):
                    session.execute("DELETE FROM orders WHERE id = 1")
    whole = gateway.countersign("verify", "--all", "--state", str(gateway.state))
    assert whole.returncode == 0, whole.stdout + whole.stderr
    first, second = sorted(gateway.state.glob("recordings/*/*.rec"))
    data = first.read_bytes()
    place = data.index(b"@example.com")
    first.write_bytes(data[:place] + b"#" + data[place + 1 :])
    changed = gateway.countersign("verify", str(first), "--state", str(gateway.state))
    assert changed.returncode == 1
    second.write_bytes(second.read_bytes()[:-200])
    cut = gateway.countersign("verify", str(second), "--state", str(gateway.state))
    assert cut.returncode == 1
