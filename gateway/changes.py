"""The numbered feed of what changes: approvals, sessions, announcements.

A follower asks for what came after a number and waits for it. One that has none (0), or whose number is older than
what is kept, gets how things stand now and goes on from there. Numbers never go back, not even over a restart: a
block of them is reserved in the store before any of it is used.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

from gateway.contract import Announcement, Approval, Change, Changes, GrantView, SessionView, State
from gateway.store import Store

TABLE = "feed"
KEY = "numbers"
BLOCK = 1_000_000
"""Numbers reserved at a time; half of one is left when the next is reserved."""
KEPT = 8_192
"""Changes a follower may be behind before it is shown the present state instead."""
PAGE = 500
"""Changes in one answer."""
WAIT_LONGEST = 60.0
"""Seconds that one call may wait."""
ENDED_KEPT = 1_000
"""Settled approvals, and closed sessions, that the present state still mentions."""

LIVE = frozenset({State.PENDING, State.APPROVED})

_Ended = TypeVar("_Ended", Approval, SessionView)


class Feed:
    """Publishes changes to everybody who waits. One event loop."""

    def __init__(self, store: Store, *, kept: int = KEPT) -> None:
        """Raises `gateway.store.StoreFailed` from `start` alone."""
        self._store = store
        self._ring: deque[Change] = deque(maxlen=kept)
        self._approvals: dict[str, Approval] = {}
        self._sessions: dict[str, SessionView] = {}
        self._grants: dict[str, GrantView] = {}
        self._settled: OrderedDict[str, Approval] = OrderedDict()
        self._closed: OrderedDict[str, SessionView] = OrderedDict()
        self._unheard: frozenset[str] = frozenset()
        """Sessions that ended before this life of the gateway, and that nobody may have been told of."""
        self._waiters: set[asyncio.Future[None]] = set()
        self._stopped = False
        document = store.get(TABLE, KEY)
        self._last = self._reserved = int(document["reserved"]) if document is not None else 1

    @property
    def last(self) -> int:
        """The number of the newest change."""
        return self._last

    @property
    def stopped(self) -> bool:
        """Nobody waits any more: the process is about to end."""
        return self._stopped

    async def start(self) -> None:
        """Reserve numbers; to be called before the first `publish`. Raises `StoreFailed`."""
        self._reserve()
        await self._store.commit()

    def stop(self) -> None:
        """Let go of everybody who waits, at once and from now on."""
        self._stopped = True
        self._wake()

    def restore(self, settled: Iterable[Approval]) -> None:
        """Approvals that were settled before a restart, oldest first: followers may have missed their end."""
        for approval in settled:
            _remember(self._settled, approval.id, approval)

    def recall(self, ended: Iterable[SessionView], *, unheard_since: float) -> None:
        """Sessions that ended before a restart, oldest first: followers may have missed their end.

        Of one that ended after `unheard_since`, Unix seconds, they may never have heard at all.
        """
        young: set[str] = set()
        for session in ended:
            _remember(self._closed, session.id, session)
            if session.closed_at is not None and session.closed_at >= unheard_since:
                young.add(session.id)
        self._unheard = frozenset(young)

    def publish(
        self,
        *,
        approval: Approval | None = None,
        session: SessionView | None = None,
        announcement: Announcement | None = None,
        grant: GrantView | None = None,
    ) -> None:
        """Exactly one of them is new. An approval that is older than what was published is left out."""
        if approval is not None:
            known = self._approvals.get(approval.id) or self._settled.get(approval.id)
            if known is not None and known.version >= approval.version:
                return
            if approval.state in LIVE:
                self._approvals[approval.id] = approval
            else:
                self._approvals.pop(approval.id, None)
                _remember(self._settled, approval.id, approval)
        elif session is not None:
            if session.closed_at is None:
                self._sessions[session.id] = session
            else:
                self._sessions.pop(session.id, None)
                _remember(self._closed, session.id, session)
        elif grant is not None:
            if grant.ended_at is None:
                self._grants[grant.id] = grant
            else:
                self._grants.pop(grant.id, None)
        self._last += 1
        self._ring.append(
            Change(seq=self._last, approval=approval, session=session, announcement=announcement, grant=grant)
        )
        if self._reserved - self._last < BLOCK // 2:
            self._reserve()
        self._wake()

    async def after(
        self, seq: int, wait: float, *, noted: Callable[[str], bool] = lambda _: False
    ) -> Changes:
        """What came after number `seq`; with nothing new, waits up to `wait` seconds.

        `noted(id)` says of a settled approval or closed session whether the follower keeps something on it (its
        card, its thread), so that a present state tells it the end of what it had begun.
        """
        if not self._covers(seq):
            return self._present(noted)
        if seq == self._last and wait > 0 and not self._stopped:
            await self._change(min(wait, WAIT_LONGEST))
            if not self._covers(seq):
                return self._present(noted)
        return self._since(seq)

    def _covers(self, seq: int) -> bool:
        """Whether everything after `seq` is still here."""
        oldest = self._ring[0].seq if self._ring else self._last + 1
        return oldest - 1 <= seq <= self._last

    def _since(self, seq: int) -> Changes:
        """One page, in which only the newest of what changed several times is left."""
        first = seq + 1 - (self._ring[0].seq if self._ring else seq + 1)
        page = list(islice(self._ring, first, first + PAGE))
        newest: dict[tuple[str, str], int] = {_subject(change): change.seq for change in page}
        kept = tuple(change for change in page if newest[_subject(change)] == change.seq)
        return Changes(next=page[-1].seq if page else seq, changes=kept)

    def _present(self, noted: Callable[[str], bool]) -> Changes:
        approvals = [each for each in self._settled.values() if noted(each.id)] + [*self._approvals.values()]
        closed = [each for each in self._closed.values() if noted(each.id) or each.id in self._unheard]
        sessions = [*closed, *self._sessions.values()]
        return Changes(
            next=self._last,
            changes=(
                *(Change(seq=self._last, session=session) for session in sessions),
                *(Change(seq=self._last, approval=approval) for approval in approvals),
                *(Change(seq=self._last, grant=grant) for grant in self._grants.values()),
            ),
        )

    async def _change(self, wait: float) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(wait):
                await waiter
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _reserve(self) -> None:
        """Made durable by `start`, and later by the next commit of anything: half a block before it is needed."""
        self._reserved += BLOCK
        self._store.put(TABLE, KEY, {"reserved": self._reserved})


def _remember(ended: OrderedDict[str, _Ended], key: str, value: _Ended) -> None:
    ended[key] = value
    while len(ended) > ENDED_KEPT:
        ended.popitem(last=False)


def _subject(change: Change) -> tuple[str, str]:
    if change.approval is not None:
        return ("approval", change.approval.id)
    if change.session is not None:
        return ("session", change.session.id)
    if change.grant is not None:
        return ("grant", change.grant.id)
    return ("announcement", str(change.seq))
