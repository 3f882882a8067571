"""What an elevation satisfies: the holds whose every deed has an effect that was granted, and nothing else."""

from __future__ import annotations

from gateway.model import Effect, Effects, Facts, Hold
from gateway.policy.matching import deeds, speaks_of
from gateway.policy.model import DEFAULT_RULE, Policy


def satisfied(policy: Policy, verdict: Hold, facts: Facts, granted: Effects) -> bool:
    """Whether a chain that was granted these effects need not be held by any of the rules that hold the command.

    Where the default holds, or a rule that names no deed, the grant has to cover all that the command does.
    """
    done = deeds(facts)
    everything = facts.effects - {Effect.SESSION} <= granted
    rules = {rule.name: rule for rule in policy.rules}
    for name in verdict.rules:
        rule = None if name == DEFAULT_RULE else rules.get(name)
        held = speaks_of(rule, done) if rule is not None else frozenset()
        if not (all(deed.effect in granted for deed in held) if held else everything):
            return False
    return True
