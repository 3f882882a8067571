"""The file's examples: commands and what must come of them, judged as the gateway would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.model import Actor, Allow, Block, Facts, Hold, Lineage, Verdict
from gateway.policy.evaluate import evaluate
from gateway.policy.model import Example, Policy
from gateway.policy.moment import Moment
from gateway.policy.reader import Fault
from gateway.policy.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One example that was tried."""

    example: Example
    verdict: Verdict
    difference: str
    """What does not hold of it, "" where all does."""


def trials(policy: Policy, vocabulary: Vocabulary) -> Iterator[Trial]:
    """In the file's order."""
    masked_columns = vocabulary.masked_columns(policy.masks)
    for example in policy.examples:
        connection = policy.targets[example.connection].connection
        facts = facts_of(example, connection.protocol, vocabulary)
        lineage = lineage_of(example.agents, example.person, example.groups)
        verdict = evaluate(policy, lineage, connection, facts, moment_of(policy, example))
        masked = () if isinstance(verdict, Block) else masked_columns(verdict.masks, facts)
        yield Trial(example=example, verdict=verdict, difference=_difference(example, verdict, masked, facts))


def failures(policy: Policy, vocabulary: Vocabulary) -> list[Fault]:
    """What does not hold of the policy's examples, each with the place where it stands."""
    return [
        Fault(tried.example.line, tried.example.column, f"examples[{at}]", tried.difference)
        for at, tried in enumerate(trials(policy, vocabulary))
        if tried.difference
    ]


def facts_of(example: Example, protocol: str, vocabulary: Vocabulary) -> Facts:
    row = {
        "protocol": protocol,
        "connection": example.connection,
        "command": example.command,
        "session_before": list(example.session_before),
    }
    return vocabulary.read_facts(protocol, row)


def lineage_of(agents: Iterable[str], person: str, groups: frozenset[str]) -> Lineage:
    """A chain of agents that holds no tokens: to judge by, not to admit."""
    return Lineage(
        person=person,
        chain=tuple(Actor(name=name, token_id=f"example-{at}") for at, name in enumerate(agents)),
        groups=groups,
    )


def moment_of(policy: Policy, example: Example) -> Moment:
    """What the example says of it. Without `at` the time is not known: an example holds at night as it does by day."""
    return Moment(
        at=example.at,
        rows=example.estimated_rows,
        spent={rule.name: example.used for rule in policy.rules if rule.when.budget is not None},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A verdict in the words of the file."""

    word: str
    rules: tuple[str, ...]
    message: str = ""


def outcome(verdict: Verdict) -> Outcome:
    match verdict:
        case Allow():
            return Outcome(word="allow", rules=verdict.rules)
        case Hold():
            return Outcome(word="hold", rules=verdict.rules, message=verdict.message)
        case Block():
            return Outcome(word="block", rules=verdict.rules, message=verdict.message)


def _difference(example: Example, verdict: Verdict, masked: tuple[str, ...], facts: Facts) -> str:
    found = outcome(verdict)
    command = " ".join(example.command.split())[:60]
    effects = ", ".join(sorted(facts.effects)) or "none"
    if found.word != example.expect:
        return (
            f"`{command}` is to be {_said(example.expect)}, but it is {_said(found.word)} by "
            f"{', '.join(found.rules)} (its effects: {effects}); change the rules or the example"
        )
    if example.rules is not None and set(example.rules) != set(found.rules):
        return (
            f"`{command}` is {_said(found.word)} as expected, but {', '.join(found.rules)} decides, "
            f"not {', '.join(example.rules)}"
        )
    if example.masked is not None and {name.lower() for name in example.masked} != set(masked):
        return (
            f"`{command}` is to come back with {', '.join(example.masked) or 'no column'} masked, "
            f"but the masks touch {', '.join(masked) or 'no column'}"
        )
    return ""


def _said(word: str) -> str:
    return {"allow": "allowed", "hold": "held", "block": "blocked"}[word]
