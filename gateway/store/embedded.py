"""The store of a single gateway: TinyDB in one file, for hundreds of live documents.

Memory is the authority for reads. Commits are grouped: while one write is on its way to the disk in a worker
thread, everybody else who commits waits for the next, which carries all of theirs. A write that fails fails
every waiter and every later commit: what could not be kept must not be acted on.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import orjson
from tinydb import TinyDB
from tinydb.table import Document, Table

from gateway.store import StoreFailed
from gateway.store.atomic import AtomicStorage

FILE = "live.json"
LOCK = "lock"

_Changes: TypeAlias = dict[tuple[str, str], bytes | None]
"""(table, key) -> the document's JSON, or None where it was deleted."""


class _Documents(Table):
    """Documents are found by our own keys, not by running numbers."""

    document_id_class = str  # type: ignore[assignment]


class _Database(TinyDB):
    table_class = _Documents


class EmbeddedStore:
    """See `gateway.store.Store`. One event loop, one process."""

    def __init__(self, database: TinyDB, storage: AtomicStorage, lock: int) -> None:
        self._database = database
        self._storage = storage
        self._lock = lock
        self._tables: dict[str, dict[str, dict[str, Any]]] = {
            name: {str(each.doc_id): each["document"] for each in database.table(name)}
            for name in database.tables()
        }
        self._changes: _Changes = {}
        self._waiters: list[asyncio.Future[None]] = []
        self._writing = False
        self._failure = ""
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    @classmethod
    def open(cls, directory: Path) -> EmbeddedStore:
        """The store in `directory`, made (0700) where it does not exist.

        Raises `StoreFailed` where another gateway uses it or its file is not whole.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            storage = AtomicStorage(directory / FILE)
            database = _Database(storage=lambda: storage)
            return cls(database, storage, lock)
        except BlockingIOError:
            os.close(lock)
            raise StoreFailed(
                f"another gateway uses {directory}: stop it, or give this one a state directory of its own"
            ) from None
        except BaseException:
            os.close(lock)
            raise

    @property
    def healthy(self) -> bool:
        return not self._failure

    def get(self, table: str, key: str) -> dict[str, Any] | None:
        return self._tables.get(table, {}).get(key)

    def all(self, table: str) -> Mapping[str, dict[str, Any]]:
        return MappingProxyType(self._tables.get(table, {}))

    def put(self, table: str, key: str, document: Mapping[str, Any]) -> None:
        encoded = orjson.dumps(document)
        self._tables.setdefault(table, {})[key] = orjson.loads(encoded)
        self._changes[table, key] = encoded

    def delete(self, table: str, key: str) -> None:
        if self._tables.get(table, {}).pop(key, None) is not None:
            self._changes[table, key] = None

    async def commit(self) -> None:
        if self._failure:
            raise StoreFailed(self._failure)
        if not self._changes and not self._writing:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if not self._writing:
            self._write_next()
        await waiter

    async def close(self) -> None:
        """Commit what is left and give the directory free. Raises `StoreFailed`."""
        try:
            await self.commit()
        finally:
            self._worker.shutdown()
            self._database.close()
            os.close(self._lock)

    def _write_next(self) -> None:
        changes, self._changes = self._changes, {}
        waiters, self._waiters = self._waiters, []
        self._writing = True
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._worker, self._write, changes)
        writing.add_done_callback(lambda done: self._written(done, waiters))

    def _written(self, done: asyncio.Future[None], waiters: list[asyncio.Future[None]]) -> None:
        self._writing = False
        error = done.exception()
        if error is not None:
            self._failure = f"the state could not be written ({error}): nothing is released until the gateway is started again"
            waiters, self._waiters = [*waiters, *self._waiters], []
        for waiter in waiters:
            if waiter.done():
                continue
            if self._failure:
                waiter.set_exception(StoreFailed(self._failure))
            else:
                waiter.set_result(None)
        if self._waiters:
            self._write_next()

    def _write(self, changes: _Changes) -> None:
        """In the worker thread, which alone touches the database after `open`."""
        if not changes:
            return
        by_table: dict[str, dict[str, bytes | None]] = {}
        for (table, key), encoded in changes.items():
            by_table.setdefault(table, {})[key] = encoded
        for name, documents in by_table.items():
            kept = self._database.table(name)
            kept.remove(doc_ids=list(documents))  # type: ignore[arg-type]
            kept.insert_multiple(
                Document({"document": orjson.Fragment(encoded)}, doc_id=key)  # type: ignore[arg-type]
                for key, encoded in documents.items()
                if encoded is not None
            )
        self._storage.flush()
