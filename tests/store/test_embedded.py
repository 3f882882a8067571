from __future__ import annotations

import asyncio
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from gateway.store import StoreFailed
from gateway.store.atomic import AtomicStorage
from gateway.store.embedded import FILE, EmbeddedStore


async def test_what_was_committed_is_there_again(tmp_path):
    store = EmbeddedStore.open(tmp_path)
    store.put("approvals", "a", {"text": "naïve ⟦x⟧", "n": 1})
    store.put("notes", "n", {"data": [1, None, {"x": True}]})
    await store.commit()
    store.put("approvals", "b", {"n": 2})
    store.delete("notes", "n")
    store.put("approvals", "a", {"n": 3})
    await store.close()

    store = EmbeddedStore.open(tmp_path)
    assert dict(store.all("approvals")) == {"a": {"n": 3}, "b": {"n": 2}}
    assert store.get("notes", "n") is None
    await store.close()


async def test_reads_see_what_was_put_at_once_and_never_what_the_caller_changes_later(tmp_path):
    store = EmbeddedStore.open(tmp_path)
    document = {"votes": [1]}
    store.put("t", "k", document)
    document["votes"].append(2)
    assert store.get("t", "k") == {"votes": [1]}
    await store.close()


async def test_nobody_else_can_read_the_file(tmp_path):
    store = EmbeddedStore.open(tmp_path)
    store.put("t", "k", {})
    await store.close()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


async def test_two_gateways_never_share_a_directory(tmp_path):
    store = EmbeddedStore.open(tmp_path)
    with pytest.raises(StoreFailed, match="another gateway uses"):
        EmbeddedStore.open(tmp_path)
    await store.close()
    await EmbeddedStore.open(tmp_path).close()


@pytest.mark.parametrize("content", [b"", b'{"t":', b"[]", b'{"t": 3}', b"\x00" * 64])
def test_a_file_that_is_not_whole_is_refused(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreFailed, match=FILE):
        EmbeddedStore.open(tmp_path)


async def test_a_temporary_file_that_a_crash_left_is_no_obstacle(tmp_path):
    store = EmbeddedStore.open(tmp_path)
    store.put("t", "k", {"n": 1})
    await store.close()
    (tmp_path / f"{FILE}.new").write_bytes(b'{"half')
    store = EmbeddedStore.open(tmp_path)
    assert store.get("t", "k") == {"n": 1}
    await store.close()


async def test_many_commits_share_few_writes_and_leave_the_loop_free(tmp_path, monkeypatch):
    flushes = 0
    flush = AtomicStorage.flush

    def counted(self):
        nonlocal flushes
        flushes += 1
        flush(self)

    monkeypatch.setattr(AtomicStorage, "flush", counted)
    store = EmbeddedStore.open(tmp_path)

    async def hold(number):
        store.put("approvals", str(number), {"text": "x" * 1_000, "number": number})
        await store.commit()

    await asyncio.gather(*(hold(number) for number in range(2_000)))
    assert flushes <= 4
    await store.close()


async def test_a_write_that_fails_fails_everybody_from_then_on(tmp_path, monkeypatch):
    store = EmbeddedStore.open(tmp_path)
    store.put("t", "kept", {})
    await store.commit()

    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AtomicStorage, "flush", full)
    store.put("t", "lost", {})
    first, second = await asyncio.gather(store.commit(), store.commit(), return_exceptions=True)
    assert isinstance(first, StoreFailed)
    assert isinstance(second, StoreFailed)
    monkeypatch.undo()
    assert not store.healthy
    with pytest.raises(StoreFailed, match="No space left"):
        await store.commit()
    with pytest.raises(StoreFailed):
        await store.close()
    store = EmbeddedStore.open(tmp_path)
    assert set(store.all("t")) == {"kept"}
    await store.close()


async def test_who_stops_waiting_for_a_commit_disturbs_nobody(tmp_path):
    store = EmbeddedStore.open(tmp_path)
    store.put("t", "a", {})
    impatient = asyncio.create_task(store.commit())
    patient = asyncio.create_task(store.commit())
    await asyncio.sleep(0)
    impatient.cancel()
    await patient
    await store.close()
    assert set(orjson.loads((tmp_path / FILE).read_bytes())["t"]) == {"a"}


WRITER = """
import asyncio, os, pathlib, sys
from gateway.store.embedded import EmbeddedStore

async def main():
    store = EmbeddedStore.open(pathlib.Path(sys.argv[1]))
    number = (store.get("count", "last") or {"number": 0})["number"]
    while True:
        number += 1
        store.put("rows", str(number % 50), {"number": number, "text": "x" * (number * 37 % 3000)})
        store.put("count", "last", {"number": number})
        if number % 7 == 0:
            store.delete("rows", str((number - 3) % 50))
        await store.commit()
        os.write(1, b"%d\\n" % number)

asyncio.run(main())
"""


async def test_killed_at_any_instant_it_holds_every_commit_that_was_acknowledged(tmp_path):
    chance = random.Random(7)
    acknowledged = 0
    for _ in range(15):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd()
        )
        first = int(process.stdout.readline())
        time.sleep(chance.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        acknowledged = int(lines[-1]) if lines else first

        store = EmbeddedStore.open(tmp_path)
        last = store.get("count", "last")["number"]
        assert last >= acknowledged
        # One commit is one whole: the newest row is the one that was counted.
        assert max(row["number"] for row in store.all("rows").values()) == last
        await store.close()
