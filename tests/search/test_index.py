"""Words are found in masked transcripts by who may see them, and the index is only ever derived."""

from __future__ import annotations

import stat
from dataclasses import replace

import pytest

from gateway.model import Actor, Connection, Lineage
from gateway.search import Index, Seen
from gateway.search.index import EVERY, PAUSE
from tests.recorder.conftest import ask, finish, key, make_session, recorder

__all__ = ["key", "recorder"]

ALL = Seen(person="", connections=(), everything=True)
DANA = Seen(person="Dana@Example.com", connections=(), everything=False)


def record(recorder, session_id, *texts, person="dana@example.com", connection="orders"):
    session = replace(
        make_session(session_id),
        lineage=Lineage(person=person, chain=(Actor(name="agent", token_id="t"),)),
        connection=Connection(name=connection, protocol="postgres"),
    )
    recording = recorder.open(session)
    for number, text in enumerate(texts):
        ask(recording, f"c{number}", text)
        finish(recording, f"c{number}")
    return recording


def over(recorder, path):
    return Index(path, recorder.directory, lambda _: lambda answer, shape: answer.decode())


@pytest.fixture
async def index(recorder, tmp_path):
    one = over(recorder, tmp_path / "search.sqlite")
    yield one
    await one.close()


async def found(index, words, seen=ALL, **options):
    await index.refresh()
    return [(each.session, each.number) for each in await index.search(words, seen, **options)]


async def test_every_word_has_to_stand_in_an_entry_and_the_newest_comes_first(index, recorder):
    record(recorder, "s1", "UPDATE orders SET status = 'paid'", "SELECT status FROM orders").close("")
    record(recorder, "s2", "SELECT status FROM customers").close("")
    assert await found(index, "status") == [("s2", 2), ("s1", 4), ("s1", 2)]
    assert await found(index, "STATUS paid") == [("s1", 2)]
    assert await found(index, "paid customers") == []


async def test_an_open_session_is_found_up_to_now(index, recorder):
    recording = record(recorder, "s1", "SELECT early")
    recording.flush()
    assert await found(index, "early") == [("s1", 2)]
    ask(recording, "c9", "SELECT late")
    assert await found(index, "late") == [("s1", 4)]
    assert await found(index, "early") == [("s1", 2)]
    recording.close("")


@pytest.mark.parametrize(
    "words",
    ['"', 'x"', "a OR early", "NOT early", "early*", "NEAR(early late)", "text:early", "(", "-", "\0"],
)
async def test_no_word_is_a_language(index, recorder, words):
    record(recorder, "s1", "SELECT early").close("")
    assert await found(index, words) in ([], [("s1", 2)])


async def test_one_finds_what_one_answers_for_and_where_one_is_asked(index, recorder):
    record(recorder, "mine", "SELECT it").close("")
    record(recorder, "theirs", "SELECT it", person="kim@example.com", connection="billing").close("")
    record(recorder, "nobodys", "SELECT it", person="", connection="billing").close("")
    assert await found(index, "it", DANA) == [("mine", 2)]
    assert await found(index, "it", replace(DANA, connections=("billing",))) == [
        ("nobodys", 2),
        ("theirs", 2),
        ("mine", 2),
    ]
    assert await found(index, "it", Seen(person="", connections=(), everything=False)) == []


async def test_pages_follow_each_other_without_a_gap(index, recorder):
    record(recorder, "s1", *(f"SELECT it, {number}" for number in range(7))).close("")
    await index.refresh()
    seen, before = [], ""
    while page := await index.search("it", ALL, before=before, limit=3):
        seen += [each.number for each in page]
        before = page[-1].place
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7


async def test_what_was_deleted_is_not_found_and_soon_not_kept(recorder, tmp_path):
    index = over(recorder, tmp_path / "search.sqlite")
    recording = record(recorder, "s1", "SELECT secretword")
    recording.close("")
    assert await found(index, "secretword") == [("s1", 2)]
    recording.path.unlink()
    assert await index.search("secretword", ALL) == []
    while not await index.step():
        pass
    await index.close()
    assert b"secretword" not in (tmp_path / "search.sqlite").read_bytes()


@pytest.mark.parametrize("broken", [b"", b"not a database" * 100, None])
async def test_it_is_made_anew_from_the_recordings(recorder, tmp_path, broken):
    path = tmp_path / "search.sqlite"
    index = over(recorder, path)
    record(recorder, "s1", "SELECT it").close("")
    assert await found(index, "it") == [("s1", 2)]
    await index.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if broken is None:
        path.unlink()
    else:
        path.write_bytes(broken)
    again = over(recorder, path)
    assert await found(again, "it") == [("s1", 2)]
    await again.close()


async def test_who_searches_does_not_wait_for_all_there_is(index, recorder, monkeypatch):
    monkeypatch.setattr("gateway.search.index.AT_ONCE", 0.0)
    for number in range(3):
        record(recorder, f"s{number}", "SELECT it").close("")
    assert not await index.refresh()
    assert len(await index.search("it", ALL)) == 1
    while not await index.refresh():
        pass
    assert len(await index.search("it", ALL)) == 3


async def test_who_searches_finds_what_is_new_whatever_is_left_of_a_look_at_the_old(
    index, recorder, monkeypatch
):
    monkeypatch.setattr("gateway.search.index.SLICE", -1.0)
    monkeypatch.setattr("gateway.search.index.PAGE", 2)
    recording = record(recorder, "s1", *(f"SELECT it, {number}" for number in range(5)))
    recording.flush()
    while not await index.search("it", ALL):
        assert not await index.step()
    ask(recording, "late", "SELECT it late")
    assert await found(index, "late") == [("s1", 12)]
    while not await index.step():
        pass
    assert await found(index, "it") == [("s1", number) for number in (12, 10, 8, 6, 4, 2)]
    recording.close("")


async def test_it_takes_hardly_a_turn_beside_sessions_that_are_busy(index, monkeypatch):
    rests = []
    shares = iter([0.1, 0.9, 0.9, 0.1])
    steps = iter([False, False, False, False, True])

    async def rest(seconds):
        rests.append(seconds)
        return next(shares)

    async def step():
        return next(steps)

    monkeypatch.setattr("gateway.search.index.rest", rest)
    monkeypatch.setattr(index, "step", step)
    with pytest.raises(RuntimeError):  # nothing more is said
        await index.follow()
    assert rests == [PAUSE, PAUSE, EVERY, EVERY, EVERY]
