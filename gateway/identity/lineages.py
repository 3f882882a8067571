"""Who derived whom: one link for every live token, kept in the store until the token ends.

A token is only good while its own link and every ancestor's are here and not revoked: what is not recorded cannot
be vouched for, so a store that lost a link refuses the token rather than forget a revocation. Revoking marks the whole
subtree at once; whoever composes the gateway hears of it through `on_revoked` and ends what runs under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.store import Store

TABLE = "lineages"
LIVE_PER_AGENT = 2_000
"""Live tokens of one root agent: its own, and all that were derived from them."""
REVOKED_KEPT = 200
"""Revoked links of one root agent that are kept to be looked at; to be refused, a token need not be known."""
SWEEP_SECONDS = 60.0


class LineageFull(Exception):
    """A root agent has as many live tokens as it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What is remembered of a token: never the token itself."""

    token_id: str
    parent: str
    """The parent's token id; "" for a root agent's token."""
    root_agent: str
    """The agent of policies.yaml at the top of the chain."""
    name: str
    person: str
    expires_at: float
    revoked_at: float | None = None
    revoked_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A subtree was revoked: its top, everything in it (the top included), who did it and why."""

    token_id: str
    token_ids: tuple[str, ...]
    by: str
    reason: str
    at: float


class Lineages:
    """The tree of live tokens. Changes are in the store at once, and durable after `await store.commit()`."""

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._links: dict[str, Link] = {}
        self._children: dict[str, set[str]] = {}
        self._listeners: list[Callable[[Revocation], None]] = []
        self._swept_at = clock()
        for document in store.all(TABLE).values():
            self._keep(_link(document))

    def on_revoked(self, listener: Callable[[Revocation], None]) -> None:
        """`listener` is called, in the order of registration, after each revocation; it must not raise."""
        self._listeners.append(listener)

    def register(self, link: Link) -> None:
        """A token was issued. Raises `LineageFull` where its root agent has too many live ones already."""
        self.sweep_when_due()
        own = [each for each in self._links.values() if each.root_agent == link.root_agent]
        revoked = sorted(
            (each for each in own if each.revoked_at is not None), key=lambda each: each.revoked_at or 0
        )
        if len(own) - len(revoked) >= LIVE_PER_AGENT:
            raise LineageFull(
                f"{link.root_agent} already has {LIVE_PER_AGENT} live tokens: revoke some, or ask for shorter lifetimes"
            )
        for each in revoked[: max(0, len(revoked) - REVOKED_KEPT)]:
            self._forget(each)
        self._put(link)

    def get(self, token_id: str) -> Link | None:
        """The link of a token that has not ended, revoked or not."""
        return self._links.get(token_id)

    def links(self) -> Mapping[str, Link]:
        """Every link there is, by token id."""
        return self._links

    def revoked(self, token_ids: Iterable[str]) -> bool:
        """Whether any of them is revoked, or unknown here."""
        return any(
            (link := self._links.get(each)) is None or link.revoked_at is not None for each in token_ids
        )

    def subtree(self, token_id: str) -> tuple[str, ...]:
        """`token_id` and everything derived from it, parents before children; empty where it is unknown."""
        if token_id not in self._links:
            return ()
        found = [token_id]
        for each in found:
            found.extend(sorted(self._children.get(each, ())))
        return tuple(found)

    def revoke(self, token_id: str, *, by: str, reason: str = "") -> tuple[str, ...]:
        """Ends `token_id` and everything below it; returns those ids. An unknown id ends nothing.

        Revoking twice keeps who did it first, and tells the listeners again: ending a session twice is harmless,
        missing one is not.
        """
        token_ids = self.subtree(token_id)
        now = self._clock()
        for each in token_ids:
            link = self._links[each]
            if link.revoked_at is None:
                self._put(replace(link, revoked_at=now, revoked_by=by, reason=reason))
        if token_ids:
            revocation = Revocation(token_id=token_id, token_ids=token_ids, by=by, reason=reason, at=now)
            for listener in self._listeners:
                listener(revocation)
        return token_ids

    def revoke_all(self, *, by: str, reason: str) -> tuple[str, ...]:
        """Ends every live token; returns their ids."""
        roots = [link.token_id for link in self._links.values() if not link.parent]
        return tuple(each for root in roots for each in self.revoke(root, by=by, reason=reason))

    def sweep_when_due(self) -> None:
        """Forgets tokens that have ended. A child never outlives its parent, so no chain loses its middle."""
        now = self._clock()
        if 0 <= now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        for link in [link for link in self._links.values() if link.expires_at <= now]:
            self._forget(link)

    def _put(self, link: Link) -> None:
        self._store.put(TABLE, link.token_id, asdict(link))
        self._keep(link)

    def _forget(self, link: Link) -> None:
        del self._links[link.token_id]
        self._children.pop(link.token_id, None)
        self._children.get(link.parent, set()).discard(link.token_id)
        self._store.delete(TABLE, link.token_id)

    def _keep(self, link: Link) -> None:
        self._links[link.token_id] = link
        if link.parent:
            self._children.setdefault(link.parent, set()).add(link.token_id)


def _link(document: Mapping[str, Any]) -> Link:
    return Link(**{name: document[name] for name in Link.__slots__ if name in document})
