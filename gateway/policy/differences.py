"""What becomes of the same commands under two policies, and where that differs.

A difference is what somebody would notice: another verdict, other people asked, other columns or values masked. The
names of rules alone make none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gateway.model import Block, Facts, Hold, Lineage, Reach, Verdict
from gateway.policy.coverage import STRICTNESS
from gateway.policy.evaluate import evaluate
from gateway.policy.examples import outcome
from gateway.policy.model import Policy
from gateway.policy.moment import Moment
from gateway.policy.vocabulary import ColumnTeller, Vocabulary

SHOWN = 3
"""Commands that stand for each difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command that was asked, or might be."""

    connection: str
    lineage: Lineage
    facts: Facts
    text: str
    before: Moment
    after: Moment
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of it under one policy."""

    verdict: str
    rules: tuple[str, ...]
    asks: tuple[tuple[str, int], ...] = ()
    logins: tuple[tuple[str, float, str], ...] = ()
    """Whose yes needs a login beside the click, how fresh, and how strong."""
    lasting: tuple[str, ...] = ()
    """What a yes may be given for a while."""
    unanswered: tuple[str, ...] = ()
    """What happens while nobody answers."""
    masks: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()

    def noticed(self) -> tuple[object, ...]:
        hold = (self.asks, self.logins, self.lasting, self.unanswered)
        return self.verdict, hold, self.masks, self.masked


@dataclass(slots=True, kw_only=True)
class Difference:
    """Commands of one connection with which the same happened before, and the same after."""

    connection: str
    before: Judged
    after: Judged
    commands: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def loosens(self) -> bool:
        return STRICTNESS[self.after.verdict] < STRICTNESS[self.before.verdict]  # type: ignore[index]


class Comparison:
    """Two policies side by side."""

    def __init__(self, old: Policy, new: Policy, vocabulary: Vocabulary) -> None:
        self.commands = 0
        self._old, self._new = (
            _Bench(policy, vocabulary.masked_columns(policy.masks)) for policy in (old, new)
        )
        self._found: dict[tuple[str, Judged, Judged], Difference] = {}

    def compare(self, asked: Iterable[Asked]) -> None:
        for each in asked:
            self.commands += each.times
            before = self._old.judge(each, each.before)
            after = self._new.judge(each, each.after)
            if before.noticed() == after.noticed():
                continue
            if before.masked == after.masked:
                before, after = replace(before, masked=()), replace(after, masked=())
            found = self._found.setdefault(
                (each.connection, before, after),
                Difference(connection=each.connection, before=before, after=after),
            )
            found.commands += each.times
            if each.text not in found.examples and len(found.examples) < SHOWN:
                found.examples.append(each.text)

    @property
    def differences(self) -> list[Difference]:
        """Those that loosen first, then by how many commands they are about."""
        return sorted(self._found.values(), key=lambda each: (not each.loosens, -each.commands))


class _Bench:
    def __init__(self, policy: Policy, masked_columns: ColumnTeller) -> None:
        self._policy = policy
        self._masked_columns = masked_columns

    def judge(self, asked: Asked, moment: Moment) -> Judged:
        target = self._policy.targets.get(asked.connection)
        if target is None:
            return Judged(verdict="block", rules=("connections",))
        verdict = evaluate(self._policy, asked.lineage, target.connection, asked.facts, moment)
        return self._as_noticed(verdict, asked.facts)

    def _as_noticed(self, verdict: Verdict, facts: Facts) -> Judged:
        found = outcome(verdict)
        if isinstance(verdict, Block):
            return Judged(verdict=found.word, rules=found.rules)
        return Judged(
            verdict=found.word,
            rules=found.rules,
            asks=tuple(sorted((ask.approvers, ask.quorum) for ask in verdict.asks))
            if isinstance(verdict, Hold)
            else (),
            logins=_logins(verdict),
            lasting=_lasting(verdict),
            unanswered=_unanswered(verdict),
            masks=verdict.masks,
            masked=self._masked_columns(verdict.masks, facts),
        )


def _lasting(verdict: Verdict) -> tuple[str, ...]:
    lasting = verdict.lasting if isinstance(verdict, Hold) else None
    if lasting is None:
        return ()
    rows = f" and {lasting.rows} rows" if lasting.rows is not None else ""
    bounds = f"{lasting.longest / 60:g} minutes and {lasting.commands} commands{rows}"
    return tuple(f"{reach} for {bounds} at most" for reach in Reach if reach in lasting.what)


def _unanswered(verdict: Verdict) -> tuple[str, ...]:
    if not isinstance(verdict, Hold):
        return ()
    return tuple(
        f"{step.kind}{f' {step.to}' if step.to else ''} after {step.after / 60:g} minutes"
        for step in verdict.steps
    )


def _logins(verdict: Verdict) -> tuple[tuple[str, float, str], ...]:
    if not isinstance(verdict, Hold):
        return ()
    needed = {(ask.approvers, ask.step_up.max_age, ask.step_up.acr) for ask in verdict.asks if ask.step_up}
    return tuple(sorted(needed))
