"""Who may vote: people, known by membership of a group that is asked, and nobody of the lineage that asks.

Names are compared loosely where that excludes (nobody escapes four eyes by writing a name differently) and
strictly where it admits.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Protocol

from gateway.approvals.table import ANYBODY
from gateway.contract import Approval, AskView, LineageView


class NotEligible(Exception):
    """A person who may not vote on this approval; the message says why."""


class GroupPort(Protocol):
    """A group as policies.yaml declares it."""

    @property
    def slack(self) -> str: ...

    @property
    def members(self) -> Collection[str]: ...

    @property
    def claim(self) -> Collection[str]: ...


class PolicyPort(Protocol):
    """What an electorate needs to know of the policy in force."""

    @property
    def groups(self) -> Mapping[str, GroupPort]: ...

    @property
    def agents(self) -> Mapping[str, object]: ...


def groups_of(policy: PolicyPort, person: str, vouched: Collection[str]) -> frozenset[str]:
    """The declared groups of a person: by name, or vouched for where the file ties the group to Slack.

    Where it ties it to what identity providers say, they are asked alone, and their word is among the names.
    """
    name = _strict(person)
    return frozenset(
        group
        for group, declared in policy.groups.items()
        if any(_strict(member) == name for member in declared.members)
        or (declared.slack and not declared.claim and group in vouched)
    )


def standing(
    policy: PolicyPort, approval: Approval, person: str, vouched: Collection[str]
) -> tuple[str, ...]:
    """The groups in whose name a person may vote on this approval. Raises `NotEligible`."""
    if not _strict(person):
        raise NotEligible("a vote needs a person: nobody is known by that Slack account or name")
    lineage = approval.lineage
    if same(person, lineage.person):
        raise NotEligible(
            f"{person} is accountable for this command, so somebody else has to decide about it"
        )
    if in_chain(lineage, person):
        raise NotEligible(f"{person} is part of the chain that asks, and nobody in the chain approves")
    if any(same(person, agent) for agent in policy.agents):
        raise NotEligible(f"{person} is an agent, and agents never vote")
    mine = groups_of(policy, person, vouched)
    counting = (
        sorted(mine)
        if _open_to_all(approval.asks)
        else sorted(mine & {name for ask in approval.asks for name in (ask.approvers, ask.also) if name})
    )
    if not counting:
        asked = ", ".join(sorted({_named(ask) for ask in approval.asks}))
        raise NotEligible(f"{person} is not in a group that was asked: {asked}")
    return tuple(counting)


def in_chain(lineage: LineageView, person: str) -> bool:
    """Whether a person may be meant by the one accountable, or by an agent of the chain."""
    return any(same(person, name) for name in (lineage.person, *(actor.name for actor in lineage.chain)))


def same(one: str, other: str) -> bool:
    """Whether two names could be meant for the same person."""
    return bool(one) and loose(one) == loose(other)


def _open_to_all(asks: Collection[AskView]) -> bool:
    return any(ask.approvers == ANYBODY for ask in asks)


def _named(ask: AskView) -> str:
    if ask.approvers == ANYBODY:
        return "any declared group"
    return f"{ask.approvers} or {ask.also}" if ask.also else ask.approvers


def _strict(name: str) -> str:
    return name.strip().lower()


def loose(name: str) -> str:
    """The same for names that could be meant for the same person."""
    return unicodedata.normalize("NFKC", name).strip().casefold()
