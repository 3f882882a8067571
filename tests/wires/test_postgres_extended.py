"""Extended queries with both sides scripted: what is prepared, bound, executed and closed, and what fails between."""

from __future__ import annotations

import pytest

from gateway.model import Effect
from gateway.protocols.postgres import messages
from gateway.wire import CommandWithdrawn
from tests.wires.playbook import (
    ALLOW,
    BLOCK,
    BOUND,
    CLOSED,
    FLUSH,
    NO_DATA,
    PARSED,
    SUSPENDED,
    SYNC,
    bind,
    close,
    describe,
    done,
    execute,
    fields,
    parse,
    play,
    query,
    ready,
    row,
    tags,
)
from tests.wires.verdicts import answered, blocks, waits


def test_a_bind_waits_for_its_execute_and_both_for_the_answer() -> None:
    session = play(waits)
    batch = parse("update t set n = $1") + bind(b"5") + describe("P") + execute() + SYNC
    session.client(batch)
    assert session.to_server == b""
    assert session.asked[0].text == "update t set n = $1"
    assert session.asked[0].parameters == ("5",)
    session.answer(ALLOW)
    assert session.to_server == batch
    session.server(PARSED + BOUND + NO_DATA + done("UPDATE 3") + ready())
    assert answered(session) == [("UPDATE 3", 3, False)]


def test_a_parse_alone_passes_and_asks_nothing() -> None:
    session = play()
    session.client(parse("drop table t", "s") + describe("S", "s") + FLUSH)
    assert session.to_server == parse("drop table t", "s") + describe("S", "s") + FLUSH
    assert session.asked == []
    session.server(PARSED + messages.frame(b"t", b"\0\0") + NO_DATA)
    assert tags(session.said_to_client()) == "1tn"


def test_every_execution_is_asked_about_again() -> None:
    session = play()
    session.client(parse("delete from t where n = $1", "s") + SYNC)
    session.server(PARSED + ready())
    for value in (b"1", b"2"):
        session.client(bind(value, statement="s") + execute() + SYNC)
        session.server(BOUND + done("DELETE 1") + ready())
    assert [command.parameters for command in session.asked] == [("1",), ("2",)]
    assert session.asked[0].digest != session.asked[1].digest


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_refusal_at_each_place_of_a_pipeline(position: int) -> None:
    session = play(blocks("forbidden"))
    texts = ["insert into t values (1)"] * 3
    texts[position] = "insert into forbidden values (1)"
    session.client(b"".join(parse(text) + bind() + execute() for text in texts) + SYNC)
    sent = session.said_to_server()
    assert tags(sent) == "PBE" * position + "PP" + "S"
    earlier = (PARSED + BOUND + done("INSERT 0 1")) * position + PARSED
    session.server(earlier)
    session.server(messages.error("42601", "syntax error"))
    session.server(ready())
    said = session.said_to_client()
    assert tags(said) == "12C" * position + "1" + "EZ"
    assert fields(said)["M"] == "Not through here."
    assert len(session.asked) == position + 1
    session.client(query("select 1"))
    assert session.said_to_server() == query("select 1")


def test_a_refusal_of_a_statement_that_was_prepared_before_needs_no_server() -> None:
    session = play(blocks("drop"))
    session.client(parse("drop table t", "s") + SYNC)
    session.server(PARSED + ready())
    session.said_to_client()
    session.said_to_server()
    session.client(bind(statement="s") + execute())
    assert tags(session.said_to_client()) == "E"
    session.client(bind(statement="s") + execute() + SYNC)
    assert session.said_to_client() == ready("I")
    assert session.said_to_server() == b""
    assert len(session.asked) == 1


def test_after_an_error_the_rest_of_the_batch_is_neither_asked_nor_sent() -> None:
    session = play()
    session.client(parse("select 1") + bind() + execute() + FLUSH)
    session.server(PARSED + BOUND + messages.error("22012", "division by zero"))
    session.said_to_server()
    session.client(parse("drop table t") + bind() + execute())
    assert session.said_to_server() == b""
    assert len(session.asked) == 1
    session.client(SYNC)
    assert session.said_to_server() == SYNC
    session.server(ready())
    assert answered(session) == [("SQLSTATE 22012", 0, True)]


def test_an_error_withdraws_what_waits_behind_it() -> None:
    session = play(lambda command: None if "update" in command.text else ALLOW)
    session.client(
        parse("select 1/0") + bind() + execute() + parse("update t set n = 1") + bind() + execute() + SYNC
    )
    assert len(session.asked) == 2
    session.server(PARSED + BOUND + messages.error("22012", "division by zero"))
    assert [event.command_id for event in session.of(CommandWithdrawn)] == [session.asked[1].id]
    session.server(ready())
    assert session.to_server.endswith(SYNC)
    session.answer(ALLOW)
    assert tags(session.to_server).count("E") == 1


def test_several_syncs_in_one_go_are_counted() -> None:
    session = play()
    session.client((parse("select 1") + bind() + execute() + SYNC) * 3)
    for _ in range(3):
        session.server(PARSED + BOUND + done("SELECT 0") + ready())
    assert tags(session.said_to_client()) == "12CZ" * 3
    assert tags(session.said_to_server()) == "PBES" * 3


def test_a_suspended_portal_goes_on_without_being_asked_again() -> None:
    session = play()
    session.client(parse("select n from t") + bind() + execute(rows=2) + FLUSH)
    session.server(PARSED + BOUND + row("1") + row("2") + SUSPENDED)
    session.client(execute(rows=2) + SYNC)
    session.server(row("3") + done("SELECT 1") + ready())
    assert len(session.asked) == 1
    assert answered(session) == [("SELECT 1", 3, False)]
    session.client(bind() + execute() + SYNC)
    assert len(session.asked) == 2


def test_a_portal_cannot_be_swapped_behind_a_cursor() -> None:
    session = play()
    session.client(query("begin"))
    session.server(done("BEGIN") + ready("T"))
    session.client(parse("select n from t") + bind(portal="p") + execute("p", 2) + SYNC)
    session.server(PARSED + BOUND + row("1") + SUSPENDED + ready("T"))
    session.client(query("close p; declare p cursor for select ssn from customers"))
    session.server(done("CLOSE CURSOR") + done("DECLARE CURSOR") + ready("T"))
    before = len(session.asked)
    session.client(execute("p", 2) + SYNC)
    assert len(session.asked) == before + 1


def test_an_unknown_portal_or_statement_is_unknown() -> None:
    session = play(waits)
    session.client(execute("nobody"))
    assert session.asked[-1].facts.effects == {Effect.UNKNOWN}
    other = play(waits)
    other.client(bind(statement="nobody") + execute())
    assert other.asked[-1].facts.effects == {Effect.UNKNOWN}


def test_a_failed_parse_leaves_the_statement_that_was_there() -> None:
    session = play(waits)
    session.client(parse("drop table t", "s") + SYNC)
    session.server(PARSED + ready())
    session.client(parse("select 1", "s") + SYNC)
    session.server(messages.error("42P05", "exists") + ready())
    session.client(bind(statement="s") + execute())
    assert session.asked[-1].text == "drop table t"


def test_a_skipped_parse_leaves_the_unnamed_statement_that_was_there() -> None:
    session = play(waits)
    session.client(parse("drop table t") + SYNC)
    session.server(PARSED + ready())
    session.client(parse("select * from missing", "x") + parse("select 1") + SYNC)
    session.server(messages.error("42P01", "no such relation") + ready())
    session.client(bind() + execute())
    assert session.asked[-1].text == "drop table t"


def test_what_sql_prepares_is_judged_by_its_own_text() -> None:
    session = play()
    session.client(query("prepare x as delete from t where id = 1"))
    session.server(done("PREPARE") + ready())
    session.client(query("execute x"))
    assert session.asked[-1].facts.effects == {Effect.WRITE, Effect.SESSION}
    assert session.asked[-1].facts.complete
    assert "delete from t" in session.asked[-1].text
    session.server(done("DELETE 1") + ready())
    session.client(bind(statement="x") + execute() + SYNC)
    assert session.asked[-1].facts.effects == {Effect.WRITE, Effect.SESSION}
    session.server(BOUND + done("DELETE 1") + ready())
    session.client(query("execute y"))
    assert Effect.UNKNOWN in session.asked[-1].facts.effects


def test_what_an_executed_query_brings_goes_where_create_table_puts_it() -> None:
    session = play()
    session.client(query("prepare x as select ssn as note from customers"))
    session.server(done("PREPARE") + ready())
    session.client(query("create table y as execute x"))
    (carried,) = session.asked[-1].facts.carried
    assert (carried.name, set(carried.sources)) == ("y.note", {"customers.ssn"})


def test_who_waits_or_is_refused_hears_why_nobody_can_tell() -> None:
    session = play(waits)
    session.client(query("select f()"))
    (send,) = session.wire.notice(session.asked[0].id, "a DBA looks at it")
    why = "What it does is unknown: function f has a body that cannot be seen."
    assert fields(send.data)["D"] == why
    session.answer(BLOCK)
    assert fields(session.said_to_client())["D"] == f"Decided by never. {why}"


def test_a_fetch_is_read_together_with_its_cursor() -> None:
    session = play()
    session.client(query("declare c cursor for select ssn as x from customers"))
    session.server(done("DECLARE CURSOR") + ready("T"))
    session.client(query("fetch 3 from c"))
    (output,) = session.asked[-1].facts.outputs
    assert output.sources == {"customers.ssn"}
    session.server(done("FETCH 0") + ready("T"))
    session.client(execute("c") + SYNC)
    assert "customers" in session.asked[-1].text
    session.server(done("SELECT 0") + ready("T"))
    session.client(query("fetch 3 from other"))
    assert not session.asked[-1].facts.complete


def test_names_that_several_statements_change_are_forgotten() -> None:
    session = play()
    session.client(parse("select 1", "s") + SYNC)
    session.server(PARSED + ready())
    session.client(query("deallocate s; prepare s as delete from t; select 1/0"))
    session.server(done("DEALLOCATE") + done("PREPARE") + messages.error("22012", "division") + ready())
    session.client(bind(statement="s") + execute())
    assert Effect.UNKNOWN in session.asked[-1].facts.effects


def test_names_that_the_server_would_cut_are_refused() -> None:
    session = play()
    session.client(parse("select 1", "n" * 64) + SYNC)
    said = session.said_to_client()
    assert tags(said) == "EZ"
    assert fields(said)["C"] == "42622"


def test_a_portal_that_is_bound_and_not_executed_ends_with_its_transaction() -> None:
    session = play()
    session.client(parse("select 1") + bind() + SYNC)
    assert len(session.asked) == 1
    session.server(PARSED + BOUND + ready())
    assert answered(session) == [("not executed", 0, False)]


def test_closing_what_is_not_there_passes() -> None:
    session = play()
    session.client(close("S", "x") + close("P", "y") + SYNC)
    session.server(CLOSED + CLOSED + ready())
    assert tags(session.said_to_client()) == "33Z"
