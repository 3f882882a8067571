"""What was found out about one command, and how people are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.commands.terminal import harmless, tinted
from gateway.model import Block, Connection, Facts, Hold, Lineage, Shape, Verdict
from gateway.policy.evaluate import outside
from gateway.policy.examples import outcome
from gateway.policy.model import AttributeValue, Policy
from gateway.policy.moment import Moment
from gateway.policy.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    connection: Connection
    lineage: Lineage
    facts: Facts
    moment: Moment
    verdict: Verdict
    masked: tuple[str, ...]


def beyond_scope(policy: Policy, explained: Explained) -> list[str]:
    """Effects that the scope of the agent at the root does not have: refused before any rule is asked."""
    root = policy.agents.get(explained.lineage.chain[0].name) if explained.lineage.chain else None
    if root is None:
        return []
    return sorted(outside(root.scope.get(explained.connection.name, frozenset()), explained.facts))


def because(explained: Explained, why: Iterable[Reason]) -> str:
    """A sentence: what decided, and where it stands."""
    said = {"allow": "Allowed", "hold": "Held", "block": "Blocked"}[outcome(explained.verdict).word]
    deciding = [f"{each.rule} ({each.file}:{each.line}) {each.sentence}" for each in why if each.decides]
    return f"{said}, because {' and '.join(deciding)}."


def told(explained: Explained, why: Iterable[Reason], beyond: list[str], alike: Shape | None) -> str:
    verdict, facts = explained.verdict, explained.facts
    judged = outcome(verdict)
    lines = [
        f"{tinted(judged.word)}  by {', '.join(judged.rules)}, on {explained.connection.name}",
        harmless(because(explained, why)),
    ]
    if judged.message:
        lines.append(f"  says       {harmless(judged.message)}")
    if isinstance(verdict, Hold):
        asks = " and ".join(
            f"{ask.quorum} of {_group(ask.approvers)}{' with a fresh login' if ask.step_up else ''}"
            for ask in verdict.asks
        )
        lines.append(f"  asks       {asks}, within {verdict.expires_in / 60:g} minutes")
    if alike is not None:
        lines.append(f"  shape      {harmless(alike.words)}")
        lines.append(f"  goes too   {harmless(alike.passes) or 'only this, however it is spaced and quoted'}")
        lines.append(f"  stays      {harmless(alike.stops)}")
    if beyond:
        root = explained.lineage.chain[0].name
        lines.append(f"  scope      {root} has no {', '.join(beyond)} here: refused before any rule is asked")
    lines.append(f"  effects    {', '.join(sorted(facts.effects)) or 'none'}")
    if not facts.complete:
        lines.append("  incomplete: it could not be read to the end")
    lines += [
        f"  touches    {each.kind} {harmless(each.name)} ({each.effect})" for each in facts.resources[:20]
    ]
    if len(facts.resources) > 20:
        lines.append(f"  touches    {len(facts.resources) - 20} more")
    lines += [
        f"  attribute  {key}: {harmless(_plain(value))}" for key, value in sorted(facts.attributes.items())
    ]
    if not isinstance(verdict, Block) and verdict.masks:
        lines.append(f"  masks      {', '.join(verdict.masks)}")
    if explained.masked:
        lines.append(f"  masked     {', '.join(map(harmless, explained.masked))}")
    lines.append("every rule:")
    lines += [
        f"  {'*' if each.decides else ' '} {each.file}:{each.line} {each.rule} {harmless(each.sentence)}"
        for each in why
    ]
    return "\n".join(lines)


def _group(approvers: str) -> str:
    return "any group" if approvers == "*" else approvers


def _plain(value: AttributeValue) -> str:
    """As the policy file would spell it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
