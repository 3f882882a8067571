"""Prepared statements of MySQL: every execution is asked about with what is bound, and refused ones leave no trace."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Effect
from gateway.protocols.mysql.packets import Body
from gateway.protocols.mysql.parameters import read_execution, shown, take
from gateway.wire import Aside, CommandAnswered, Limits, ProtocolViolation
from tests.wires.conformance import ALLOW, BLOCK
from tests.wires.masks import Word
from tests.wires.mysql_playbook import (
    binary_row,
    column,
    command,
    counted,
    eof,
    err,
    errors,
    execute,
    frame,
    long_data,
    numbered,
    ok,
    packed,
    payloads,
    play,
    prepare,
    prepared,
    query,
    result,
    server_modes,
)
from tests.wires.verdicts import waits


def with_statement(
    text="update t set n = ? where m = ?", *, parameters=2, judge=lambda _command: ALLOW, **more
):
    session = play(judge, **more)
    session.client(prepare(text))
    session.server(prepared(1, parameters=parameters))
    session.said_to_server()
    session.said_to_client()
    return session


def answered(session):
    return [(event.outcome, event.rows) for event in session.of(CommandAnswered)]


def test_preparing_is_not_asked_about_and_executing_is():
    session = play(waits)
    session.client(prepare("delete from t where n = ?"))
    assert not session.asked
    assert session.said_to_server() == prepare("delete from t where n = ?")
    session.server(prepared(1, parameters=1, columns=["n"]))
    assert session.said_to_client() == prepared(1, parameters=1, columns=["n"])
    session.client(execute(1, [b"5"]))
    (asked,) = session.asked
    assert (asked.text, asked.parameters) == ("delete from t where n = ?", ("5",))
    assert Effect.WRITE in asked.facts.effects
    assert not session.said_to_server()
    session.answer(ALLOW)
    assert session.said_to_server() == execute(1, [b"5"])
    session.server(packed(ok(3)))
    assert answered(session) == [("OK 3 affected", 3)]


def test_types_are_remembered_from_the_last_binding():
    session = with_statement()
    session.client(execute(1, [7, None]))
    session.server(packed(ok()))
    session.client(execute(1, [8, b"x"][:1] + [None], bound=False))
    assert [asked.parameters for asked in session.asked] == [("7", None), ("8", None)]
    assert session.said_to_server() == execute(1, [7, None]) + execute(1, [8, None], bound=False)


def test_types_that_a_refused_execution_bound_are_told_later():
    verdicts = iter([BLOCK, ALLOW, ALLOW])
    session = with_statement(judge=lambda _command: next(verdicts))
    session.client(execute(1, [7, 8]))
    assert errors(session.said_to_client())[0][0] == 1142
    session.client(execute(1, [9, 10], bound=False))
    assert session.asked[-1].parameters == ("9", "10")
    assert session.said_to_server() == execute(1, [9, 10])
    session.server(packed(ok()))
    session.client(execute(1, [9, 10], bound=False))
    assert session.said_to_server() == execute(1, [9, 10], bound=False)


def test_an_execution_without_any_types_is_refused_in_step():
    session = with_statement()
    session.client(execute(1, [7, 8], bound=False) + query("select 1"))
    assert [code for code, _ in errors(session.said_to_client())] == [1210]
    assert session.said_to_server() == query("select 1")


def test_digests_tell_values_types_and_texts_apart():
    digests = set()
    for values in ([b"1", b"2"], [b"12", b""], [1, b"2"], [None, b"2"]):
        session = with_statement()
        session.client(execute(1, values))
        digests.add(session.asked[0].digest)
    assert len(digests) == 4


def test_data_that_comes_ahead_waits_for_the_verdict():
    session = with_statement(judge=waits)
    session.client(long_data(b"much ") + long_data(b"more"))
    assert not session.said_to_server()
    session.client(execute(1, [None, b"2"]))
    assert session.asked[0].parameters == ("much more", "2")
    session.answer(ALLOW)
    assert session.said_to_server() == long_data(b"much ") + long_data(b"more") + execute(1, [None, b"2"])
    session.server(packed(ok()))
    session.client(execute(1, [b"1", b"2"]))
    assert session.asked[-1].parameters == ("1", "2")


@pytest.mark.parametrize("how", ["refused", "withdrawn", "reset"])
def test_data_of_an_execution_that_never_runs_is_dropped(how):
    session = with_statement(judge=waits)
    session.client(long_data(b"much"))
    if how == "reset":
        session.client(numbered(0x1A))
        assert session.said_to_server() == numbered(0x1A)
        session.server(packed(ok()))
    else:
        session.client(execute(1, [None, b"2"]))
        if how == "refused":
            session.answer(BLOCK)
        else:
            session.cancel()
    session.client(execute(1, [None, b"2"]))
    assert session.asked[-1].parameters == (None, "2")
    session.answer(ALLOW)
    assert session.said_to_server() == execute(1, [None, b"2"])


def test_data_that_is_too_long_refuses_its_execution_and_nothing_else():
    session = with_statement(limits=Limits(command_bytes=1_000))
    session.client(long_data(b"x" * 600) + long_data(b"x" * 600))
    session.client(execute(1, [None, b"2"]))
    assert errors(session.said_to_client())[0][0] == 1105
    session.client(long_data(b"x" * 5_000) + execute(1, [None, b"2"]))
    assert errors(session.said_to_client())[0][0] == 1105
    session.client(execute(1, [b"1", b"2"]))
    assert session.said_to_server() == execute(1, [b"1", b"2"])


@pytest.mark.parametrize("kind", [0x17, 0x1A, 0x1C])
def test_a_statement_that_nobody_prepared_is_refused_in_step(kind):
    session = play()
    session.client(numbered(kind, 9, b"\0\1\0\0\0") + query("select 1"))
    assert [code for code, _ in errors(session.said_to_client())] == [1243]
    assert session.said_to_server() == query("select 1")


def test_a_closed_statement_is_gone():
    session = with_statement()
    session.client(numbered(0x19) + execute(1, [b"1", b"2"]))
    assert session.said_to_server() == numbered(0x19)
    assert [code for code, _ in errors(session.said_to_client())] == [1243]
    session.client(long_data(b"nobody's"))
    assert not session.said_to_server()


def test_resetting_the_connection_forgets_what_was_prepared_and_set():
    session = with_statement()
    session.client(query("set sql_mode = 'ANSI_QUOTES'"))
    session.server(packed(ok()))
    session.client(command(0x1F))
    session.said_to_client()
    session.server(packed(ok()))
    session.client(execute(1, [b"1", b"2"]))
    assert payloads(session.said_to_client()) == [ok()]
    session.cancel()
    assert not session.of(Aside)
    session.server(server_modes())
    assert [code for code, _ in errors(session.said_to_client())] == [1243]
    session.client(query('select "ssn" from t'))
    assert not [r for r in session.asked[-1].facts.resources if r.kind == "column"]


def test_statements_are_bounded():
    session = play(limits=Limits(statements=2, command_bytes=5_000))
    for number in (1, 2):
        session.client(prepare("select 1"))
        session.server(prepared(number))
    session.client(prepare("select 1"))
    assert errors(session.said_to_client())[-1][0] == 1461
    heavy = play(limits=Limits(command_bytes=5_000))
    for number in range(1, 6):
        heavy.client(prepare("select " + "1" * 4_800))
        heavy.server(prepared(number) if number < 5 else b"") if heavy.wire._answers.running else None
    assert [code for code, _ in errors(heavy.said_to_client())] == [1461]


def test_a_statement_is_read_by_the_modes_it_was_prepared_under():
    session = play()
    session.client(prepare('select "ssn" from t'))
    session.server(prepared(1, columns=["ssn"]))
    session.client(query("set sql_mode = 'ANSI_QUOTES'"))
    session.server(packed(ok()))
    session.client(execute(1))
    assert not [r for r in session.asked[-1].facts.resources if r.kind == "column"]
    session.server(result(["ssn"], [binary_row(b"ssn")]))
    session.client(query('select "ssn" from t'))
    assert [r.name for r in session.asked[-1].facts.resources if r.kind == "column"] == ["t.ssn"]


@pytest.mark.parametrize(
    ("failed", "wanted"),
    [
        (err(1146, "42S02", "Table 't' doesn't exist"), "Table 't' doesn't exist"),
        (
            err(1105, "HY000", "XPATH syntax error: '~123-45'"),
            "(withheld: answers on this connection are masked)",
        ),
    ],
)
def test_a_refusal_to_prepare_quotes_no_value(failed, wanted):
    session = play()
    session.client(prepare("select ssn from t"))
    session.server(packed(failed))
    assert errors(session.said_to_client())[0][1] == wanted
    assert not session.of(CommandAnswered)


@pytest.mark.parametrize(
    "answer",
    [
        packed(b"\0\1\0\0\0\0\0\1\0\0\0\0", column("?"), column("?")),
        packed(b"\0\1\0\0\0\0\0\1\0\0\0\0", eof()),
        packed(b"\0\1"),
        packed(ok()),
        packed(b"\2"),
    ],
    ids=["too many", "too few", "cut", "an OK", "a result"],
)
def test_what_is_no_answer_to_a_prepare_is_a_violation(answer):
    session = play()
    session.client(prepare("select ?"))
    with pytest.raises(ProtocolViolation):
        session.server(answer)


# Cursors.

OPENED = packed(counted(1), column("n"), eof(0x42))


def with_cursor(judge=lambda _command: ALLOW, **more):
    session = with_statement("select n from t", parameters=0, judge=judge, **more)
    session.client(execute(1, cursor=True))
    session.server(OPENED)
    session.said_to_server()
    return session


def test_rows_of_a_cursor_are_fetched_under_the_verdict_of_its_execution():
    session = with_cursor()
    fetch = numbered(0x1C, 1, b"\2\0\0\0")
    session.client(fetch)
    assert session.said_to_server() == fetch
    session.server(packed(binary_row(b"1"), binary_row(b"2"), eof(0x42)))
    assert not session.of(CommandAnswered)
    session.client(fetch)
    session.server(packed(binary_row(b"3"), eof(0xC2)))
    assert len(session.asked) == 1
    assert answered(session) == [("3 rows", 3)]
    session.client(fetch)
    assert [code for code, _ in errors(session.said_to_client())] == [1421]


@pytest.mark.parametrize("ending", [numbered(0x19), numbered(0x1A), command(0x1F), execute(1)])
def test_a_cursor_ends_with_what_ends_it(ending):
    session = with_cursor()
    session.client(ending)
    if ending[4] != 0x19:
        session.server(packed(ok()))
    if ending[4] == 0x1F:
        session.server(server_modes())
    assert answered(session)[0] == ("0 rows", 0)
    session.client(numbered(0x1C, 1, b"\1\0\0\0"))
    assert next(code for code, _ in errors(session.said_to_client())) in {1421, 1243}


def test_rows_of_a_cursor_are_masked():
    session = with_cursor(mask=Word())
    session.client(numbered(0x1C, 1, b"\2\0\0\0"))
    session.said_to_client()
    session.server(packed(binary_row(b"a secret"), eof(0xC2)))
    assert payloads(session.said_to_client())[0] == binary_row(b"a ******")
    (event,) = session.of(CommandAnswered)
    assert sum(event.masked.values()) == 1


def test_a_fetch_that_fails_ends_the_execution():
    session = with_cursor()
    session.client(numbered(0x1C, 1, b"\2\0\0\0"))
    session.server(packed(err(1317, "70100", "Query execution was interrupted")))
    assert answered(session) == [("ERR 1317 70100", 0)]
    session.client(query("select 1"))
    assert session.said_to_server().endswith(query("select 1"))


# Parameters.


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (1, b"\xff", "-1"),
        (0x8001, b"\xff", "255"),
        (2, struct.pack("<h", -300), "-300"),
        (3, struct.pack("<i", -70_000), "-70000"),
        (0x8003, struct.pack("<I", 4_000_000_000), "4000000000"),
        (8, struct.pack("<q", -(2**40)), "-1099511627776"),
        (0x8008, b"\xff" * 8, str(2**64 - 1)),
        (4, struct.pack("<f", 0.5), "0.5"),
        (5, struct.pack("<d", 1e300), "1e+300"),
        (6, b"", None),
        (10, b"\xe8\x07\x02\x1d", "2024-02-29"),
        (12, b"\xe8\x07\x02\x1d\x0b\x0c\x0d", "2024-02-29 11:12:13"),
        (7, b"\xe8\x07\x02\x1d\x0b\x0c\x0d\x01\0\0\0", "2024-02-29 11:12:13.000001"),
        (12, b"", "0000-00-00 00:00:00"),
        (10, b"", "0000-00-00"),
        (11, b"\1\2\0\0\0\3\4\5", "-51:04:05"),
        (11, b"\0\0\0\0\0\3\4\5\x40\x42\x0f\0", "03:04:05.1000000"),
        (11, b"", "00:00:00"),
        (0, b"12.50", str(Decimal("12.50"))),
        (253, "ä".encode(), "ä"),
        (252, b"\xff\x00", "\\xff00"),
        (253, b"\xff", "\\xff"),
    ],
)
def test_parameters_are_shown_as_people_read_them(kind, value, wanted):
    assert shown(kind, value) == wanted


@given(st.binary(max_size=60), st.integers(0, 4))
def test_any_execution_is_taken_apart_or_a_violation(data, count):
    try:
        execution = read_execution(b"\x17" + data, count)
        body = Body(execution.values)
        for kind in execution.types or ():
            shown(kind, take(body, kind))
    except ProtocolViolation:
        return


@pytest.mark.parametrize(
    "data",
    [
        execute(1, [b"5", b"6"])[:-1],
        execute(1, [b"5", b"6"]) + b"x",
        execute(1, [b"5"]),
        frame(b"\x17\1\0\0\0\0\2\0\0\0\0\1\x08\0\x08\0" + b"x" * 16, 0),
        frame(b"\x17\1\0\0\0\0\1\0\0\0\0\1\x63\0\x08\0" + b"x" * 16, 0),
        frame(b"\x17\1\0\0\0\0\1\0\0\0\0\2\x08\0\x08\0" + b"x" * 16, 0),
        frame(b"\x17\1\0\0\0\0\1\0\0\0\0\1\x06\0\x08\0" + b"x" * 8, 0),
        frame(b"\x17\1\0\0\0\0\1\0\0\0\0\1\x0d\0\x08\0" + b"x" * 10, 0),
        long_data(b"x", place=7),
    ],
    ids=["cut", "long", "too few", "iterations", "type", "bound", "null", "year", "place"],
)
def test_what_is_no_execution_is_a_violation(data):
    session = with_statement()
    size = len(data) - 4
    with pytest.raises(ProtocolViolation):
        session.client(size.to_bytes(3, "little") + data[3:])
