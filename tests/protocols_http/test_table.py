"""Columns that rules name are hidden in CSV, whatever the quotes and the cuts, and no other byte changes."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.http.naming import Names
from gateway.protocols.http.table import TableText, TableUnreadable
from gateway.protocols.http.texts import Texts
from tests.protocols_http.answers import NAMING, compiled, cut_anywhere, facts, pieces


def shown(
    parts: list[bytes], *, mask=NAMING, path: str = "/v1/orders/export", longest: int = 10_000
) -> bytes:
    made = TableText(Names(mask, facts(path)), mask, Texts(mask, lambda data: data), longest=longest)
    return b"".join([made.feed(part) for part in parts] + [made.close()])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("id,ssn,note\r\n1,078-05-1120,x\r\n2,,y\r\n", "id,ssn,note\r\n1,[redacted],x\r\n2,,y\r\n"),
        ('"id";"SSN"\n1;"078;05""\n1120"\n2;123456789', '"id";"SSN"\n1;"[redacted]"\n2;0'),
        ("ssn\tname\n1.50\tJane\n", "ssn\tname\n0\tJane\n"),
        ("a,ssn\r1,x\r2,y\r", "a,ssn\r1,[redacted]\r2,[redacted]\r"),
        ("a,ssn\n\n1,x\n", "a,ssn\n\n1,[redacted]\n"),
        (
            'a,payload\n1,"{""card"": ""x"", ""b"": 1}"\n',
            'a,payload\n1,"{""card"":""[redacted]"",""b"":1}"\n',
        ),
        ("ssn\n", "ssn\n"),
        (",ssn\n0,x\n", ",ssn\n0,[redacted]\n"),
        ("", ""),
    ],
)
def test_columns_are_hidden(before: str, after: str) -> None:
    for parts in [[before.encode()], *cut_anywhere(before.encode())]:
        assert shown(parts).decode() == after


@pytest.mark.parametrize(
    "text",
    [
        'a,ssn\n"1"x,y\n',
        "a\n1,078-05-1120\n",
        'a,ssn\n1,"078',
        'a,ssn\n"1,078\n',
        "a,ssn\n1\n",
        'a,ssn\n5 inch 2", no\n',
        "a,ssn\n1,07\r8,1\n",
        "a,ssn\r1,07\n8,1\r",
    ],
)
def test_what_cannot_be_told_apart_is_not_shown(text: str) -> None:
    for parts in [[text.encode()], *cut_anywhere(text.encode())]:
        with pytest.raises(TableUnreadable):
            shown(parts)


def test_a_record_is_not_kept_for_ever() -> None:
    with pytest.raises(TableUnreadable):
        shown([b"a,b\n", b'1,"', *[b"x" * 100] * 200])


def test_a_record_is_given_out_when_it_is_whole() -> None:
    made = TableText(Names(NAMING, facts()), NAMING, Texts(NAMING, lambda data: data), longest=10_000)
    assert made.feed(b"id,ssn\n1,2") == b"id,ssn\n"
    assert made.feed(b"3\n4") == b"1,0\n"
    assert not made.between


FIELDS = st.text(st.sampled_from("ab1 \",;\n'é"), max_size=6)


@given(
    st.lists(st.lists(FIELDS, min_size=3, max_size=3), max_size=6),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\r\n", "\n"]),
    st.lists(st.integers(0, 12), max_size=30),
)
def test_python_reads_the_same_table_but_for_what_is_hidden(
    rows: list[list[str]], quoting: int, separator: str, end: str, cuts: list[int]
) -> None:
    written = io.StringIO()
    writer = csv.writer(written, quoting=quoting, delimiter=separator, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([["id", "ssn", "note"], *rows])
    before = written.getvalue().encode()
    after = shown(pieces(before, cuts), mask=compiled(columns={"*.ssn": "hash"}))
    read = list(csv.reader(io.StringIO(after.decode(), newline=""), delimiter=separator))
    assert [[row[0], row[2]] for row in read] == [["id", "note"], *([row[0], row[2]] for row in rows)]
    for row, (_, hidden, _) in zip(rows, read[1:], strict=True):
        assert hidden != row[1] or hidden in {"", "0"}
    assert shown(pieces(before, cuts), mask=compiled(columns={"*.other": "hash"})) == before
