from __future__ import annotations

from pathlib import Path

from gateway.recorder.chain import records

from .conftest import ask, finish, make_session

DOCUMENT = Path(__file__).parents[2] / "docs" / "recording.md"


def test_every_kind_and_field_of_a_recording_is_documented(recorder):
    recording = recorder.open(make_session())
    ask(recording)
    recording.answer("c1", b"x" * 300_000)
    finish(recording)
    recording.decided("c1", approval_id="a1", state="pending", votes=(), reason="")
    recording.noted("x")
    recording.close("over")
    text = DOCUMENT.read_text()
    kinds = set()
    with recording.path.open("rb") as file:
        for record in records(file):
            kinds.add(record.kind)
            names = {*record.fields, *record.fields.get("session", {})}
            missing = {name for name in (record.kind, *names) if f"`{name}`" not in text}
            assert not missing
    assert kinds == {"opened", "asked", "answer", "answered", "decided", "noted", "closed", "sealed"}
