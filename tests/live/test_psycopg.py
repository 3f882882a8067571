"""psycopg 3 in front of the gateway: pipelines, cursors, binary values, prepared statements, copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from tests.live.connected import Connection, Notes, judged
from tests.live.house import Gateway, eventually, url


@pytest.fixture(scope="module")
def payroll(direct: Connection) -> Iterator[None]:
    """A table of which every column is redacted, of as many types as people keep secrets in."""
    direct.execute(
        "CREATE TABLE payroll (id integer, small smallint, big bigint, salary numeric(12,2), rate float8,"
        " born date, seen timestamptz, since timestamp, at time, active boolean, badge uuid, holder text,"
        " meta jsonb, notes json, tags text[], scores integer[], host inet, raw bytea, span interval)"
    )
    direct.execute(
        "INSERT INTO payroll VALUES (77, 78, 79, 80123.45, 0.8123, '1981-02-03', '2026-01-02 03:04:05+00',"
        " '2026-01-02 03:04:05', '03:04:05', true, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'Ada Keller',"
        """ '{"grade": 83}', '{"grade": 84}', '{alpha,beta}', '{85,86}', '198.51.100.7', '\\x8788', '89 days')"""
    )
    yield
    direct.execute("DROP TABLE payroll")


@pytest.mark.parametrize(
    "options",
    [
        "-c database=postgres",
        "-c replication=database",
        "-c user=postgres",
        "-c options=-cstandard_conforming_strings=off",
    ],
)
def test_no_option_says_what_the_start_up_message_itself_says(gateway: Gateway, options: str) -> None:
    """Past the gateway's eyes these would reach another database, a replication connection, or a setting unjudged."""
    with pytest.raises(psycopg.OperationalError, match="belongs into the start-up message"):
        psycopg.connect(url(gateway.account()), options=options)


def test_a_session_cannot_take_another_name_at_the_target(gateway: Gateway) -> None:
    options = "-c APPLICATION_NAME=somebody"
    with psycopg.connect(url(gateway.account()), options=options, autocommit=True) as connection:
        named = connection.execute("SHOW application_name").fetchone()
        assert named is not None
        assert named[0].startswith("somebody [countersign ")


# Values.

EVERYTHING = (
    "SELECT 7::int2, 7::int4, 7::int8, 1.5::float4, 1.25::float8, 12345678901234567890.0987::numeric, 'NaN'::numeric,"
    " 'words'::text, 'v'::varchar(5), 'c'::char(3), true, date '2024-02-29',"
    " timestamptz '2026-01-02 03:04:05.678+02', timestamp '0001-01-01 00:00:00', time '23:59:59.5',"
    """ interval '1 month 2 days 3 hours', '{"a": [1, null, "x"]}'::json, '{"a": {"b": 2}}'::jsonb,"""
    " '{1,2,NULL}'::int[], '{{a,b},{c,d}}'::text[], 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid,"
    " '\\x00ff'::bytea, inet '192.0.2.1/24', int4range(1, 9), NULL::text, NULL::int, B'1010', ROW(1, 'x')"
)


@pytest.mark.parametrize("binary", [False, True])
def test_every_value_comes_as_the_server_sent_it(
    connection: Connection, direct: Connection, *, binary: bool
) -> None:
    def answer(asked: Connection) -> Any:
        cursor = psycopg.RawCursor(asked)
        cursor.execute(EVERYTHING, binary=binary)
        return repr(cursor.fetchall()), [
            (c.name, c.type_code, c.internal_size) for c in cursor.description or ()
        ]

    assert answer(connection) == answer(direct)


@pytest.mark.parametrize("binary", [False, True])
def test_masked_text_is_still_text(connection: Connection, *, binary: bool) -> None:
    row = connection.execute(
        "SELECT id, name, email, ssn, joined FROM customers WHERE id = %s", [1], binary=binary
    ).fetchone()
    assert row is not None
    number, name, email, ssn, joined = row
    assert (number, email, ssn, str(joined)) == (1, "******@example.com", "[redacted]", "2024-01-02")
    assert name != "Bruno Lindqvist"
    assert name.startswith("*")


@pytest.mark.parametrize("binary", [False, True])
def test_masked_columns_keep_their_types(
    connection: Connection, direct: Connection, payroll: None, *, binary: bool
) -> None:
    true = direct.execute("SELECT * FROM payroll", binary=binary).fetchone()
    shown = connection.execute("SELECT * FROM payroll", binary=binary).fetchone()
    assert true is not None
    assert shown is not None
    assert len(shown) == len(true)
    for real, masked in zip(true, shown, strict=True):
        assert masked is None or type(masked) is type(real), (real, masked)
        assert masked != real


def test_masked_json_and_arrays_are_searched(connection: Connection) -> None:
    for binary in (False, True):
        row = connection.execute(
            "SELECT json_build_object('to', email), jsonb_build_object('to', email), ARRAY[email, tier], ROW(email)"
            " FROM customers WHERE id = 1",
            binary=binary,
        ).fetchone()
        assert "bruno1" not in str(row), binary
        assert row is not None
        assert isinstance(row[0], dict)
        assert isinstance(row[2], list)


def test_parameters_cross_in_both_formats(connection: Connection) -> None:
    for format_, value in (("%s", 7), ("%b", 7), ("%t", 7), ("%b", "seven"), ("%b", Jsonb({"n": 7}))):
        assert connection.execute(f"SELECT {format_}", [value], binary=True).fetchone() is not None


def test_as_many_parameters_as_a_message_can_name(connection: Connection) -> None:
    most = 65_535
    row = psycopg.RawCursor(connection).execute(f"SELECT $1::int + ${most}::int", [7] * most).fetchone()
    assert row == (14,)


def test_an_errors_text_shows_nothing_that_is_masked(
    connection: Connection, gateway: Gateway, direct: Connection
) -> None:
    with pytest.raises(errors.InvalidTextRepresentation) as raised:
        connection.execute("SELECT ssn::integer FROM customers WHERE id = 1")
    assert "219-09" not in str(raised.value)
    with (
        gateway.api.deciding("approve", containing="INSERT INTO customers"),
        pytest.raises(errors.UniqueViolation) as violated,
    ):
        connection.execute(
            "INSERT INTO customers SELECT 9000, name, email, phone, ssn, tier, joined FROM customers WHERE id = 1"
        )
    assert "bruno1" not in str(violated.value)
    assert violated.value.diag.constraint_name == "customers_email_key"


# Transactions and refusals.


def test_a_refusal_fails_the_transaction_and_no_more(connection: Connection, table: str) -> None:
    states = []
    with connection.transaction():
        connection.execute("SELECT 1")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(f"DROP TABLE {table}")
        states.append(connection.info.transaction_status)
    states.append(connection.info.transaction_status)
    assert states == [TransactionStatus.INERROR, TransactionStatus.IDLE]
    assert connection.execute("SELECT 2").fetchone() == (2,)


def test_a_refusal_in_a_nested_transaction_rolls_that_one_back(connection: Connection, table: str) -> None:
    with connection.transaction():
        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            connection.execute(f"DROP TABLE {table}")
        assert connection.info.transaction_status is TransactionStatus.INTRANS
        assert connection.execute("SELECT 2").fetchone() == (2,)


def test_a_pipeline_keeps_what_came_before_a_refusal_and_drops_the_rest(
    connection: Connection, table: str, notes: Notes
) -> None:
    with pytest.raises(errors.InsufficientPrivilege), connection.pipeline():  # noqa: PT012  raised at its end
        before = connection.execute("SELECT 'before'")
        connection.execute(f"DROP TABLE {table}")
        behind = connection.execute("SELECT 'behind'")
        with pytest.raises(errors.PipelineAborted):
            behind.fetchone()
    assert before.fetchone() == ("before",)
    assert connection.info.transaction_status is TransactionStatus.IDLE
    assert connection.execute("SELECT 'again'").fetchone() == ("again",)
    assert notes() == ["first"] * 3


def test_a_pipeline_goes_on_behind_its_sync(connection: Connection, table: str) -> None:
    with connection.pipeline() as pipeline:
        connection.execute(f"DROP TABLE {table}")
        with pytest.raises(errors.InsufficientPrivilege):
            pipeline.sync()
        behind = connection.execute("SELECT 'behind'")
        pipeline.sync()
        assert behind.fetchone() == ("behind",)


def test_a_refusal_in_a_pipeline_undoes_the_writes_before_it(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    with (  # noqa: PT012  raised when the pipeline ends
        gateway.api.deciding("approve", containing=table),
        pytest.raises(errors.InsufficientPrivilege),
        connection.pipeline(),
    ):
        connection.execute(f"UPDATE {table} SET note = 'changed' WHERE id = %s", [1])
        connection.execute(f"DROP TABLE {table}")
    assert notes() == ["first"] * 3


def test_a_held_command_in_a_pipeline_waits_and_the_rest_follows(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    with gateway.api.deciding("approve", containing=table), connection.pipeline():
        first = connection.execute("SELECT 1")
        held = connection.execute(f"UPDATE {table} SET note = 'changed' WHERE id = %s", [1])
        last = connection.execute(f"SELECT note FROM {table} WHERE id = 1")
        assert last.fetchone() == ("changed",)
    assert (first.fetchone(), held.rowcount) == ((1,), 1)
    assert notes() == ["changed", "first", "first"]


def test_a_long_pipeline_does_not_lock_up(connection: Connection) -> None:
    with connection.pipeline():
        cursors = [connection.execute("SELECT %s::int", [number]) for number in range(2_000)]
    assert [cursor.fetchone() for cursor in cursors] == [(number,) for number in range(2_000)]


# Cursors and prepared statements.


def test_a_servers_cursor_fetches_masked_rows(gateway: Gateway) -> None:
    with psycopg.connect(url(gateway.account())) as connection:
        for binary in (False, True):
            with connection.cursor("people", binary=binary) as cursor:
                cursor.itersize = 50
                cursor.execute("SELECT id, email FROM customers ORDER BY id")
                rows = cursor.fetchmany(3) + list(cursor)
            assert [number for number, _ in rows] == list(range(1, 401))
            assert all(email.startswith("***") for _, email in rows)


def test_a_scrolling_cursor_goes_back(gateway: Gateway) -> None:
    with (
        psycopg.connect(url(gateway.account())) as connection,
        connection.cursor("people", scrollable=True, withhold=True) as cursor,
    ):
        cursor.execute("SELECT id, email FROM customers ORDER BY id")
        cursor.fetchmany(10)
        cursor.scroll(-5)
        assert cursor.fetchone() == (6, "******@example.com")
        connection.commit()
        assert cursor.fetchone() == (7, "*****@example.com")


def test_rows_are_streamed_one_by_one(connection: Connection) -> None:
    rows = list(connection.cursor().stream("SELECT id, email FROM customers ORDER BY id", size=7))
    assert len(rows) == 400
    assert rows[0] == (1, "******@example.com")


def test_every_execution_of_a_prepared_statement_is_judged(connection: Connection, gateway: Gateway) -> None:
    connection.prepare_threshold = 2
    for number in range(1, 9):
        row = connection.execute("SELECT id, email FROM customers WHERE id = %s", [number]).fetchone()
        assert row is not None
        assert row[0] == number
        assert row[1].startswith("***")
    eventually(lambda: sum("FROM customers WHERE id" in text for text in judged(gateway, connection)) == 8)
    names = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert names == (1,)


def test_a_prepared_write_is_held_each_time(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    approvals = []
    for number in (1, 2):
        with gateway.api.deciding("approve", containing=table) as seen:
            connection.execute(f"UPDATE {table} SET note = 'changed' WHERE id = %s", [number], prepare=True)
        approvals += seen
    assert [each["command"]["parameters"] for each in approvals] == [["1"], ["2"]]
    with gateway.api.deciding("deny", containing=table), pytest.raises(errors.InsufficientPrivilege):
        connection.execute(f"UPDATE {table} SET note = 'changed' WHERE id = %s", [3], prepare=True)
    assert notes() == ["changed", "changed", "first"]


def test_each_row_of_executemany_is_a_command_of_its_own(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    def wanted(number: int) -> Callable[[Mapping[str, Any]], bool]:
        return lambda each: each["state"] == "pending" and each["command"]["parameters"][:1] == [str(number)]

    def approve() -> None:
        for number in (4, 5, 6):
            gateway.api.vote(gateway.api.approval(wanted(number)), "approve")

    with gateway.api.meanwhile(approve):
        connection.cursor().executemany(
            f"INSERT INTO {table} VALUES (%s, %s)", [(number, "added") for number in (4, 5, 6)]
        )
    assert notes().count("added") == 3


# Copy.


@pytest.mark.parametrize("written", ["TEXT", "CSV", "BINARY"])
def test_copy_in_waits_and_runs(
    connection: Connection, gateway: Gateway, table: str, notes: Notes, written: str
) -> None:
    with gateway.api.deciding("approve", containing=table), connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT {written})") as copy:
            if written == "CSV":
                copy.write("".join(f"{number},copied\n" for number in range(4, 504)))
            else:
                copy.set_types(["int4", "text"])
                for number in range(4, 504):
                    copy.write_row((number, "copied"))
        assert cursor.rowcount == 500
    assert notes().count("copied") == 500


def test_copy_in_that_is_refused_leaves_the_connection_usable(
    connection: Connection, gateway: Gateway, table: str
) -> None:
    with (
        gateway.api.deciding("deny", containing=table),
        pytest.raises(errors.InsufficientPrivilege),
        connection.cursor().copy(f"COPY {table} FROM STDIN") as copy,
    ):
        copy.write_row((4, "copied"))
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_copy_in_that_the_client_breaks_off_copies_nothing(
    connection: Connection, gateway: Gateway, table: str, notes: Notes
) -> None:
    class ChangedMind(Exception):
        pass

    with (  # noqa: PT012  what was written goes with what is raised
        gateway.api.deciding("approve", containing=table),
        pytest.raises(ChangedMind),
        connection.cursor().copy(f"COPY {table} FROM STDIN") as copy,
    ):
        copy.write_row((4, "copied"))
        raise ChangedMind
    assert notes() == ["first"] * 3
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_copy_out_is_masked_row_by_row(connection: Connection) -> None:
    with connection.cursor().copy(
        "COPY (SELECT id, email, ssn FROM customers ORDER BY id) TO STDOUT"
    ) as copy:
        rows = list(copy.rows())
    assert len(rows) == 400
    assert rows[0] == ("1", "******@example.com", "[redacted]")


def test_binary_copy_out_hides_what_it_has_to(connection: Connection) -> None:
    copied = b""
    with connection.cursor().copy(
        "COPY (SELECT id, email, ssn, tier FROM customers ORDER BY id) TO STDOUT (FORMAT BINARY)"
    ) as copy:
        copied = b"".join(bytes(data) for data in copy)
    assert copied.startswith(b"PGCOPY\n\xff\r\n\0")
    assert copied.count(b"gold") == 40
    assert b"chiara10" not in copied
    assert b"219-09" not in copied


def test_binary_copy_out_comes_row_by_row_as_a_server_sends_it(connection: Connection) -> None:
    with connection.cursor().copy(
        "COPY (SELECT id, email, ssn, tier FROM customers ORDER BY id) TO STDOUT (FORMAT BINARY)"
    ) as copy:
        copy.set_types(["int4", "text", "text", "text"])
        rows = list(copy.rows())
    assert len(rows) == 400
    number, email, ssn, tier = rows[9]
    assert (number, tier) == (10, "gold")
    assert "chiara10" not in str(email)
    assert ssn is None or "219-09" not in ssn
