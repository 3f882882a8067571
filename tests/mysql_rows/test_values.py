"""What stands for a value is a value of its type: a real server takes it, and text and binary rows agree."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pymysql
import pytest

from gateway.masking.engine import CompiledMask, Masks
from gateway.model import Effect, Facts, Output
from gateway.policy.model import MaskPolicy
from gateway.protocols.mysql import binary as forms
from gateway.protocols.mysql import charsets
from gateway.protocols.mysql.columns import Column
from gateway.protocols.mysql.plans import columns_of
from gateway.protocols.mysql.result_set import ResultSet
from gateway.wire import Limits
from tests.mysql_rows import packets as p
from tests.mysql_rows.server import answered

TYPES = {
    "TINYINT": ["-128", "127"],
    "TINYINT UNSIGNED": ["255", "0"],
    "SMALLINT": ["-32768", "12345"],
    "MEDIUMINT UNSIGNED": ["16777215", "17"],
    "INT": ["-2147483648", "1999999999"],
    "INT(10) ZEROFILL": ["42", "4294967295"],
    "BIGINT": ["-9223372036854775808", "4111111111111111"],
    "BIGINT UNSIGNED": ["18446744073709551615"],
    "DECIMAL(20,2)": ["-1.50", "123456789012345678.99"],
    "DECIMAL(4,4)": ["0.1234"],
    "DECIMAL(8,3) ZEROFILL": ["12.5"],
    "FLOAT": ["1.25", "-3e30", "1234567"],
    "DOUBLE": ["2.5", "-1e300", "4111111111111111"],
    "DOUBLE(12,2)": ["1234567.25"],
    "DATE": ["'2024-05-01'", "'1999-12-31'"],
    "DATETIME": ["'2024-05-01 10:11:12'", "'1950-01-01 00:00:00'"],
    "DATETIME(3)": ["'2024-05-01 10:11:12.345'", "'2024-05-01 00:00:00'"],
    "TIMESTAMP(6) NULL": ["'2024-05-01 10:11:12.000001'"],
    "TIME": ["'-100:01:02'", "'00:00:00'", "'838:59:59'"],
    "TIME(2)": ["'10:01:02.25'"],
    "YEAR": ["2024", "1901", "0"],
    "BIT(9)": ["b'101010101'", "b'1'"],
    "CHAR(2)": ["'DE'"],
    "VARCHAR(6)": ["'Jane D'", "'Zoëé'"],
    "VARCHAR(60)": ["'Jane Doe'", "''"],
    "VARCHAR(20) CHARACTER SET latin1": ["'Müller'"],
    "TEXT": ["'some longer text'"],
    "LONGTEXT": ["'another'"],
    "JSON": ['\'{"a": "secret words", "b": [17, null]}\''],
    "ENUM('calm','tense')": ["'tense'"],
    "SET('x','y')": ["'x,y'"],
    "BINARY(4)": ["x'01'"],
    "VARBINARY(40)": ["'Jane Doe'", "x'00ff00ff00ff00ff'"],
    "BLOB": ["x'89504e47'"],
    "POINT": ["POINT(13.4, 52.5)"],
}
ALIKE = {
    "TINYINT UNSIGNED": {b"0"},
    "TIME": {b"00:00:00"},
    "YEAR": {b"0000"},
    "DATETIME": {b"1950-01-01 00:00:00"},
    "VARCHAR(60)": {b""},
}
"""Values that say nothing."""
STRATEGIES = ("redact", "partial", "hash", "tokenise")


def mask_by(strategy: str) -> CompiledMask:
    policy = MaskPolicy(name="m", columns={"*.v": strategy})
    return Masks({"m": policy}, key=b"k" * 32).mask(["m"])


@pytest.fixture(scope="module", params=TYPES)
def table(request: pytest.FixtureRequest, connection: pymysql.Connection) -> str:
    declared = request.param
    with connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'STRICT_ALL_TABLES'")
        cursor.execute("CREATE OR REPLACE TABLE typed (n INT PRIMARY KEY AUTO_INCREMENT, v " + declared + ")")
        for value in TYPES[declared]:
            cursor.execute(f"INSERT INTO typed (v) VALUES ({value})")
        cursor.execute("INSERT INTO typed (v) VALUES (DEFAULT)")
    return declared


def values(connection: pymysql.Connection, mask: CompiledMask | None, *, binary: bool) -> list[bytes | None]:
    """The values of the table, as text rows have them, and behind them those of its default."""
    answer = answered(connection, "SELECT v FROM typed ORDER BY n", binary=binary)
    facts = Facts(
        effects=frozenset({Effect.READ}), outputs=(Output(name="v", sources=frozenset({"typed.v"})),)
    )
    shown, rest = ResultSet(binary=binary, mask=mask, facts=facts, limits=Limits()).receive(answer)
    assert rest == b""
    column = described(answer)
    rows = p.payloads(shown)[3:-1]
    if not binary:
        return [p.text_values(row)[0] for row in rows]
    found = [p.binary_values([column.type], row)[0] for row in rows]
    return [None if value is None else forms.to_text(value, column) for value in found]


def described(answer: bytes) -> Column:
    at, found = 0, b""
    for _ in range(3):
        size = 4 + int.from_bytes(answer[at : at + 3], "little")
        found += answer[at : at + size]
        at += size
    return columns_of(found, charsets.named("utf8mb4"))[0]


def plain(value: bytes | None, declared: str) -> object:
    """Text rows of a DOUBLE and of what is filled up with zeros have another form than binary ones, of the same number."""
    if value is not None and declared.startswith(("DOUBLE", "FLOAT")):
        return float(f"{float(value):.5e}")
    return value.lstrip(b"0") if value is not None and "ZEROFILL" in declared else value


def test_binary_values_are_read_as_the_server_writes_them_in_text(
    connection: pymysql.Connection, table: str
) -> None:
    written = [plain(value, table) for value in values(connection, None, binary=False)]
    read = [plain(value, table) for value in values(connection, None, binary=True)]
    assert read == written


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_stands_for_a_value_is_one(connection: pymysql.Connection, table: str, strategy: str) -> None:
    mask = mask_by(strategy)
    stored = values(connection, None, binary=False)
    hidden = values(connection, mask, binary=False)
    for value, shown in zip(stored, hidden, strict=True):
        assert (shown is None) == (value is None or table.startswith("ENUM")), "nobody knows its labels"
        assert shown != value or value is None or value in ALIKE.get(table, ()), (value, shown)
    in_binary = values(connection, mask, binary=True)
    agree = [plain(value, table) for value in hidden]
    if not table.startswith(("FLOAT", "DOUBLE")) or strategy == "redact":
        assert [plain(value, table) for value in in_binary] == agree
    for each in {*hidden, *in_binary} - {None}:
        taken(connection, table, each)


def taken(connection: Any, declared: str, value: bytes) -> None:
    """The server stores it, in strict mode and without a warning, and gives it back."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE TEMPORARY TABLE back (v {declared})")
        if declared.startswith(("BIT", "BINARY", "VARBINARY", "BLOB", "POINT")):
            cursor.execute(f"INSERT INTO back VALUES (x'{value.hex()}')")
        else:
            cursor.execute("INSERT INTO back VALUES (%s)", (value.decode(),))
        cursor.execute("SHOW WARNINGS")
        assert cursor.fetchall() == ()
        cursor.execute("SELECT v FROM back")
        assert cursor.fetchone() is not None


def test_null_is_null_in_every_type(connection: pymysql.Connection, table: str) -> None:
    mask = mask_by("null")
    for binary in (False, True):
        assert set(values(connection, mask, binary=binary)) == {None}


def test_partial_shows_what_people_may_know(connection: pymysql.Connection, table: str) -> None:
    shown = values(connection, mask_by("partial"), binary=True)
    if table == "DATE":
        assert shown[0] == b"2024-01-01"
    elif table == "BIGINT":
        assert shown[1] == b"1111"
    elif table.startswith("VARCHAR(60)"):
        assert shown[0] == b"**** *oe"


def test_the_same_value_has_the_same_stand_in(connection: pymysql.Connection, table: str) -> None:
    mask = mask_by("tokenise")
    assert values(connection, mask, binary=False) == values(connection, mask, binary=False)


def test_moments_that_are_drawn_are_days(connection: pymysql.Connection, table: str) -> None:
    if table in {"DATE", "DATETIME", "DATETIME(3)", "TIMESTAMP(6) NULL"}:
        for value in values(connection, mask_by("hash"), binary=False):
            assert value is None or dt.date.fromisoformat(value[:10].decode()) > dt.date(1949, 1, 1)
