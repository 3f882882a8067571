from __future__ import annotations

import os

from gateway.recorder.retention import sweep

from .conftest import make_session

DAY = 86_400.0
NOW = 1_700_000_000.0


def record(recorder, session_id, age, *, close=True):
    recording = recorder.open(make_session(session_id, opened_at=NOW - age))
    if close:
        recording.close("over")
    os.utime(recording.path, (NOW - age, NOW - age))
    return recording


def left(recorder):
    return {path.stem for path in recorder.directory.glob("*/*.rec")}


def test_what_is_older_than_the_policy_keeps_is_deleted_and_told(recorder):
    record(recorder, "old", 91 * DAY)
    record(recorder, "new", 89 * DAY)
    swept = sweep(recorder.directory, keep=90 * DAY, required=30 * DAY, now=NOW)
    assert swept.deleted == ("old",)
    assert swept.reports == ()
    assert left(recorder) == {"new"}
    assert len(list(recorder.directory.glob("*/"))) == 1


def test_nothing_that_is_required_is_deleted_whatever_the_policy_says(recorder):
    record(recorder, "a", 20 * DAY)
    record(recorder, "b", 40 * DAY)
    swept = sweep(recorder.directory, keep=10 * DAY, required=30 * DAY, now=NOW)
    assert swept.deleted == ("b",)
    assert "shorter than retention.required (30 d)" in swept.reports[0]


def test_keeping_for_a_shorter_time_is_never_silent(recorder):
    swept = sweep(recorder.directory, keep=40 * DAY, required=30 * DAY, now=NOW, kept_before=90 * DAY)
    assert swept.reports == ("recordings are now kept for 40 d; it was 90 d",)


def test_a_change_is_reported_once_and_over_a_restart_too(recorder):
    record(recorder, "new", DAY)

    def reports(keep):
        return sweep(recorder.directory, keep=keep, required=30 * DAY, now=NOW).reports

    assert reports(90 * DAY) == ()
    assert reports(40 * DAY) == ("recordings are now kept for 40 d; it was 90 d",)
    assert reports(40 * DAY) == ()
    assert len(reports(10 * DAY)) == 2
    assert reports(10 * DAY) == ()
    (recorder.directory / "retention.json").write_text("nonsense")
    assert len(reports(10 * DAY)) == 1


def test_an_open_recording_is_never_deleted(recorder):
    recording = record(recorder, "live", 400 * DAY, close=False)
    assert sweep(recorder.directory, keep=90 * DAY, required=0, now=NOW).deleted == ()
    recording.close("over")
    os.utime(recording.path, (NOW - 400 * DAY,) * 2)
    assert sweep(recorder.directory, keep=90 * DAY, required=0, now=NOW).deleted == ("live",)


def test_nothing_but_recordings_is_touched(recorder):
    recording = record(recorder, "old", 100 * DAY)
    other = recording.path.with_name("notes.txt")
    other.write_text("mine")
    os.utime(other, (0, 0))
    sweep(recorder.directory, keep=DAY, required=0, now=NOW)
    assert other.exists()
