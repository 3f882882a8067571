"""What a session's texts mean, as its target, its character set and what went through before decide."""

from __future__ import annotations

import pytest

from gateway.model import Effect
from gateway.protocols.mysql.packets import frame
from tests.wires.conformance import ALLOW, BLOCK
from tests.wires.mysql_playbook import command, err, execute, ok, packed, play, prepare, prepared, query

UNREAD = "the session's character set may read this text otherwise"


def columns(session, text):
    session.client(query(text))
    facts = session.asked[-1].facts
    return [r.name for r in facts.resources if r.kind == "column"], facts


def ran(session, text, *, failed=False):
    session.client(query(text))
    session.server(packed(err(1231, "42000", "no")) if failed else packed(ok()))


def test_what_went_through_counts():
    session = play()
    ran(session, "set sql_mode = 'ANSI_QUOTES'")
    assert columns(session, 'select "ssn" from t')[0] == ["t.ssn"]


@pytest.mark.parametrize("blocked", [True, False])
def test_what_did_not_go_through_does_not_count(blocked):
    session = play(lambda command: BLOCK if blocked and command.text.startswith("set") else ALLOW)
    session.client(query("set @v = 'delete from t'"))
    if not blocked:
        session.server(packed(err(1064, "42000", "no")))
    session.client(query("execute immediate @v"))
    assert Effect.UNKNOWN in session.asked[-1].facts.effects


def test_modes_that_may_have_changed_make_texts_unknown():
    session = play()
    ran(session, "set sql_mode = 'ANSI_QUOTES', @x = (select 1 from t)", failed=True)
    assert not columns(session, "select ssn from t")[1].complete


def test_a_database_is_used_only_where_that_succeeded():
    session = play()
    ran(session, "use nowhere", failed=True)
    assert session.wire._reading.context.state.database == "shop"
    session.client(command(2, b"Other"))
    session.server(packed(ok()))
    assert session.wire._reading.context.state.database == "other"
    ran(session, "use third; select nonsense", failed=True)
    assert not columns(session, "select ssn from t")[1].complete


@pytest.mark.parametrize(
    ("charset", "character_set", "data", "text", "complete"),
    [
        (45, "utf8mb4", "select 'ä'".encode(), "select 'ä'", True),
        (45, "utf8mb4", b"select '\xe4'", "select '\\xe4'", True),
        (45, "utf8mb4", b"select \xe4 from t", "select \\xe4 from t", False),
        (8, "latin1", b"select \xe4 from t", "select ä from t", True),
        (8, "latin1", b"select '\x80'", "select '€'", True),
        (28, "gbk", b"select 1", "select 1", True),
        (28, "gbk", "select 'ä'".encode(), "select 'ä'", False),
        (2, "latin2", "select 'ä'".encode(), "select 'ä'", False),
    ],
)
def test_texts_are_read_in_the_character_set_of_the_session(charset, character_set, data, text, complete):
    session = play(charset=charset, character_set=character_set)
    session.client(frame(b"\3" + data, 0))
    assert session.asked[0].text == text
    assert session.asked[0].facts.complete is complete


@pytest.mark.parametrize(
    ("statement", "complete"),
    [
        ("set names utf8mb4", True),
        ("/*!40101 SET NAMES utf8mb4 */", True),
        ("SET character_set_client = 'utf8'", True),
        ("set names latin1", True),
        ("set names gbk", False),
        ("set character_set_client = @saved", False),
        ("set character_set_results = NULL", True),
        ("select 'set names'", True),
    ],
)
def test_a_character_set_that_is_set_counts(statement, complete):
    session = play()
    ran(session, statement)
    assert columns(session, "select 'ä'")[1].complete is complete


def test_a_prepared_text_is_judged_in_the_character_set_it_was_prepared_in():
    session = play(charset=2, character_set="latin2")
    session.client(prepare("select 'ä'"))
    session.server(prepared(1))
    ran(session, "set names utf8mb4")
    session.client(execute(1))
    assert UNREAD in session.asked[-1].facts.why_unknown


def test_labels_come_in_what_the_session_set():
    session = play()
    assert session.wire._reading.labels == "utf8mb4"
    ran(session, "set names latin1")
    assert session.wire._reading.labels == "latin1"
    ran(session, "set character_set_results = NULL")
    assert session.wire._reading.labels == ""


@pytest.mark.parametrize(
    "setting",
    ["set foreign_key_checks = 0", "set role x", "set @v = 1", "execute immediate 'set autocommit = 0'"],
)
def test_what_was_set_is_part_of_what_an_approval_is_for(setting):
    digests = []
    for before in ((), (setting,), ("select 1",), (setting, setting)):
        session = play()
        for text in before:
            ran(session, text)
        session.client(query("delete from t where n = 1"))
        digests.append(session.asked[-1].digest)
    assert digests[0] == digests[2]
    assert digests[1] == digests[3]
    assert digests[0] != digests[1]


def test_settings_that_are_remembered_are_bounded():
    session = play()
    for number in range(500):
        ran(session, f"set no_such_{number} = 1")
    assert len(session.wire._reading._set) <= 202
