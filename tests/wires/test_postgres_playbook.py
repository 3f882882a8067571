"""Sessions with both sides scripted, byte by byte."""

from __future__ import annotations

import pytest

from gateway.model import Effect
from gateway.protocols.postgres import messages
from gateway.wire import Aside, CommandWithdrawn, Hangup, Limits, ProtocolViolation, Send, Side
from tests.wires.playbook import (
    ALLOW,
    BOUND,
    CLOSED,
    COPIED,
    KEY,
    PARSED,
    SYNC,
    TERMINATE,
    bind,
    copy_response,
    done,
    execute,
    fields,
    parse,
    play,
    query,
    ready,
    row,
    row_description,
    tags,
)
from tests.wires.verdicts import ONE_ROW, answered, blocks, waits

# Simple queries.


def test_a_query_and_its_answer_pass_as_the_objects_they_came_in() -> None:
    session = play()
    sent, answer = query("select 1"), ONE_ROW
    (_, send) = session.client(sent)
    assert send.data is sent
    (reply, over) = session.server(answer)
    assert reply.data is answer
    assert reply.command_id == over.command_id == session.asked[0].id
    assert (over.outcome, over.rows, over.failed) == ("SELECT 1", 1, False)
    assert over.shape == row_description("n")


def test_nothing_moves_unasked() -> None:
    session = play(waits)
    session.client(query("drop table t") + query("select 2"))
    assert session.to_server == b""
    assert [command.text for command in session.asked] == ["drop table t"]
    session.answer(ALLOW)
    assert session.to_server == query("drop table t")


def test_a_refusal_is_polite() -> None:
    session = play(blocks("drop"))
    session.client(query("drop table t"))
    said = session.said_to_client()
    assert tags(said) == "EZ"
    assert fields(said)["C"] == "42501"
    assert fields(said)["M"] == "Not through here."
    assert fields(said)["D"] == "Decided by never."
    assert said.endswith(ready("I"))
    assert session.to_server == b""
    session.client(query("select 1"))
    session.server(ONE_ROW)
    assert session.said_to_client() == ONE_ROW


def test_a_refusal_in_a_transaction_makes_the_server_agree() -> None:
    session = play(blocks("drop"))
    session.client(query("begin"))
    session.server(done("BEGIN") + ready("T"))
    session.said_to_client()
    session.said_to_server()
    session.client(query("drop table t"))
    assert session.said_to_client() == b""
    assert tags(session.said_to_server()) == "Q"
    session.server(messages.error("42601", "syntax error at or near refused") + ready("E"))
    said = session.said_to_client()
    assert tags(said) == "EZ"
    assert fields(said)["M"] == "Not through here."
    assert said.endswith(ready("E"))


def test_a_refusal_in_a_failed_transaction_says_so() -> None:
    session = play(blocks("drop"))
    session.client(query("select 1/0"))
    session.server(messages.error("22012", "division by zero") + ready("E"))
    session.said_to_client()
    session.said_to_server()
    session.client(query("drop table t"))
    assert session.said_to_client().endswith(ready("E"))
    assert session.said_to_server() == b""


def test_a_second_query_waits_for_the_first() -> None:
    session = play()
    session.client(query("select 1") + query("select 2"))
    assert session.said_to_server() == query("select 1")
    session.server(ONE_ROW)
    assert session.said_to_server() == query("select 2")


def test_an_error_ends_a_command_as_failed() -> None:
    session = play()
    session.client(query("select 1; select x"))
    session.server(
        row_description("n") + row("1") + done("SELECT 1") + messages.error("42703", "no x") + ready()
    )
    assert answered(session) == [("SELECT 1; SQLSTATE 42703", 1, True)]


def test_an_empty_query_is_asked_and_answered() -> None:
    session = play()
    session.client(query(""))
    session.server(messages.frame(b"I") + ready())
    assert answered(session) == [("EMPTY", 0, False)]


@pytest.mark.parametrize("body", [b"", b"select 1", b"select 1\0drop table t\0", b"\0\0"])
def test_a_query_that_hides_something_behind_its_end_is_a_violation(body: bytes) -> None:
    session = play()
    with pytest.raises(ProtocolViolation):
        session.client(messages.frame(b"Q", body))
    assert session.to_server == b""


def test_text_that_is_not_utf8_is_unknown() -> None:
    session = play(waits)
    session.client(messages.query(b"select '\xff'"))
    session.server(CLOSED + PARSED + CLOSED + ready())
    assert Effect.UNKNOWN in session.asked[0].facts.effects
    assert session.asked[0].text == "select '\\xff'"
    assert not session.asked[0].facts.complete


@pytest.mark.parametrize(
    ("setting", "value", "text", "doubted"),
    [
        ("standard_conforming_strings", "off", r"select 'a\'", True),
        ("standard_conforming_strings", "off", "select 'a'", False),
        ("standard_conforming_strings", "on", r"select 'a\'", False),
        ("client_encoding", "SJIS", "select 'é'", True),
        ("client_encoding", "EUC_JP", "select 'é'", True),
        ("client_encoding", "LATIN1", "select 'a'", False),
        ("client_encoding", "LATIN1", "select 'é'", False),
        ("client_encoding", "WIN1252", "select 'ä'", False),
        ("client_encoding", "SQL_ASCII", "select 'é'", False),
    ],
)
def test_a_setting_that_changes_how_texts_are_read_makes_them_unknown(
    setting: str, value: str, text: str, doubted: bool
) -> None:
    session = play()
    session.client(query("set x = y"))
    session.server(messages.parameter_status(setting, value) + done("SET") + ready())
    session.client(query(text))
    assert session.asked[-1].facts.complete is not doubted


# COPY.


def test_copy_in_is_streamed_once_the_server_reads_it() -> None:
    session = play()
    session.client(query("copy t from stdin"))
    session.server(copy_response("G"))
    data = messages.frame(b"d", b"1\n" * 1000)
    (send,) = session.client(data)
    assert send.data is data
    session.client(data[:700])
    session.client(data[700:] + messages.frame(b"c"))
    assert session.said_to_server() == query("copy t from stdin") + data + data + COPIED
    session.server(done("COPY 2000") + ready())
    assert answered(session) == [("COPY 2000", 2000, False)]


def test_a_refused_copy_in_swallows_the_data_of_a_pipeline() -> None:
    session = play(blocks("copy"))
    data = messages.frame(b"d", b"1\n")
    session.client(parse("copy t from stdin") + bind() + execute() + data + data + COPIED + SYNC)
    session.server(PARSED + messages.error("42601", "syntax error") + ready())
    assert tags(session.said_to_client()) == "1EZ"
    assert tags(session.said_to_server()) == "PPS"


def test_a_sync_behind_a_copy_in_is_not_counted() -> None:
    session = play()
    session.client(parse("copy t from stdin") + bind() + execute() + SYNC)
    session.server(PARSED + BOUND + copy_response("G"))
    session.said_to_server()
    session.client(messages.frame(b"d", b"1\n") + COPIED + SYNC)
    assert tags(session.said_to_server()) == "dcS"
    session.server(done("COPY 1") + ready())
    assert tags(session.said_to_client()) == "12GCZ"
    session.client(query("select 1"))
    assert tags(session.said_to_server()) == "Q"


@pytest.mark.parametrize(
    ("says", "passes", "hears"),
    [
        (copy_response("G"), "dcS", "12GCZ"),
        (done("SELECT 0"), "S", "12CZ"),
        (messages.error("42501", "no"), "S", "12EZ"),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_data_that_does_not_wait_for_its_copy_waits_here(
    says: bytes, passes: str, hears: str, piece: int
) -> None:
    session = play()
    pipeline = parse("copy t from stdin") + bind() + execute() + messages.frame(b"d", b"1\n") + COPIED + SYNC
    for start in range(0, len(pipeline), piece):
        session.client(pipeline[start : start + piece])
    assert tags(session.said_to_server()) == "PBEH"
    session.server(PARSED + BOUND + says)
    assert tags(session.said_to_server()) == passes
    session.server((done("COPY 1") if "G" in hears else b"") + ready())
    assert tags(session.said_to_client()) == hears
    session.client(query("select 1"))
    assert tags(session.said_to_server()) == "Q"


def test_data_behind_a_failed_copy_is_dropped() -> None:
    session = play()
    session.client(query("copy t from stdin"))
    session.server(copy_response("G"))
    session.client(messages.frame(b"d", b"1\n"))
    session.server(messages.error("22P02", "nonsense") + ready())
    session.said_to_server()
    session.client(messages.frame(b"d", b"2\n") + COPIED + query("select 1"))
    assert session.said_to_server() == query("select 1")


def test_copy_both_is_a_violation() -> None:
    session = play()
    session.client(query("select 1"))
    with pytest.raises(ProtocolViolation):
        session.server(copy_response("W"))


# Function calls, limits, replication.


def test_a_function_call_is_refused_and_the_session_goes_on() -> None:
    session = play()
    session.client(messages.frame(b"F", b"\0" * 5000) + query("select 1"))
    said = session.said_to_client()
    assert tags(said) == "EZ"
    assert fields(said)["C"] == "0A000"
    assert session.said_to_server() == query("select 1")


@pytest.mark.parametrize("cut", [6, 50, 5000])
def test_a_query_above_the_limit_is_refused_before_any_of_it_moved(cut: int) -> None:
    session = play(limits=Limits(command_bytes=1000))
    large = query("select '" + "x" * 10_000 + "'")
    session.client(large[:cut])
    session.client(large[cut:])
    assert fields(session.said_to_client())["C"] == "54000"
    assert session.asked == []
    session.client(query("select 1"))
    assert session.said_to_server() == query("select 1")


def test_a_bind_above_the_limit_is_refused_behind_what_came_before() -> None:
    session = play(limits=Limits(command_bytes=1000))
    session.client(parse("select $1") + bind(b"x" * 5000) + execute() + SYNC)
    assert tags(session.said_to_server()) == "PPS"
    session.server(PARSED + messages.error("42601", "syntax error") + ready())
    said = session.said_to_client()
    assert tags(said) == "1EZ"
    assert fields(said)["C"] == "54000"
    assert session.asked == []


def test_too_many_statements_are_refused() -> None:
    session = play(limits=Limits(statements=2))
    for name in ("a", "b"):
        session.client(parse("select 1", name) + SYNC)
        session.server(PARSED + ready())
    session.said_to_client()
    session.client(parse("select 1", "c") + SYNC)
    assert fields(session.said_to_client())["C"] == "54000"
    session.client(parse("select 1") + bind() + execute() + SYNC)
    assert session.asked


def test_prepared_statements_may_not_come_to_too_much_text() -> None:
    session = play(limits=Limits(command_bytes=10_000))
    text = "select '" + "x" * 9_000 + "'"
    for number in range(4):
        session.client(parse(text, f"s{number}") + SYNC)
        session.server(PARSED + ready())
    session.said_to_client()
    session.client(parse(text, "s4") + SYNC)
    assert fields(session.said_to_client())["C"] == "54000"


def test_names_that_sql_makes_are_bounded_by_forgetting_them() -> None:
    session = play(limits=Limits(statements=5))
    for number in range(12):
        session.client(query(f"declare c{number} cursor for select 1"))
        session.server(done("DECLARE CURSOR") + ready("T"))
    assert len(session.wire._exchange.names) <= 6
    session.client(query("fetch 1 from c0"))
    assert not session.asked[-1].facts.complete


# The name space.


def digest_after(*before: str) -> str:
    session = play()
    for text in before:
        session.client(query(text))
        session.server(done("OK") + ready())
    session.client(query("delete from orders where id = 1"))
    return session.asked[-1].digest


def test_the_digest_covers_what_decides_the_meaning_of_names() -> None:
    plain = digest_after()
    assert digest_after() == plain
    assert digest_after("select 1", "begin", "rollback", "insert into t values (1)") == plain
    for text in (
        "set search_path to other",
        "set role other",
        "create temp table orders (id int)",
        "discard all",
    ):
        assert digest_after(text) != plain
    moved = play()
    moved.client(query("select 1"))
    moved.server(messages.parameter_status("search_path", "other") + done("SELECT 1") + ready())
    moved.client(query("delete from orders where id = 1"))
    assert moved.asked[-1].digest != plain


# Asynchronous messages, cancel, end.


def test_what_comes_at_any_time_passes_while_a_command_is_held() -> None:
    session = play(waits)
    session.client(query("update t set n = 1"))
    news = messages.frame(b"A", b"\0\0\0\7", b"channel\0payload\0") + messages.notice("by the way")
    session.server(news)
    assert session.said_to_client() == news


def test_a_notice_tells_a_client_that_waits() -> None:
    session = play(waits)
    session.client(query("update t set n = 1"))
    (send,) = session.wire.notice(session.asked[0].id, "a DBA looks at it")
    assert fields(send.data)["M"] == "a DBA looks at it"
    assert session.wire.notice("another", "nothing") == []


def test_a_cancel_withdraws_a_held_command_and_the_session_goes_on() -> None:
    session = play(waits)
    session.client(query("update t set n = 1"))
    session.cancel()
    assert [event.command_id for event in session.of(CommandWithdrawn)] == [session.asked[0].id]
    said = session.said_to_client()
    assert tags(said) == "EZ"
    assert fields(said)["C"] == "57014"
    session.answer(ALLOW)
    assert session.to_server == b""
    session.client(query("select 1"))
    assert len(session.asked) == 2


def test_a_cancel_reaches_the_server_with_its_own_key() -> None:
    session = play()
    session.client(query("select pg_sleep(60)"))
    (aside,) = session.cancel()
    assert isinstance(aside, Aside)
    (send, hangup) = aside.wire.start()
    assert send == Send(Side.UPSTREAM, messages.untagged(messages.CANCEL_REQUEST, KEY))
    assert isinstance(hangup, Hangup)


def test_a_cancel_with_nothing_to_cancel_does_nothing() -> None:
    session = play()
    assert session.cancel() == []


def test_the_client_gets_the_real_process_id_and_a_secret_of_the_gateways() -> None:
    session = play()
    assert session.wire.cancel_key[:4] == KEY[:4]
    assert session.wire.cancel_key[4:] != KEY[4:]
    assert len(session.wire.cancel_key) == 8
    assert len(play(version=messages.PROTOCOL_3_2).wire.cancel_key) == 36


def test_the_end_is_told_and_final() -> None:
    session = play()
    (send, hangup) = session.wire.end("Your token was revoked.")
    assert fields(send.data) | {} == {
        "S": "FATAL",
        "V": "FATAL",
        "C": "57P01",
        "M": "Your token was revoked.",
    }
    assert hangup == Hangup("Your token was revoked.")
    assert session.client(query("select 1")) == []


def test_nothing_is_said_inside_a_message_that_streams() -> None:
    session = play(lambda command: None if "update" in command.text else ALLOW)
    session.client(parse("select x") + bind() + execute() + parse("update t set n = 1") + bind() + execute())
    large = row("x" * 1000)
    (earlier, _) = session.wire.notice(session.asked[-1].id, "first")
    assert earlier.to is Side.UPSTREAM
    assert tags(earlier.data) == "PBEP"
    session.server(PARSED + BOUND + large[:500])
    assert session.wire.notice(session.asked[-1].id, "held") == []
    session.said_to_client()
    session.server(large[500:] + done("SELECT 1"))
    said = session.said_to_client()
    assert said.startswith(large[500:] + messages.notice("held"))
    session.server(b"")


def test_terminate_passes_and_ends() -> None:
    session = play()
    (send, hangup) = session.client(TERMINATE)
    assert send == Send(Side.UPSTREAM, TERMINATE)
    assert isinstance(hangup, Hangup)


@pytest.mark.parametrize("side", [Side.CLIENT, Side.UPSTREAM])
def test_either_side_ends_the_session_by_closing(side: Side) -> None:
    session = play()
    (hangup,) = session.wire.receive(side, b"")
    assert isinstance(hangup, Hangup)


def test_a_client_cannot_take_the_sessions_name_off_the_targets_log() -> None:
    session = play()
    session.client(query("set application_name to 'mine'") + query("select 1"))
    session.said_to_server()
    session.server(done("SET") + messages.parameter_status("application_name", "mine") + ready())
    assert tags(session.said_to_client()) == "CSZ"
    assert session.said_to_server() == query("SET application_name TO 'mine [cs-1]'")
    session.server(done("SET") + messages.parameter_status("application_name", "mine [cs-1]") + ready())
    assert not session.said_to_client(), "the client has its own name, and hears nothing of ours"
    assert session.said_to_server() == query("select 1")
    assert len(session.asked) == 2
