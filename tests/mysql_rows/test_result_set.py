"""Result sets: what is masked in them, what stays the very same bytes, and that it does not matter where they are cut."""

from __future__ import annotations

import struct
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.mysql import read
from gateway.masking.engine import CompiledMask
from gateway.model import Effect, Facts, Output
from gateway.protocols.mysql.plans import Plans
from gateway.protocols.mysql.result_set import ResultSet
from gateway.wire import Limits, ProtocolViolation
from tests.mysql_rows import packets as p

READ = frozenset({Effect.READ})
LIMITS = Limits()
ANYTHING = Facts(effects=READ, outputs=(Output(name="*", sources=frozenset({"t.*"})),))


def outputs(*sources: str) -> Facts:
    return Facts(effects=READ, outputs=tuple(Output(name="c", sources=frozenset({s})) for s in sources))


def made(mask: CompiledMask | None, facts: Facts = ANYTHING, **more: object) -> ResultSet:
    return ResultSet(binary=False, mask=mask, facts=facts, limits=LIMITS) if not more else ResultSet(
        **{"binary": False, "mask": mask, "facts": facts, "limits": LIMITS} | more  # type: ignore[arg-type]
    )  # fmt: skip


def rows_of(out: bytes, columns: int, first: int = 1) -> list[bytes]:
    return p.payloads(out, first)[2 + columns : -1]


def test_without_a_mask_the_very_same_bytes_pass(walk: ModuleType) -> None:
    data = p.result([p.definition()], [p.text_row(b"jane@example.com")] * 3, status=0x22)
    one = made(None)
    out, rest = one.receive(data)
    assert out == data
    assert rest == b""
    assert (one.done, one.rows, one.status, one.masked, one.shape) == (True, 3, 0x22, {}, b"T")


def test_rows_without_a_hit_are_the_same_object(walk: ModuleType, mask: CompiledMask) -> None:
    head = p.framed(b"\x01", p.definition(), p.eof())
    rows = p.framed(*[p.text_row(b"plain")] * 5, first=4)
    one = made(mask)
    assert one.receive(head)[0] == head
    assert one.receive(rows)[0] is rows
    assert one.rows == 5
    assert not one.done


def test_a_hit_changes_its_field_alone(walk: ModuleType, mask: CompiledMask) -> None:
    quiet, found = (
        p.text_row(b"1", b"plain", None),
        p.text_row(b"2", b"to jane@example.com", b"password=hunter2"),
    )
    one = made(mask)
    out, rest = one.receive(p.result([p.definition(n) for n in "abc"], [quiet, found, quiet]) + b"more")
    assert rest == b"more"
    masked = rows_of(out, 3)
    assert masked[0] == masked[2] == quiet
    assert p.text_values(masked[1]) == [b"2", b"to ****@example.com", b"password=[redacted]"]
    assert one.masked == {"email": 1, "password": 1}


def test_columns_are_known_by_what_the_statement_says(walk: ModuleType, mask: CompiledMask) -> None:
    definitions = [p.definition("x"), p.definition("y"), p.definition("z", flags=1)]
    out, _ = made(mask, outputs("customers.ssn", "customers.name", "t.gone")).receive(
        p.result(definitions, [p.text_row(b"123", b"Jane Doe", b"x"), p.text_row(None, None, b"")])
    )
    assert [p.text_values(row) for row in rows_of(out, 3)] == [
        [b"[redacted]", b"**** *oe", None],
        [None, None, None],
    ]
    assert p.payloads(out)[3][-5:-3] == b"\0\0", "a column of NULLs may be NULL"


def test_what_the_server_calls_a_column_hides_more_and_never_less(mask: CompiledMask) -> None:
    stored = p.definition("x", origin=("crm", "customers", "ssn"))
    shown = made(mask, Facts(effects=READ)).receive(p.result([stored], [p.text_row(b"123")]))[0]
    assert rows_of(shown, 1) == [p.text_row(b"[redacted]")]
    # An alias that a derived table was given does not clear what the statement reads.
    alias = p.definition("x", origin=("crm", "d", "x"))
    shown = made(mask, outputs("customers.ssn")).receive(p.result([alias], [p.text_row(b"123")]))[0]
    assert rows_of(shown, 1) == [p.text_row(b"[redacted]")]
    unread = Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)
    shown = made(mask, unread).receive(p.result([alias], [p.text_row(b"123")]))[0]
    assert rows_of(shown, 1) != [p.text_row(b"123")]


def test_what_show_tells_of_tables_is_no_column_of_theirs(mask: CompiledMask) -> None:
    name = p.definition("Name", origin=("information_schema", "TABLES", "TABLE_NAME"))
    row = p.text_row(b"customers")
    shown = made(mask, read("SHOW TABLE STATUS")).receive(p.result([name], [row]))[0]
    assert rows_of(shown, 1) == [row]
    for text in ("CALL p()", "SELECT 1; SHOW TABLE STATUS"):
        hidden = made(mask, read(text)).receive(p.result([name], [row]))[0]
        assert rows_of(hidden, 1) != [row]


def test_binary_rows_are_masked_in_their_types(walk: ModuleType, mask: CompiledMask) -> None:
    kinds = [p.VARCHAR, p.LONGLONG, p.DOUBLE, p.DECIMAL, p.LONGLONG, p.DATE]
    card = 4111111111111111
    row = p.binary_row(
        kinds, b"jane@example.com", struct.pack("<q", card), struct.pack("<d", card), b"%d.00" % card,
        struct.pack("<q", 123456789012345), struct.pack("<HBB", 2024, 5, 1),
    )  # fmt: skip
    nothing = p.binary_row(kinds, *[None] * 6)
    definitions = [
        p.definition(str(n), kind, decimals=2 * (kind == p.DECIMAL)) for n, kind in enumerate(kinds)
    ]
    definitions[2] = p.definition("2", p.DOUBLE, decimals=31)
    out, _ = made(mask, binary=True).receive(p.result(definitions, [row, nothing]))
    shown, still = rows_of(out, 6)
    assert still == nothing
    assert p.binary_values(kinds, shown) == [
        b"****@example.com", struct.pack("<q", 1111), struct.pack("<d", 1111), b"1111.00",
        struct.pack("<q", 123456789012345), struct.pack("<HBB", 2024, 5, 1),
    ]  # fmt: skip


def test_nulls_are_set_in_binary_rows(walk: ModuleType, mask: CompiledMask) -> None:
    kinds = [p.LONG, p.VARCHAR] * 5
    facts = outputs(*["t.id", "t.gone"] * 5)
    row = p.binary_row(kinds, *[b"\1\0\0\0", b"secret"] * 5)
    out, _ = made(mask, facts, binary=True).receive(
        p.result([p.definition(kind=k) for k in kinds], [row] * 2)
    )
    assert [p.binary_values(kinds, each) for each in rows_of(out, 10)] == [[b"\1\0\0\0", None] * 5] * 2


@pytest.mark.parametrize("size", [0xFFFF, 0xFFFFFF - 10, 0xFFFFFF, 2 * 0xFFFFFF - 9, 2 * 0xFFFFFF + 5])
def test_rows_of_many_packets_keep_the_numbers_in_order(
    walk: ModuleType, mask: CompiledMask, size: int
) -> None:
    big = p.text_row(b"a" * size, b"jane@example.com")
    data = p.result(
        [p.definition("a"), p.definition("b")], [p.text_row(b"x", None), big, p.text_row(b"y", None)]
    )
    wholly = made(mask, outputs("t.ssn", "t.b"))
    out, _ = wholly.receive(data)
    assert [p.text_values(row) for row in rows_of(out, 2)] == [
        [b"[redacted]", None], [b"[redacted]", b"****@example.com"], [b"[redacted]", None],
    ]  # fmt: skip
    assert wholly.shift == -(len(big) // 0xFFFFFF)
    assert wholly.rows == 3
    # The next result set of the same answer is numbered on, masked or not.
    following = p.result([p.definition()], [p.text_row(b"z")] * 2, first=wholly.sequence + 1 - wholly.shift)
    assert p.payloads(made(None, shift=wholly.shift).receive(following)[0], wholly.sequence + 1)
    untouched = made(None)
    assert untouched.receive(data)[0] == data
    assert untouched.rows == 3


def test_a_row_that_is_too_large_to_be_masked_ends_it(mask: CompiledMask) -> None:
    data = p.result([p.definition()], [p.text_row(b"a" * 200_000)])
    with pytest.raises(ProtocolViolation, match="row_bytes"):
        made(mask, limits=Limits(row_bytes=100_000)).receive(data)
    assert made(None, limits=Limits(row_bytes=100_000)).receive(data)[0] == data


def test_an_error_in_place_of_a_row_is_left_to_others(walk: ModuleType, mask: CompiledMask) -> None:
    before = p.framed(b"\x01", p.definition(), p.eof(), p.text_row(b"a@example.com"))
    error = p.framed(b"\xff\x25\x05#70100Query execution was interrupted", first=5)
    for each in (mask, None):
        one = made(each)
        out, rest = one.receive(before + error)
        assert rest == error
        assert (one.done, one.interrupted, one.rows, one.sequence) == (True, True, 1, 4)
        assert len(p.payloads(out)) == 4
    early = p.framed(b"\x02", p.definition()) + p.framed(b"\xff\x25\x05#70100gone", first=3)
    one = made(mask)
    out, rest = one.receive(early)
    assert one.interrupted
    assert out + rest == early


def test_a_cursor_has_its_rows_fetched(walk: ModuleType, mask: CompiledMask) -> None:
    head = p.framed(b"\x01", p.definition(kind=p.VARCHAR), p.eof(0x42))
    one = made(mask, binary=True)
    assert one.receive(head + b"rest") == (head, b"rest")
    assert one.cursor
    assert one.done
    row = p.binary_row([p.VARCHAR], b"jane@example.com")
    for _ in range(2):
        fetched = one.fetch()
        out, _ = fetched.receive(p.framed(row, p.eof(0x82)))
        assert p.payloads(out)[0] == p.binary_row([p.VARCHAR], b"****@example.com")
        assert (fetched.done, fetched.rows, fetched.status, fetched.masked) == (True, 1, 0x82, {"email": 1})
    assert made(None, binary=False).receive(head)[0] == head


def test_plans_are_remembered_but_not_large_ones(mask: CompiledMask) -> None:
    plans = Plans(kept=2)

    def plan(name: str) -> object:
        head = p.framed(b"\x01", p.definition(name), p.eof())
        return plans.plan(head, ANYTHING, mask, in_binary=False, labels="utf8mb4")

    assert plan("a") is plan("a")
    first = plan("b")
    assert plan("x" * 20_000) is not plan("x" * 20_000)
    assert plan("b") is first
    assert plan("c") is plan("c")


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *cuts})
    return [data[a:b] for a, b in pairwise(places)]


ONE = p.result(
    [p.definition("a"), p.definition("ssn"), p.definition("b", p.LONGLONG)],
    [p.text_row(b"jane@example.com", b"1", b"4111111111111111"), p.text_row(None, None, b"7"), p.text_row(b"", b"", b"0")],
    status=0x0A,
)  # fmt: skip
LARGE = p.result([p.definition("a")], [p.text_row(b"x" * 70_000 + b" jane@example.com"), p.text_row(b"y")])


@pytest.mark.parametrize("masks", [True, False])
@given(st.lists(st.integers(0, len(ONE)), max_size=30))
def test_it_does_not_matter_where_it_is_cut(mask: CompiledMask, masks: bool, cuts: list[int]) -> None:
    check_cuts(mask if masks else None, ONE, cuts)


@pytest.mark.parametrize("masks", [True, False])
def test_it_may_come_byte_by_byte(mask: CompiledMask, masks: bool) -> None:
    check_cuts(mask if masks else None, ONE, list(range(len(ONE))))
    check_cuts(mask if masks else None, LARGE, list(range(0, len(LARGE), 977)))


def check_cuts(mask: CompiledMask | None, data: bytes, cuts: list[int]) -> None:
    whole = made(mask)
    wanted = whole.receive(data + b"behind")
    one, out = made(mask), b""
    parts = pieces(data, cuts)
    for part in parts[:-1]:
        shown, rest = one.receive(part)
        assert rest == b""
        out += shown
        if one.whole and out:
            assert p.payloads(out)
            assert one.sequence == (len(p.payloads(out)) & 0xFF)
    shown, rest = one.receive(parts[-1] + b"behind")
    assert (out + shown, rest) == wanted
    assert (one.rows, one.masked, one.status) == (whole.rows, whole.masked, whole.status)
    assert one.done


@st.composite
def nonsense(draw: st.DrawFn) -> bytes:
    """Well framed, and numbered in order more often than not."""
    chunks = draw(
        st.lists(
            st.one_of(
                st.binary(max_size=40),
                st.sampled_from([
                    b"\x01", b"\x02", p.definition(), p.definition(kind=p.DATETIME), p.eof(), p.eof(0x42), b"\xff\x01\x02",
                    p.text_row(b"jane@example.com"), p.binary_row([p.VARCHAR], b"a@example.com"), b"\xfe" + b"\0" * 8, b"",
                    p.definition(kind=p.NULL), p.definition(kind=99), p.definition(charset=54), p.definition(kind=p.LONGLONG),
                ]),
            ),
            max_size=12,
        )
    )  # fmt: skip
    return p.framed(b"\x01", p.definition(kind=draw(st.integers(0, 255))), p.eof(), *chunks)


@pytest.mark.parametrize("binary", [False, True])
@given(data=nonsense(), facts=st.sampled_from([ANYTHING, outputs("t.ssn"), outputs("customers.name")]))
def test_well_framed_nonsense_is_a_violation_or_a_result(
    mask: CompiledMask, binary: bool, data: bytes, facts: Facts
) -> None:  # fmt: skip
    for each in (mask, None):
        one = made(each, facts, binary=binary)
        try:
            out, rest = one.receive(data)
        except ProtocolViolation as violation:
            assert type(violation) is ProtocolViolation  # noqa: PT017
            continue
        assert one.done or not rest
        assert (
            b"jane@example.com" not in out
            or each is None
            or not one.whole
            or out.startswith(data[: len(out)])
        )


@given(cut=st.integers(5, len(ONE) - 1), bit=st.integers(0, 7), at=st.integers(0, len(ONE) - 1))
def test_a_flipped_bit_is_a_violation_or_a_result(mask: CompiledMask, cut: int, bit: int, at: int) -> None:
    data = bytearray(ONE)
    data[at] ^= 1 << bit
    one = made(mask)
    try:
        one.receive(bytes(data[:cut]))
        if not one.done:
            one.receive(bytes(data[cut:]))
    except ProtocolViolation as violation:
        assert type(violation) is ProtocolViolation  # noqa: PT017
