"""The append-only record of what is settled: approvals, revocations, policy reloads, deleted recordings.

Chained as recordings are, over files `NNNNNN.journal` that follow each other: a new file's first record names the
hash of the last one of the file before. An append returns when its record is on the disk; appends that wait
together share one fsync. A record that a crash cut off was never acknowledged and is removed when the journal is
opened, which is itself recorded.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.recorder.chain import ORIGIN, ChainBroken, ChainWriter, Record, TornTail, records, write_all
from gateway.store.atomic import sync_directory

SUFFIX = ".journal"
ROTATE_BYTES = 16 * 1024 * 1024
"""A file that has grown past this is followed by a new one."""


class JournalFailed(Exception):
    """A settled decision could not be made durable; nothing further can be settled by this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """Where the journal ends."""

    path: Path
    head: str
    number: int
    size: int


class Journal:
    """Appends and reads. One event loop, one process (the store's lock sees to that)."""

    def __init__(
        self, directory: Path, *, clock: Callable[[], float], rotate_bytes: int = ROTATE_BYTES
    ) -> None:
        """Open the journal in `directory`, made where there is none. Raises `JournalFailed` where it is broken."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._clock = clock
        self._rotate_bytes = rotate_bytes
        self._failure = ""
        self._waiters: list[asyncio.Future[None]] = []
        self._writing: asyncio.Future[None] | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        end, torn = _end(directory)
        try:
            self._open(end, torn)
        except OSError as error:
            raise JournalFailed(f"{end.path} cannot be written: {error.strerror}") from error

    @property
    def healthy(self) -> bool:
        return not self._failure

    async def append(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Add a record; durable when it returns. Raises `JournalFailed`."""
        if self._failure:
            raise JournalFailed(self._failure)
        self._writer.append(kind, self._clock(), fields)
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self._writing is None:
            self._write_next()
        await waiter

    async def close(self) -> None:
        """Wait for what is being written and let the file go."""
        while self._writing is not None:
            await asyncio.wait({self._writing})
        self._worker.shutdown()
        os.close(self._descriptor)

    def recent(self, *, files: int = 2) -> Iterator[Record]:
        """The records of the last `files` files, oldest first. Raises `JournalFailed` where one does not hold."""
        return _recent(_files(self._directory)[-files:])

    def _open(self, end: _End, torn: int) -> None:
        created = not end.path.exists()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(end.path, flags, 0o600)
        if torn:
            os.ftruncate(self._descriptor, end.size)
        self._path = end.path
        self._writer = ChainWriter(self._descriptor, head=end.head, number=end.number)
        if torn:
            self._writer.append("mended", self._clock(), {"bytes": torn})
        if created:
            self._writer.append("continued", self._clock(), {})
        if torn or created:
            self._writer.sync()
            sync_directory(self._directory)

    def _write_next(self) -> None:
        waiters, self._waiters = self._waiters, []
        data = self._writer.take()
        self._writing = asyncio.get_running_loop().run_in_executor(self._worker, self._write, data)
        self._writing.add_done_callback(lambda done: self._written(done, waiters))

    def _write(self, data: bytes) -> None:
        """In the worker thread."""
        write_all(self._descriptor, data)
        os.fdatasync(self._descriptor)

    def _written(self, done: asyncio.Future[None], waiters: list[asyncio.Future[None]]) -> None:
        self._writing = None
        error = done.exception()
        if error is None and not self._waiters:
            error = self._rotated()
        if error is not None:
            self._failure = (
                f"{self._path.name} could not be written ({error}): start the gateway again once it can"
            )
            waiters, self._waiters = [*waiters, *self._waiters], []
        for waiter in waiters:
            if waiter.done():
                continue
            if self._failure:
                waiter.set_exception(JournalFailed(self._failure))
            else:
                waiter.set_result(None)
        if self._waiters:
            self._write_next()

    def _rotated(self) -> OSError | None:
        """Begin the next file where this one is full; between two writes, so that no record is on its way."""
        try:
            if os.fstat(self._descriptor).st_size < self._rotate_bytes:
                return None
            os.close(self._descriptor)
            following = self._directory / f"{int(self._path.stem) + 1:06d}{SUFFIX}"
            self._open(_End(path=following, head=self._writer.head, number=self._writer.number, size=0), 0)
        except OSError as error:
            return error
        return None


def verify(directory: Path) -> int:
    """Check every record of every file; returns how many there are. Raises `JournalFailed` naming the first fault."""
    return sum(1 for _ in _recent(_files(directory)))


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"[0-9]*{SUFFIX}"))


def _recent(files: list[Path]) -> Iterator[Record]:
    """All records of consecutive files. The first file's own first record says what it follows."""
    head: str | None = None
    number = 0
    for path in files:
        if head is None:
            head, number = _beginning(path)
        with path.open("rb") as file:
            try:
                for record in records(file, head=head, number=number):
                    head, number = record.hash, record.number + 1
                    yield record
            except ChainBroken as broken:
                raise JournalFailed(f"{path}: {broken}") from broken
            except TornTail as torn:
                raise JournalFailed(f"{path}: {torn}") from torn


def _beginning(path: Path) -> tuple[str, int]:
    """What the first record of a file says of the one before it."""
    if path.stem == "000001":
        return ORIGIN, 0
    with path.open("rb") as file:
        line = file.readline()
    try:
        header = orjson.loads(line)
        return str(header["prev"]), int(header["n"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise JournalFailed(f"{path}: its first record is not readable") from None


def _begun(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().endswith(b"\n")


def _end(directory: Path) -> tuple[_End, int]:
    """Where the journal goes on, and how many bytes of a record that was cut off stand behind that."""
    files = _files(directory)
    if not files:
        return _End(path=directory / f"000001{SUFFIX}", head=ORIGIN, number=0, size=0), 0
    path = files[-1]
    size = path.stat().st_size
    if len(files) > 1 and not _begun(path):
        # A crash came between making the file and the end of its first record.
        path.unlink()
        return _end(directory)
    head, number, offset = ORIGIN, 0, 0
    try:
        head, number = _beginning(path)
        with path.open("rb") as file:
            for record in records(file, head=head, number=number):
                head, number, offset = record.hash, record.number + 1, record.end
    except ChainBroken as broken:
        raise JournalFailed(f"{path}: {broken}: put back a copy, or move the journal away") from broken
    except TornTail:
        return _End(path=path, head=head, number=number, size=offset), size - offset
    return _End(path=path, head=head, number=number, size=size), 0
