"""What an elevation satisfies: the holds whose every deed has an effect that was granted, on a thing it is for."""

from __future__ import annotations

from gateway.model import Effect, Effects, Facts, Hold
from gateway.policy.kinds import Patterns
from gateway.policy.matching import Deed, deeds, speaks_of
from gateway.policy.model import DEFAULT_RULE, Policy


def satisfied(
    policy: Policy, verdict: Hold, facts: Facts, granted: Effects, things: Patterns | None = None
) -> bool:
    """Whether a chain that was granted these effects need not be held by any of the rules that hold the command.

    Where the default holds, or a rule that names no deed, the grant has to cover all that the command does.
    """
    done = deeds(facts)
    everything = covered(facts, granted, things)
    if verdict.by_default and not everything:
        return False
    rules = {rule.name: rule for rule in policy.rules}
    for name in verdict.rules:
        rule = None if name == DEFAULT_RULE else rules.get(name)
        held = speaks_of(rule, done) if rule is not None else frozenset()
        if not (all(_covers(deed, granted, things) for deed in held) if held else everything):
            return False
    return True


def covered(facts: Facts, granted: Effects, things: Patterns | None = None) -> bool:
    """Whether everything that the command does was granted; a session is nothing that has to be."""
    return all(deed.effect is Effect.SESSION or _covers(deed, granted, things) for deed in deeds(facts))


def _covers(deed: Deed, granted: Effects, things: Patterns | None) -> bool:
    """A thing is read as where a rule allows: exactly as written."""
    return deed.effect in granted and (
        things is None or (deed.name != "" and things.is_exactly(deed.kind, deed.name))
    )
