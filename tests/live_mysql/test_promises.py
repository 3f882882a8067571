"""The promises of the gateway, each by its name, kept by the process itself between real clients and a real server."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import pymysql
import pytest

from gateway.demo.postgres import Account
from tests.facts.mariadb import MariaDb
from tests.live.house import BEN, MARIA, SAM, WITHIN, Refused, eventually
from tests.live_mysql.house import MysqlGateway
from tests.live_mysql.prepared import Prepared
from tests.live_mysql.prepared import Refused as Err

Notes = Callable[[], list[str]]
Connection: TypeAlias = "pymysql.Connection[Any]"


def asked(connection: Connection, sql: str, *values: object) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall()


def fails(connection: Connection, sql: str) -> None:
    with pytest.raises(pymysql.err.Error):
        asked(connection, sql)


# nothing_moves_unasked


def test_nothing_moves_unasked_of_a_text(
    gateway: MysqlGateway, server: MariaDb, connection: Connection, table: str, notes: Notes
) -> None:
    change = f"SELECT 'with it'; UPDATE {table} SET note = 'changed' WHERE id = 1"
    many = gateway.connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
    with many, gateway.api.meanwhile(lambda: asked(many, change)):
        approval = gateway.api.pending(table)
        assert notes() == ["first"] * 3
        assert not [text for text in server.statements() if text.startswith("SELECT 'with it'")]
        gateway.api.vote(approval, "approve")
    eventually(lambda: notes() == ["changed", "first", "first"])
    assert asked(connection, "SELECT 1") == ((1,),)


def test_nothing_moves_unasked_of_a_prepared_statement(
    gateway: MysqlGateway, connection: Connection, table: str, notes: Notes
) -> None:
    """It may be prepared before there is a verdict, since drivers need to know its columns; not executed."""
    statement = Prepared(connection, f"UPDATE {table} SET note = ? WHERE id = ?")
    assert notes() == ["first"] * 3
    with gateway.api.meanwhile(lambda: statement.execute("bound", "2")):
        approval = gateway.api.pending(table)
        assert notes() == ["first"] * 3
        assert {"bound", "2"} <= set(approval["command"]["parameters"])
        gateway.api.vote(approval, "approve")
    assert notes() == ["first", "bound", "first"]


# what_was_shown_runs


def test_what_was_shown_runs_and_is_asked_again(
    gateway: MysqlGateway, connection: Connection, table: str, notes: Notes
) -> None:
    statement = Prepared(connection, f"UPDATE {table} SET note = ? WHERE id = ?")
    with gateway.api.deciding("approve", containing=table):
        statement.execute("one", "1")
    with gateway.api.deciding("deny", containing=table), pytest.raises(Err) as refused:
        statement.execute("two", "2")
    assert refused.value.args[0] == 1142
    assert notes() == ["one", "first", "first"]
    assert asked(connection, f"SELECT note FROM {table} WHERE id = 1") == (("one",),)


# strictest_wins, unknown_is_not_no


def test_strictest_wins(gateway: MysqlGateway, table: str, notes: Notes) -> None:
    with gateway.connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS) as connection:
        for together in (
            f"SELECT 1; UPDATE {table} SET note = 'x' WHERE id = 1; DROP TABLE {table}",
            f"/*!50000 DROP TABLE {table} */",
            f"EXPLAIN EXTENDED SELECT 1; DELETE FROM {table}",
            "SELECT * INTO OUTFILE '/tmp/x' FROM customers",
        ):
            with pytest.raises(pymysql.err.OperationalError, match="never run through an agent"):
                asked(connection, together)
            assert asked(connection, "SELECT 1") == ((1,),)
    assert notes() == ["first"] * 3


@pytest.mark.parametrize(
    "command", ["SELECT what_nobody_knows(1)", "CALL what_nobody_knows()", "SET NAMES gbk"]
)
def test_unknown_is_not_no(connection: Connection, gateway: MysqlGateway, command: str) -> None:
    with (
        gateway.api.deciding("deny", containing=command) as seen,
        pytest.raises(pymysql.err.OperationalError, match="What it does is unknown"),
    ):
        asked(connection, command)
    assert seen[0]["command"]["unread"]


# approval_never_unmasks


def test_approval_never_unmasks(gateway: MysqlGateway, connection: Connection, table: str) -> None:
    with gateway.api.deciding("approve", containing=table):
        rows = asked(connection, f"INSERT INTO {table} VALUES (9, 'to jane@example.com') RETURNING note")
    assert rows == (("to ****@example.com",),)
    with gateway.api.deciding("approve", containing="CALL tell"):
        rows = asked(connection, "CALL tell(1)")
    assert len(rows) == 1
    assert "219" not in str(rows)
    assert "jane" not in str(rows)
    statement = Prepared(connection, "SELECT ssn, email, card, born, limit_ FROM customers WHERE id = ?")
    assert statement.execute("1") == [
        ("[redacted]", "****@example.com", "1111", "1980-01-01 00:00:00"[:10], "0.00")
    ]


def test_rows_of_a_cursor_are_masked_as_they_are_fetched(connection: Connection) -> None:
    statement = Prepared(connection, "SELECT id, email, ssn FROM customers ORDER BY id")
    assert statement.execute(cursor=True) == []
    assert statement.fetch(1) == [("1", "****@example.com", "[redacted]")]
    assert statement.fetch(5) == [("2", "***@example.com", None)]
    statement.close()
    assert asked(connection, "SELECT 1") == ((1,),)


# a_refusal_is_polite


def test_a_refusal_is_polite(gateway: MysqlGateway, connection: Connection, table: str) -> None:
    connection.begin()
    with pytest.raises(pymysql.err.OperationalError) as refused:
        asked(connection, f"TRUNCATE {table}")
    assert refused.value.args[0] == 1142
    assert "Destructive statements never run through an agent." in refused.value.args[1]
    statement = Prepared(connection, f"SELECT note FROM {table} WHERE id = ?")
    assert statement.execute("1") == [("first",)]
    connection.rollback()


def test_a_cancelled_command_is_withdrawn(gateway: MysqlGateway, table: str, notes: Notes) -> None:
    """Ctrl-C in mariadb asks for KILL QUERY over another connection."""
    with gateway.sit() as mariadb:
        mariadb.type(f"UPDATE {table} SET note = 'never' WHERE id = 1;")
        approval = gateway.api.pending(table)
        mariadb.interrupt()
        assert "ERROR 1317 (70100)" in mariadb.answer()
        gateway.api.until(approval, "withdrawn")
        assert "3" in mariadb.ask(f"SELECT COUNT(*) FROM {table};")
    assert notes() == ["first"] * 3


def test_a_running_command_is_cancelled(gateway: MysqlGateway, server: MariaDb) -> None:
    with gateway.sit() as mariadb:
        mariadb.type("SELECT 'long', COUNT(*) FROM seq_1_to_1000000000 AS a, seq_1_to_1000 AS b;")
        eventually(
            lambda: (
                "'long'"
                in server.run("SELECT info FROM information_schema.processlist WHERE user = 'gateway'")
            )
        )
        mariadb.interrupt()
        assert "ERROR 1317 (70100)" in mariadb.answer()
        assert "2" in mariadb.ask("SELECT 1 + 1;")


def test_who_hangs_up_is_not_waited_for(gateway: MysqlGateway, table: str, notes: Notes) -> None:
    connection = gateway.connect()
    sent = threading.Thread(target=fails, args=(connection, f"UPDATE {table} SET note = 'x' WHERE id = 1"))
    sent.start()
    approval = gateway.api.pending(table)
    connection._sock.shutdown(socket.SHUT_RDWR)
    sent.join(WITHIN)
    gateway.api.until(approval, "withdrawn")
    assert notes() == ["first"] * 3


def test_an_operator_ends_a_session_with_a_reason(gateway: MysqlGateway) -> None:
    token = gateway.token()
    with gateway.connect(gateway.account(token)) as connection:
        assert asked(connection, "SELECT 'to be ended'") == (("to be ended",),)
        newest = max(
            (each for each in gateway.api.call("/v1/sessions") if each["closed_at"] is None),
            key=lambda each: each["opened_at"],
        )
        gateway.api.call(f"/v1/sessions/{newest['id']}/kill", {"person": SAM, "reason": "enough"})
        with pytest.raises(pymysql.err.OperationalError):
            asked(connection, "SELECT 1")


# a_child_is_never_wider, nobody_in_the_chain_approves


def test_a_child_is_never_wider_and_goes_with_its_parent(gateway: MysqlGateway, table: str) -> None:
    parent = gateway.token()
    child = gateway.child(parent, "reader", "shop:read")
    with gateway.connect(gateway.account(child)) as connection:
        assert asked(connection, f"SELECT COUNT(*) FROM {table}") == ((3,),)
        with pytest.raises(pymysql.err.OperationalError):
            asked(connection, f"UPDATE {table} SET note = 'x' WHERE id = 1")
        gateway.revoke(parent)
        with pytest.raises(pymysql.err.OperationalError):
            eventually(lambda: not asked(connection, "SELECT 1"))
    with pytest.raises(pymysql.err.OperationalError):
        gateway.connect(gateway.account(child))


def test_nobody_in_the_chain_approves(gateway: MysqlGateway, connection: Connection, table: str) -> None:
    with gateway.api.meanwhile(lambda: fails(connection, f"UPDATE {table} SET note = 'x' WHERE id = 1")):
        approval = gateway.api.pending(table)
        with pytest.raises(Refused):
            gateway.api.vote(approval, "approve", person=MARIA)
        gateway.api.vote(approval, "deny", person=BEN)


# credentials_stay_inside


def test_credentials_stay_inside(gateway: MysqlGateway, connection: Connection, upstream: Account) -> None:
    token = gateway.token()
    minted = gateway.minted(token)
    for account in (gateway.account(token), minted):
        with gateway.connect(account) as one:
            assert asked(one, "SELECT 1") == ((1,),)
    with pytest.raises(pymysql.err.OperationalError) as refused:
        gateway.connect(gateway.account("no token"))
    assert refused.value.args[0] == 1045
    said = gateway.log() + "".join(
        path.read_text(errors="replace") for path in gateway.state.rglob("*") if path.is_file()
    )
    for secret in (upstream.password, token, minted.password):
        assert secret not in said


@pytest.mark.parametrize(
    "command",
    ["SHOW GRANTS", "SHOW /*!50000 GRANTS */ FOR CURRENT_USER()", "SHOW CREATE USER", "PREPARE p FROM CONCAT('SHOW GRA', 'NTS')",
     "EXECUTE IMMEDIATE CONCAT('SHOW GRA', 'NTS')", "SET STATEMENT max_statement_time = 9 FOR SHOW GRANTS"],
)  # fmt: skip
def test_the_hash_of_the_gateway_s_own_password_stays_inside(connection: Connection, command: str) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="never run through an agent"):
        asked(connection, command)


# malformed_is_violation


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x05\0\0\x07hello", b"\xff\xff\xff\x01", b"\0\0\0\x01", b"\x20\0\0\x01" + b"\xff" * 32],
    ids=["http", "out of turn", "endless", "empty", "no capabilities"],
)  # fmt: skip
def test_malformed_is_violation(gateway: MysqlGateway, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", gateway.ports["shop"]), timeout=WITHIN) as client:
        greeting = client.recv(4096)
        assert greeting[4] == 10
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        rest = b""
        while data := client.recv(4096):
            rest += data
        assert not re.search(rb"gateway|password", rest)


def test_a_file_of_the_client_s_is_never_asked_for(gateway: MysqlGateway, table: str) -> None:
    with gateway.connect(local_infile=True) as connection, pytest.raises(pymysql.err.Error):
        asked(connection, f"LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE {table}")


# fail_closed


def test_fail_closed_through_a_restart(
    upstream: Account, server: MariaDb, tmp_path: Any, table: str, notes: Notes
) -> None:
    gateway = MysqlGateway(tmp_path, upstream)
    gateway.start()
    connection = gateway.connect()
    sent = threading.Thread(target=fails, args=(connection, f"UPDATE {table} SET note = 'x' WHERE id = 1"))
    sent.start()
    gateway.api.pending(table)
    gateway.kill()
    sent.join(WITHIN)
    assert notes() == ["first"] * 3
    gateway.start()
    with gateway.connect() as again:
        assert asked(again, "SELECT 1") == ((1,),)
    gateway.stop()
