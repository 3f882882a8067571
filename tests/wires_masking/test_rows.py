"""Rows: what is replaced, what stays the very same object, and that the compiled walk and its source agree."""

from __future__ import annotations

import struct
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.protocols.postgres as package
from gateway.masking.engine import CompiledMask, Masks
from gateway.model import Effect, Facts, Output, Resource
from gateway.policy.model import MaskPolicy
from gateway.protocols.column_rules import ColumnRule, column_rules
from gateway.protocols.postgres import results, rows
from gateway.protocols.postgres.messages import Column
from gateway.protocols.postgres.results import ResultMask, plan_rows
from gateway.wire import ProtocolViolation
from tests.uncompiled import uncompiled
from tests.wires_masking.conftest import fields, frames, row

TEXT, INT8, TIMESTAMP, NUMERIC, JSON, BYTEA, FLOAT8 = 25, 20, 1114, 1700, 114, 17, 701
WHOLE = ColumnRule()


PURE = uncompiled(rows)
WALKS = [pytest.param(rows, id="as-installed"), pytest.param(PURE, id="as-python")]


@pytest.fixture(params=WALKS)
def walk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(results, "walk", request.param)
    return request.param


def column(name: str, type_oid: int = TEXT, written: int = 0) -> Column:
    return Column(name, 0, 0, type_oid, written)


def result(mask: CompiledMask, *columns: Column, rules: list[str | None] | None = None) -> ResultMask:
    strategies = rules or [None] * len(columns)
    return ResultMask(columns, [ColumnRule(strategy=strategy) for strategy in strategies], mask)


def test_rows_without_a_hit_are_the_same_object(walk: ModuleType, mask: CompiledMask) -> None:
    data = row(b"1", b"plain", None) + row(b"2", b"", b"x")
    plan = result(mask, column("id", INT8), column("a"), column("b"))
    assert plan.rows(data) is data
    assert plan.masked == {}
    assert plan.count == 2


def test_a_hit_changes_its_field_alone(walk: ModuleType, mask: CompiledMask) -> None:
    quiet = row(b"1", b"plain", None)
    plan = result(mask, column("id", INT8), column("a"), column("b"))
    out = plan.rows(quiet + row(b"2", b"to jane@example.com or a@b.co", b"password=hunter2") + quiet)
    assert frames(out)[0] == frames(out)[2] == quiet
    assert fields(frames(out)[1]) == [b"2", b"to ****@example.com or *@b.co", b"password=[redacted]"]
    assert plan.masked == {"email": 2, "password": 1}


def test_a_length_that_looks_like_a_letter_hides_nothing(walk: ModuleType, mask: CompiledMask) -> None:
    for length in range(16, 128):
        value = b"4111111111111111".ljust(length, b" ")
        out = result(mask, column("a")).rows(row(value))
        assert b"41111111" not in out, length


def test_a_value_in_colours_is_read_as_it_looks(walk: ModuleType, mask: CompiledMask) -> None:
    quiet = row(b"\x1b[1mplain\x1b[0m")
    out = result(mask, column("a")).rows(quiet + row(b"paid by 4111 1\x1b[01;31m11\x1b[m1 1111 1111"))
    assert frames(out)[0] == quiet
    assert b"4111" not in out
    assert b"1111" in out  # its last four


def test_a_hit_never_goes_over_into_the_next_field(walk: ModuleType, mask: CompiledMask) -> None:
    plan = result(mask, column("a"), column("b"))
    data = (
        row(b"password", b"hunter2")
        + row(b"4111 1111", b"1111 1111")
        + row(b"password=", b"x")
        + row(b"phone", b"5551234567")
    )
    assert plan.rows(data) is data


def test_numbers_dates_and_the_like_are_not_searched_but_wide_numbers_are(
    walk: ModuleType, mask: CompiledMask
) -> None:
    plan = result(mask, column("t", TIMESTAMP), column("n", INT8), column("m", NUMERIC))
    out = plan.rows(row(b"2024-01-01 00:00:00", b"4111111111111111", b"4111111111111111"))
    assert fields(out) == [b"2024-01-01 00:00:00", b"1111", b"1111"]


def test_wide_binary_numbers_are_looked_at_one_by_one(walk: ModuleType, mask: CompiledMask) -> None:
    digits = [4111, 1111, 1111, 1111]
    numeric = struct.pack(">HhHH4H", 4, 3, 0, 0, *digits)
    plan = result(mask, column("n", INT8, 1), column("m", NUMERIC, 1))
    quiet = row(struct.pack(">q", 123456789012345), struct.pack(">HhHH1H", 1, 0, 0, 0, 5))
    assert plan.rows(quiet) is quiet
    assert plan.rows(row(struct.pack(">q", -4111111111111111), None)) == row(
        struct.pack(">q", -4111111111111111), None
    )
    out = plan.rows(row(struct.pack(">q", 4111111111111111), numeric))
    assert fields(out) == [struct.pack(">q", 1111), struct.pack(">HhHH1H", 1, 0, 0, 0, 1111)]
    assert plan.masked == {"payment_card": 2}


def test_doubles_are_searched_as_the_whole_numbers_that_they_are(
    walk: ModuleType, mask: CompiledMask
) -> None:
    cards = (4111111111111111.0, 378282246310005.0)
    for number, shown in zip(cards, (1111.0, 5.0), strict=True):
        for written, said in ((0, repr(number).removesuffix(".0").encode()), (1, struct.pack(">d", number))):
            plan = result(mask, column("f", FLOAT8, written), column("t"))
            (hidden, _) = fields(plan.rows(row(said, b"x")))
            assert hidden is not None
            assert (float(hidden) if written == 0 else struct.unpack(">d", hidden)[0]) == shown
            assert plan.masked == {"payment_card": 1}
    quiet = (
        0.5,
        3.141592653589793,
        1e300,
        float("inf"),
        float("nan"),
        4111111111111112.0,
        1e15,
        12.0,
        41111111111111.11,
    )
    for number in quiet:
        for written, said in ((0, repr(number).removesuffix(".0").encode()), (1, struct.pack(">d", number))):
            data = row(said, b"x")
            assert result(mask, column("f", FLOAT8, written), column("t")).rows(data) is data


def test_a_card_s_number_is_one_however_its_column_writes_it(walk: ModuleType, mask: CompiledMask) -> None:
    plan = result(mask, column("n", NUMERIC), column("d", 1022), column("t"), column("j", 3802))
    card, doubles = b"4111111111111111.00", b"{4.111111111111111e+15,1.5}"
    out = plan.rows(row(card, doubles, b"a " + card, b'{"c": %s, "m": "jane@example.com"}' % card))
    assert fields(out)[:3] == [b"1111.00", b"{1111,1.5}", b"a " + card], "of prose the detector judges alone"
    assert fields(out)[3] == b'{"c": 1111.00, "m": "****@example.com"}'
    assert plan.masked == {"payment_card": 3, "email": 1}
    many = b"{" + b",".join([b"4.111111111111112e+15", b"1.5e+10", b"4.111111111111111e+15"] * 5000) + b"}"
    (_, shown, _, _) = fields(plan.rows(row(None, many, None, None)))
    assert shown == many.replace(b"4.111111111111111e+15", b"1111")
    quiet = row(b"4111111111111112.00", b"{4.111111111111112e+15,0.05}", None, b'{"c": 12.00}')
    quiet += row(b"4111111111111111.50", b"{1e+300,-4.111111111111111e+15}", None, b'{"v": "1.0.0"}')
    assert plan.rows(quiet) is quiet


def test_a_ruled_column_goes_whole_and_null_stays_null(walk: ModuleType, mask: CompiledMask) -> None:
    plan = result(
        mask, column("id", INT8), column("ssn"), column("n", INT8, 1), rules=[None, "redact", "redact"]
    )
    out = plan.rows(row(b"1", b"123-45-6789", bytes(7) + b"\x05") + row(b"2", None, None))
    assert [fields(frame) for frame in frames(out)] == [[b"1", b"[redacted]", bytes(8)], [b"2", None, None]]
    assert plan.masked == {"column ssn": 1, "column n": 1}
    null = result(mask, column("ssn"), rules=["null"])
    assert fields(null.rows(row(b"x"))) == [None]
    partial = result(mask, column("mail"), rules=["partial"])
    assert fields(partial.rows(row(b"jane@example.com"))) == [b"****@example.com"]


def test_json_stays_json_and_bytea_is_looked_into(walk: ModuleType, mask: CompiledMask) -> None:
    plan = result(mask, column("j", JSON), column("b", BYTEA))
    hexed = b"\\x" + b"mail jane@example.com".hex().encode()
    out = plan.rows(row(b'{"card": 4111111111111111, "m": "a@b.co"}', hexed))
    assert fields(out) == [
        b'{"card": 1111, "m": "*@b.co"}',
        b"\\x" + b"mail ****@example.com".hex().encode(),
    ]


def test_a_structure_in_binary_keeps_every_length(walk: ModuleType, mask: CompiledMask) -> None:
    array = struct.pack(">iiIii", 1, 0, TEXT, 1, 1) + struct.pack(">i", 16) + b"jane@example.com"
    out = result(mask, column("a", 1009, 1)).rows(row(array))
    assert fields(out) == [array.replace(b"jane", b"****")]


@pytest.mark.parametrize(
    "data",
    [
        b"D", b"D\0\0\0\6\0", b"C\0\0\0\6\0\1", b"D\0\0\0\6\0\2", row(b"a", b"b", b"c"), row(b"a", b"b") + b"D", row(b"a", b"b")[:-1],
        b"D\0\0\0\x0a\0\2\0\0\0\1", b"D\0\0\0\x0e\0\2\0\0\0\x09\0\0\0\0", b"D\xff\xff\xff\xff\0\2",
        b"D\0\0\0\x0f\0\2\xff\xff\xff\xff\xff\xff\xff\xff\0", b"D\0\0\0\x0e\0\2\x80\0\0\0\0\0\0\0",
    ],
)  # fmt: skip
@pytest.mark.parametrize("ruled", [None, "redact"])
def test_rows_that_are_not_as_described_are_a_violation(
    walk: ModuleType, mask: CompiledMask, data: bytes, ruled: str | None
) -> None:
    plan = result(mask, column("a"), column("b"), rules=[ruled, None])
    with pytest.raises(ProtocolViolation):
        plan.rows(data)


FIELDS = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"jane@example.com",
            b"4111111111111111",
            b"4111111111111111.00",
            b"{4.111111111111111e+15,0.05}",
            b"password=x1y2",
            b"plain",
            b"",
            bytes(8),
            b"\0\0\x0e\x9a\xbc\xde\xf0\x12",
        ]
    ),
)


@settings(deadline=None)
@given(
    table=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    kinds=st.lists(st.integers(0, 7), min_size=4, max_size=4),
    cut=st.integers(0, 40),
    flip=st.tuples(st.integers(0, 10_000), st.integers(0, 255)),
)
def test_the_compiled_walk_and_its_source_agree(table, kinds, cut, flip) -> None:
    data = b"".join(row(*values) for values in table)
    plan = bytes(kinds[: len(table[0])])
    damaged = bytearray(data)
    damaged[flip[0] % len(data)] = flip[1]
    for given_bytes in (data, data[: len(data) - cut], bytes(damaged)):
        assert outcome(rows, given_bytes, plan) == outcome(PURE, given_bytes, plan)


def outcome(walk: ModuleType, data: bytes, kinds: bytes) -> object:
    try:
        gathered = walk.gather(data, kinds)
    except ProtocolViolation as violation:
        gathered = str(violation)
    try:
        rewritten = walk.rewrite(
            data,
            bytes(kind % 3 for kind in kinds),
            [walk.sized(b"new")] * len(kinds),
            lambda _, value: value[:-1] or None,
        )
    except ProtocolViolation as violation:
        rewritten = str(violation)
    if isinstance(gathered, str):
        return gathered, rewritten
    starts = [place for place, sign in enumerate(gathered[2]) if sign]
    return gathered, rewritten, walk.locate(data, kinds, starts, gathered[3])


@given(st.lists(st.lists(FIELDS, min_size=3, max_size=3), max_size=4))
def test_what_is_searched_are_the_values_and_each_place_in_them_is_found_again(table) -> None:
    table = table * 9
    data, plan = b"".join(row(*values) for values in table), bytes((rows.SEARCH, rows.SKIP, rows.SEARCH))
    said = [value for values in table for value in values[::2] if value is not None]
    count, apart, text, marks = rows.gather(data, plan)
    assert (count, apart, text) == (len(table), [], b"".join(value + b"\0" for value in said))
    starts = [place for place, sign in enumerate(text) if sign]
    found = rows.locate(data, plan, starts, marks)
    assert [(data[start:end], text[at : at + end - start]) for _, _, start, end, at in found] == [
        (value, value) for value in said for sign in value if sign
    ]
    assert all(start - at + place < end for place, (_, _, start, end, at) in zip(starts, found, strict=True))


def test_the_compiled_walk_is_the_one_that_is_used_where_it_was_built() -> None:
    built = list(Path(package.__file__).parent.glob("rows.*.so"))
    assert not built or str(rows.__file__).endswith(".so")


# Which rule a column falls under.


def star(*sources: str, exact: bool = True) -> Output:
    return Output(name="*", sources=frozenset(sources), exact=exact)


def out(name: str, *sources: str, exact: bool = True) -> Output:
    return Output(name=name, sources=frozenset(sources), exact=exact)


def strategies(
    mask: CompiledMask, names: list[str | None], outputs: list[Output] | None, **more: object
) -> list[str | None]:
    return [rule.strategy for rule in column_rules(names, outputs, mask, **more)]  # type: ignore[arg-type]


def test_a_column_is_known_by_what_it_is_made_of(mask: CompiledMask) -> None:
    assert strategies(mask, ["x", "y"], [out("x", "customers.ssn"), out("y", "orders.id")]) == [
        "redact",
        None,
    ]
    assert strategies(mask, ["name"], [out("name", "orders.name")]) == [None]
    assert strategies(mask, ["name"], [out("name", "customers.name")]) == ["partial"]
    assert strategies(mask, ["n"], [out("n", "customers.name", exact=False)]) == ["redact"]
    assert strategies(mask, ["ssn"], [out("ssn", "orders.id")]) == ["redact"]
    assert strategies(mask, ["j"], [out("j", "customers.*", exact=False)]) == ["redact"]


def test_a_star_is_as_wide_as_the_answer(mask: CompiledMask) -> None:
    assert strategies(mask, ["id", "name", "ssn"], [star("customers.*")]) == [None, "partial", "redact"]
    assert strategies(mask, ["id", "name"], [star("orders.*")]) == [None, None]
    assert strategies(mask, ["a", "id", "name", "z"], [out("a", "customers.ssn"), star("customers.*"), out("z", "orders.z")]) == [
        "redact", None, "partial", None,
    ]  # fmt: skip
    assert strategies(mask, ["id", "x", "id", "name"], [star("orders.*"), out("x", "customers.ssn"), star("customers.*")]) == [
        None, "redact", None, "partial",
    ]  # fmt: skip
    assert strategies(mask, ["a", "b"], [star("customers.ssn", exact=False)]) == ["redact", "redact"]


def test_outputs_that_do_not_fit_the_answer_mask_whatever_they_could(mask: CompiledMask) -> None:
    assert strategies(mask, ["a", "b"], [out("a", "customers.ssn")]) == ["redact", "redact"]
    assert strategies(mask, ["a"], [out("a", "orders.x"), out("b", "orders.y")]) == [None]
    assert strategies(mask, ["a"], [out("a", "orders.x"), star("customers.*"), out("b", "orders.y")]) == [
        "redact"
    ]


def test_without_outputs_names_count_and_so_does_everything_that_is_read(mask: CompiledMask) -> None:
    assert strategies(mask, ["ssn", "name", "id"], None) == ["redact", "partial", None]
    assert strategies(mask, ["a", "b"], None, read=["customers.ssn"]) == ["redact", "redact"]
    assert strategies(mask, ["a", "b"], None, read=["orders.id"]) == [None, None]
    assert strategies(mask, [None, None], None) == ["redact", "redact"]


def test_the_server_can_vouch_for_a_column(mask: CompiledMask) -> None:
    assert strategies(mask, ["x"], None, origins=["public.customers.ssn"]) == ["redact"]
    assert strategies(mask, ["name"], None, origins=["public.orders.name"]) == [None]
    assert strategies(mask, ["x"], [out("x", "v.x")], origins=["public.customers.ssn"]) == ["redact"]


def description(*names: str) -> bytes:
    body = struct.pack(">h", len(names)) + b"".join(
        name.encode() + b"\0" + struct.pack(">IhIhih", 0, 0, TEXT, -1, -1, 0) for name in names
    )
    return b"T" + struct.pack(">i", len(body) + 4) + body


def test_a_plan_comes_from_the_description_and_the_facts(mask: CompiledMask) -> None:
    facts = Facts(
        effects=frozenset({Effect.READ}), outputs=(out("x", "customers.ssn"), out("y", "orders.id"))
    )
    assert fields(plan_rows(description("x", "y"), facts, mask).rows(row(b"1", b"2"))) == [
        b"[redacted]",
        b"2",
    ]
    several = Facts(
        effects=frozenset({Effect.READ}),
        resources=(Resource(kind="column", name="customers.ssn", effect=Effect.READ),),
    )
    assert fields(plan_rows(description("x"), several, mask).rows(row(b"1"))) == [b"[redacted]"]


@pytest.mark.parametrize(
    ("type_oid", "written", "value", "wanted"),
    [
        (TEXT, 0, b"a@example.com," * 200_000, b"[redacted]"),
        (JSON, 0, b'["' + b'a@example.com","' * 200_000 + b'"]', b'"[redacted]"'),
        (3802, 1, b'\x01["' + b'a@example.com","' * 200_000 + b'"]', b'\x01"[redacted]"'),
        (1009, 0, b"{" + b"a@example.com," * 200_000 + b"x}", b"{}"),
        (BYTEA, 0, b"\\x" + (b"a@example.com," * 200_000).hex().encode(), b"\\x"),
        (BYTEA, 1, b"a@example.com," * 200_000, None),
        (99_999, 1, b"a@example.com," * 200_000, None),
    ],
)
def test_a_value_with_too_many_hits_is_gone(
    walk: ModuleType, mask: CompiledMask, type_oid: int, written: int, value: bytes, wanted: bytes | None
) -> None:
    plan = result(mask, column("a", type_oid, written), column("b"))
    out = fields(plan.rows(row(value, b"b@example.com")))
    assert out == [wanted, b"*@example.com"]
    assert plan.masked == {"too_many": 1, "email": 1}


PATHS = Masks(
    {
        "m": MaskPolicy(
            name="m",
            columns={"$..token": "redact", "orders.payload$.card": "partial"},
            except_=("logs.*",),
        )
    },
    key=b"k" * 32,
).mask(["m"])
DOCUMENT = b'{"token": "abc", "card": "4111111111111111", "n": 1}'


def test_paths_reach_into_documents(walk: ModuleType) -> None:
    columns = [
        column("payload", 3802),
        column("j", JSON),
        column("raw", JSON),
        column("b", 3802, 1),
        column("t"),
    ]
    sources = ["orders.payload", "t.j", "logs.raw", "t.b", "t.t"]
    rules = column_rules(
        [each.name for each in columns],
        [out(c.name, s) for c, s in zip(columns, sources, strict=True)],
        PATHS,
    )
    plan = ResultMask(columns, rules, PATHS)
    masked = fields(plan.rows(row(DOCUMENT, DOCUMENT, DOCUMENT, b"\x01" + DOCUMENT, DOCUMENT)))
    assert masked == [
        b'{"token":"[redacted]","card":"************1111","n":1}',
        b'{"token":"[redacted]","card":"4111111111111111","n":1}',
        DOCUMENT,
        b'\x01{"token":"[redacted]","card":"4111111111111111","n":1}',
        DOCUMENT,
    ]
    assert plan.masked == {"column payload": 2, "column j": 1, "column b": 1}
    quiet = row(b"{}", None, b"1", b"\x01[]", b"x")
    assert plan.rows(quiet) == quiet


def test_what_is_taken_out_of_a_named_document_is_redacted_and_text_in_it_is_read() -> None:
    taken = out("t", "orders.payload", exact=False)
    assert [rule.strategy for rule in column_rules(["t"], [taken], PATHS)] == ["redact"]
    whole = column_rules(["payload"], [out("payload", "orders.payload")], PATHS)
    plan = ResultMask([column("payload")], whole, PATHS)
    assert fields(plan.rows(row(DOCUMENT)))[0] == b'{"token":"[redacted]","card":"************1111","n":1}'
    assert fields(plan.rows(row(b"no document")))[0] == b"no document"


@pytest.mark.parametrize("written", [0, 1])
def test_rows_are_read_in_the_client_s_encoding(walk: ModuleType, mask: CompiledMask, written: int) -> None:
    plan = result(mask, column("a", TEXT, written), column("b", TEXT, written), rules=[None, "partial"])
    data = row("josé@example.com".encode("latin_1"), "Müller".encode("latin_1"))
    assert fields(plan.rows(data, "LATIN1")) == [b"*****@example.com", b"****er"]
    ascii_only = row(b"jane@example.com", b"Jane Doe")
    assert plan.rows(ascii_only, "LATIN1") == plan.rows(ascii_only)
