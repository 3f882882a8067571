from __future__ import annotations

import dataclasses
import errno
import os

import pytest

from gateway.contract import Choice, Vote
from gateway.model import Effect, Resource
from gateway.recorder import BLOCK, RecordingFailed
from gateway.recorder.chain import records

from .conftest import ask, finish, make_session


def kinds(path):
    with path.open("rb") as file:
        return [record.kind for record in records(file)]


def fields(path, kind):
    with path.open("rb") as file:
        return [record for record in records(file) if record.kind == kind]


def test_a_session_is_one_file_of_its_day(recorder):
    recording = recorder.open(make_session("s7"))
    assert recording.path == recorder.directory / "2023-11-14" / "s7.rec"
    assert kinds(recording.path) == ["opened"]
    assert fields(recording.path, "opened")[0].fields["session"]["chain"][1]["name"] == "migrator"
    assert recording.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RecordingFailed, match="could not be begun"):
        recorder.open(make_session("s7"))
    recording.close("over")


def test_what_is_asked_and_decided_is_written_before_the_call_returns(recorder):
    recording = recorder.open(make_session())
    ask(recording, verdict="hold", text="UPDATE orders SET paid = $1", parameters=("true", None))
    assert kinds(recording.path)[-1] == "asked"
    vote = Vote(person="sam@example.com", choice=Choice.APPROVE, at=2.0, groups=("dba",), through="slack")
    recording.decided("c1", approval_id="a1", state="spent", votes=(vote,), reason="")
    (decided,) = fields(recording.path, "decided")
    assert decided.fields["votes"][0]["person"] == "sam@example.com"
    (asked,) = fields(recording.path, "asked")
    assert asked.fields["parameters"] == ["true", None]
    assert asked.fields["resources"] == [{"kind": "table", "name": "public.orders", "effect": "read"}]
    recording.close("over")


def test_facts_that_come_again_are_named_by_the_record_that_has_them(recorder):
    recording = recorder.open(make_session())
    read, table = frozenset({Effect.READ}), (Resource(kind="table", name="orders", effect=Effect.READ),)
    ask(recording, "c1", effects=read, resources=table)
    ask(recording, "c2", effects=read, resources=table)
    ask(recording, "c3", effects=read, resources=table, verdict="block")
    ask(recording, "c4", effects=read, resources=table, verdict="block")
    recording.close("over")
    asked = fields(recording.path, "asked")
    assert [record.fields.get("facts") for record in asked] == [None, 1, None, 3]
    assert [record.fields["verdict"] for record in asked] == ["allow", "allow", "block", "block"]
    assert all("resources" in record.fields or "facts" in record.fields for record in asked)


def test_what_is_not_unicode_is_recorded_with_that_part_escaped(recorder):
    recording = recorder.open(make_session())
    table = Resource(kind="table", name="t\udce4", effect=Effect.READ)
    ask(recording, text="SELECT '\udce4'", parameters=("\ud800",), resources=(table,))
    recording.close("over")
    (asked,) = fields(recording.path, "asked")
    assert (asked.fields["text"], asked.fields["parameters"]) == ("SELECT '\\udce4'", ["\\ud800"])
    assert asked.fields["resources"][0]["name"] == "t\\udce4"


def test_a_short_answer_is_one_record_and_goes_with_the_next_command(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    recording.answer("c1", b"row 1")
    recording.answer("c1", b"row 2")
    finish(recording, shape=b"SHAPE", masked={"email": 2})
    assert kinds(recording.path) == ["opened", "asked"]
    ask(recording, "c2")
    assert kinds(recording.path) == ["opened", "asked", "answered", "asked"]
    (answered,) = fields(recording.path, "answered")
    assert answered.payload == b"SHAPErow 1row 2"
    assert answered.fields["shape"] == 5
    assert answered.fields["masked"] == {"email": 2}
    recording.close("over")


def test_flush_writes_what_was_gathered(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    finish(recording)
    recording.flush()
    assert kinds(recording.path)[-1] == "answered"
    recording.close("over")


def test_a_long_answer_is_written_in_blocks(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    for _ in range(3):
        recording.answer("c1", b"x" * BLOCK)
    assert kinds(recording.path) == ["opened", "asked", "answer", "answer", "answer"]
    finish(recording)
    recording.close("over")
    assert kinds(recording.path)[5:] == ["answered", "closed", "sealed"]


def test_an_answer_is_cut_at_the_limit_and_what_was_cut_is_counted_and_hashed(recorder):
    recording = recorder.open(make_session())
    sent = [os.urandom(70_000) for _ in range(5)]
    ask(recording)
    for data in sent:
        recording.answer("c1", data)
    finish(recording)
    ask(recording, "c2")
    recording.answer("c2", b"short")
    finish(recording, "c2")
    recording.close("over")
    whole = b"".join(sent)
    kept = b"".join(each.payload for each in fields(recording.path, "answer"))
    first, second = fields(recording.path, "answered")
    assert kept + first.payload == whole[:200_000]
    assert first.fields["cut"] == 150_000
    assert "cut" not in second.fields
    assert second.payload == b"short"


def test_an_answer_that_ended_unfinished_is_still_kept(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    recording.answer("c1", b"half a row")
    recording.close("the upstream went away")
    assert fields(recording.path, "answer")[0].payload == b"half a row"


def test_the_closing_record_counts_and_the_seal_is_last(recorder, key):
    recording = recorder.open(make_session())
    ask(recording)
    finish(recording, masked={"email": 1})
    ask(recording, "c2", verdict="block")
    ask(recording, "c3", verdict="hold")
    head = recording.close("client left")
    (closed,) = fields(recording.path, "closed")
    assert {name: closed.fields[name] for name in ("commands", "blocked", "held", "masked", "reason")} == {
        "commands": 3,
        "blocked": 1,
        "held": 1,
        "masked": {"email": 1},
        "reason": "client left",
    }
    assert closed.fields["entries"] == recording.entries == 7
    (sealed,) = fields(recording.path, "sealed")
    assert sealed.hash == head
    key.public_key().verify(
        bytes.fromhex(sealed.fields["signature"]),
        f"countersign recording\ns1\n{closed.hash}\n{sealed.at!r}".encode(),
    )
    assert recording.close("again") == head


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
def test_once_a_write_fails_nothing_more_is_recorded(recorder, monkeypatch, fault):
    recording = recorder.open(make_session())
    write = os.write

    def failing(descriptor, data):
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(RecordingFailed, match=os.strerror(fault)):
        ask(recording)
    monkeypatch.setattr(os, "write", write)
    for call in (
        lambda: ask(recording),
        lambda: recording.decided("c1", approval_id="a", state="spent", votes=(), reason=""),
        lambda: finish(recording),
        lambda: recording.noted("x"),
        recording.flush,
        lambda: recording.close("over"),
    ):
        with pytest.raises(RecordingFailed):
            call()
    assert kinds(recording.path) == ["opened"]


def test_a_write_that_the_disk_takes_only_in_part_is_completed(recorder, monkeypatch):
    recording = recorder.open(make_session())
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:7])))
    ask(recording, text="SELECT 'a longer one'")
    monkeypatch.undo()
    recording.close("over")
    assert kinds(recording.path) == ["opened", "asked", "closed", "sealed"]


def test_an_unwritable_directory_refuses_the_session(recorder):
    recorder.directory.parent.mkdir(exist_ok=True)
    recorder.directory.write_text("in the way")
    with pytest.raises(RecordingFailed, match="could not be begun"):
        recorder.open(make_session())


def test_what_a_crash_left_open_is_closed_and_sealed_at_the_next_start(recorder):
    left = recorder.open(make_session("left"))
    ask(left, verdict="block")
    recorder.open(make_session("done")).close("over")
    left.abandon()
    later = dataclasses.replace(make_session("later"), opened_at=1_700_400_000.0)
    other = recorder.open(later)
    other.abandon()

    assert sorted(recorder.recover("the gateway stopped")) == ["later", "left"]
    (closed,) = fields(left.path, "closed")
    assert (closed.fields["reason"], closed.fields["blocked"], closed.fields["entries"]) == (
        "the gateway stopped",
        1,
        4,
    )
    assert kinds(left.path)[-1] == "sealed"
    assert recorder.recover("the gateway stopped") == []


def test_a_recording_closed_but_not_sealed_only_gets_its_seal(recorder):
    recording = recorder.open(make_session())
    recording.close("over")
    with recording.path.open("rb") as file:
        end = next(record.end for record in records(file) if record.kind == "closed")
    os.truncate(recording.path, end)
    assert recorder.recover("the gateway stopped") == ["s1"]
    assert kinds(recording.path) == ["opened", "closed", "sealed"]


def test_an_answer_that_pretends_to_be_a_seal_is_not_taken_for_one(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    recording.answer(
        "c1", b'x\n{"kind":"closed","at":1}\n{"kind":"sealed","at":1,"key":"k1","signature":"00"}'
    )
    finish(recording)
    recording.flush()
    recording.abandon()
    assert recorder.recover("the gateway stopped") == ["s1"]
    assert kinds(recording.path)[-2:] == ["closed", "sealed"]


def test_a_recording_sealed_by_an_older_key_is_left_as_it_is(recorder):
    recording = recorder.open(make_session())
    recording.close("over")
    before = recording.path.read_bytes()
    recorder._sign = lambda data: b"another key"
    assert recorder.recover("the gateway stopped") == []
    assert recording.path.read_bytes() == before


def test_what_is_torn_is_left_as_the_evidence_it_is(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    recording.abandon()
    os.truncate(recording.path, recording.path.stat().st_size - 3)
    before = recording.path.read_bytes()
    assert recorder.recover("the gateway stopped") == []
    assert recording.path.read_bytes() == before


def test_what_is_withheld_leaves_its_length_alone(recorder):
    recording = recorder.open(make_session())
    for command_id, shown in (
        ("c1", b"kept before"),
        ("c2", b"ada@example.com" * 10_000),
        ("c3", b"kept after"),
    ):
        if command_id == "c2":
            recording.withhold(command_id, ("customers.email", "phone"))
        ask(recording, command_id)
        recording.answer(command_id, shown)
        recording.answer(command_id, shown)
        finish(recording, command_id)
    recording.close("over")
    written = recording.path.read_bytes()
    assert b"ada@" not in written
    assert b"kept before" in written
    assert b"kept after" in written
    answered = {each.fields["command"]: each.fields for each in fields(recording.path, "answered")}
    assert (answered["c2"]["withheld"], answered["c2"]["cut"]) == (True, 2 * 150_000)
    assert answered["c2"]["revealed"] == ["customers.email", "phone"]
    assert not {"withheld", "revealed"} & answered["c3"].keys()
