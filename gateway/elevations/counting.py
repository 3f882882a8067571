"""The blast radius of a request in numbers: which tables of a target can be read and written now, and while it is granted.

Each is tried as a command that does nothing but read, or write, that one table. What else a command does, and conditions
on its attributes, can only be judged with the command in hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from gateway.contract import ReachedView, TablesView
from gateway.facts.schema import Outputs, Schema
from gateway.masking.engine import Masks
from gateway.model import (
    Allow,
    Block,
    Connection,
    Effect,
    Effects,
    Facts,
    Hold,
    Lineage,
    Resource,
    Reveal,
    Verdict,
)
from gateway.policy.evaluate import judge
from gateway.policy.granting import covered, satisfied
from gateway.policy.kinds import Patterns
from gateway.policy.model import MaskPolicy, Policy
from gateway.policy.moment import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What would be granted."""

    effects: Effects
    things: Patterns | None = None
    """The only things that it is for."""
    reveal: Reveal | None = None


NOTHING = Given(effects=frozenset())
Way: TypeAlias = tuple[tuple[str, ...], Reveal | None]
"""By which masks a table is read, and what of them is left aside."""


class Counting:
    """Over the tables of one target, for one chain."""

    def __init__(
        self, policy: Policy, lineage: Lineage, connection: Connection, schema: Schema, *, at: float
    ) -> None:
        self._policy = policy
        self._lineage = lineage
        self._connection = connection
        self._tables = list(schema.names())
        self._moment = Moment(at=at)
        self._masks = Masks(_of_columns(policy.masks), key=b"")

    def view(self, *, before: Effects, after: Effects, given: Given) -> TablesView:
        """`before` and `after` are the effects that the chain reaches at all."""
        sides = [(before, NOTHING, Counter[str]()), (after, given, Counter[str]())]
        for names, outputs in self._tables:
            tried = {
                effect: [self._tried(effect, name) for name in names]
                for effect in (Effect.READ, Effect.WRITE)
                if effect in before | after
            }
            masked: dict[Way, int] = {}
            for reach, gives, found in sides:
                if Effect.WRITE in reach and any(self._runs(each, gives) for each in tried[Effect.WRITE]):
                    found["written"] += 1
                reads = tried[Effect.READ] if Effect.READ in reach else []
                ways = {self._shown(each, gives) for each in reads if self._runs(each, gives)}
                for way in ways - masked.keys():
                    masked[way] = self._masked(outputs, *way)
                if ways:
                    found.update(read=1, columns=len(outputs), masked=min(masked[way] for way in ways))
        return TablesView(
            total=len(self._tables),
            before=ReachedView(**sides[0][2]),
            after=ReachedView(**sides[1][2]),
        )

    def _tried(self, effect: Effect, name: str) -> tuple[Verdict, Facts]:
        """A command of this one effect on this one table."""
        facts = Facts(
            effects=frozenset({effect}), resources=(Resource(kind="table", name=name, effect=effect),)
        )
        return judge(self._policy, self._lineage, self._connection, facts, self._moment)

    def _runs(self, tried: tuple[Verdict, Facts], given: Given) -> bool:
        """Without being held."""
        verdict, facts = tried
        return isinstance(verdict, Allow) or (
            isinstance(verdict, Hold) and satisfied(self._policy, verdict, facts, given.effects, given.things)
        )

    def _shown(self, tried: tuple[Verdict, Facts], given: Given) -> Way:
        verdict, facts = tried
        masks = () if isinstance(verdict, Block) else verdict.masks
        return masks, given.reveal if covered(facts, given.effects, given.things) else None

    def _masked(self, outputs: Outputs, masks: tuple[str, ...], reveal: Reveal | None) -> int:
        mask = self._masks.mask(masks, reveal)
        return sum(
            mask.rule(each.sources, label=each.name) is not None or mask.opens(each.sources, label=each.name)
            for each in outputs
        )


def _of_columns(masks: Mapping[str, MaskPolicy]) -> Mapping[str, MaskPolicy]:
    """What detectors find cannot be counted beforehand."""
    return {name: replace(mask, detect=(), custom=()) for name, mask in masks.items()}
