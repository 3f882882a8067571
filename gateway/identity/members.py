"""Which groups people are in by the word of the identity providers at which they logged in, and what that lets them do.

A provider's word is kept until its time is over, and the person's next login at the same provider takes its place. It is
kept as the provider gave it: what it makes of a person is read from policies.yaml at the time of use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.identity.logins import Proven
from gateway.model import Effects, Scope
from gateway.policy.identifying import REUSE
from gateway.policy.identities import Binding
from gateway.policy.model import Agent, Group, Policy
from gateway.store import Store

TABLE = "members"
PEOPLE = 20_000
"""Words that are kept; when there are more, the one that ends first is forgotten."""
GROUPS = 500
"""Of one person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    person: str
    provider: str
    groups: frozenset[str]
    said_at: float


class Members:
    """What was said. Changes are in the store at once, and durable after its `commit`."""

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._words = {key: _word(document) for key, document in store.all(TABLE).items()}
        self._made: Policy | None = None
        self._of: Policy | None = None
        self._holds = (math.inf, -math.inf)
        """From when to when `_made` is what `_of` makes."""

    def remember(self, proven: Proven) -> None:
        """A person logged in."""
        word = _Word(
            person=proven.person,
            provider=proven.provider,
            groups=frozenset(sorted(proven.groups)[:GROUPS]),
            said_at=self._clock(),
        )
        key = f"{proven.provider} {proven.person}"
        self._words.pop(key, None)
        while len(self._words) >= PEOPLE:
            self._forget(next(iter(self._words)))
        self._words[key] = word
        self._store.put(
            TABLE,
            key,
            {
                "person": word.person,
                "provider": word.provider,
                "groups": sorted(word.groups),
                "said_at": word.said_at,
            },
        )
        self._of = None

    def forget(self, person: str) -> None:
        """A person logged out: what providers said of them ends."""
        for key in [key for key, word in self._words.items() if word.person == person]:
            self._forget(key)
        self._of = None

    def until(self, policy: Policy, person: str) -> float:
        """When the last word about a person ends, as `policy` has it now; Unix seconds."""
        ends = [word.said_at for word in self._words.values() if word.person == person]
        return max(ends, default=-math.inf) + policy.identity.remembered

    def applied(self, policy: Policy) -> Policy:
        """`policy` at this moment: with the members that providers name, and the people who may act by their login."""
        now = self._clock()
        if policy is self._of and self._made is not None and self._holds[0] <= now < self._holds[1]:
            return self._made
        remembered = policy.identity.remembered
        for key in [key for key, word in self._words.items() if word.said_at + remembered <= now]:
            self._forget(key)
        # Of what was said at a time that is yet to come, or by a provider that is not declared, nothing counts.
        words = [
            word
            for word in self._words.values()
            if word.provider in policy.identity.providers and word.said_at <= now
        ]
        made = policy
        if words:
            groups = {name: _joined(group, words) for name, group in policy.groups.items()}
            people = {word.person: _grantee(policy, groups, word.person) for word in words}
            made = replace(
                policy,
                groups=groups,
                people={name: agent for name, agent in people.items() if agent is not None},
            )
        ends = [word.said_at + remembered for word in words]
        begins = [word.said_at for word in self._words.values() if word.said_at > now]
        self._of, self._made, self._holds = policy, made, (now, min([*ends, *begins], default=math.inf))
        return made

    def _forget(self, key: str) -> None:
        del self._words[key]
        self._store.delete(TABLE, key)


def _joined(group: Group, words: Collection[_Word]) -> Group:
    names = frozenset(group.claim)
    said = (
        sorted({word.person for word in words if names & word.groups} - set(group.members)) if names else ()
    )
    return replace(group, members=(*group.members, *said)) if said else group


def _grantee(policy: Policy, groups: Mapping[str, Group], person: str) -> Agent | None:
    """What a person may do by a login, as the root of a lineage; None for nothing."""
    mine = {name for name, group in groups.items() if person in map(str.lower, group.members)}
    grants = [each for each in policy.identity.people if not each.groups or mine & set(each.groups)]
    if not grants:
        return None
    scope: dict[str, Effects] = {}
    for grant in grants:
        for connection, effects in grant.scope.items():
            scope[connection] = scope.get(connection, frozenset()) | effects
    granted: Scope = scope
    return Agent(
        name=person,
        person=person,
        scope=granted,
        # One token has one end and one depth: what the widest scope may have is what the strictest grant says.
        max_depth=min(grant.max_depth for grant in grants),
        ttl=min([policy.tokens.max_ttl, *(grant.ttl for grant in grants)]),
        binding=Binding(
            to=frozenset[str]().union(*(grant.binding.to for grant in grants)),
            reuse=max(
                (grant.binding.reuse for grant in grants if grant.binding.to),
                key=REUSE.index,
                default="refuse",
            ),
        ),
    )


def _word(document: Mapping[str, Any]) -> _Word:
    return _Word(
        person=str(document["person"]),
        provider=str(document["provider"]),
        groups=frozenset(map(str, document["groups"])),
        said_at=float(document["said_at"]),
    )
