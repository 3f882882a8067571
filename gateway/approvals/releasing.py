"""What a yes for a while does beyond its own command: the grant it makes, and what that releases at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Protocol

from gateway.approvals.lasting import Narrow, Wanted, Yielded, covers, narrowed
from gateway.approvals.reach import agreed
from gateway.approvals.table import first_asked
from gateway.approvals.waiting import Live
from gateway.contract import Approval, CommandView, LastingView, Reach, State
from gateway.model import Effect, Effects, Lasting


class GrantPort(Protocol):
    """A grant, as far as it matters here."""

    @property
    def id(self) -> str: ...

    @property
    def token_id(self) -> str: ...

    @property
    def effects(self) -> Effects: ...

    @property
    def narrow(self) -> Narrow | None: ...


class GrantsPort(Protocol):
    """Where grants are kept."""

    def prepare(self, yielded: Yielded) -> None: ...

    async def begin(self, grant_id: str) -> None: ...

    def spend(
        self, token_ids: Collection[str], connection: str, lets: Callable[[GrantPort], bool]
    ) -> GrantPort | None: ...

    async def end(self, grant_id: str, why: str) -> object: ...


def offered(lasting: Lasting | None, view: CommandView, shape: str) -> LastingView | None:
    """What a yes to this command may be: of what was not read completely nobody can say what else is like it."""
    if lasting is None:
        return None
    beyond = {Reach.CALL} if not view.complete else {*Reach} if shape else {*Reach} - {Reach.SHAPE}
    what = tuple(reach for reach in Reach if reach in lasting.what & beyond)
    return (
        LastingView(what=what, seconds=lasting.longest, commands=lasting.commands, rows=lasting.rows)
        if what
        else None
    )


def prepare(grants: GrantsPort, live: Live) -> None:
    """Put the grant that the votes on an approval agree to beside them."""
    approval = live.approval
    agreement = agreed(approval.votes)
    assert agreement is not None
    assert approval.settled_at is not None
    narrow = narrowed(approval, agreement.reach, live.shape)
    asking = approval.lineage.chain[-1]
    grants.prepare(
        Yielded(
            approval=approval.id,
            connection=approval.connection,
            effects=frozenset(map(Effect, approval.command.effects)),
            token_id=asking.token_id,
            agent=asking.name,
            root=approval.lineage.chain[0].name,
            person=approval.lineage.person,
            reason=f"approved for a while by {' and '.join(narrow.voters)}",
            starts_at=approval.settled_at,
            seconds=agreement.seconds,
            commands=agreement.commands,
            rows=agreement.rows,
            narrow=narrow,
        )
    )


def released(grants: GrantsPort, approval: Approval, held: Iterable[Live]) -> Iterator[Live]:
    """Those held by others' hands that the grant of `approval` lets go, oldest first, as far as its budget goes."""
    for live in held:
        if _may_be_released(live) and grants.spend(
            tuple(actor.token_id for actor in live.approval.lineage.chain),
            live.approval.connection,
            lambda found, live=live: found.id == approval.grant and _covers(found, live),  # type: ignore[misc]
        ):
            yield live


def twins(live: Live, held: Iterable[Live]) -> dict[Reach, int]:
    """How many others a yes of each reach to this approval would release."""
    approval = live.approval
    what = approval.lasting.what if approval.lasting is not None else ()
    if not what or not approval.lineage.chain:
        return dict.fromkeys(what, 0)
    token_id = approval.lineage.chain[-1].token_id
    effects = frozenset(approval.command.effects)
    others = [
        wanted(each)
        for each in held
        if each is not live
        and each.approval.connection == approval.connection
        and any(actor.token_id == token_id for actor in each.approval.lineage.chain)
        and _may_be_released(each)
    ]
    bounds = {reach: narrowed(approval, reach, live.shape) for reach in what}
    return {
        reach: sum(covers(bound, token_id, effects, each) for each in others)
        for reach, bound in bounds.items()
    }


def wanted(live: Live) -> Wanted:
    approval = live.approval
    return Wanted(
        lineage=approval.lineage,
        digest=live.digest,
        shape=lambda: live.shape,
        effects=frozenset(approval.command.effects),
        asks=first_asked(approval.asks),
        offered=approval.lasting.what if approval.lasting is not None else (),
    )


def _covers(found: GrantPort, live: Live) -> bool:
    return found.narrow is not None and covers(
        found.narrow, found.token_id, frozenset(found.effects), wanted(live)
    )


def _may_be_released(live: Live) -> bool:
    """It waits for people, and somebody waits for it."""
    approval = live.approval
    return approval.state is State.PENDING and bool(live.waiters) and approval.elevation is None
