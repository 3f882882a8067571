"""How much of each rule's budget is used up: counted for a root agent and all that it started, whatever their tokens
and sessions, so that nobody gets a new budget by a new connection, a new token or a child.

A budget is a sliding window, kept in slices: what leaves it does so a slice at a time, never too early. The counts
outlive reloads by the rule's name, and restarts by `changes` and `recall`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.model import Lineage
from gateway.policy.model import Policy
from gateway.policy.moment import Budget, Spent

SLICES = 60
"""Of one window."""


class Budgets:
    """What was spent. Time is told to it, in Unix seconds."""

    def __init__(self) -> None:
        self._slices: dict[tuple[str, str], dict[float, Spent]] = {}
        """(rule, root) -> beginning of the slice -> what was spent in it."""
        self._changed: set[tuple[str, str]] = set()

    def spent(self, policy: Policy, lineage: Lineage, at: float) -> dict[str, Spent]:
        """Of each budget in the policy, by the name of its rule."""
        return {
            rule.name: self._within((rule.name, root_of(lineage)), rule.when.budget, at)
            for rule in policy.rules
            if rule.when.budget is not None
        }

    def count(self, policy: Policy, rules: Iterable[str], lineage: Lineage, at: float, spent: Spent) -> None:
        """`spent` counts for the budgets of these rules."""
        budgets = {rule.name: rule.when.budget for rule in policy.rules}
        for name in rules:
            budget = budgets.get(name)
            if budget is None:
                continue  # a reload took it away
            key = (name, root_of(lineage))
            width = budget.per / SLICES
            begins = at // width * width
            slices = self._slices.setdefault(key, {})
            had = slices.get(begins, Spent())
            slices[begins] = Spent(commands=had.commands + spent.commands, rows=had.rows + spent.rows)
            self._changed.add(key)

    def changes(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """What changed since this was last asked: key and document, for a store."""
        changed, self._changed = self._changed, set()
        for key in changed:
            slices = self._slices.get(key, {})
            yield "\n".join(key), {f"{begins:.3f}": [of.commands, of.rows] for begins, of in slices.items()}

    def recall(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """What `changes` told an earlier life of this gateway. Raises `ValueError` where it is none of ours."""
        for joined, slices in documents.items():
            rule, _, root = joined.partition("\n")
            self._slices[rule, root] = {
                float(begins): Spent(commands=int(commands), rows=int(rows))
                for begins, (commands, rows) in slices.items()
            }

    def _within(self, key: tuple[str, str], budget: Budget, at: float) -> Spent:
        slices = self._slices.get(key)
        if not slices:
            return Spent()
        oldest = at - budget.per * (1 + 1 / SLICES)
        for begins in [each for each in slices if each < oldest]:
            del slices[begins]
        return Spent(
            commands=sum(of.commands for of in slices.values()),
            rows=sum(of.rows for of in slices.values()),
        )


def root_of(lineage: Lineage) -> str:
    """Whose budget it is: the agent that began the chain, which alone has proved its name."""
    return lineage.chain[0].name if lineage.chain else lineage.person
