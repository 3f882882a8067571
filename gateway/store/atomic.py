"""A TinyDB storage whose file is always whole: the old text or the new one, at any instant of a crash.

TinyDB's own JSON storage writes over the old text in place. Here a write only reaches memory, and `flush` makes it
durable: a temporary file in the same directory, fsync, rename over the old one, fsync of the directory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
from tinydb.storages import Storage

from gateway.store import StoreFailed

MODE = 0o600
"""The file holds commands with their secrets: nobody but the gateway's user reads it."""


class AtomicStorage(Storage):
    """TinyDB's storage port. `write` is cheap; nothing is durable before `flush`."""

    def __init__(self, path: Path) -> None:
        """Raises `StoreFailed` where there is a file that is not a whole state."""
        self._path = path
        self._temporary = path.with_name(f"{path.name}.new")
        self._temporary.unlink(missing_ok=True)
        self._state: dict[str, dict[str, Any]] | None = _load(path)

    def read(self) -> dict[str, dict[str, Any]] | None:
        return self._state

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        self._state = data

    def flush(self) -> None:
        """Make what was written durable. Raises `OSError`, and the old file is as it was."""
        content = orjson.dumps(self._state or {}, option=orjson.OPT_APPEND_NEWLINE)
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)
        try:
            os.fchmod(descriptor, MODE)
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._temporary.replace(self._path)
        sync_directory(self._path.parent)


def sync_directory(path: Path) -> None:
    """Make names created, renamed and removed in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(path: Path) -> dict[str, dict[str, Any]] | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreFailed(f"{path} cannot be read: {error.strerror}") from error
    try:
        state = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise StoreFailed(
            f"{path} is not a whole state file ({error}): put back a copy, or move it away to start with none"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(table, dict) for table in state.values()):
        raise StoreFailed(f"{path} holds something other than tables: put back a copy, or move it away")
    return state
