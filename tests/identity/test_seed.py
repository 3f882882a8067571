"""A gateway's seed is made once: lost or changed, nothing is made in its place until somebody says so."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from gateway.identity import seed as module
from gateway.identity.keys import KeyRing
from gateway.identity.private_files import KeysUnsafe
from gateway.identity.seed import look


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The keys' directory of a gateway that has served before."""
    directory = tmp_path / "state" / "keys"
    KeyRing.open(directory)
    return directory


def secret_of(directory: Path) -> bytes:
    return KeyRing.open(directory).secret("ssh-host")


def mark_of(directory: Path) -> Path:
    return directory.parent / "seed.mark"


def everything(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_the_mark_is_private_and_tells_the_seed_by_its_digest(keys):
    mark = mark_of(keys)
    assert stat.S_IMODE(mark.stat().st_mode) == 0o600
    seed = (keys / "seed").read_bytes()
    told = mark.read_bytes()
    assert hashlib.sha256(seed).hexdigest().encode() in told
    assert seed not in told
    assert seed.hex().encode() not in told
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", mark.name], cwd=mark.parent, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, b"keys/seed: OK\n")
    assert not [path for path in keys.parent.rglob(".*")]


@pytest.mark.parametrize("lost", ["keys/seed", "keys"])
def test_a_lost_seed_is_not_made_anew_and_the_error_says_what_to_do(keys, tmp_path, lost):
    secret, digest = secret_of(keys), hashlib.sha256((keys / "seed").read_bytes()).hexdigest()
    gone = keys.parent / lost
    gone.rename(tmp_path / "backup")
    left = everything(keys.parent)
    for _ in range(2):
        with pytest.raises(KeysUnsafe) as refused:
            KeyRing.open(keys)
        for told in (str(keys / "seed"), str(mark_of(keys)), "missing", "backup", digest, "changed host key"):
            assert told in str(refused.value)
    assert everything(keys.parent) == left
    assert not gone.exists()
    (tmp_path / "backup").rename(gone)
    assert secret_of(keys) == secret


@pytest.mark.parametrize(
    "other",
    [secrets.token_bytes(32), b"", b"short", secrets.token_bytes(33)],
    ids=["another", "empty", "short", "long"],
)
def test_another_seed_is_refused_until_the_old_one_is_back(keys, other):
    secret = secret_of(keys)
    path = keys / "seed"
    seed = path.read_bytes()
    path.write_bytes(other)
    with pytest.raises(KeysUnsafe, match="not the seed that this gateway had") as refused:
        KeyRing.open(keys)
    for told in (str(path), str(mark_of(keys)), hashlib.sha256(seed).hexdigest(), "changed host key"):
        assert told in str(refused.value)
    assert path.read_bytes() == other
    path.write_bytes(seed)
    assert secret_of(keys) == secret


def test_without_the_mark_new_keys_are_made_knowingly_and_marked(keys, caplog):
    secret = secret_of(keys)
    (keys / "seed").unlink()
    mark_of(keys).unlink()
    with caplog.at_level(logging.INFO, "countersign"):
        new = secret_of(keys)
    assert new != secret
    assert [record.getMessage() for record in caplog.records] == [
        "made a new seed: host keys and authorities are new"
    ]
    assert secret_of(keys) == new
    (keys / "seed").unlink()
    with pytest.raises(KeysUnsafe, match="missing"):
        KeyRing.open(keys)


def test_a_seed_from_before_there_were_marks_is_marked_without_a_word(keys, caplog):
    secret = secret_of(keys)
    marked = mark_of(keys).read_bytes()
    mark_of(keys).unlink()
    with caplog.at_level(logging.DEBUG):
        assert secret_of(keys) == secret
    assert caplog.records == []
    assert mark_of(keys).read_bytes() == marked


def test_a_start_that_ended_between_the_seed_and_its_mark_is_finished(tmp_path, monkeypatch):
    keys = tmp_path / "keys"

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "_marking", dies)
        with pytest.raises(KeyboardInterrupt):
            KeyRing.open(keys)
    seed = (keys / "seed").read_bytes()
    assert look(keys) == (seed, False)
    KeyRing.open(keys)
    assert look(keys) == (seed, True)


@pytest.mark.parametrize("content", [b"", b"# a remark\n", b"0123  keys/seed\n", b"\0" * 200])
def test_a_damaged_mark_counts_as_a_mark(keys, content):
    mark_of(keys).write_bytes(content)
    with pytest.raises(KeysUnsafe, match=r"seed\.mark is damaged"):
        KeyRing.open(keys)
    (keys / "seed").unlink()
    with pytest.raises(KeysUnsafe, match=r"seed\.mark is damaged"):
        KeyRing.open(keys)
    assert not (keys / "seed").exists()


@pytest.mark.parametrize("name", ["keys/seed", "seed.mark"])
def test_a_link_in_place_of_either_is_refused(keys, tmp_path, name):
    path = keys.parent / name
    for target in (tmp_path / "nowhere", shutil.copy(path, tmp_path / "copy")):
        path.unlink()
        path.symlink_to(target)
        with pytest.raises(KeysUnsafe, match="symbolic link"):
            KeyRing.open(keys)


def test_a_mark_that_others_can_read_is_not_taken(keys):
    mark_of(keys).chmod(0o644)
    with pytest.raises(KeysUnsafe, match=r"chmod 600 .*seed\.mark"):
        KeyRing.open(keys)


def test_a_damaged_seed_without_a_mark_is_refused_too(keys):
    mark_of(keys).unlink()
    (keys / "seed").write_bytes(b"short")
    with pytest.raises(KeysUnsafe, match="seed is damaged"):
        KeyRing.open(keys)
    assert not mark_of(keys).exists()


@pytest.mark.parametrize("instant", ["_read", "write_first"])
def test_whoever_comes_in_between_made_the_one_seed(tmp_path, monkeypatch, instant):
    """Another process begins and is through at each place where this one looks or writes."""
    keys = tmp_path / "keys"
    places = 0
    while True:
        theirs: list[bytes] = []
        passed = 0
        usual = getattr(module, instant)

        def one(*arguments, at=places, usual=usual, theirs=theirs, **more):
            nonlocal passed
            passed += 1
            if passed == at + 1:
                theirs.append(b"")
                theirs[0] = secret_of(keys)
            return usual(*arguments, **more)

        with monkeypatch.context() as patched:
            patched.setattr(module, instant, one)
            ours = secret_of(keys)
        if not theirs:
            break
        assert theirs == [ours]
        assert look(keys)[1]
        shutil.rmtree(keys)
        mark_of(keys).unlink()
        places += 1
    assert places >= 2


def test_many_that_start_at_once_have_one_seed(tmp_path):
    keys = tmp_path / "keys"
    together = threading.Barrier(8)
    found: list[bytes] = []

    def start() -> None:
        together.wait()
        found.append(secret_of(keys))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_each_file_is_durable_before_it_has_its_name_and_the_seed_before_its_mark(tmp_path, monkeypatch):
    did: list[str] = []
    sync, link = os.fsync, Path.hardlink_to

    def synced(handle: int) -> None:
        did.append("sync")
        sync(handle)

    def linked(path: Path, target: Path) -> None:
        did.append(path.name)
        link(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "hardlink_to", linked)
    (tmp_path / "keys").mkdir(mode=0o700)
    module.open_seed(tmp_path / "keys")
    assert did == ["sync", "seed", "sync", "sync", "seed.mark", "sync"]
