"""The walk over copied rows: compiled and as Python it does the same, and it reads fields as `CopyFormat` does."""

from __future__ import annotations

import struct
from pathlib import Path
from types import ModuleType

from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.protocols.postgres as package
from gateway.protocols.postgres import copy_rows
from gateway.protocols.postgres.copy_format import CopyFormat
from gateway.wire import ProtocolViolation
from tests.uncompiled import uncompiled

PURE = uncompiled(copy_rows)
FORMATS = [
    CopyFormat(),
    CopyFormat(delimiter=b"|", null=b"x"),
    CopyFormat(format="csv", delimiter=b",", null=b""),
    CopyFormat(format="csv", delimiter=b";", quote=b"'", escape=b"\\", null=b"NULL"),
]
TEXTS = st.one_of(
    st.none(),
    st.text(alphabet="ab\\\"'|,;\t\n\r1x", max_size=8).map(str.encode),
    st.binary(max_size=8).map(lambda data: data.replace(b"\0", b"")),
)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(TEXTS, min_size=columns, max_size=columns), min_size=1, max_size=4)
)


def message(payload: bytes) -> bytes:
    return b"d" + struct.pack(">i", len(payload) + 4) + payload


def written_row(written: CopyFormat, values: list[bytes | None]) -> bytes:
    quote = written.quote if written.format == "csv" else b""
    return (
        written.delimiter.join(
            written.null if value is None else written.write(value, like=quote) for value in values
        )
        + b"\n"
    )


def signs(written: CopyFormat) -> tuple[int, int, int]:
    return written.delimiter[0], written.quote[0] if written.format == "csv" else -1, written.escape[0]


def outcome(walk: ModuleType, data: bytes, written: CopyFormat, kinds: bytes) -> object:
    found: list[object] = []
    try:
        rows, apart, text, marks = walk.gather(data, kinds, *signs(written), written.null)
        found += rows, apart, text, marks
        if rows >= 0:
            starts = [at for at in range(len(text)) if text[at]]
            found.append(walk.locate(data, kinds, starts, marks, *signs(written), written.null))
    except ProtocolViolation as violation:
        found.append(str(violation))
    try:
        found.append(
            walk.rewrite(
                data,
                bytes(kind % 3 for kind in kinds),
                [(b"gone", b'"gone"')] * len(kinds),
                *signs(written),
                written.null,
                lambda place, field: b"%d:%d" % (place, len(field)),
            )
        )
        found.append(walk.contents(data))
    except ProtocolViolation as violation:
        found.append(str(violation))
    return found


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(FORMATS), TABLES, st.lists(st.sampled_from([0, 1, 2, 6, 7]), min_size=4, max_size=4),
    st.integers(0, 30), st.tuples(st.integers(0, 10_000), st.integers(0, 255)),
)  # fmt: skip
def test_the_compiled_walk_and_its_source_agree(written, table, kinds, cut, flip) -> None:
    data = b"".join(message(written_row(written, values)) for values in table)
    damaged = bytearray(data)
    damaged[flip[0] % len(data)] = flip[1]
    for given_bytes in (data, data[: len(data) - cut], bytes(damaged)):
        for plan in (bytes(kinds[: len(table[0])]), bytes(kinds[: len(table[0]) - 1])):
            assert outcome(copy_rows, given_bytes, written, plan) == outcome(PURE, given_bytes, written, plan)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(FORMATS), TABLES)
def test_what_is_searched_are_the_values_and_each_place_in_them_is_found_again(written, table) -> None:
    table = table * 9
    data = b"".join(message(written_row(written, values)) for values in table)
    plan = bytes(len(table[0]))
    count, apart, text, marks = copy_rows.gather(data, plan, *signs(written), written.null)
    assert (count, apart) == (len(table), [])
    said: list[bytes] = []
    expected: list[tuple[int, int, int, int, int]] = []
    at = filled = 0
    for row in copy_rows.contents(data):
        begin, at = at, at + 5
        for column, field in enumerate(written.split(row[:-1])):
            if (value := written.read(field)) is not None:
                said.append(value)
                expected += [(begin, column, at, at + len(field), filled)] * len(value)
                filled += len(value) + 1
            at += len(field) + 1
    assert text == b"".join(value + b"\0" for value in said)
    starts = [place for place in range(len(text)) if text[place]]
    assert copy_rows.locate(data, plan, starts, marks, *signs(written), written.null) == expected


def test_the_compiled_walk_is_the_one_that_is_used_where_it_was_built() -> None:
    built = list(Path(package.__file__).parent.glob("copy_rows.*.so"))
    assert not built or str(copy_rows.__file__).endswith(".so")
