"""The verdict on a command: every rule that matches counts, in any order, and the strictest wins.

What a command does is a set of deeds: an effect, and the thing it is done to. It is allowed when each of its deeds
is allowed by some rule. A deed that no rule speaks of falls to the policy's default, which never allows; so
wrapping a command into another can add demands and never takes one away. Whether a rule matches is
`gateway.policy.matching`'s business; here is only how matches combine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from gateway.model import (
    Allow,
    Ask,
    Block,
    Connection,
    Effect,
    Effects,
    Facts,
    Hold,
    Lasting,
    Lineage,
    Step,
    StepKind,
    Verdict,
)
from gateway.policy.carrying import under_masks
from gateway.policy.matching import OF_THE_MOMENT, Deed, RuleErred, deeds, failing, speaks_of
from gateway.policy.model import ANYBODY, DEFAULT_RULE, Allowing, Blocking, Default, Holding, Policy, Then
from gateway.policy.moment import SOME_MOMENT, Moment

HELD = "A person has to approve this."
"""What a hold says where no rule has a sentence of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule whose conditions hold."""

    rule: str
    then: Then
    covers: frozenset[Deed]
    """The deeds it speaks of. A rule that allows none of them decides nothing, but lends its masks."""


def evaluate(
    policy: Policy, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment = SOME_MOMENT
) -> Verdict:
    """What becomes of a command of `lineage` on `connection`. Pure: depends on nothing but its arguments."""
    return judge(policy, lineage, connection, facts, moment)[0]


def judge(
    policy: Policy, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment = SOME_MOMENT
) -> tuple[Verdict, Facts]:
    """The verdict, and the facts it was made on: those given, with `exfil` where its masks would be got past."""
    verdict = _by_rules(policy, lineage, connection, facts, moment)
    if isinstance(verdict, Block):
        return verdict, facts
    seen = under_masks(policy, verdict.masks, facts)
    return (verdict if seen is facts else _by_rules(policy, lineage, connection, seen, moment)), seen


def _by_rules(
    policy: Policy, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment
) -> Verdict:
    done = deeds(facts)
    findings: list[Finding] = []
    for rule in policy.rules:
        if not rule.enforce:
            continue
        try:
            failed = failing(rule, lineage, connection, facts, moment)
            if not failed:
                findings.append(Finding(rule=rule.name, then=rule.then, covers=speaks_of(rule, done)))
            elif failed in OF_THE_MOMENT and not isinstance(rule.then, Blocking):
                # All else holds: what it masks at other times is not shown at this one.
                lent = Allowing(masks=rule.then.masks)
                findings.append(Finding(rule=rule.name, then=lent, covers=frozenset()))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong inside a rule, it blocks
            message = f"The rule {rule.name} cannot be judged: {error}."
            findings.append(Finding(rule=rule.name, then=Blocking(message=message), covers=done))
    return combine(findings, done, policy.default)


def shadows(
    policy: Policy,
    lineage: Lineage,
    connection: Connection,
    facts: Facts,
    moment: Moment = SOME_MOMENT,
) -> tuple[str, ...]:
    """The rules that would have decided as well, were they enforced; for the record alone."""
    done = deeds(facts)
    found: list[str] = []
    for rule in policy.rules:
        if rule.enforce:
            continue
        try:
            matches = not failing(rule, lineage, connection, facts, moment)
        except Exception:  # noqa: BLE001 - it would block, and acts on nothing
            matches = True
        if matches and (speaks_of(rule, done) or not isinstance(rule.then, Allowing)):
            found.append(rule.name)
    return tuple(found)


def counting(
    policy: Policy, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment
) -> tuple[str, ...]:
    """The rules, shadows included, of whose budget a command takes: those that speak of it but for the budget."""
    return _but_for("budget", policy, lineage, connection, facts, moment)


def hinging(
    policy: Policy, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment
) -> tuple[str, ...]:
    """The enforced rules whose say hangs on an estimate that the moment does not have, and nothing else."""
    if moment.rows is not None:
        return ()
    found = _but_for("estimated_rows", policy, lineage, connection, facts, moment)
    enforced = {rule.name for rule in policy.enforced}
    return tuple(name for name in found if name in enforced)


def _but_for(
    key: str, policy: Policy, lineage: Lineage, connection: Connection, facts: Facts, moment: Moment
) -> tuple[str, ...]:
    done = deeds(facts)
    found: list[str] = []
    for rule in policy.rules:
        if getattr(rule.when, key) is None:
            continue
        try:
            holds = not failing(rule, lineage, connection, facts, moment, but=key)
        except RuleErred:
            holds = True
        if holds and speaks_of(rule, done):
            found.append(rule.name)
    return tuple(found)


def combine(findings: Iterable[Finding], done: frozenset[Deed], default: Default) -> Verdict:
    """Block over hold over allow. The order of `findings` does not matter."""
    ordered = sorted(findings, key=lambda finding: finding.rule)
    deciding = [
        (each.rule, each.then) for each in ordered if each.covers or not isinstance(each.then, Allowing)
    ]
    spoken_of = frozenset[Deed]().union(*(each.covers for each in ordered))
    if not deciding or not done <= spoken_of:
        deciding.append((DEFAULT_RULE, default))
    blocks = [(rule, then) for rule, then in deciding if isinstance(then, Blocking)]
    if blocks:
        return Block(rules=_names(blocks), message=_joined(then.message for _, then in blocks))
    holds = [(rule, then) for rule, then in deciding if isinstance(then, Holding)]
    if holds:
        return held(holds, _masks(ordered))
    return Allow(rules=_names(deciding), masks=_masks(ordered))


def outside(scope: Effects, facts: Facts) -> Effects:
    """The effects of a command that a token's `scope` on the connection does not reach.

    Whoever may do anything there may also keep a session; `unknown` is reached only where it is named.
    """
    return facts.effects - scope - ({Effect.SESSION} if scope else frozenset())


def held(holds: Sequence[tuple[str, Holding]], masks: tuple[str, ...] = ()) -> Hold:
    """What is asked of people by several holds together, each under the name of its rule."""
    by_default = any(rule == DEFAULT_RULE for rule, _ in holds)
    if len(holds) > 1:
        # The bare default asks for anybody's yes; whom a rule asks is somebody, so it asks nothing more.
        holds = [(rule, then) for rule, then in holds if rule != DEFAULT_RULE or then.asks != ANYBODY]
    return Hold(
        rules=_names(holds),
        message=_joined(then.message for _, then in holds) or HELD,
        asks=tuple(
            Ask(rule=rule, approvers=ask.approvers, quorum=ask.quorum, step_up=ask.step_up)
            for rule, then in holds
            for ask in then.asks
        ),
        masks=masks,
        expires_in=min(then.within for _, then in holds),
        lasting=_lasting([then.lasting for _, then in holds]),
        steps=_steps(holds),
        by_default=by_default,
    )


def _steps(holds: Sequence[tuple[str, Holding]]) -> tuple[Step, ...]:
    """What happens while nobody answers, of all rules that hold: each for its own asks, and until the first is over."""
    until = min(then.within for _, then in holds)
    found = {
        replace(step, rule=rule if step.kind is StepKind.ESCALATE else "")
        for rule, then in holds
        for step in then.steps
        if step.after < until
    }
    return tuple(sorted(found, key=lambda step: (step.after, step.kind, step.to, step.rule)))


def _lasting(offered: Sequence[Lasting | None]) -> Lasting | None:
    """What every rule that holds lets a yes be: one that says nothing lets it be for the one command."""
    each = [one for one in offered if one is not None]
    what = frozenset.intersection(*(one.what for one in each)) if len(each) == len(offered) else frozenset()
    if not what:
        return None
    return Lasting(
        what=what,
        longest=min(one.longest for one in each),
        commands=min(one.commands for one in each),
        rows=min((one.rows for one in each if one.rows is not None), default=None),
    )


def _masks(findings: Iterable[Finding]) -> tuple[str, ...]:
    names: set[str] = set()
    for finding in findings:
        match finding.then:
            case Allowing(masks=masks) | Holding(masks=masks):
                names.update(masks)
            case Blocking():
                pass
            case _ as unreachable:
                assert_never(unreachable)
    return tuple(sorted(names))


def _names(decided: Iterable[tuple[str, Then]]) -> tuple[str, ...]:
    return tuple(rule for rule, _ in decided)


def _joined(messages: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(message for message in messages if message))
