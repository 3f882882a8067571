"""CSV in pieces: the columns that rules name, the values that detectors find, and CSV again."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.masking import tables
from gateway.masking.decoding import BodyUnreadable
from gateway.masking.engine import CompiledMask, Masks
from gateway.masking.tables import CsvMask
from gateway.policy.model import MaskPolicy


@pytest.fixture(scope="module")
def ruled() -> CompiledMask:
    rules = {"*.ssn": "redact", "name": "partial", "gone": "null"}
    policy = MaskPolicy(name="m", detect=("email",), columns=rules, except_=("note.ssn",))
    return Masks({"m": policy}, key=b"k" * 32).mask(["m"])


def masked(mask: CompiledMask, data: bytes, cuts: list[int]) -> tuple[bytes, dict[str, int]]:
    stream = CsvMask(mask)
    out = []
    at = 0
    for cut in cuts:
        out.append(stream.feed(data[at : at + cut]))
        at += cut
    return b"".join([*out, stream.feed(data[at:]), stream.close()]), stream.masked


def test_columns_go_by_their_names_and_values_by_what_they_are(ruled: CompiledMask) -> None:
    table = b'\xef\xbb\xbfid,SSN,"name",gone,note\r\n1,123-45-6789,"Doe, ""J""",x,a@b.co\r\n2,,,"y","two\nlines"\r\n3,9,Jane Doe,,x'
    out, counts = masked(ruled, table, [])
    assert out.splitlines(keepends=True)[0] == b'\xef\xbb\xbfid,SSN,"name",gone,note\r\n'
    rows = list(csv.reader(io.StringIO(out.decode("utf-8-sig"))))
    assert [len(row) for row in rows] == [5] * 4
    assert rows[1][0::4] == ["1", "*@b.co"]
    assert rows[1][1] == "[redacted]"
    assert "Doe" not in rows[1][2]
    assert rows[2] == ["2", "", "", "", "two\nlines"]
    assert rows[3][1:4] == ["[redacted]", "**** *oe", ""]
    assert counts == {"column SSN": 2, "column name": 2, "column gone": 2, "email": 1}


CELLS = st.text(alphabet='ab",\n\r é@.c', max_size=8) | st.sampled_from(["jane@example.com", "123-45-6789"])


@settings(deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5),
    st.lists(st.integers(1, 20), max_size=10),
)
def test_whatever_the_cuts_it_is_the_same_table_without_the_values(
    ruled: CompiledMask, cells: list[list[str]], cuts: list[int]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["id", "ssn", "note"], *cells])
    data = text.getvalue().encode()
    out, _ = masked(ruled, data, cuts)
    assert out == masked(ruled, data, [])[0]
    rows = list(csv.reader(io.StringIO(out.decode(), newline="")))
    wanted = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert [len(row) for row in rows] == [len(row) for row in wanted]
    for row, old in zip(rows[1:], wanted[1:], strict=True):
        assert row[1] in {"", "[redacted]"}
        assert (row[1] == "") == (old[1] == "")


def test_a_field_that_no_column_has_is_hidden(ruled: CompiledMask) -> None:
    assert masked(ruled, b"id,ssn\n1,2,3\n", [])[0] == b"id,ssn\n1,[redacted],[redacted]\n"


def test_what_does_not_end_is_unreadable(ruled: CompiledMask, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BodyUnreadable, match="within a quoted field"):
        masked(ruled, b'id,ssn\n1,"2', [])
    monkeypatch.setattr(tables, "LONGEST_ROW", 10)
    with pytest.raises(BodyUnreadable, match="longer than 10"):
        masked(ruled, b"x" * 20, [])
