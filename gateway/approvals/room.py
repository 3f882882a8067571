"""The room where held commands wait and people decide.

Every change is a `step` in memory, put into the store at once, and told to nobody before the store has made it
durable. What is settled is then told to those who wait, written to the journal, removed from the store and
published, in this order; a restart takes up whatever was begun. Whether a command is released hangs on one
transition to SPENT, so it happens once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.approvals import releasing
from gateway.approvals.ballot import Stale
from gateway.approvals.capacity import HoldRefused
from gateway.approvals.deadlines import Deadlines
from gateway.approvals.electorate import NotEligible, PolicyPort, standing
from gateway.approvals.freshness import LoginFirst
from gateway.approvals.keeping import TABLE, Kept
from gateway.approvals.opening import Question, opened
from gateway.approvals.proof import ReviewFirst, proof_of
from gateway.approvals.releasing import GrantsPort
from gateway.approvals.settled import NotFound, Settled
from gateway.approvals.table import (
    AlreadySettled,
    Joined,
    Lapsed,
    Left,
    Measured,
    Released,
    Stepped,
    Waived,
    Withdrawn,
)
from gateway.approvals.tasks import Tasks
from gateway.approvals.voting import Voting
from gateway.approvals.waiting import Live, Waiting, left_behind
from gateway.changes import LIVE, Feed
from gateway.contract import (
    Approval,
    Estimate,
    LoginView,
    State,
    Twins,
    VoteRequest,
    WholeText,
)
from gateway.journal import Journal
from gateway.store import Store

ANSWERS = (NotFound, NotEligible, AlreadySettled, Stale, ReviewFirst, LoginFirst, HoldRefused)
"""What a caller is told; anything else that ends one of the room's tasks is a fault of the gateway's."""


class Approvals:
    """All open approvals of this gateway. One event loop."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        feed: Feed,
        *,
        clock: Callable[[], float],
        scheduler: AsyncIOScheduler,
        policy: Callable[[], PolicyPort],
        proof_key: bytes,
        on_kill: Callable[[Approval], Awaitable[object]],
        grants: GrantsPort,
        rejoin: float = 30.0,
    ) -> None:
        """`rejoin`: seconds that an approval nobody waits for stays open to be joined.

        `proof_key` signs that a text was opened whole. `on_kill` ends what a killing vote ends; it may be called
        again for the same approval after a restart. `grants` keeps what yeses for a while let go.
        """
        self._store = store
        self._feed = feed
        self._clock = clock
        self._policy = policy
        self._proof_key = proof_key
        self._grants = grants
        self._rejoin = rejoin
        self._tasks = Tasks(told=ANSWERS)
        deadlines = Deadlines(scheduler, clock=clock, when_due=lambda: self._tasks.spawn(self.sweep()))
        self._kept = Kept(store, Settled(journal), feed, deadlines, clock=clock, on_kill=on_kill)
        self._voting = Voting(
            self._kept, store, clock=clock, policy=policy, proof_key=proof_key, grants=grants
        )

    async def start(self) -> None:
        """Take up what an earlier life left. Raises `StoreFailed` and `JournalFailed`.

        What was waited for may be joined again for `rejoin` seconds; what was settled but not yet journalled is
        finished, a kill included.
        """
        journalled, granted = self._kept.settled.recall()
        unfinished: list[Live] = []
        for approval_id, document in list(self._store.all(TABLE).items()):
            if approval_id in journalled:
                self._store.delete(TABLE, approval_id)
                continue
            live = Live.read(document)
            self._kept.add(live)
            if live.approval.state not in LIVE:
                unfinished.append(live)
                self._kept.unshare(live)
            elif live.approval.state is State.PENDING:
                self._kept.apply(live, Left(clients=live.approval.waiting))
                self._kept.rejoin_until(live, self._clock() + self._rejoin)
        await self._store.commit()
        self._feed.restore(self._kept.settled)
        for live in self._kept.live.values():
            if live.approval.state in LIVE:
                self._feed.publish(approval=live.approval)
        for live in [each for each in self._kept.live.values() if each.approval.grant == each.approval.id]:
            if live.approval.id not in granted:
                await self._grants.begin(live.approval.id)
        for live in unfinished:
            await self._kept.finish(live)
        await self.sweep()

    async def stop(self) -> None:
        """Wait for what is on its way to the disk."""
        await self._tasks.settled()

    def on_settled(self, listener: Callable[[Approval], object]) -> None:
        """`listener` is called with each approval that is over, once it is in the journal; it must not raise."""
        self._kept.on_settled.append(listener)

    def get(self, approval_id: str) -> Approval | None:
        """An approval that is open, or was settled not too long ago."""
        live = self._kept.live.get(approval_id)
        return live.approval if live is not None else self._kept.settled.get(approval_id)

    def open(self) -> list[Approval]:
        """Every open approval, oldest first."""
        return [live.approval for live in self._kept.live.values() if live.approval.state in LIVE]

    def settled(self) -> list[Approval]:
        """The settled approvals that are remembered, oldest first, and those on their way to the journal."""
        unfinished = [live.approval for live in self._kept.live.values() if live.approval.state not in LIVE]
        return [
            *self._kept.settled,
            *(each for each in unfinished if self._kept.settled.get(each.id) is None),
        ]

    def of_tokens(self, token_ids: Collection[str]) -> list[str]:
        """Ids of the open approvals in whose lineage any of these tokens stands."""
        return [
            approval.id
            for approval in self.open()
            if any(actor.token_id in token_ids for actor in approval.lineage.chain)
        ]

    async def hold(self, question: Question, *, waived: str = "") -> Waiting:
        """Wait for people: opens an approval, joins the one that is open, or spends one approved meanwhile.

        `waived` says why nobody has to be asked for an elevation: it is settled as it opens. A command never is.

        One approval belongs to a lineage, connection, digest and what is asked. Durable when it returns. Raises
        `HoldRefused` and `StoreFailed`; cancelled, the place is left as by a hang-up.
        """
        if waived and question.elevation is None:
            raise ValueError("a command is released by people, or not at all")
        live = opened(self._kept.new_id(), question, now=self._clock())
        task = self._tasks.spawn(self._held(live, waived))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(left_behind)
            raise

    async def vote(
        self,
        approval_id: str,
        request: VoteRequest,
        *,
        through: str,
        vouched: Collection[str] = frozenset(),
        login: LoginView | None = None,
    ) -> Approval:
        """Count a person's vote; the approval after it, durable. The same vote again changes nothing.

        `through` names the credential that carried it; `vouched` are groups that it may vouch for; `login` is that of
        this person, made for this vote. Raises `NotFound`, `NotEligible`, `AlreadySettled`, `Stale`, `ReviewFirst`,
        `LoginFirst`; `StoreFailed` and `JournalFailed`.
        """
        voting = self._voting.count(approval_id, request, through=through, vouched=vouched, login=login)
        return await asyncio.shield(self._tasks.spawn(voting))

    def whole_text(self, approval_id: str, person: str, vouched: Collection[str] = frozenset()) -> WholeText:
        """All that would run, for one who may vote. Raises `NotFound`, `NotEligible`, `AlreadySettled`."""
        live = self._kept.live.get(approval_id)
        if live is None:
            raise self._kept.settled.gone(approval_id)
        standing(self._policy(), live.approval, person, vouched)
        if live.approval.state not in LIVE:
            raise AlreadySettled(live.approval)
        return WholeText(
            text=live.text,
            parameters=live.parameters,
            digest=live.digest,
            words=live.approval.command.words,
            opened=proof_of(self._proof_key, live.approval, person),
        )

    def twins(self, approval_id: str) -> Twins:
        """How many others a yes for a while to an approval would release. Raises `NotFound`, `AlreadySettled`."""
        live = self._kept.live.get(approval_id)
        if live is None:
            raise self._kept.settled.gone(approval_id)
        return Twins(held=releasing.twins(live, self._kept.live.values()))

    async def measured(self, approval_id: str, estimate: Estimate) -> None:
        """The gateway's measurement arrived after the approval had opened; too late is no error."""
        live = self._kept.live.get(approval_id)
        if live is not None and live.approval.state is State.PENDING:
            self._kept.apply(live, Measured(estimate=estimate))
            await asyncio.shield(self._tasks.spawn(self._kept.told(live)))

    async def withdraw(self, token_ids: Collection[str], reason: str) -> list[str]:
        """Withdraw every open approval in whose lineage any of these tokens stands; returns their ids."""
        ids = self.of_tokens(token_ids)
        for approval_id in ids:
            self._kept.apply(self._kept.live[approval_id], Withdrawn(reason=reason))
        finishing = [
            self._tasks.spawn(self._kept.finish(self._kept.live[approval_id])) for approval_id in ids
        ]
        await asyncio.shield(asyncio.gather(*finishing))
        return ids

    async def sweep(self) -> None:
        """Settle what is due. The scheduler calls it at each deadline."""
        now = self._clock()
        due: list[Live] = []
        stepped: list[Live] = []
        for approval_id in self._kept.deadlines.take():
            live = self._kept.live.get(approval_id)
            if live is None or live.approval.state not in LIVE:
                continue
            if live.approval.expires_at <= now:
                self._kept.apply(live, Lapsed())
                due.append(live)
            elif live.abandoned(now):
                self._kept.apply(live, Withdrawn(reason="the client left and did not come back"))
                due.append(live)
            elif (count := live.steps_due(now)) > live.approval.stepped:
                self._kept.apply(live, Stepped(count=count))
                stepped.append(live)
        await asyncio.gather(*(self._kept.told(live) for live in stepped))
        await asyncio.gather(*(self._kept.finish(live) for live in due))

    def leave(self, waiting: Waiting, live: Live, *, withdraw: bool) -> None:
        """For `Waiting.leave`."""
        live.waiters.discard(waiting)
        if live.approval.state is not State.PENDING:
            return
        self._kept.apply(live, Left())
        if live.waiters:
            self._tasks.spawn(self._kept.told(live))
        elif withdraw:
            self._kept.apply(live, Withdrawn(reason="the client took it back"))
            self._tasks.spawn(self._kept.finish(live))
        else:
            self._kept.rejoin_until(live, self._clock() + self._rejoin)
            self._tasks.spawn(self._kept.told(live))

    async def _held(self, new: Live, waived: str) -> Waiting:
        live = self._kept.by_key.get(new.key)
        if live is not None and live.approval.expires_at <= self._clock():
            self._kept.apply(live, Lapsed())
            self._tasks.spawn(self._kept.finish(live))
            live = None
        if live is None:
            return await self._opened(new, waived)
        waiting = Waiting(self, live)
        live.waiters.add(waiting)
        if live.approval.state is State.APPROVED:
            self._kept.apply(live, Released())
            self._tasks.spawn(self._kept.finish(live))
            await waiting.outcome()
            return waiting
        live.rejoin_until = None
        self._kept.apply(live, Joined())
        estimate = new.approval.estimate
        if estimate is not None and estimate != live.approval.estimate:
            self._kept.apply(live, Measured(estimate=estimate))
        await self._kept.told(live)
        return waiting

    async def _opened(self, live: Live, waived: str) -> Waiting:
        self._kept.capacity.check(live)
        waiting = Waiting(self, live)
        live.waiters.add(waiting)
        live.approval = replace(live.approval, family=self._kept.families.name(live))
        self._kept.add(live)
        self._store.put(TABLE, live.approval.id, live.document())
        if waived:
            self._kept.apply(live, Waived(reason=waived))
            await self._kept.finish(live)
        else:
            await self._kept.told(live)
        return waiting
