from __future__ import annotations

import os
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.recorder.chain import ORIGIN, ChainWriter, records
from gateway.recorder.fields import sealed_text
from gateway.recorder.read import Standing, find, recordings, summary, verify

from .conftest import ask, finish, make_session


@pytest.fixture
def closed(recorder):
    recording = recorder.open(make_session())
    ask(recording, text="SELECT email FROM customers")
    recording.answer("c1", b"d***@example.com")
    finish(recording)
    recording.close("over")
    return recording.path


def read_all(path):
    with path.open("rb") as file:
        return list(records(file))


def pieces(path):
    whole = path.read_bytes()
    with path.open("rb") as file:
        ends = [0, *(record.end for record in records(file))]
    return [whole[begin:end] for begin, end in pairwise(ends)]


def test_an_untouched_recording_is_whole(closed, keys):
    verified = verify(closed, keys)
    assert verified.standing is Standing.WHOLE
    assert verified.good
    assert str(verified) == f"{closed}: 5 records hold, sealed by key k1"
    assert verified.session.lineage.person == "dana@example.com"


def test_every_changed_byte_is_found_and_no_record_before_it_is_blamed(closed, keys):
    whole = closed.read_bytes()
    ends = []
    for piece in pieces(closed):
        ends.append((ends[-1] if ends else 0) + len(piece))
    for place in range(0, len(whole), 7):
        closed.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        verified = verify(closed, keys)
        assert not verified.good
        touched = next(number for number, end in enumerate(ends) if place < end)
        assert verified.number in {touched, touched + 1}


def test_a_cut_tail_is_told_from_an_open_recording(recorder, closed, keys):
    parts = pieces(closed)
    for kept in range(len(parts)):
        closed.write_bytes(b"".join(parts[:kept]))
        verified = verify(closed, keys)
        assert verified.standing is Standing.CUT
        assert f"open or cut: {kept} records hold" in str(verified)
    live = recorder.open(make_session("live"))
    verified = verify(live.path, keys)
    assert verified.standing is Standing.OPEN
    assert verified.good
    assert "open: 1 records hold so far" in str(verified)
    live.close("over")


def test_a_torn_record_is_named(closed, keys):
    os.truncate(closed, closed.stat().st_size - 2)
    verified = verify(closed, keys)
    assert (verified.standing, verified.number, verified.held) == (Standing.CUT, 4, 4)


def test_a_seal_by_an_unknown_key_does_not_hold(closed):
    verified = verify(closed, {})
    assert verified.standing is Standing.BROKEN
    assert verified.number == 4
    assert "k1" in verified.fault


def test_a_recording_written_anew_by_somebody_else_does_not_hold(closed, keys):
    parts = read_all(closed)
    forger = Ed25519PrivateKey.generate()
    closed.unlink()
    descriptor = os.open(closed, os.O_WRONLY | os.O_CREAT)
    writer = ChainWriter(descriptor)
    for record in parts[:-1]:
        own = {"n", "at", "kind", "prev", "size"}
        fields = {name: value for name, value in record.fields.items() if name not in own}
        if record.kind == "asked":
            fields["text"] = "SELECT 1"
        writer.append(record.kind, record.at, fields, record.payload)
    signature = forger.sign(sealed_text("s1", writer.head, 1.0))
    writer.append("sealed", 1.0, {"key": "k1", "signature": signature.hex()})
    writer.flush()
    os.close(descriptor)
    verified = verify(closed, keys)
    assert (verified.standing, verified.number) == (Standing.BROKEN, 4)


def test_a_recording_under_another_name_does_not_hold(closed, keys):
    other = closed.with_name("s2.rec")
    closed.rename(other)
    verified = verify(other, keys)
    assert (verified.standing, verified.number) == (Standing.BROKEN, 0)


@pytest.mark.parametrize("kind", ["asked", "opened", "sealed"])
def test_nothing_may_stand_behind_the_end(closed, keys, kind):
    last = read_all(closed)[-1]
    descriptor = os.open(closed, os.O_WRONLY | os.O_APPEND)
    writer = ChainWriter(descriptor, head=last.hash, number=last.number + 1)
    writer.append(kind, 1.0, {})
    writer.flush()
    os.close(descriptor)
    verified = verify(closed, keys)
    assert (verified.standing, verified.number) == (Standing.BROKEN, 5)


def test_an_empty_file_and_a_foreign_one_do_not_hold(tmp_path, keys):
    path = tmp_path / "s1.rec"
    path.write_bytes(b"")
    assert verify(path, keys).standing is Standing.CUT
    path.write_bytes(b"\x7fELF" * 100 + b"\n")
    assert verify(path, keys).standing is Standing.BROKEN
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    writer = ChainWriter(descriptor, head=ORIGIN)
    writer.append("opened", 1.0, {"session": {"id": "s1"}})
    writer.flush()
    os.close(descriptor)
    assert verify(path, keys).fault == "it is not an opening record"


def test_recordings_are_found_by_session_and_listed_newest_first(recorder):
    recorder.open(make_session("old", opened_at=1_600_000_000.0)).close("over")
    recorder.open(make_session("new")).close("over")
    assert [path.stem for path in recordings(recorder.directory)] == ["new", "old"]
    assert find(recorder.directory, "old").stem == "old"
    assert find(recorder.directory, "none") is None
    for hostile in ("", "../2023-11-14/new", "*", "a/b", "x" * 65, "."):
        assert find(recorder.directory, hostile) is None


def test_a_summary_says_who_and_how_it_ended(closed, recorder):
    view = summary(closed)
    assert (view.id, view.commands, view.close_reason, view.entries) == ("s1", 1, "over", 4)
    assert view.head == read_all(closed)[-1].hash
    assert [actor.name for actor in view.lineage.chain] == ["release-pipeline", "migrator"]
    live = recorder.open(make_session("live"))
    assert summary(live.path).closed_at is None
    live.close("over")
    closed.write_bytes(b"nonsense\n")
    assert summary(closed) is None
