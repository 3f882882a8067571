"""What a client of MySQL may send, what is asked about, and what comes of it."""

from __future__ import annotations

import pytest

from gateway.model import Effect
from gateway.protocols.mysql.catalogue import Known
from gateway.protocols.mysql.packets import LARGEST, frame
from gateway.wire import (
    Aside,
    CancelAsked,
    CommandAnswered,
    CommandAsked,
    CommandWithdrawn,
    Hangup,
    Limits,
    ProtocolViolation,
    Send,
    Side,
)
from tests.wires.conformance import ALLOW, BLOCK
from tests.wires.masks import Word
from tests.wires.mysql_playbook import (
    column,
    command,
    eof,
    err,
    errors,
    ok,
    packed,
    payloads,
    play,
    query,
    result,
    row,
)
from tests.wires.verdicts import waits

ONE_ROW = result(["n"], [row("1")])
MASK = Word()


def blocks(_command):
    return BLOCK


def answered(session):
    return [(event.outcome, event.rows, event.failed) for event in session.of(CommandAnswered)]


@pytest.mark.parametrize(
    ("sent", "text", "effect"),
    [
        (query("select 1"), "select 1", Effect.READ),
        (command(0x02, b"o`ther"), "USE `o``ther`", Effect.SESSION),
        (command(0x04, b"t\0a%"), "SHOW COLUMNS FROM `t` LIKE 'a%'", Effect.READ),
        (command(0x05, b"new"), "CREATE DATABASE `new`", Effect.DDL),
        (command(0x06, b"old"), "DROP DATABASE `old`", Effect.DESTRUCTIVE),
        (command(0x07, b"\x05"), "FLUSH PRIVILEGES, TABLES", Effect.PRIVILEGE),
        (command(0x07, b"\x80"), "RESET MASTER", Effect.DESTRUCTIVE),
        (command(0x08), "SHUTDOWN", Effect.DESTRUCTIVE),
        (command(0x0A), "SHOW PROCESSLIST", Effect.READ),
        (command(0x0C, b"\x05\0\0\0"), "KILL 5", Effect.DESTRUCTIVE),
        (query("kill query 5"), "kill query 5", Effect.DESTRUCTIVE),
    ],
)
def test_what_does_something_is_asked_about_as_the_statement_that_does_it(sent, text, effect):
    session = play(waits)
    session.client(sent)
    (asked,) = session.asked
    assert asked.text == text
    assert effect in asked.facts.effects, asked.facts
    assert not session.said_to_server()
    session.answer(ALLOW)
    assert session.said_to_server() == sent


@pytest.mark.parametrize("sent", [command(0x0E), command(0x09), command(0x1B, b"\0\0"), command(0x1F)])
def test_what_does_nothing_passes_unasked(sent):
    session = play(waits)
    session.client(sent)
    assert not session.asked
    assert session.said_to_server() == sent


@pytest.mark.parametrize(
    "number", [0x00, 0x0B, 0x0D, 0x0F, 0x11, 0x12, 0x13, 0x15, 0x1D, 0x1E, 0x20, 0x21, 0xFA, 0xFE]
)
def test_all_else_is_refused_and_the_session_stays_in_step(number):
    session = play()
    session.client(command(number, b"whatever") + query("select 1"))
    assert [code for code, _ in errors(session.said_to_client())] == [1047]
    assert session.said_to_server() == query("select 1")


def test_a_refresh_of_nothing_that_is_known_is_refused():
    session = play()
    session.client(command(0x07, b"\x20"))
    assert [code for code, _ in errors(session.said_to_client())] == [1047]


def test_a_refusal_says_the_operators_sentence_and_who_decided():
    session = play(blocks)
    session.client(query("drop table t"))
    said = session.said_to_client()
    assert said[3] == 1
    assert errors(said) == [(1142, "Not through here. Decided by never.")]
    assert not session.said_to_server()
    assert not session.of(CommandAnswered)


def test_a_sentence_that_is_too_long_for_clients_is_cut():
    long = play(lambda _command: type(BLOCK)(rules=("never",), message="ä" * 400))
    long.client(query("drop table t"))
    ((_, said),) = errors(long.said_to_client())
    assert len(said.encode()) <= 500
    assert said.endswith("…")


@pytest.mark.parametrize(
    ("server", "outcome"),
    [
        (packed(ok(2)), ("OK 2 affected", 2, False)),
        (ONE_ROW, ("1 row", 1, False)),
        (result(["n"], [row("1")] * 3), ("3 rows", 3, False)),
        (packed(err(1064, "42000", "no")), ("ERR 1064 42000", 0, True)),
        (result(["n"], [row("1")], status=10) + packed(ok(5), first=6), ("1 row", 5, False)),
        (packed(ok(1, status=10), ok(2, status=10), ok(3)), ("OK 6 affected", 6, False)),
        (
            result(["n"], [row("1")], status=10) + packed(err(1054, "42S22", "no x"), first=6),
            ("ERR 1054 42S22", 1, True),
        ),
    ],
)
def test_what_came_of_a_command_is_told_once(server, outcome):
    session = play()
    session.client(query("select 1") + query("select 2"))
    for at in range(0, len(server), 7):
        assert len(session.asked) == 1
        session.server(server[at : at + 7])
    assert answered(session) == [outcome]
    assert session.said_to_client() == server
    assert [asked.text for asked in session.asked] == ["select 1", "select 2"]


def test_a_file_of_the_clients_is_never_asked_for():
    session = play()
    session.client(query("load data local infile '/etc/passwd' into table t"))
    with pytest.raises(ProtocolViolation, match="file"):
        session.server(packed(b"\xfb/etc/passwd"))
    assert not session.said_to_client()


@pytest.mark.parametrize("data", [packed(ok()), ONE_ROW, packed(eof())])
def test_what_nobody_asked_for_is_a_violation(data):
    with pytest.raises(ProtocolViolation):
        play().server(data)


def test_a_server_that_says_why_it_leaves_is_heard():
    session = play()
    session.server(packed(err(1927, "70100", "Connection was killed"), first=0))
    assert errors(session.said_to_client()) == [(1927, "Connection was killed")]
    assert session.of(Hangup)


# Holding, cancelling, ending.


def test_what_comes_behind_a_held_command_waits():
    session = play(waits)
    session.client(query("select 1"))
    session.client(query("select 2") + command(0x0E))
    assert session.wire.buffered == len(query("select 2") + command(0x0E))
    assert session.wire.notice(session.asked[0].id, "held") == ()
    session.answer(ALLOW)
    assert session.said_to_server() == query("select 1")
    session.server(ONE_ROW)
    assert [asked.text for asked in session.asked] == ["select 1", "select 2"]
    session.answer(BLOCK)
    assert session.said_to_server() == command(0x0E)


def test_what_waits_is_bounded():
    session = play(waits, limits=Limits(command_bytes=1_000, pipelined_bytes=1_000))
    session.client(query("select 1"))
    session.client(query("x" * 900) * 2)
    with pytest.raises(ProtocolViolation):
        session.client(query("x" * 900))


def test_a_held_command_is_withdrawn_by_a_cancel():
    session = play(waits)
    session.client(query("delete from t"))
    session.cancel()
    assert session.of(CommandWithdrawn) == [CommandWithdrawn(session.asked[0].id)]
    assert errors(session.said_to_client())[0][0] == 1317
    session.answer(ALLOW)
    assert not session.said_to_server()


def test_a_running_command_is_cancelled_beside_the_session():
    session = play()
    session.cancel()
    assert not session.of(Aside)
    session.client(query("select sleep(9)"))
    session.cancel()
    assert len(session.of(Aside)) == 1
    session.server(packed(err(1317, "70100", "Query execution was interrupted")))
    assert answered(session) == [("ERR 1317 70100", 0, True)]


@pytest.mark.parametrize(
    "kill", ["KILL QUERY {}", "kill {} ;", "KILL CONNECTION {}", "KILL SOFT QUERY {}", 0x0C]
)
def test_another_session_of_the_same_lineage_is_cancelled_by_its_number(kill):
    known = Known()
    running, killing = play(known=known), play(known=known)
    number = running.wire._number
    sent = (
        command(kill, number.to_bytes(4, "little")) if isinstance(kill, int) else query(kill.format(number))
    )
    killing.client(sent)
    assert killing.of(CancelAsked) == [CancelAsked(running.wire.cancel_key)]
    assert payloads(killing.said_to_client()) == [ok()]
    assert not killing.asked
    assert not killing.said_to_server()


def test_a_number_that_is_nobodys_is_judged_and_forwarded():
    session = play(known=Known())
    session.client(query("kill query 7"))
    assert [asked.text for asked in session.asked] == ["kill query 7"]
    assert not session.of(CancelAsked)


def test_a_session_that_has_gone_cannot_be_killed():
    known = Known()
    gone = play(known=known)
    gone.wire.receive(Side.CLIENT, b"")
    number = gone.wire._number
    killing = play(known=known)
    killing.client(query(f"kill query {number}"))
    assert not killing.of(CancelAsked)


@pytest.mark.parametrize("held", [True, False])
def test_an_end_from_outside_is_said_in_its_place(held):
    session = play(waits)
    if held:
        session.client(query("select 1"))
    send, hangup = session.wire.end("The token has expired.")
    assert send == Send(Side.CLIENT, frame(b"\xff\x87\x07#70100The token has expired.", 1))
    assert isinstance(hangup, Hangup)
    assert session.wire.end("again") == ()
    assert session.client(query("select 1")) == []


def test_an_end_between_rows_takes_the_next_number():
    session = play()
    session.client(query("select n from t"))
    whole = result(["n"], [row("1"), row("2")])
    until = len(whole) - len(packed(row("2"), eof()))
    session.server(whole[:until])
    send, _ = session.wire.end("Enough.")
    assert send.data[3] == 5
    inside = play()
    inside.client(query("select n from t"))
    inside.server(whole[: until + 5])
    assert [type(event) for event in inside.wire.end("Enough.")] in ([Hangup], [Send, Hangup])


def test_a_client_that_says_goodbye_is_passed_on():
    session = play()
    session.client(command(0x01) + query("select 1"))
    assert session.said_to_server() == command(0x01)
    assert session.of(Hangup)
    assert not session.asked


# Large commands, and wrong ones.


def test_a_command_that_is_too_large_is_refused_and_nothing_of_it_is_kept():
    session = play(limits=Limits(command_bytes=1_000))
    data = query("select " + "1" * 5_000)
    for at in range(0, len(data), 100):
        session.client(data[at : at + 100])
        assert session.wire.buffered < 1_000
    assert errors(session.said_to_client())[0][0] == 1153
    session.client(query("select 1"))
    assert session.said_to_server() == query("select 1")


def test_a_command_of_several_packets_is_one():
    text = "select '" + "x" * LARGEST + "'"
    session = play(limits=Limits(command_bytes=LARGEST + 1_000))
    data = query(text)
    assert data[3] == 0
    session.client(data[: LARGEST + 4])
    assert not session.asked
    session.client(data[LARGEST + 4 :])
    assert session.asked[0].text == text
    assert session.said_to_server() == data
    refused = play(blocks, limits=Limits(command_bytes=LARGEST + 1_000))
    refused.client(data)
    assert refused.said_to_client()[3] == 2
    small = play()
    small.client(query("x" * (2 * LARGEST)) + query("select 1"))
    assert small.said_to_client()[3] == 3
    assert small.said_to_server() == query("select 1")


@pytest.mark.parametrize(
    "data",
    [
        frame(b"", 0),
        frame(b"\3select 1", 1),
        command(0x1B, b"\7\0"),
        command(0x1B),
        command(0x17),
        command(0x0C, b"\1"),
    ],
)
def test_what_is_no_command_is_a_violation(data):
    with pytest.raises(ProtocolViolation):
        play().client(data)


# What is masked beside rows.


def test_errors_are_masked():
    session = play(mask=MASK)
    session.client(query("select a from t"))
    session.server(packed(err(1064, "42000", "near secret")))
    assert errors(session.said_to_client()) == [(1064, "near ******")]
    session.client(query("insert into t values (1)"))
    session.server(packed(err(1062, "23000", "Duplicate entry 'a@b' for key 'x'")))
    ((code, said),) = errors(session.said_to_client())
    assert (code, said) == (1062, "Duplicate entry (withheld: answers on this connection are masked)")


class Ssn(Word):
    def rule(self, names, *, label=""):
        return "redact" if any(name.endswith(("ssn", "*")) for name in names) else None


def test_errors_of_what_reads_a_hidden_column_are_withheld():
    for text, code, kept in (
        ("select extractvalue(1, concat('~', ssn)) from t", 1105, False),
        ("select ssn from t where x", 1054, True),
        ("call p()", 1644, False),
    ):
        session = play(mask=Ssn(word="nothing"))
        session.client(query(text))
        session.server(packed(err(code, "HY000", "value 123-45")))
        ((_, said),) = errors(session.said_to_client())
        assert ("123-45" in said) is kept, text


_SYNTAX = (
    "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version "
    "for the right syntax to use near '{}' at line {}"
)


@pytest.mark.parametrize(
    ("text", "near", "line", "kept"),
    [
        ("selct * from t", "selct * from t", 1, True),
        ("select ssn from t wher x = 1 ;", "x = 1", 1, True),
        ("select 1 +", "", 1, True),
        ("select ssn\nfrom t\nwher x", "x", 3, True),
        ("select f() -- " + "x" * 200, "f() -- " + "x" * 73, 1, True),
        ("select ssn\nfrom t\nwher x", "x", 219, False),
        ("select f()", "219-09-9999", 1, False),
        ("select f() /* 219-09-9999 */", "219-09-9999", 1, False),
    ],
)
def test_a_syntax_error_is_told_where_it_is_of_the_very_text(text, near, line, kept):
    session = play(mask=Ssn(word="nothing"))
    session.client(query(text))
    said = _SYNTAX.format(near, line)
    session.server(packed(err(1064, "42000", said)))
    assert (errors(session.said_to_client()) == [(1064, said)]) is kept


@pytest.mark.parametrize(
    "text",
    [
        "call p()",
        "select f(ssn) from t",
        "begin not atomic declare v text; select ssn into v from t; signal sqlstate '42S02' set message_text = v; end",
    ],
)
def test_code_that_speaks_for_itself_is_withheld_whatever_number_it_gives(text):
    session = play(mask=Ssn(word="nothing"))
    session.client(query(text))
    session.server(packed(err(1146, "42S02", "Table '219-09-9999' doesn't exist")))
    assert errors(session.said_to_client()) == [(1146, "(withheld: answers on this connection are masked)")]


def test_the_answer_names_its_command():
    session = play()
    events = session.client(query("select 1")) + session.server(ONE_ROW)
    asked = next(event.command for event in events if isinstance(event, CommandAsked))
    assert {event.command_id for event in events if isinstance(event, Send) and event.to is Side.CLIENT} == {
        asked.id
    }


def test_definitions_that_are_listed_end_with_their_eof():
    session = play()
    session.client(command(0x04, b"t\0"))
    session.server(packed(column("a", default=b"\xfb"), column("b", default=b"\xfb"), eof()))
    assert answered(session) == [("2 rows", 2, False)]


def test_the_digest_holds_what_names_mean():
    first, other = play(), play()
    other.client(command(0x02, b"other"))
    other.server(packed(ok()))
    for session in (first, other):
        session.client(query("delete from t"))
    assert first.asked[-1].digest != other.asked[-1].digest
    again = play()
    again.client(query("delete from t"))
    assert first.asked[-1].digest == again.asked[-1].digest
