"""The parts below the wire: following frames, reading messages, showing values, rendering answers."""

from __future__ import annotations

import struct
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Effect, Facts, Resource
from gateway.protocols import NAMES, ProtocolUnknown, load
from gateway.protocols.column_rules import reads_hidden
from gateway.protocols.postgres import frames, messages
from gateway.protocols.postgres.messages import Bind
from gateway.protocols.postgres.parameters import shown, shown_value
from gateway.protocols.postgres.plans import WITHHELD, mask_notification, mask_report
from gateway.protocols.postgres.replay import render
from gateway.wire import ProtocolViolation
from tests.uncompiled import uncompiled
from tests.wires.masks import Word
from tests.wires.playbook import bind, copy_response, done, fields, row, row_description

both = pytest.mark.parametrize(
    "follow", [frames.follow, uncompiled(frames).follow], ids=["installed", "uncompiled"]
)
ROW = ord("D")


@both
@given(sizes=st.lists(st.integers(0, 50), max_size=20), cut=st.integers(0, 2000))
def test_following_finds_every_frame_of_one_tag(follow, sizes: list[int], cut: int) -> None:
    data = b"xy" + b"".join(messages.frame(b"D", b"v" * size) for size in sizes) + done("SELECT 1")
    here = data[: min(cut, len(data))]
    whole, reach, count = follow(here, 2, ROW)
    ends = [2]
    for size in sizes:
        if ends[-1] + 5 > len(here):
            break
        ends.append(ends[-1] + 5 + size)
    assert count == len(ends) - 1
    assert reach == ends[-1]
    assert whole == max(end for end in ends if end == 2 or end <= len(here))


@both
@pytest.mark.parametrize("size", [0, 3, 0x40000001, 0xFFFFFFFF])
def test_an_impossible_length_is_a_violation(follow, size: int) -> None:
    with pytest.raises(ProtocolViolation):
        follow(b"D" + size.to_bytes(4, "big") + bytes(8), 0, ROW)


@both
def test_following_stops_at_what_it_was_not_asked_for(follow) -> None:
    assert follow(b"", 0, ROW) == (0, 0, 0)
    assert follow(done("SELECT 1"), 0, ROW) == (0, 0, 0)


# Messages.


def test_a_bind_is_read_as_it_was_written() -> None:
    raw = bind(b"1", None, b"", portal="p", statement="s", formats=(0, 1, 0))
    for read in (frames.bind, uncompiled(frames).bind):
        assert read(raw, 5, len(raw)) == (b"p", b"s", (0, 1, 0), (b"1", None, b""), (), 9)
    read_bind = messages.read_bind(raw, 5, len(raw))
    assert (read_bind.statement, read_bind.values, read_bind.exact) == (b"s", (b"1", None, b""), raw[9:])


@given(st.binary(max_size=60))
def test_no_body_makes_a_reader_fail_in_another_way(body: bytes) -> None:
    for read in (
        messages.read_bind,
        messages.read_parse,
        messages.read_query,
        messages.read_execute,
        messages.read_target,
        messages.read_row_description,
        messages.read_parameter_types,
        messages.read_fields,
        messages.read_status,
    ):
        try:
            read(b"?????" + body, 5, 5 + len(body))
        except ProtocolViolation:
            continue


@given(
    values=st.lists(st.one_of(st.none(), st.binary(max_size=8)), max_size=4),
    place=st.integers(0, 200),
    cut=st.booleans(),
)
def test_a_bind_that_is_cut_or_longer_is_a_violation(
    values: list[bytes | None], place: int, cut: bool
) -> None:
    raw = bind(*values)
    wrong = raw[: 5 + place % (len(raw) - 5)] if cut else raw + b"\0" * (1 + place % 7)
    with pytest.raises(ProtocolViolation):
        messages.read_bind(wrong, 5, len(wrong))


def test_a_description_takes_the_formats_of_its_rows() -> None:
    described = row_description("a", "b")
    formats = [
        column.format
        for column in messages.read_row_description(
            messages.with_formats(described, (0, 1)), 5, len(described)
        )
    ]
    assert formats == [0, 1]
    both_binary = messages.with_formats(described, (1,))
    assert [column.format for column in messages.read_row_description(both_binary, 5, len(both_binary))] == [
        1,
        1,
    ]
    assert messages.with_formats(described, ()) == described
    with pytest.raises(ProtocolViolation):
        messages.with_formats(row_description("a", "b", "c"), (0, 1))


# Values.


@pytest.mark.parametrize(
    ("oid", "value", "text"),
    [
        (16, b"\1", "true"),
        (21, struct.pack(">h", -5), "-5"),
        (23, struct.pack(">i", 70000), "70000"),
        (20, struct.pack(">q", -(2**40)), str(-(2**40))),
        (701, struct.pack(">d", 1.5), "1.5"),
        (25, "grün".encode(), "grün"),
        (3802, b'\1{"a": 1}', '{"a": 1}'),
        (3802, b'\2{"a": 1}', "\\x027b2261223a20317d"),
        (2950, bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (1082, struct.pack(">i", 366), "2001-01-01"),
        (1114, struct.pack(">q", 86_400_000_000 + 1), "2000-01-02 00:00:00.000001"),
        (1184, struct.pack(">q", 0), "2000-01-01 00:00:00+00"),
        (1083, struct.pack(">q", 3_600_000_000), "01:00:00"),
        (1700, struct.pack(">hhHhhh", 2, 0, 0, 2, 12, 3400), "12.34"),
        (1700, struct.pack(">hhHhhh", 2, 1, 0x4000, 0, 1, 2), "-10002"),
        (1700, struct.pack(">hhHhh", 1, -1, 0, 4, 5), "0.0005"),
        (1700, struct.pack(">hhHh", 0, 0, 0xC000, 0), "NaN"),
        (1007, struct.pack(">iiIiiii", 1, 1, 23, 2, 1, 4, 7) + b"\xff\xff\xff\xff", '{"7",NULL}'),
        (1007, struct.pack(">iiI", 0, 0, 23), "{}"),
        (1009, struct.pack(">iiIiii", 1, 0, 25, 1, 1, 3) + b'a"b', '{"a\\"b"}'),
        (17, b"\xde\xad", "\\xdead"),
        (0, b"\0\0\0\1", "\\x00000001"),
        (23, b"\1", "\\x01"),
        (1082, struct.pack(">i", 2**31 - 1), "\\x7fffffff"),
        (99999, b"abc", "\\x616263"),
    ],
)
def test_binary_values_are_shown_as_people_write_them(oid: int, value: bytes, text: str) -> None:
    assert shown_value(value, oid) == text


@given(st.integers(0, 4000), st.binary(max_size=40))
def test_no_binary_value_fails_to_be_shown(oid: int, value: bytes) -> None:
    assert isinstance(shown_value(value, oid), str)


def test_parameters_are_shown_in_the_format_they_came_in() -> None:
    formats = Bind(b"", b"", (0, 1, 1, 0), (b"5", struct.pack(">i", 5), None, b"\xff"), ())
    assert shown(formats, (23, 23)) == ("5", "5", None, "\\xff")
    assert shown(Bind(b"", b"", (1,), (b"\0\0\0\5",) * 2, ()), (23, 0)) == ("5", "\\x00000005")


# Errors under a mask.


def test_only_texts_of_an_error_are_masked() -> None:
    report = messages.error("P0001", "a secret", detail="the secret", hint="no secret")
    said = fields(mask_report(report, Word()))
    assert said == {
        "S": "ERROR",
        "V": "ERROR",
        "C": "P0001",
        "M": "a ******",
        "D": "the ******",
        "H": "no ******",
    }


def test_what_an_error_of_data_quotes_is_withheld() -> None:
    said = fields(mask_report(messages.error("22P02", 'invalid input syntax for type integer: "41"'), Word()))
    assert said["M"] == f"invalid input syntax for type integer: {WITHHELD}"
    said = fields(
        mask_report(
            messages.error("23505", 'duplicate key value violates "t_key"', detail="Key (a)=(41)"), Word()
        )
    )
    assert said["M"] == 'duplicate key value violates "t_key"'
    assert said["D"] == WITHHELD


def _raised(code: str, message: str, **more: str) -> bytes:
    said = {"C": code, "M": message, **more}
    return messages.write_fields(b"E", [(key.encode(), value.encode()) for key, value in said.items()])


@pytest.mark.parametrize(
    ("report", "shown"),
    [
        (_raised("42601", 'syntax error in tsquery: "Ann Lee"'), f"syntax error in tsquery: {WITHHELD}"),
        (_raised("42P01", 'relation "ann" does not exist'), f"relation {WITHHELD} does not exist"),
        (_raised("3F000", 'schema "a"ann"b" does not exist'), f"schema {WITHHELD} does not exist"),
        (_raised("XX000", 'Syntax error near "ann" at position 6'), f"Syntax error near {WITHHELD} at position 6"),
        (_raised("42601", 'syntax error at or near "Lee"', P="8", W='invalid type name "Ann Lee"'), f"syntax error at or near {WITHHELD}"),
        (_raised("42703", 'column "nme" does not exist', P="8"), 'column "nme" does not exist'),
        (_raised("23514", 'value violates check constraint "c"'), 'value violates check constraint "c"'),
        (_raised("34000", 'cursor "c" does not exist'), 'cursor "c" does not exist'),
        (_raised("P0001", "Ann has no order"), WITHHELD),
        (_raised("26000", "Ann has no order", W="PL/pgSQL function f() line 1 at RAISE"), WITHHELD),
        (_raised("42703", "Ann", P="8", W="PL/Python anonymous code block"), WITHHELD),
    ],
)  # fmt: skip
def test_what_an_error_quotes_is_withheld_where_it_may_be_hidden(report: bytes, shown: str) -> None:
    said = fields(mask_report(report, Word(), reads_hidden=True))
    assert said["M"] == shown
    assert "Ann" not in said.get("W", "")
    assert fields(mask_report(report, Word()))["M"] == fields(report)["M"], "where nothing hidden is read"


def test_what_code_in_the_server_says_of_hidden_columns_is_withheld_wherever_it_puts_it() -> None:
    """RAISE sets every field but what the server says of where it stands."""
    where = "PL/pgSQL function inline_code_block line 1 at RAISE"
    more = dict.fromkeys("DHsdtcnq", "Ann Lee")
    for tag in (b"E", b"N"):
        report = tag + _raised("P0001", "Ann Lee", W=where, p="3", L="3891", **more)[1:]
        said = fields(mask_report(report, Word(), reads_hidden=True))
        assert said == {
            "C": "P0001",
            "M": WITHHELD,
            "W": where,
            "L": "3891",
            **dict.fromkeys(more, WITHHELD),
        }
        assert fields(mask_report(report, Word())) == fields(report)


def test_names_in_a_report_are_texts_as_well() -> None:
    report = _raised("23514", "no", **dict.fromkeys("sdtcn", "a secret"))
    assert {fields(mask_report(report, Word()))[letter] for letter in "sdtcn"} == {"a ******"}


def test_what_the_server_was_doing_quotes_data_too() -> None:
    report = _raised("22P02", "invalid input syntax for type json", W="JSON data, line 1: {Ann...")
    assert fields(mask_report(report, Word()))["W"] == f"JSON data, line 1: {WITHHELD}"


@pytest.mark.parametrize(("encoding", "codec"), [("LATIN1", "latin_1"), ("SJIS", "cp932"), ("UTF8", "utf-8")])
def test_reports_and_notifications_are_read_in_the_client_s_encoding(encoding: str, codec: str) -> None:
    for said in ("é a secret ü", "表 a secret 能"):
        try:
            data = said.encode(codec)
        except UnicodeEncodeError:
            continue
        hidden = said.replace("secret", "******").encode(codec)
        report = messages.write_fields(b"N", [(b"C", b"00000"), (b"M", data)])
        assert (
            messages.read_fields(mask_report(report, Word(), encoding=encoding), 5, len(report))[b"M"]
            == hidden
        )
        notification = messages.frame(b"A", b"\0\0\0\1", b"ch\0", data, b"\0")
        assert mask_notification(notification, Word(), encoding=encoding) == notification.replace(
            data, hidden
        )


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    report = messages.write_fields(b"N", [(b"C", b"00000"), (b"M", b"\xff\xfe a secret \xc3")])
    assert mask_report(report, Word()) == report.replace(b"secret", b"******")


def test_a_command_whose_reading_is_not_complete_may_have_read_anything() -> None:
    class Ssn(Word):
        def rule(self, names: Collection[str], *, label: str = "") -> str | None:
            return "redact" if {"customers.ssn", "*"} & set(names) else None

    read = Resource(kind="column", name="customers.ssn", effect=Effect.READ)
    other = Resource(kind="column", name="customers.id", effect=Effect.READ)
    assert reads_hidden(Facts(effects=frozenset({Effect.READ}), resources=(read, other)), Ssn())
    assert not reads_hidden(Facts(effects=frozenset({Effect.READ}), resources=(other,)), Ssn())
    assert reads_hidden(Facts(effects=frozenset({Effect.UNKNOWN}), complete=False), Ssn())
    assert reads_hidden(None, Ssn())
    assert not reads_hidden(None, Word())


# Replay.


def test_an_answer_is_laid_out_as_a_table() -> None:
    answer = row_description("id", "name") + row("1", "Ann") + row("22", "Österreich") + done("SELECT 2")
    assert render(answer, b"") == (
        "id | name\n---+-----------\n1  | Ann\n22 | Österreich\n(2 rows)\nSELECT 2"
    )


def test_an_answer_without_its_description_takes_the_one_that_was_kept() -> None:
    binary = messages.frame(b"D", b"\0\1", b"\0\0\0\4", b"\0\0\0\7")
    shape = row_description("n", oid=23, written=1)
    assert render(binary + done("SELECT 1"), shape) == "n\n-\n7\n(1 row)\nSELECT 1"
    assert render(row("x") + done("SELECT 1"), b"") == "column 1\n--------\nx\n(1 row)\nSELECT 1"


def test_an_answer_with_its_own_description_is_laid_out_once() -> None:
    described = row_description("id", "name")
    answer = described + row("1", "Ann") + done("SELECT 1")
    assert render(answer, described) == render(answer, b"")
    assert render(messages.error("42P01", "no such table"), described) == "ERROR 42P01: no such table"
    assert render(done("SELECT 0"), described) == "id | name\n(0 rows)\nSELECT 0"


def test_nothing_in_a_rendering_is_obeyed_by_a_terminal() -> None:
    hostile = "\x1b]0;owned\x07\u202egnp.exe\r\n\x9b31m"
    answer = row_description(hostile) + row(hostile) + messages.error("42601", hostile) + done(hostile)
    copied = copy_response("H") + messages.frame(b"d", hostile.encode() + b"\n")
    for text in (render(answer, b""), render(copied, b"")):
        assert all(line.isprintable() for line in text.split("\n"))
        assert "\\x1b" in text


def test_errors_and_copied_data_are_rendered() -> None:
    report = messages.error("23505", "duplicate key", detail="Key (a)=(1)", hint="Use another.")
    assert render(report, b"") == "ERROR 23505: duplicate key\nDETAIL: Key (a)=(1)\nHINT: Use another."
    copied = copy_response("H") + messages.frame(b"d", b"1\tx\n") * 2 + messages.frame(b"c") + done("COPY 2")
    assert render(copied, b"") == "1\\tx\n1\\tx\nCOPY 2"
    assert render(row_description("n") + done("SELECT 0"), b"") == "n\n(0 rows)\nSELECT 0"


def test_a_recording_that_was_cut_says_so() -> None:
    answer = row_description("n") + row("1")
    assert render(answer[:-3], b"").endswith("more bytes are not a whole message)")


def test_long_values_and_many_rows_are_cut_and_counted() -> None:
    text = render(row_description("n") + row("x" * 500) * 1500 + done("SELECT 1500"), b"")
    assert "(1500 rows, the first 1000 are shown)" in text
    assert max(map(len, text.split("\n"))) <= 60


@given(st.binary(max_size=200), st.sampled_from([b"", row_description("a", "b")]))
def test_no_bytes_make_a_rendering_fail(answer: bytes, shape: bytes) -> None:
    assert all(
        line.isprintable() for line in render(row_description("a") + row("1") + answer, shape).split("\n")
    )


# The module.


def test_protocols_are_loaded_by_name() -> None:
    assert "postgres" in NAMES
    module = load("postgres")
    assert module.SCHEMES["postgresql"] == 5432
    assert "PGPASSWORD" in module.environment(host="h", port=1, database="d", user="u", secret="s")
    assert "secret" not in module.client_line(host="h", port=1, database="d", user="u")
    with pytest.raises(ProtocolUnknown, match="gopher"):
        load("gopher")


def test_a_row_of_explain_is_read_with_what_went_before() -> None:
    facts = load("postgres").read_facts
    assert facts({"command": "select 1"}).effects == {Effect.READ}
    assert not facts({"command": "execute x"}).complete
    prepared = facts({"command": "execute x", "session_before": ["prepare x as delete from t where id = 1"]})
    assert prepared.complete
    assert Effect.WRITE in prepared.effects
    loose = ["set standard_conforming_strings = off"]
    assert not facts({"command": r"select 'a\'", "session_before": loose}).complete
    assert facts({"command": "select 'a'", "session_before": loose}).complete
    assert not facts({"command_b64": "c2VsZWN0ICf/Jw=="}).complete
    assert not facts({"command": "select 1\0; drop table t"}).complete
    for wrong in ({}, {"command": 5}, {"command_b64": "%"}):
        with pytest.raises(ValueError, match="command"):
            facts(wrong)
