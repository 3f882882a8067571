"""The stock clients in front of the gateway: what they ask is answered, masked, and they go on after a refusal."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import aiomysql
import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from tests.facts.mariadb import MariaDb
from tests.live_mysql.house import MysqlGateway

Notes = Callable[[], list[str]]
PERSONAL = re.compile(r"jane@|zoe@|219-09|202-555|4111111111111111|1234\.50")


# mariadb


def test_a_query_comes_back_masked(gateway: MysqlGateway) -> None:
    done = gateway.run("shop", "-e", "SELECT id, email, ssn, card, born, tier FROM customers WHERE id = 1")
    assert done.stdout == "1\t****@example.com\t[redacted]\t1111\t1980-01-01\tstandard\n", done.stderr


def test_several_statements_and_results_come_one_behind_another(gateway: MysqlGateway) -> None:
    done = gateway.run(
        "shop", stdin="SELECT 1; SELECT COUNT(*) FROM orders; SELECT email FROM people WHERE id = 2;"
    )
    assert done.stdout == "1\n300\n***@example.com\n", done.stderr


@pytest.mark.parametrize(
    "command",
    ["SHOW TABLES", "SHOW FULL COLUMNS FROM customers", "SHOW CREATE TABLE orders", "SHOW INDEX FROM customers",
     "SHOW VARIABLES LIKE 'version%'", "EXPLAIN SELECT * FROM orders", "SELECT CONNECTION_ID(), CURRENT_USER(), DATABASE()",
     "USE shop", "STATUS"],
)  # fmt: skip
def test_what_people_ask_of_a_server_is_answered(gateway: MysqlGateway, command: str) -> None:
    done = gateway.run("shop", "-e", command)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_show_tells_is_no_column_of_a_table(gateway: MysqlGateway) -> None:
    done = gateway.run("shop", "-e", "SHOW TABLE STATUS LIKE 'customers'")
    assert done.stdout.startswith("customers\tInnoDB\t"), done.stderr


def test_names_are_completed_as_without_a_gateway(gateway: MysqlGateway) -> None:
    """At its start mariadb asks COM_FIELD_LIST of every table."""
    done = gateway.run("shop", "--auto-rehash", "-e", "SELECT 1")
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_refusal_is_told_and_the_session_goes_on(gateway: MysqlGateway, table: str, notes: Notes) -> None:
    done = gateway.run("shop", "--force", stdin=f"DROP TABLE {table};\nSELECT 'still here';\n")
    assert done.stdout == "still here\n"
    assert "ERROR 1142 (42000) at line 1: Destructive statements never run through an agent." in done.stderr
    assert notes() == ["first"] * 3


def test_an_approved_change_runs_as_it_was_shown(gateway: MysqlGateway, table: str, notes: Notes) -> None:
    change = f"UPDATE {table} SET note = 'changed' WHERE id = 1"
    with gateway.api.deciding("approve", containing=table) as seen:
        done = gateway.run("shop", "-vv", "-e", change)
    assert "1 row affected" in done.stdout, done.stderr
    assert seen[0]["command"]["text"] == change
    assert notes() == ["changed", "first", "first"]


def test_text_in_another_encoding_is_masked_in_it(gateway: MysqlGateway) -> None:
    with gateway.connect(charset="latin1") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name, email FROM customers WHERE id = 2")
        assert cursor.fetchone() == ("*** ***ler", "***@example.com")
        cursor.execute("SELECT 'Zoë'")
        assert cursor.fetchone() == ("Zoë",)


# PyMySQL


def test_types_stay_what_they_are(connection: pymysql.Connection[Any]) -> None:
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("SELECT * FROM customers WHERE id = 1")
        row = cursor.fetchone()
        assert row is not None
        assert row | {"profile": json.loads(row["profile"])} == {
            "id": 1, "name": "**** *oe", "email": "****@example.com", "ssn": "[redacted]", "card": 1111,
            "born": dt.date(1980, 1, 1), "limit_": decimal.Decimal("0.00"), "tier": "standard",
            "profile": {"phone": row_phone(row), "n": 1}, "photo": bytes.fromhex("89504e470d0a"),
        }  # fmt: skip
        cursor.execute("SELECT * FROM orders WHERE id = %s", (1,))
        assert cursor.fetchone() == {
            "id": 1, "customer_id": 2, "total": decimal.Decimal("1.99"), "note": "order 1",
            "placed": dt.datetime(2024, 5, 1, 10, 11, 12, 345_000),
        }  # fmt: skip


def row_phone(row: dict[str, Any]) -> str:
    phone = str(json.loads(row["profile"])["phone"])
    assert "555" not in phone
    return phone


def test_what_is_made_of_a_masked_column_is_masked(connection: pymysql.Connection[Any]) -> None:
    with connection.cursor() as cursor:
        for text in (
            "SELECT CONCAT(ssn, '') FROM customers WHERE id = 1",
            "SELECT number FROM people WHERE id = 1",
            "SELECT x FROM (SELECT ssn AS x FROM customers WHERE id = 1) AS d",
            "SELECT ssn FROM customers WHERE id = 1 UNION ALL SELECT ssn FROM customers WHERE id = 1",
            "WITH q AS (SELECT ssn AS z FROM customers) SELECT z FROM q",
        ):
            cursor.execute(text)
            assert "219" not in str(cursor.fetchall()), text


def test_large_answers_and_rows_of_many_packets_arrive_whole(gateway: MysqlGateway) -> None:
    with gateway.connect(max_allowed_packet=64 * 1024 * 1024) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT seq, CONCAT('row ', seq) FROM seq_1_to_100000")
        rows = cursor.fetchall()
        assert (len(rows), rows[-1]) == (100_000, (100_000, "row 100000"))
        for size in (16_777_215 - 30, 16_777_215, 20_000_000):
            cursor.execute(f"SELECT REPEAT('x', {size}), email FROM customers ORDER BY id")
            assert [(len(text), email) for text, email in cursor] == [
                (size, "****@example.com"),
                (size, "***@example.com"),
            ]
            # What was hidden makes the packets of a row fewer, and what follows it is numbered on.
            cursor.execute(f"SELECT ssn, CONCAT(ssn, REPEAT('x', {size})) FROM customers WHERE id = 1")
            assert cursor.fetchall() == (("[redacted]", "[redacted]"),)
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)


def test_a_server_side_cursor_is_read_row_by_row(gateway: MysqlGateway) -> None:
    with gateway.connect(cursorclass=pymysql.cursors.SSCursor) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, email FROM customers ORDER BY id")
        assert cursor.fetchone() == (1, "****@example.com")
        assert list(cursor) == [(2, "***@example.com")]


def test_transactions_are_the_server_s(gateway: MysqlGateway, table: str, notes: Notes) -> None:
    with gateway.connect(autocommit=False) as connection, connection.cursor() as cursor:
        with gateway.api.deciding("approve", containing=table):
            cursor.execute(f"UPDATE {table} SET note = 'undone' WHERE id < 9")
        assert notes() == ["first"] * 3
        connection.rollback()
        with pytest.raises(pymysql.err.OperationalError, match="never run through an agent"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute(f"SELECT note FROM {table} WHERE id = 1")
        assert cursor.fetchone() == ("first",)


def test_an_error_of_data_quotes_nothing(connection: pymysql.Connection[Any]) -> None:
    with connection.cursor() as cursor:
        for text in (
            "SELECT EXTRACTVALUE(1, CONCAT(0x7e, ssn)) FROM customers",
            "SELECT * FROM customers WHERE JSON_VALUE(ssn, '$') = 1 OR EXP(1000 + id)",
            "SELECT UPDATEXML(1, CONCAT('~', email), 1) FROM customers",
        ):
            try:
                cursor.execute(text)
                said = str(cursor.fetchall())
            except pymysql.err.Error as error:
                said = str(error)
            assert not PERSONAL.search(said), said


def test_each_of_several_answers_is_masked_as_its_own_statement_says(gateway: MysqlGateway) -> None:
    several = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with gateway.connect(client_flag=several) as connection, connection.cursor() as cursor:

        def answers(text: str) -> list[Any]:
            cursor.execute(text)
            found = [tuple(cursor.fetchall())]
            while cursor.nextset():
                found.append(tuple(cursor.fetchall()))
            return found

        assert answers(
            "SELECT id, ssn FROM customers WHERE id = 1; SET @a = 1; SELECT 'Zoë', @a; SHOW TABLES LIKE 'orders';"
            "SET @b = (SELECT ssn FROM customers WHERE id = 1); SELECT @b, 2"
        ) == [((1, "[redacted]"),), (), (("Zoë", 1),), (("orders",),), (), (("[redacted]", 2),)]
        # Where an executable comment may hold one more, all are masked alike.
        for text in (
            "SELECT 1; /*!50000 SELECT 2 */; SELECT 'a', ssn FROM customers WHERE id = 1",
            "SELECT 'a', ssn FROM customers WHERE id = 1; /*M!100000 SELECT 2 */; SELECT 3",
        ):
            assert not PERSONAL.search(str(answers(text)))


# aiomysql


async def test_aiomysql_asks_many_things_at_once(gateway: MysqlGateway) -> None:
    account = await asyncio.to_thread(gateway.account)
    pool = await aiomysql.create_pool(
        host=account.host, port=account.port, user=account.user, password=account.password, db="shop",
        autocommit=True, minsize=1, maxsize=4,
    )  # fmt: skip

    async def ask(number: int) -> Any:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT %s, email FROM customers WHERE id = 1", (number,))
            return await cursor.fetchone()

    rows = await asyncio.gather(*(ask(number) for number in range(20)))
    assert rows == [(number, "****@example.com") for number in range(20)]
    pool.close()
    await pool.wait_closed()


# SQLAlchemy


@pytest.fixture
def engine(gateway: MysqlGateway) -> Iterator[sa.Engine]:
    account = gateway.account()
    engine = sa.create_engine(
        sa.URL.create("mysql+pymysql", account.user, account.password, account.host, account.port, "shop")
    )
    yield engine
    engine.dispose()


def test_a_database_is_reflected(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert {"customers", "orders"} <= set(inspector.get_table_names())
    columns = {column["name"]: str(column["type"]) for column in inspector.get_columns("orders")}
    assert columns["total"] == "DECIMAL(10, 2)"
    assert inspector.get_pk_constraint("customers")["constrained_columns"] == ["id"]
    (key,) = inspector.get_foreign_keys("orders")
    assert key["referred_table"] == "customers"


def test_the_orm_reads_masked_and_writes_what_was_approved(
    engine: sa.Engine, gateway: MysqlGateway, table: str, notes: Notes
) -> None:
    class Base(DeclarativeBase):
        pass

    class Entry(Base):
        __tablename__ = table
        id: Mapped[int] = mapped_column(primary_key=True)
        note: Mapped[str] = mapped_column(sa.String(40))

    with Session(engine) as session:
        session.add(Entry(id=4, note="mail jane@example.com"))
        with gateway.api.deciding("approve", containing=table):
            session.commit()
        found = session.get(Entry, 4)
        assert found is not None
        assert found.note == "mail ****@example.com"
    assert notes()[-1] == "jane@example.com"


# mysqldump


def test_a_dump_is_masked_from_end_to_end_or_refused(gateway: MysqlGateway) -> None:
    done = gateway.run(
        "--skip-lock-tables", "--no-tablespaces", "shop", "orders", "customers", program="mysqldump"
    )
    assert not PERSONAL.search(done.stdout)
    if done.returncode == 0:
        assert "INSERT INTO `customers` VALUES" in done.stdout
        assert "[redacted]" in done.stdout
    else:
        assert "Countersign" in done.stderr or "never run" in done.stderr, done.stderr


def test_a_dump_takes_every_row(gateway: MysqlGateway, server: MariaDb) -> None:
    wanted = ("--skip-lock-tables", "--no-create-info", "--compact", "shop", "orders")
    done = gateway.run(*wanted, program="mysqldump")
    assert done.returncode == 0, done.stderr
    assert done.stdout == server.tool("mariadb-dump", *wanted)
