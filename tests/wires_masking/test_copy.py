"""COPY TO STDOUT: text, CSV and binary as a real server writes them, in any pieces."""

from __future__ import annotations

import csv
import io
import struct

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts.postgres import read
from gateway.masking.engine import CompiledMask
from gateway.model import Effect, Facts, Output
from gateway.protocols.postgres.copy import BinaryCopyMask, CopyMask, plan_copy
from gateway.protocols.postgres.copy_format import CopyFormat, CopyUnreadable, copy_format
from gateway.protocols.postgres.copy_source import copied_out
from gateway.protocols.postgres.messages import Column
from gateway.wire import ProtocolViolation

VALUES = [
    "plain", "", "jane@example.com", "a\tb", "line\nbreak", 'say "hi"', "back\\slash", "4111111111111111", "4111 1111 1111 1111",
    '{"password": "x1\\"y2", "n": 1}', "semi;colon", "\\N", "\\.", "k者se", "comma,here", None, "'", "password=hunter2,next", "|", " ",
]  # fmt: skip
OPTIONS = [
    "", "(FORMAT text, DELIMITER '|', NULL 'nothing')", "(FORMAT text, DELIMITER ',')", "(FORMAT csv)", "(FORMAT csv, HEADER)",
    "(FORMAT csv, DELIMITER ';', QUOTE '''', NULL 'x')", "(FORMAT csv, FORCE_QUOTE *)", "(FORMAT csv, ESCAPE '\\')",
    "(FORMAT csv, DELIMITER E'\\t')", "(FORMAT text, HEADER)", "(FORMAT text, ENCODING 'GBK')", "csv header", "delimiters '|'",
]  # fmt: skip
SECRETS = (b"jane@", b"4111111111111111", b"4111 1111 1111", b"hunter2", b"x1\\")


def response(columns: int, *, binary: bool = False) -> bytes:
    body = bytes((binary,)) + struct.pack(f">h{columns}h", columns, *([int(binary)] * columns))
    return b"H" + struct.pack(">i", len(body) + 4) + body


def message(payload: bytes) -> bytes:
    return b"d" + struct.pack(">i", len(payload) + 4) + payload


def payloads(data: bytes) -> list[bytes]:
    out, at = [], 0
    while at < len(data):
        assert data[at : at + 1] == b"d"
        size = 1 + struct.unpack(">i", data[at + 1 : at + 5])[0]
        out.append(data[at + 5 : at + size])
        at += size
    return out


def copied(connection: psycopg.Connection, statement: str) -> list[bytes]:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return [bytes(part) for part in copy]


def masked(plan: CopyMask | BinaryCopyMask, parts: list[bytes]) -> bytes:
    out = b"".join(plan.data(message(part)) for part in parts) + plan.end()
    return b"".join(payloads(out))


@pytest.fixture(scope="module")
def table(postgres):
    account = postgres.superuser
    with psycopg.connect(
        host=account.host, port=account.port, user=account.user, password=account.password, dbname=account.database,
        autocommit=True,
    ) as connected:  # fmt: skip
        connected.execute("CREATE TABLE customers (id int, name text, ssn text, note text)")
        connected.execute("CREATE TABLE came_back (LIKE customers)")
        with connected.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO customers VALUES (%s, %s, %s, %s)",
                [(number, value, "123-45-6789", value) for number, value in enumerate(VALUES)],
            )
        yield connected


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("columns", ["(id, name, ssn, note)", "(id, note)"])
def test_what_the_server_copies_comes_out_masked_and_can_be_copied_in_again(
    table: psycopg.Connection, mask: CompiledMask, options: str, columns: str
) -> None:
    statement = f"COPY customers {columns} TO STDOUT {options}"
    parts = copied(table, statement)
    plan = plan_copy(response(columns.count(",") + 1), statement, read(statement), mask)
    out = masked(plan, parts)
    for secret in (*SECRETS, b"123-45-6789"):
        assert secret not in out
    table.execute("TRUNCATE came_back")
    with (
        table.cursor() as cursor,
        cursor.copy(
            f"COPY came_back {columns} FROM STDIN {options.replace('FORCE_QUOTE *', 'NULL $$$$').replace('$$$$', chr(39) * 2)}"
        ) as back,
    ):
        back.write(out)
    rows = table.execute("SELECT id, name, ssn, note FROM came_back ORDER BY id").fetchall()
    assert len(rows) == len(VALUES)
    for (number, name, ssn, note), value in zip(rows, VALUES, strict=True):
        assert number == VALUES.index(value)
        assert (note is None) == (value is None)
        assert ssn == ("[redacted]" if "ssn" in columns else None)
        if value in {
            "plain",
            "a\tb",
            "line\nbreak",
            'say "hi"',
            "back\\slash",
            "semi;colon",
            "k者se",
            "comma,here",
            "\\.",
        }:
            assert note == value
        if value == "4111111111111111":
            assert int(note) == 1111
        if "name" in columns and value == "jane@example.com":
            assert name == "****@example.com"


@pytest.mark.parametrize("options", OPTIONS)
def test_rows_cut_anywhere_come_out_the_same(
    table: psycopg.Connection, mask: CompiledMask, options: str
) -> None:
    statement = f"COPY customers (id, name, note) TO STDOUT {options}"
    parts = copied(table, statement)
    whole = b"".join(parts)
    wanted = masked(plan_copy(response(3), statement, read(statement), mask), parts)
    for size in (1, 2, 5, 17, 64, 500):
        cut = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert masked(plan_copy(response(3), statement, read(statement), mask), cut) == wanted, size


def test_binary_rows_stay_binary_and_masked_columns_become_null(
    table: psycopg.Connection, mask: CompiledMask
) -> None:
    statement = "COPY customers (id, ssn, note) TO STDOUT (FORMAT binary)"
    parts = copied(table, statement)
    whole = b"".join(parts)
    facts = read(statement)
    wanted = masked(plan_copy(response(3, binary=True), statement, facts, mask), parts)
    assert b"jane@" not in wanted
    assert b"123-45" not in wanted
    for size in (1, 3, 19, 100):
        cut = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert masked(plan_copy(response(3, binary=True), statement, facts, mask), cut) == wanted
    table.execute("TRUNCATE came_back")
    with (
        table.cursor() as cursor,
        cursor.copy("COPY came_back (id, ssn, note) FROM STDIN (FORMAT binary)") as back,
    ):
        back.write(wanted)
    assert table.execute("SELECT count(*), count(ssn), min(note) FILTER (WHERE note LIKE '%@%') FROM came_back").fetchone() == (
        len(VALUES), 0, "****@example.com",
    )  # fmt: skip


def test_the_header_tells_which_column_is_meant(table: psycopg.Connection, mask: CompiledMask) -> None:
    statement = "COPY customers TO STDOUT (FORMAT csv, HEADER)"
    out = masked(plan_copy(response(4), statement, read(statement), mask), copied(table, statement))
    rows = list(csv.reader(io.StringIO(out.decode())))
    assert rows[0] == ["id", "name", "ssn", "note"]
    assert {row[2] for row in rows[1:]} == {"[redacted]"}
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(len(VALUES))]


def test_without_names_every_column_that_could_be_meant_is_hidden(
    table: psycopg.Connection, mask: CompiledMask
) -> None:
    statement = "COPY customers TO STDOUT"
    out = masked(plan_copy(response(4), statement, read(statement), mask), copied(table, statement))
    left = {field for line in out.splitlines() for field in line.split(b"\t")}
    assert left <= {b"[redacted]", b"0", b"\\N", b'{"password":"[redacted]","n":0}'}


def test_a_chunk_without_a_hit_is_the_same_object(mask: CompiledMask) -> None:
    facts = Facts(
        effects=frozenset({Effect.READ}), outputs=(Output(name="a", sources=frozenset({"t.a"})),) * 2
    )
    for statement in ("COPY t (a, b) TO STDOUT", "COPY t (a, b) TO STDOUT (FORMAT csv)"):
        plan = plan_copy(response(2), statement, facts, mask)
        separator = b"," if "csv" in statement else b"\t"
        data = b"".join(message(b"x%b%d\n" % (separator, number)) for number in range(50))
        assert plan.data(data) is data
        assert plan.end() == b""
        assert plan.masked == {}


@pytest.mark.parametrize("statement", ["COPY t (a) TO STDOUT", "COPY t (a) TO STDOUT (FORMAT csv)"])
def test_a_value_in_colours_is_read_as_it_looks(mask: CompiledMask, statement: str) -> None:
    facts = Facts(effects=frozenset({Effect.READ}), outputs=(Output(name="a", sources=frozenset({"t.a"})),))
    plan = plan_copy(response(1), statement, facts, mask)
    out = plan.data(message(b"paid by 4111 1\x1b[01;31m11\x1b[m1 1111 1111\n")) + plan.end()
    assert b"4111" not in out
    assert plan.masked == {"payment_card": 1}


@pytest.mark.parametrize("written", [CopyFormat(), CopyFormat(format="csv", delimiter=b",", null=b"")])
@pytest.mark.parametrize("quote", [b"", b'"'])
def test_doubles_are_copied_out_masked(mask: CompiledMask, written: CopyFormat, quote: bytes) -> None:
    columns = [Column("f", 0, 0, 701, 0), Column("g", 0, 0, 701, 0)]
    outputs = [Output(name=name, sources=frozenset({f"t.{name}"})) for name in ("f", "g")]
    plan = CopyMask(2, outputs, written, mask, columns=columns)
    quote = quote if written.format == "csv" else b""
    row = written.delimiter.join(quote + said + quote for said in (b"4.111111111111111e+15", b"1.5")) + b"\n"
    assert masked(plan, [row]) == row.replace(b"4.111111111111111e+15", b"1111")


def test_masked_values_are_counted_by_what_masked_them(mask: CompiledMask) -> None:
    facts = Facts(
        effects=frozenset({Effect.READ}),
        outputs=(
            Output(name="ssn", sources=frozenset({"t.ssn"})),
            Output(name="b", sources=frozenset({"t.b"})),
        ),
    )
    plan = plan_copy(response(2), "COPY t (ssn, b) TO STDOUT", facts, mask)
    plan.data(message(b"123-45-6789\tjane@example.com\n") + message(b"\\N\tx\n"))
    assert plan.masked == {"column ssn": 1, "email": 1}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("COPY t TO STDOUT", CopyFormat()),
        ("copy t to stdout csv header", CopyFormat(format="csv", delimiter=b",", null=b"", header=True)),
        ("COPY t TO STDOUT (FORMAT csv, HEADER false)", CopyFormat(format="csv", delimiter=b",", null=b"")),
        ("COPY t TO STDOUT (DELIMITER '|', NULL '')", CopyFormat(delimiter=b"|", null=b"")),
        ("COPY t TO STDOUT (ENCODING 'SJIS')", CopyFormat(codec="cp932")),
    ],
)
def test_the_format_is_read_from_the_statement(text: str, wanted: CopyFormat) -> None:
    copy = copied_out(text)
    assert copy is not None
    assert copy_format(copy) == wanted
    assert copied_out(f"BEGIN; SELECT 1; {text}; COPY u TO STDOUT (FORMAT binary)", 2) is not None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; COPY t TO STDOUT",
        "SELECT 1",
        "COPY t TO",
        "COPY t TO STDOUT (FORMAT json)",
        "COPY t FROM STDIN",
    ],
)
def test_a_format_that_cannot_be_told_is_refused(mask: CompiledMask, text: str) -> None:
    with pytest.raises(CopyUnreadable):
        plan_copy(response(1), text, read(text), mask)


@pytest.mark.parametrize("row", [b"a\tb\tc\n", b"a\n"])
def test_a_row_with_other_fields_than_announced_is_a_violation(mask: CompiledMask, row: bytes) -> None:
    plan = CopyMask(2, [Output(name="ssn", sources=frozenset({"t.ssn"}))] * 2, CopyFormat(), mask)
    with pytest.raises(ProtocolViolation):
        plan.data(message(row))


@pytest.mark.parametrize(
    "data",
    [b"PGCOPZ", b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\3", b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xffx"],
)
def test_binary_data_that_is_none_is_a_violation(mask: CompiledMask, data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        BinaryCopyMask(1, None, mask).data(message(data))


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([
        CopyFormat(), CopyFormat(delimiter=b"|", null=b"x"), CopyFormat(format="csv", delimiter=b",", null=b""),
        CopyFormat(format="csv", delimiter=b";", quote=b"'", escape=b"\\", null=b"NULL"),
    ]),
    st.lists(st.one_of(st.none(), st.binary(max_size=12).map(lambda data: data.replace(b"\0", b"")), st.sampled_from([b'"', b"'", b"\\", b"a;b", b"\\'"])), min_size=1, max_size=4),
)  # fmt: skip
def test_fields_survive_being_written_and_read(written: CopyFormat, fields: list[bytes | None]) -> None:
    quote = written.quote if written.format == "csv" else b""
    row = written.delimiter.join(
        b"\\N" if field is None and written.format == "text" and written.null == b"\\N"
        else written.null if field is None
        else written.write(field, like=quote)
        for field in fields
    )  # fmt: skip
    data = row + b"\nnext"
    assert written.ends(data, 0) == len(row) + 1
    parts = written.split(row)
    assert len(parts) == len(fields)
    for part, field in zip(parts, fields, strict=True):
        if field is not None and part == written.null:
            continue  # text that is spelt like NULL, which the server would have escaped
        assert written.read(part) == field
