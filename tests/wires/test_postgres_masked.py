"""Masked answers with both sides scripted: rows, descriptions, errors, settings and copies."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from gateway.protocols.postgres import messages
from gateway.protocols.postgres.plans import WITHHELD
from gateway.wire import CommandAnswered, ProtocolViolation
from tests.wires.masks import Word
from tests.wires.playbook import (
    ALLOW,
    BLOCK,
    BOUND,
    CLOSED,
    COPIED,
    PARSED,
    SYNC,
    bind,
    copy_response,
    describe,
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
from tests.wires.verdicts import ONE_ROW, answered


def test_a_masked_answer_keeps_its_shape_and_says_what_it_hid() -> None:
    session = play(mask=Word())
    session.client(query("select word from t"))
    session.server(row_description("word") + row("a secret") + row("none") + done("SELECT 2") + ready())
    assert (
        session.said_to_client()
        == row_description("word") + row("a ******") + row("none") + done("SELECT 2") + ready()
    )
    (over,) = session.of(CommandAnswered)
    assert over.masked == {"word": 1}
    assert over.rows == 2


def test_a_masked_answer_without_a_hit_passes_as_the_object_it_came_in() -> None:
    session = play(mask=Word())
    session.client(query("select word from t"))
    session.server(row_description("word"))
    rows = row("a") + row("b")
    (send,) = session.server(rows)
    assert send.data is rows


def test_rows_are_described_behind_the_clients_back_where_it_did_not_ask() -> None:
    session = play(mask=Word())
    session.client(parse("select word from t") + bind() + execute() + SYNC)
    assert tags(session.said_to_server()) == "PBDES"
    session.server(PARSED + BOUND + row_description("word") + row("secret") + done("SELECT 1") + ready())
    assert session.said_to_client() == PARSED + BOUND + row("******") + done("SELECT 1") + ready()


@pytest.mark.parametrize("asked_for", [False, True])
def test_one_piece_with_a_masked_answer_is_described_too(asked_for: bool) -> None:
    session = play(mask=Word())
    session.client(parse("select word from t", "s") + SYNC)
    session.server(PARSED + ready())
    session.said_to_server()
    session.said_to_client()
    session.client(bind(statement="s") + (describe("P") if asked_for else b"") + execute() + SYNC)
    assert tags(session.said_to_server()) == "BDES"
    session.server(BOUND + row_description("word") + row("secret") + done("SELECT 1") + ready())
    described = row_description("word") if asked_for else b""
    assert session.said_to_client() == BOUND + described + row("******") + done("SELECT 1") + ready()


def test_one_piece_passes_as_the_object_it_came_in() -> None:
    session = play()
    session.client(parse("select 1", "s") + SYNC)
    session.server(PARSED + ready())
    piece = bind(statement="s") + describe("P") + execute() + SYNC
    (_, send) = session.client(piece)
    assert send.data is piece


@pytest.mark.parametrize("status", ["I", "T"])
@pytest.mark.parametrize("cancelled", [False, True])
def test_one_piece_is_refused_like_its_parts(status: str, cancelled: bool) -> None:
    session = play(lambda command: None if "drop" in command.text else ALLOW)
    session.client(parse("drop table t", "s") + SYNC)
    session.server(PARSED + ready(status))
    session.said_to_server()
    session.said_to_client()
    session.client(bind(statement="s") + describe("P") + execute() + SYNC)
    if cancelled:
        session.cancel()
    else:
        session.answer(BLOCK)
    if status == "T":
        assert tags(session.said_to_server()) == "PS"
        session.server(messages.error("42601", "syntax error") + ready("E"))
    assert session.said_to_server() == b""
    said = session.said_to_client()
    assert tags(said) == "EZ"
    assert fields(said)["C"] == ("57014" if cancelled else "42501")
    assert said.endswith(ready("E" if status == "T" else "I"))


def test_a_description_is_kept_for_later_executions() -> None:
    session = play(mask=Word())
    session.client(parse("select word from t", "s") + describe("S", "s") + SYNC)
    session.server(PARSED + messages.frame(b"t", b"\0\0") + row_description("word") + ready())
    session.said_to_server()
    session.client(bind(statement="s") + execute() + SYNC)
    assert tags(session.said_to_server()) == "BES"
    session.server(BOUND + row("secret") + done("SELECT 1") + ready())
    assert row("******") in session.said_to_client()


def test_rows_that_nobody_described_are_not_passed_where_a_mask_is() -> None:
    session = play(mask=Word())
    session.client(query("select word from t"))
    with pytest.raises(ProtocolViolation):
        session.server(row("secret"))


class Named(Word):
    """A word that is hidden, and columns of `hidden` that a rule names."""

    def rule(self, names: Collection[str], *, label: str = "") -> str | None:
        return "redact" if any(name.startswith("hidden.") or name == "*" for name in names) else None


@pytest.mark.parametrize(
    ("text", "name", "value", "shown"),
    [
        ("select set_config('application_name', a, false) from hidden", "application_name", "ann", WITHHELD),
        ("select set_config('search_path', a, false) from hidden", "search_path", "ann", WITHHELD),
        (
            "select set_config('application_name', a, false) from t",
            "application_name",
            "a secret",
            "a ******",
        ),
        ("set application_name = 'nightly'", "application_name", "nightly", "nightly"),
        ("select a from hidden; set datestyle = 'ISO'", "DateStyle", "ISO, MDY", "ISO, MDY"),
    ],
)
def test_a_setting_that_is_reported_shows_nothing_hidden(
    text: str, name: str, value: str, shown: str
) -> None:
    session = play(mask=Named())
    session.client(query(text))
    report = messages.parameter_status(name, value)
    session.server(report + done("SELECT 0") + ready())
    assert messages.parameter_status(name, shown) in session.said_to_client()


def test_errors_and_notifications_are_masked() -> None:
    session = play(mask=Word())
    session.client(query("insert into t"))
    report = messages.error("23505", "duplicate", detail="Key (word)=(secret) already exists.")
    session.server(report + ready())
    said = fields(session.said_to_client())
    assert "secret" not in said["D"]
    assert said["C"] == "23505"
    session.server(messages.frame(b"A", b"\0\0\0\7", b"channel\0the secret\0"))
    assert b"the ******" in session.said_to_client()
    session.client(query("select 1"))
    session.server(messages.error("22P02", 'invalid input syntax for type integer: "123-45-6789"') + ready())
    assert "123-45" not in fields(session.said_to_client())["M"]


def test_copied_data_is_masked() -> None:
    session = play(mask=Word())
    session.client(query("copy t to stdout"))
    # The columns are described first, unseen; the Sync behind would be wanted had that failed.
    assert tags(session.said_to_server()) == "CPDCQS"
    described = CLOSED + PARSED + messages.frame(b"t", b"\0\0") + row_description("n") + CLOSED
    session.server(
        described
        + copy_response("H")
        + messages.frame(b"d", b"secret\n")
        + COPIED
        + done("COPY 1")
        + ready()
        + ready()
    )
    assert b"secret" not in session.said_to_client()
    assert session.of(CommandAnswered)[0].masked == {"word": 1}


def test_a_masked_copy_behind_a_failed_message_is_skipped_up_to_the_clients_own_sync() -> None:
    session = play(mask=Word())
    session.client(describe("P", "none"))
    session.client(query("copy t to stdout") + parse("select 1", "later") + SYNC + query("select 2"))
    assert tags(session.said_to_server()) == "DCPDCQS"
    session.server(messages.error("34000", "no such portal") + ready())
    assert tags(session.said_to_client()) == "EZ"
    assert session.said_to_server() == query("select 2")
    assert answered(session) == [("not run", 0, True)]
    session.server(ONE_ROW)
    assert tags(session.said_to_client()) == "TDCZ"


def test_a_masked_copy_of_what_is_not_there_fails_as_itself() -> None:
    session = play(mask=Word())
    session.client(query("copy t to stdout") + query("select 2"))
    session.said_to_server()
    session.server(CLOSED + messages.error("42P01", "no such table") + ready())
    assert tags(session.said_to_client()) == "EZ"
    assert answered(session) == [("SQLSTATE 42P01", 0, True)]
    assert session.said_to_server() == query("select 2")
