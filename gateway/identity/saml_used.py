"""The assertions that were used: each proves one login, also across a restart, until it would be refused in any case."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from gateway.store import Store

TABLE = "saml_used"


class Used:
    """What one store remembers of them."""

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def first(self, issuer: str, assertion_id: str, *, until: float) -> bool:
        """Whether this is the first use of an assertion that counts until then; durable. Raises `StoreFailed`."""
        now = self._clock()
        for key, document in list(self._store.all(TABLE).items()):
            if document["until"] <= now:
                self._store.delete(TABLE, key)
        key = hashlib.sha256(f"{issuer}\0{assertion_id}".encode()).hexdigest()
        if self._store.get(TABLE, key) is not None:
            return False
        self._store.put(TABLE, key, {"until": until})
        await self._store.commit()
        return True
