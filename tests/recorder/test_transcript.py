from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import Choice, Vote
from gateway.recorder import BLOCK
from gateway.recorder.chain import ChainBroken
from gateway.recorder.transcript import ANSWER_BYTES, ENTRY_CHARACTERS, Transcripts, entries
from gateway.recorder.visible import hides, visible

from .conftest import ask, finish, make_session


def render(answer, shape):
    return f"{shape.decode()}|{answer.decode()}"


def transcripts(recorder, renderer=render):
    return Transcripts(recorder.directory, lambda protocol: renderer)


def read(recorder, session_id="s1", **options):
    page = transcripts(recorder, options.pop("renderer", render)).page(session_id, **options)
    return [(entry.kind, entry.text) for entry in page.entries]


def test_a_session_reads_as_it_happened(recorder):
    recording = recorder.open(make_session())
    ask(recording, text="SELECT email FROM customers WHERE id = $1", parameters=("7", None))
    recording.answer("c1", b"d***@example.com")
    finish(recording, shape=b"email", masked={"email": 1})
    ask(
        recording,
        "c2",
        text="DROP TABLE orders",
        verdict="block",
        rules=("destructive-never",),
        message="Never.",
    )
    ask(recording, "c3", text="UPDATE orders SET paid = true", verdict="hold")
    recording.decided("c3", approval_id="a1", state="pending", votes=(), reason="")
    vote = Vote(person="sam@example.com", choice=Choice.DENY, at=2.0, reason="wrong table")
    recording.decided("c3", approval_id="a1", state="denied", votes=(vote,), reason="wrong table")
    finish(recording, "c1", outcome="SQLSTATE 42P01", failed=True)
    recording.noted("a cancel request came")
    recording.close("client left")
    page = transcripts(recorder).page("s1")
    assert [(entry.kind, entry.verdict, entry.text) for entry in page.entries] == [
        (
            "notice",
            "",
            "Session s1 on orders (postgres), from 127.0.0.1:5000: dana@example.com → release-pipeline → migrator",
        ),
        ("command", "allow", "SELECT email FROM customers WHERE id = $1\n-- $1 = '7', $2 = NULL"),
        ("answer", "", "email|d***@example.com\nSELECT 1\nmasked: 1 × email"),
        ("command", "block", "DROP TABLE orders"),
        ("decision", "block", "Blocked: Never."),
        ("command", "hold", "UPDATE orders SET paid = true"),
        ("decision", "pending", "Approval a1: pending"),
        ("decision", "denied", "Approval a1: denied; sam@example.com deny (wrong table)"),
        ("answer", "", "failed: SQLSTATE 42P01"),
        ("notice", "", "a cancel request came"),
        ("end", "", "Session ended: client left"),
    ]
    assert [entry.number for entry in page.entries] == list(range(1, 12))
    assert page.next == recording.entries == page.session.entries == 11


def test_pages_of_a_growing_session_give_each_entry_once(recorder):
    recording = recorder.open(make_session())
    source = transcripts(recorder)
    seen, after = [], 0
    for number in range(30):
        ask(recording, f"c{number}", verdict="block" if number % 3 else "allow")
        if number % 3 == 0:
            finish(recording, f"c{number}")
        if number % 4 == 0:
            page = source.page("s1", after=after, limit=3)
            seen += [entry.number for entry in page.entries]
            after = page.next
    recording.close("over")
    while (page := source.page("s1", after=after, limit=3)).entries:
        seen += [entry.number for entry in page.entries]
        after = page.next
    assert seen == list(range(1, recording.entries + 1))
    again = transcripts(recorder).page("s1", after=10, limit=5)
    assert [entry.number for entry in again.entries][:5] == [11, 12, 13, 14, 15]


def test_what_is_counted_can_be_read(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    finish(recording)
    assert len(read(recorder)) == recording.entries == 2
    recording.flush()
    assert len(read(recorder)) == recording.entries == 3
    recording.close("over")


def test_an_answer_of_several_blocks_is_one_entry_and_bounded(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    for _ in range(4):
        recording.answer("c1", b"y" * 65_536)
    finish(recording)
    recording.close("over")
    sizes = []

    def measured(answer, shape):
        sizes.append(len(answer))
        return answer.decode()

    kinds = read(recorder, renderer=measured)
    assert [kind for kind, _ in kinds] == ["notice", "command", "answer", "end"]
    text = kinds[2][1]
    assert sizes == [200_000]
    assert sizes[0] <= ANSWER_BYTES
    assert len(text) < ENTRY_CHARACTERS + 300
    assert "characters left out" in text
    assert "62144 further bytes were not recorded" in text


def test_what_came_of_a_command_that_the_end_cut_off_is_its_answer(recorder):
    recording = recorder.open(make_session())
    ask(recording, "c1")
    recording.answer("c1", b"first ")
    ask(recording, "c2")
    recording.answer("c2", b"beside")
    recording.answer("c1", b"and last")
    recording.close("client left")
    assert read(recorder)[3:] == [
        ("answer", "|first and last\nfailed: it had not ended"),
        ("answer", "|beside\nfailed: it had not ended"),
        ("end", "Session ended: client left"),
    ]
    assert len(read(recorder)) == recording.entries


def test_what_came_of_a_command_is_kept_where_the_gateway_did_not_see_it_end(recorder):
    recording = recorder.open(make_session())
    ask(recording, "c1")
    recording.answer("c1", b"y" * BLOCK)
    ask(recording, "c2")
    recording.answer("c2", b"z" * BLOCK)
    finish(recording, "c2")
    recording.flush()
    recording.abandon()
    assert recorder.recover("the gateway was killed") == ["s1"]
    *_, cut, end = transcripts(recorder).page("s1").entries
    assert (cut.command_id, cut.text[:3], end.number) == ("c1", "|yy", 6)
    assert cut.text.endswith("failed: it had not ended")


def test_what_came_so_far_stands_on_the_last_page_and_takes_no_number(recorder):
    recording = recorder.open(make_session())
    ask(recording, "c1")
    recording.answer("c1", b"y" * BLOCK)
    recording.flush()
    source = transcripts(recorder)
    assert source.page("s1", limit=1).running == ()
    page = source.page("s1", after=1)
    (running,) = page.running
    assert (page.next, running.command_id, running.text[:3]) == (2, "c1", "|yy")
    assert running.text.endswith("\n(it has not ended)")
    assert [entry.text[:3] for entry in entries(recording.path, lambda _: render)][2:] == ["|yy"]
    finish(recording, "c1")
    recording.flush()
    page = source.page("s1", after=page.next)
    assert ([entry.number for entry in page.entries], page.running) == ([3], ())
    recording.close("over")


def test_an_answer_that_cannot_be_rendered_says_so_and_the_rest_goes_on(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    recording.answer("c1", b"\xff\xfe")
    finish(recording)
    recording.close("over")
    assert read(recorder)[2] == (
        "answer",
        "(2 bytes that could not be rendered: UnicodeDecodeError)\nSELECT 1",
    )


def test_nothing_in_a_transcript_moves_a_cursor_or_hides(recorder):
    recording = recorder.open(make_session())
    ask(recording, text="SELECT '\x1b[2J\u202e\x07'\n\tFROM t", verdict="block", message="no\x1b[0m")
    recording.answer("c1", "\x9b31mrow\u200b".encode())
    finish(recording, outcome="SELECT\r1")
    recording.close("\x1b]0;title\x07")
    text = "".join(text for _, text in read(recorder))
    assert "\x1b" not in text
    assert not hides(text)
    assert "⟦U+001B⟧[2J⟦U+202E⟧⟦U+0007⟧'\n\tFROM t" in text


@given(st.text())
def test_visible_text_hides_nothing_and_plain_text_stays_as_it_is(text):
    assert not hides(visible(text))
    assert visible(visible(text)) == visible(text)
    if not hides(text):
        assert visible(text) == text


@pytest.mark.parametrize(
    "character", ["\x00", "\x7f", "\x85", "\u200d", "\u2066", "\ufeff", "\U000e0041", "\u3164", "\r"]
)
def test_what_hides_is_written_out(character):
    assert visible(f"a{character}b") == f"a⟦U+{ord(character):04X}⟧b"


def test_a_recording_that_does_not_hold_is_read_up_to_there(recorder):
    recording = recorder.open(make_session())
    ask(recording, text="SELECT 1")
    recording.noted("two")
    recording.close("over")
    recording.path.write_bytes(recording.path.read_bytes().replace(b"SELECT 1", b"SELECT 2"))
    source = transcripts(recorder)
    page = source.page("s1")
    assert [entry.kind for entry in page.entries] == ["notice", "command", "notice"]
    assert "does not hold from here on" in page.entries[-1].text
    assert source.page("s1", after=page.next).entries == ()
    with pytest.raises(ChainBroken):
        list(entries(recording.path, lambda _: render))


def test_a_record_that_is_being_written_is_read_when_it_is_whole(recorder):
    recording = recorder.open(make_session())
    recording.noted("one")
    whole = recording.path.read_bytes()
    os.truncate(recording.path, len(whole) - 4)
    source = transcripts(recorder)
    page = source.page("s1")
    assert [entry.text for entry in page.entries][1:] == []
    recording.path.write_bytes(whole)
    assert [entry.text for entry in source.page("s1", after=page.next).entries] == ["one"]
    recording.close("over")


def test_what_is_not_there_has_no_transcript(recorder):
    assert transcripts(recorder).page("none") is None
    assert transcripts(recorder).page("../../etc/passwd") is None


def test_what_was_shown_under_an_elevation_is_told_and_not_shown(recorder):
    recording = recorder.open(make_session())
    recording.withhold("c1", ("customers.email", "phone"))
    ask(recording, rules=("reads", "reveal:5d0c2f9a1b7e"))
    recording.answer("c1", b"ada@example.com")
    finish(recording, shape=b"email")
    recording.close("over")
    [text] = [text for kind, text in read(recorder) if kind == "answer"]
    assert "shown unmasked under an elevation: customers.email, phone; not recorded: 15 bytes" in text
    assert "ada" not in text
