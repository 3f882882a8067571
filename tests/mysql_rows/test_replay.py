"""What a person sees of a recorded answer."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.mysql import read
from gateway.protocols.mysql.replay import render
from gateway.protocols.mysql.result_set import ResultSet
from gateway.wire import Limits
from tests.mysql_rows import packets as p

OK = b"\0\x02\0\x02\0\x01\0"
TABLE = p.result(
    [p.definition("id", p.LONG), p.definition("name"), p.definition("raw", p.BLOB, charset=p.BINARY)],
    [p.text_row(b"1", "Zoë".encode(), b"\0\xff"), p.text_row(b"2", None, b"x"), p.text_row(b"3", b"a\x1b[31m\nb", b"")],
)  # fmt: skip


def test_rows_are_a_table_that_no_terminal_obeys() -> None:
    assert render(TABLE, b"T").splitlines() == [
        "id | name         | raw",
        "---+--------------+-------",
        "1  | Zoë          | 0x00ff",
        "2  | NULL         | x",
        "3  | a\\x1b[31m\\nb |",
        "(3 rows)",
    ]


def test_several_answers_stand_one_behind_another() -> None:
    first = p.result([p.definition("a")], [p.text_row(b"1")], status=0x0A)
    behind = p.framed(OK, first=5) + p.framed(b"\xff\x28\x04#42000You have an error", first=6)
    assert render(first + behind, b"T").splitlines() == [
        "a", "-", "1", "(1 row)", "OK, 2 rows affected, 1 warning", "ERROR 1064 (42000): You have an error",
    ]  # fmt: skip
    assert render(p.result([p.definition("a"), p.definition("b")], []), b"T") == "a | b\n(0 rows)"


def test_binary_rows_are_read_by_their_types() -> None:
    kinds = [
        p.TINY,
        p.LONGLONG,
        p.DOUBLE,
        p.FLOAT,
        p.DATE,
        p.DATETIME,
        p.TIME,
        p.YEAR,
        p.BIT,
        p.VARCHAR,
        p.DECIMAL,
    ]
    row = p.binary_row(
        kinds, b"\xff", struct.pack("<Q", 2**64 - 1), struct.pack("<d", 2.5), struct.pack("<f", 1.25), b"\xe8\x07\x05\x01",
        b"\xe8\x07\x05\x01\x0a\x0b\x0c\x01\0\0\0", b"\x01\x02\0\0\0\x03\x04\x05", b"\xe8\x07", b"\x01\x05", None, b"1.50",
    )  # fmt: skip
    definitions = [
        p.definition(str(place), kind, flags=0x20 * (kind == p.LONGLONG), decimals=31)
        for place, kind in enumerate(kinds)
    ]
    shown = render(p.result(definitions, [row]), b"B").splitlines()[2]
    assert [cell.strip() for cell in shown.split("|")] == [
        "-1", "18446744073709551615", "2.5", "1.25", "2024-05-01", "2024-05-01 10:11:12.000001", "-51:04:05", "2024", "261",
        "NULL", "1.50",
    ]  # fmt: skip


def test_what_is_fetched_is_read_by_the_columns_that_came_before() -> None:
    one = ResultSet(binary=True, mask=None, facts=read("SELECT 1"), limits=Limits())
    one.receive(p.framed(b"\x01", p.definition("name"), p.eof(0x42)))
    answer = p.framed(p.binary_row([p.VARCHAR], b"x"), p.eof(0x42))
    assert render(answer, one.fetch().shape).splitlines() == ["name", "----", "x", "(1 row)"]


def test_a_list_of_fields_is_named() -> None:
    listed = p.framed(p.definition("id") + b"\x011", p.definition("name") + b"\xfb", p.eof())
    assert render(listed, b"F").splitlines() == ["field", "-----", "id", "name", "(2 rows)"]


def test_a_cut_recording_says_so() -> None:
    assert render(TABLE[:-3], b"T").splitlines()[-1].startswith("(cut: ")
    assert render(b"\x05\0\0\x01", b"T") == "(cut: 4 more bytes are not a whole packet)"


@given(st.binary(max_size=80), st.sampled_from([b"", b"T", b"B", b"F"]))
def test_nothing_recorded_stops_a_replay(data: bytes, shape: bytes) -> None:
    head = p.framed(b"\x01", p.definition("a", p.DATETIME), p.eof())
    for answer in (
        data,
        p.framed(data),
        head + data,
        head + p.framed(data, first=4),
        head + p.framed(b"\0\0" + data, first=4),
    ):
        assert render(answer, shape).replace("\n", "").isprintable()
