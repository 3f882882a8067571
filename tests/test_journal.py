from __future__ import annotations

import asyncio
import os

import pytest

from gateway.journal import Journal, JournalFailed, verify


def open_journal(directory, **changes):
    return Journal(directory, **{"clock": lambda: 1.0, **changes})


async def write(directory, count, **changes):
    journal = open_journal(directory, **changes)
    await asyncio.gather(*(journal.append("approval", {"id": number}) for number in range(count)))
    await journal.close()


def ids(directory):
    journal = open_journal(directory)
    found = [record.fields["id"] for record in journal.recent(files=1_000) if record.kind == "approval"]
    asyncio.run(journal.close())
    return found


def test_what_was_appended_is_read_again_in_order(tmp_path):
    asyncio.run(write(tmp_path, 5))
    asyncio.run(write(tmp_path, 2))
    assert ids(tmp_path) == [0, 1, 2, 3, 4, 0, 1]
    assert verify(tmp_path) == 8
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())


async def test_a_full_file_is_followed_by_another_on_the_same_chain(tmp_path):
    journal = open_journal(tmp_path, rotate_bytes=600)
    for number in range(20):
        await journal.append("approval", {"id": number})
    await journal.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) > 2
    assert verify(tmp_path) == 20 + len(files)
    files[1].write_bytes(files[1].read_bytes().replace(b'"id":', b'"id" :'))
    with pytest.raises(JournalFailed, match=files[1].name):
        verify(tmp_path)


async def test_the_last_files_are_read_without_the_first(tmp_path):
    journal = open_journal(tmp_path, rotate_bytes=600)
    for number in range(20):
        await journal.append("approval", {"id": number})
    recent = [record.fields["id"] for record in journal.recent() if record.kind == "approval"]
    await journal.close()
    assert recent == list(range(recent[0], 20))
    assert recent[0] > 0


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_record_that_a_crash_cut_off_is_mended_and_that_is_recorded(tmp_path, cut):
    asyncio.run(write(tmp_path, 3))
    (path,) = tmp_path.iterdir()
    os.truncate(path, path.stat().st_size - cut)
    asyncio.run(write(tmp_path, 1))
    assert ids(tmp_path) == [0, 1, 0]
    journal = open_journal(tmp_path)
    assert [record.kind for record in journal.recent()][3] == "mended"
    asyncio.run(journal.close())
    verify(tmp_path)


@pytest.mark.parametrize("left", [b"", b'{"n":'])
def test_a_new_file_that_a_crash_left_unbegun_is_begun_again(tmp_path, left):
    asyncio.run(write(tmp_path, 2))
    (tmp_path / "000002.journal").write_bytes(left)
    asyncio.run(write(tmp_path, 1))
    assert ids(tmp_path) == [0, 1, 0]


def test_a_journal_that_was_changed_is_not_written_on(tmp_path):
    asyncio.run(write(tmp_path, 3))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b'"id":1', b'"id":7'))
    with pytest.raises(JournalFailed, match="does not hold"):
        open_journal(tmp_path)


async def test_a_write_that_fails_fails_everybody_from_then_on(tmp_path, monkeypatch):
    journal = open_journal(tmp_path)

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "_write", full)
    results = await asyncio.gather(
        *(journal.append("approval", {"id": number}) for number in range(3)), return_exceptions=True
    )
    assert all(isinstance(each, JournalFailed) for each in results)
    monkeypatch.undo()
    assert not journal.healthy
    with pytest.raises(JournalFailed, match="No space left"):
        await journal.append("approval", {"id": 9})
    await journal.close()
