"""Grants: what was elevated, for whom, until when, and how much of it is used up.

A grant lets commands of one token and everything below it run that would be held; it never reaches what is blocked
and never unmasks. It ends at its time, with its budget, with its token, or when somebody ends it; whichever comes
first, the next command is held again, and what still runs under it is told to stop. A grant is durable before anybody
hears of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.approvals.deadlines import Deadlines
from gateway.approvals.lasting import Narrow
from gateway.approvals.settled import GRANTED
from gateway.journal import Journal
from gateway.model import Effect, Effects
from gateway.store import Store, StoreFailed

TABLE = "grants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Wider scope for a while. Times are Unix seconds."""

    id: str
    approval: str
    """The approval by which it was granted."""
    connection: str
    effects: Effects
    token_id: str
    """The token it belongs to; what was derived from that has it too."""
    agent: str
    asked_by: str
    reason: str
    starts_at: float
    ends_at: float
    commands: int
    """How many commands may run under it."""
    used: int = 0
    narrow: Narrow | None = None
    """Where votes on one command made it: what it is bound to beside the effects."""

    def document(self) -> dict[str, Any]:
        """As the store and the journal keep it."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "effects": sorted(self.effects),
            "narrow": self.narrow.document() if self.narrow is not None else None,
        }


class Grants:
    """The grants that hold now. One event loop."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        *,
        clock: Callable[[], float],
        scheduler: AsyncIOScheduler,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._spawn = spawn
        self._held: dict[str, Grant] = {}
        self._on_ended: list[Callable[[Grant, str], object]] = []
        self._deadlines = Deadlines(scheduler, clock=clock, when_due=self.sweep)
        for document in store.all(TABLE).values():
            self._keep(_grant(document))

    def on_ended(self, listener: Callable[[Grant, str], object]) -> None:
        """`listener(grant, why)` is called for each grant that ended; it must not raise."""
        self._on_ended.append(listener)

    def all(self) -> list[Grant]:
        """Those that hold, oldest first."""
        self.sweep()
        return list(self._held.values())

    def get(self, grant_id: str) -> Grant | None:
        """A grant that holds."""
        self.sweep()
        return self._held.get(grant_id)

    async def open(
        self,
        *,
        approval: str,
        connection: str,
        effects: Effects,
        token_id: str,
        agent: str,
        asked_by: str,
        reason: str,
        seconds: float,
        commands: int,
    ) -> Grant:
        """A new grant, durable when this returns. Raises `StoreFailed` and `JournalFailed`."""
        now = self._clock()
        grant = Grant(
            id=secrets.token_hex(6),
            approval=approval,
            connection=connection,
            effects=effects,
            token_id=token_id,
            agent=agent,
            asked_by=asked_by,
            reason=reason,
            starts_at=now,
            ends_at=now + seconds,
            commands=commands,
        )
        await self._journal.append(GRANTED, grant.document())
        self._store.put(TABLE, grant.id, grant.document())
        await self._store.commit()
        self._keep(grant)
        return grant

    def prepare(
        self,
        *,
        approval: str,
        connection: str,
        effects: Effects,
        token_id: str,
        agent: str,
        reason: str,
        starts_at: float,
        seconds: float,
        commands: int,
        narrow: Narrow,
    ) -> None:
        """Put the grant that votes on a command made into the store, to become durable with the votes: see `begin`."""
        grant = Grant(
            id=approval,
            approval=approval,
            connection=connection,
            effects=effects,
            token_id=token_id,
            agent=agent,
            asked_by=agent,
            reason=reason,
            starts_at=starts_at,
            ends_at=starts_at + seconds,
            commands=commands,
            narrow=narrow,
        )
        self._store.put(TABLE, grant.id, grant.document())

    async def begin(self, grant_id: str) -> None:
        """What was prepared is durable now: it is journalled and holds. One that has ended does not begin again.

        Raises `JournalFailed`.
        """
        document = self._store.get(TABLE, grant_id)
        if document is not None:
            await self._journal.append(GRANTED, document)
            self._keep(_grant(document))

    def spend(
        self, token_ids: Collection[str], connection: str, satisfies: Callable[[Grant], bool]
    ) -> Grant | None:
        """One command of the first grant of a chain of tokens that `satisfies` what holds it; None where none does."""
        now = self._clock()
        for grant in self._held.values():
            if (
                grant.connection == connection
                and grant.token_id in token_ids
                and now < grant.ends_at
                and satisfies(grant)
            ):
                spent = replace(grant, used=grant.used + 1)
                self._held[grant.id] = spent
                self._store.put(TABLE, grant.id, spent.document())
                if spent.used >= spent.commands:
                    # The command it was spent on still runs under it.
                    self._forget(spent, "its budget is spent", stops=False)
                return spent
        return None

    def end(self, grant_id: str, why: str) -> Grant | None:
        """End one now; None where none of that id holds."""
        grant = self._held.get(grant_id)
        if grant is not None:
            self._forget(grant, why)
        return grant

    def end_tokens(self, token_ids: Collection[str], why: str) -> None:
        """End every grant of these tokens."""
        for grant in [each for each in self._held.values() if each.token_id in token_ids]:
            self._forget(grant, why)

    def sweep(self) -> None:
        """End what is over. The scheduler calls it at each end; every look at the grants does too."""
        self._deadlines.take()
        now = self._clock()
        for grant in [each for each in self._held.values() if each.ends_at <= now]:
            self._forget(grant, "its time is over")

    def _keep(self, grant: Grant) -> None:
        self._held[grant.id] = grant
        self._deadlines.add(grant.ends_at, grant.id)

    def _forget(self, grant: Grant, why: str, *, stops: bool = True) -> None:
        del self._held[grant.id]
        self._store.delete(TABLE, grant.id)
        self._spawn(self._ended(grant, why))
        if stops:
            for listener in self._on_ended:
                listener(grant, why)

    async def _ended(self, grant: Grant, why: str) -> None:
        await self._store.commit()
        await self._journal.append("grant ended", {"id": grant.id, "used": grant.used, "why": why})


def _grant(document: Mapping[str, Any]) -> Grant:
    try:
        known = {name: document[name] for name in Grant.__slots__ if name in document}
        narrow = document.get("narrow")
        return Grant(
            **known
            | {
                "effects": frozenset(map(Effect, document["effects"])),
                "narrow": Narrow.read(narrow) if narrow is not None else None,
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreFailed(f"a grant in the store is not readable ({error}): put back a copy of it") from error
