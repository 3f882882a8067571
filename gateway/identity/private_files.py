"""Files that the gateway's user alone may read: looked at before they are used, written whole and durable or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path


class KeysUnsafe(Exception):
    """The key directory, or a file in it, is not what this gateway would have written; the message names the fix."""


def owner_only(path: Path) -> None:
    """Raises `KeysUnsafe` where others may use it, and `FileNotFoundError` where it is not there."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise KeysUnsafe(f"{path} is a symbolic link: put the keys themselves there")
    if status.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise KeysUnsafe(f"{path} is open to other users: chmod {mode} {path}")
    if status.st_uid != os.geteuid():
        raise KeysUnsafe(f"{path} belongs to another user: run the gateway as its owner, or chown it")


def write_whole(path: Path, data: bytes, *, mode: int) -> None:
    """`data` at `path`, in place of what was there."""
    with _beside(path, data, mode) as beside:
        beside.replace(path)


def write_first(path: Path, data: bytes, *, mode: int) -> bool:
    """`data` at `path`, where there is nothing yet: of several processes that try at once, one does it."""
    with _beside(path, data, mode) as beside:
        try:
            path.hardlink_to(beside)
        except FileExistsError:
            return False
        return True


@contextlib.contextmanager
def _beside(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """A file in the same directory, for as long as it takes to give it its name."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield beside
    finally:
        beside.unlink(missing_ok=True)
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
