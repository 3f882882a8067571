"""The state that is live, behind one small interface: tables of JSON documents by key.

Reading and writing touch memory and return at once; `commit` waits until everything put so far is durable. What is
settled does not stay here: it moves to the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class StoreFailed(Exception):
    """State could not be read or made durable. Nothing that depends on it may go on."""


class Store(Protocol):
    """Tables of documents. A document that was handed out is read-only: changing it needs a `put`."""

    @property
    def healthy(self) -> bool:
        """False once a commit has failed; it stays so until the process is started again."""

    def get(self, table: str, key: str) -> dict[str, Any] | None: ...

    def all(self, table: str) -> Mapping[str, dict[str, Any]]:
        """Every document of a table by key."""

    def put(self, table: str, key: str, document: Mapping[str, Any]) -> None:
        """Keep a copy of `document`, which has to be plain JSON with string keys."""

    def delete(self, table: str, key: str) -> None:
        """Forget a document; one that is not there is no error."""

    async def commit(self) -> None:
        """Returns when all that was put and deleted before the call is durable. Raises `StoreFailed`."""


__all__ = ["Store", "StoreFailed"]
