"""The compiled walk and its source agree, and stay inside what they are given; every collation of a server is known."""

from __future__ import annotations

from typing import Any

import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.mysql import charsets, rows
from gateway.wire import ProtocolViolation
from tests.mysql_rows import packets as p
from tests.mysql_rows.conftest import PURE

VALUES = st.one_of(
    st.none(),
    st.binary(max_size=12),
    st.sampled_from([b"4111111111111111", b"4111111111111.00", b"1e15", b"x" * 300, b"\0\0\0\2\0\0\0\0", b"a" * 70_000]),
)  # fmt: skip


@st.composite
def runs(draw: st.DrawFn) -> tuple[bytes, bytes, bytes, int]:
    """Rows, or what is almost rows: `(data, kinds, widths, framed)`."""
    columns = draw(st.integers(1, 12))
    kinds = bytes(draw(st.lists(st.integers(0, 7), min_size=columns, max_size=columns)))
    binary = draw(st.booleans())
    types = draw(
        st.lists(st.sampled_from([p.VARCHAR, p.LONG, p.LONGLONG]), min_size=columns, max_size=columns)
    )
    payloads = []
    for _ in range(draw(st.integers(1, 4))):
        values = draw(st.lists(VALUES, min_size=columns, max_size=columns))
        if binary:
            fit = [
                value if value is None or kind not in p.FIXED else value[: p.FIXED[kind]].ljust(p.FIXED[kind], b"\1")
                for kind, value in zip(types, values, strict=True)
            ]  # fmt: skip
            payloads.append(p.binary_row(types, *fit))
        else:
            payloads.append(p.text_row(*values))
    framed = draw(st.booleans())
    data = p.framed(*payloads) if framed else payloads[0]
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + draw(st.binary(max_size=3)) + data[at + draw(st.integers(0, 2)) :]
    widths = bytes(p.FIXED.get(kind, 0) for kind in types) if binary else b""
    return data, kinds, widths, int(framed)


def outcome(function: Any, *arguments: object) -> object:
    try:
        return function(*arguments)
    except ProtocolViolation as violation:
        return str(violation)


@given(runs(), st.lists(st.integers(0, 400), max_size=6))
def test_both_walks_find_the_same(run: tuple[bytes, bytes, bytes, int], places: list[int]) -> None:
    data, _, widths, framed = run
    gathered = outcome(rows.gather, *run)
    assert gathered == outcome(PURE.gather, *run)
    if isinstance(gathered, tuple):
        _, _, text, marks = gathered
        starts = sorted(place for place in places if place < len(text) and text[place])
        assert outcome(rows.locate, *run, starts, marks) == outcome(PURE.locate, *run, starts, marks)
    if framed:
        for most in (8, 0xFFFFFF):
            followed = [outcome(each.follow, data, 0, 1, most, bool(widths)) for each in (rows, PURE)]
            assert followed[0] == followed[1]


@given(runs(), st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_both_walks_write_the_same(run: tuple[bytes, bytes, bytes, int], changes: list[int]) -> None:
    data, kinds, widths, framed = run
    plan = bytes(changes[: len(kinds)])
    constants = [None if place % 2 else b"\3abc" for place in range(len(kinds))]

    def call(place: int, value: bytes) -> bytes | None:
        return None if place % 3 == 0 else value[::-1]

    wanted = outcome(PURE.rewrite, data, plan, widths, framed, constants, call)
    assert outcome(rows.rewrite, data, plan, widths, framed, constants, call) == wanted
    unchanged = outcome(rows.rewrite, data, bytes(len(kinds)), widths, framed, constants, call)
    assert unchanged == (data, [0] * len(kinds)) or isinstance(unchanged, str)


def test_every_collation_of_a_server_is_known(connection: pymysql.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.ID, a.CHARACTER_SET_NAME, c.MAXLEN FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY a"
            " JOIN information_schema.CHARACTER_SETS c USING (CHARACTER_SET_NAME)"
        )
        told = cursor.fetchall()
    assert len(told) > 300
    for number, name, widest in told:
        known = charsets.of_collation(number)
        assert (known.name, known.widest) == (name, widest), number


@pytest.mark.parametrize(
    "name", ["latin1", "utf16", "utf16le", "utf32", "ucs2", "gbk", "sjis", "koi8r", "cp1250"]
)
def test_text_is_read_and_written_as_the_server_has_it(connection: pymysql.Connection, name: str) -> None:
    said = {"koi8r": "Ёж", "gbk": "中文", "sjis": "日本"}.get(name, "Müller")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT CAST(CONVERT(%s USING {name}) AS BINARY), CONVERT('plain' USING {name})", (said,)
        )
        value, plain = cursor.fetchone()
    charset = charsets.named(name)
    assert charset.read(value)[0].decode() == said
    assert charset.written(said.encode()) == value
    assert plain == "plain"
