"""A text that nobody here can read is parsed by the server first, and asked about only if the server takes it."""

from __future__ import annotations

import pytest

from gateway.model import Allow, Command, Effect
from gateway.protocols.postgres import messages
from gateway.wire import Aside, CommandAnswered, Send, Side
from tests.wires.masks import Word
from tests.wires.playbook import (
    ALLOW,
    BLOCK,
    BOUND,
    CLOSED,
    FLUSH,
    PARSED,
    SYNC,
    bind,
    done,
    execute,
    fields,
    parse,
    play,
    query,
    ready,
    tags,
)

TYPO = "selec 1"
TAKEN = CLOSED + PARSED + CLOSED
TRIAL = (
    messages.close_statement(b"countersign_trial")
    + messages.parse(b"countersign_trial", TYPO.encode())
    + messages.close_statement(b"countersign_trial")
    + SYNC
)


def waits(_command: Command) -> None:
    return None


def begun(*, judge=lambda _command: ALLOW):
    """A session inside a transaction."""
    session = play(judge)
    session.client(query("begin"))
    session.wire.answer(session.asked[-1].id, ALLOW, session.mask)
    session.server(done("BEGIN") + ready("T"))
    session.said_to_client()
    session.said_to_server()
    session.asked.clear()
    session.events.clear()
    return session


def syntax_error(*, place: str = "1", code: str = "42601", severity: str = "ERROR") -> bytes:
    said = [
        (b"S", b"FEHLER"),
        (b"V", severity.encode()),
        (b"C", code.encode()),
        (b"M", b'at or near "selec"'),
    ]
    return messages.write_fields(b"E", [*said, *([(b"P", place.encode())] if place else [])])


def test_a_text_that_the_server_would_not_parse_gets_the_servers_own_error() -> None:
    session = play()
    session.client(query(TYPO))
    assert session.said_to_server() == TRIAL
    assert session.asked == []
    session.server(CLOSED + syntax_error() + ready())
    assert session.said_to_client() == syntax_error() + ready()
    assert session.said_to_server() == b""
    (command,) = session.asked
    assert (command.text, command.facts.effects, command.facts.complete) == (TYPO, {Effect.SESSION}, True)
    (answer,) = session.of(CommandAnswered)
    assert (answer.command_id, answer.outcome, answer.failed) == (command.id, "SQLSTATE 42601", True)
    assert [event.command_id for event in session.of(Send) if event.to is Side.CLIENT][-1] == command.id


def test_the_error_comes_only_with_the_verdict_and_a_block_is_told_in_its_place() -> None:
    session = play(waits)
    session.client(query(TYPO))
    session.server(CLOSED + syntax_error() + ready())
    assert session.said_to_client() == b""
    session.answer(BLOCK)
    said = session.said_to_client()
    assert fields(said)["C"] == "42501"
    assert tags(said) == "EZ"


def test_what_the_server_takes_is_asked_about_as_unknown_and_sent_as_it_came() -> None:
    session = play(waits)
    session.client(query(TYPO))
    session.said_to_server()
    session.server(TAKEN + ready())
    assert session.said_to_client() == b""
    assert session.said_to_server() == b""
    assert session.asked[0].facts.effects == {Effect.UNKNOWN}
    session.answer(ALLOW)
    assert session.said_to_server() == query(TYPO)
    session.server(done("SELEC 1") + ready())
    assert session.said_to_client() == done("SELEC 1") + ready()


@pytest.mark.parametrize("cut", range(1, len(CLOSED + syntax_error() + ready())))
def test_the_servers_answer_may_be_cut_anywhere(cut: int) -> None:
    session = play()
    session.client(query(TYPO) + query("select 2"))
    answer = CLOSED + syntax_error() + ready()
    session.server(answer[:cut])
    session.server(answer[cut:])
    assert session.said_to_client() == syntax_error() + ready()
    assert session.said_to_server() == TRIAL + query("select 2")


def test_in_a_transaction_the_refusal_leaves_it_failed() -> None:
    session = begun()
    session.client(query(f"{TYPO};"))
    assert tags(session.said_to_server()) == "CPCS"
    session.server(CLOSED + syntax_error() + ready("E"))
    assert session.said_to_client() == syntax_error() + ready("E")


def test_several_statements_in_a_transaction_are_not_tried() -> None:
    session = begun(judge=waits)
    session.client(query(f"select 1; {TYPO}"))
    assert session.said_to_server() == b""
    assert session.asked[0].facts.effects == {Effect.UNKNOWN}


def test_that_a_parse_takes_one_statement_is_no_error_of_several() -> None:
    session = play(waits)
    session.client(query(f"select 1; {TYPO}"))
    session.server(CLOSED + syntax_error(place="") + ready())
    assert session.asked[0].facts.effects == {Effect.UNKNOWN}
    assert session.said_to_client() == b""


def test_a_syntax_error_in_several_statements_is_theirs() -> None:
    session = play()
    session.client(query(f"select 1; {TYPO}"))
    session.server(CLOSED + syntax_error(place="12") + ready())
    assert session.said_to_client() == syntax_error(place="12") + ready()


def test_a_trial_that_fails_for_another_reason_is_the_commands_failure() -> None:
    """Cancelled, out of time: the text has not run, and the transaction stands as the client is told."""
    session = begun()
    session.client(query(TYPO))
    (aside,) = session.cancel()
    assert isinstance(aside, Aside)
    session.server(syntax_error(code="57014", place="") + ready("E"))
    assert session.said_to_client() == syntax_error(code="57014", place="") + ready("E")


def test_the_end_of_the_session_is_told_at_once() -> None:
    session = play()
    session.client(query(TYPO))
    end = syntax_error(code="57P01", place="", severity="FATAL")
    session.server(end)
    assert session.said_to_client() == end
    assert session.asked == []


def test_the_error_is_masked() -> None:
    session = play(mask=Word(word="selec"))
    session.client(query(TYPO))
    session.server(CLOSED + syntax_error() + ready())
    said = session.said_to_client()
    assert "selec" not in fields(said)["M"]
    assert fields(said)["P"] == "1"


def test_what_the_server_remarks_on_a_trial_is_not_said_twice() -> None:
    session = play()
    session.client(query(TYPO))
    session.server(CLOSED + messages.notice("nonstandard use of escape") + PARSED + CLOSED + ready())
    assert session.said_to_client() == b""


def test_a_text_too_long_to_read_is_not_tried() -> None:
    session = play(waits)
    session.client(query(TYPO + " " * 70_000))
    assert session.said_to_server() == b""
    assert session.asked[0].facts.effects == {Effect.UNKNOWN}


def test_behind_an_open_batch_nothing_is_tried() -> None:
    session = play(waits)
    session.client(parse("select 1"))
    session.said_to_server()
    session.client(query(TYPO))
    assert "S" not in tags(session.said_to_server())
    assert session.asked[0].facts.effects == {Effect.UNKNOWN}


# A Parse of the client's own.


def test_a_parse_that_nobody_can_read_is_answered_before_its_execution_is_asked_about() -> None:
    session = play(waits)
    batch = parse(TYPO) + bind() + execute() + SYNC
    session.client(batch)
    assert session.said_to_server() == parse(TYPO) + FLUSH
    session.server(syntax_error())
    assert session.said_to_client() == syntax_error()
    assert session.said_to_server() == SYNC
    session.server(ready())
    assert session.said_to_client() == ready()
    assert session.asked == []


def test_a_parse_that_the_server_takes_is_asked_about_once_it_is_bound() -> None:
    session = play(waits)
    session.client(parse(TYPO))
    session.client(bind() + execute() + SYNC)
    session.said_to_server()
    assert session.asked == []
    session.server(PARSED)
    assert session.said_to_client() == PARSED
    assert session.asked[0].facts.effects == {Effect.UNKNOWN}
    assert session.said_to_server() == b""
    session.answer(Allow(rules=("people",)))
    assert session.said_to_server() == bind() + execute() + SYNC
    session.server(BOUND + done("SELEC 1") + ready())
    assert session.said_to_client() == BOUND + done("SELEC 1") + ready()
