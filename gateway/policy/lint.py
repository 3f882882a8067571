"""What is doubtful about a policy that is otherwise in order: each a warning that names the place and the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.model import Effect, StepKind
from gateway.policy.coverage import cell, effects_of, masks_of, reaches, set_conditions
from gateway.policy.kinds import KNOWN
from gateway.policy.model import (
    ANY_GROUP,
    DAY,
    HOUR,
    MINUTE,
    Agent,
    Allowing,
    Blocking,
    Holding,
    MaskPolicy,
    Policy,
    Rule,
)
from gateway.policy.offering import doubts
from gateway.policy.quorums import is_empty, unmeetable
from gateway.policy.reader import Fault, suggestion
from gateway.policy.shadowing import dead, implied
from gateway.policy.strengths import contradicting
from gateway.policy.values import is_loopback

_OF_EVERYBODY = frozenset({"connections", "protocols", "labels", "effects", "resources", "attributes"})
"""Conditions that do not look at who asks."""


def warnings(policy: Policy) -> list[Fault]:
    """In the file's order; what is missing altogether first."""
    return sorted(
        [
            *_connections(policy),
            *_agents(policy),
            *_identity(policy),
            *_rules(policy),
            *_approvers(policy),
            *_masks(policy),
            *_examples(policy),
            *(_at(policy, key, message) for key, message in doubts(policy)),
        ]
    )


def _connections(policy: Policy) -> Iterator[Fault]:
    for name, target in policy.targets.items():
        if target.upstream.tls not in {"verify-full", "own"} and not is_loopback(target.upstream.host):
            yield _at(
                policy,
                f"connections.{name}.upstream",
                f"sslmode={target.upstream.tls} does not prove which server answers; use verify-full",
            )
        if target.upstream.tls != "own" and not is_loopback(target.listen.host) and policy.tls is None:
            yield _at(
                policy,
                f"connections.{name}.listen",
                f"{target.listen} is reached from other machines without TLS, and tokens are refused there; "
                "add `tls` or listen on 127.0.0.1",
            )
        scopes = [each.scope for each in policy.agents.values()]
        scopes += [each.scope for each in policy.identity.people]
        if not any(name in scope for scope in scopes):
            yield _at(
                policy, f"connections.{name}", "no agent's scope reaches this connection; nobody can use it"
            )


def _of_workloads(policy: Policy) -> set[str]:
    """Agents whose tokens are had for those of another issuer."""
    return {rule.agent for each in policy.identity.workloads.values() for rule in each.rules}


def _identity(policy: Policy) -> Iterator[Fault]:
    everywhere = [name for name, each in policy.identity.providers.items() if not each.domains]
    for grant in policy.identity.people:
        if everywhere and not grant.groups:
            yield _at(
                policy,
                f"identity.people.{grant.name}",
                f"whoever {' or '.join(everywhere)} vouches for gets this, whatever their address; add `groups` here, or "
                "`domains` there",
            )
    if policy.identity.providers:
        return
    without = "no identity provider is declared, so nobody can log in; add `identity.providers`"
    for grant in policy.identity.people:
        yield _at(policy, f"identity.people.{grant.name}", without)
    for name, group in policy.groups.items():
        if group.claim:
            yield _at(policy, f"groups.{name}.claim", without)
    asking = [(f"rules[{at}].then", rule.then) for at, rule in enumerate(policy.rules)]
    for key, then in [*asking, ("default", policy.default)]:
        if isinstance(then, Holding) and any(ask.step_up is not None for ask in then.asks):
            yield _at(policy, key, f"a yes here needs a fresh login: {without}")
    for at, offer in enumerate(policy.elevations):
        if any(ask.step_up is not None for ask in offer.hold.asks):
            yield _at(policy, f"elevations[{at}].hold", f"a yes here needs a fresh login: {without}")


def _agents(policy: Policy) -> Iterator[Fault]:
    for name, agent in policy.agents.items():
        if not agent.person and not agent.persons:
            yield _at(
                policy, f"agents.{name}", "no person is accountable for this agent; add `person` or `persons`"
            )
        if agent.secret is None and not agent.keys and name not in _of_workloads(policy):
            yield _at(
                policy,
                f"agents.{name}",
                "this agent has no secret and cannot ask for a token; add `secret: env:NAME`, or a rule of `identity.workloads`",
            )
        if agent.keys and "address" in agent.binding.to:
            yield _at(
                policy,
                f"agents.{name}.bound",
                "who enters by one of its `keys` has a new token each time, which no address binds; bind it to its "
                "`session`, or leave `keys` out",
            )
        if agent.scope and not any(_comes_through(policy, agent, to) for to in agent.scope):
            yield _at(
                policy,
                f"agents.{name}.scope",
                "no rule allows or holds anything of this scope: whatever the agent asks for "
                + (
                    "is blocked"
                    if isinstance(policy.default, Blocking)
                    else "is blocked or falls to the default"
                ),
            )


def _comes_through(policy: Policy, agent: Agent, connection: str) -> bool:
    """Some rule lets something of the agent's scope there through, or asks people for it."""
    target = policy.targets[connection]
    for effect in agent.scope[connection]:
        found = cell(policy, target.connection, effect)
        if any(each.verdict != "block" for each in found.may) or (
            not found.is_default and found.verdict != "block"
        ):
            return True
    return False


def _rules(policy: Policy) -> Iterator[Fault]:
    for found in dead(policy):
        condition = f".{found.condition}" if found.condition else ""
        yield _at(policy, f"rules[{found.at}].when{condition}", found.message)
    for at, rule in enumerate(policy.rules):
        if isinstance(rule.then, Allowing) and rule.when.effects is None:
            yield _at(
                policy,
                f"rules[{at}].when",
                f"the rule {rule.name} allows every effect but unknown; name its `effects`",
            )
        if isinstance(rule.then, Holding):
            yield from _within(policy, at, rule, rule.then)
        yield from _unmasked(policy, at, rule)
        yield from _kinds(policy, at, rule)
    for unmet in [*unmeetable(policy), *contradicting(policy)]:
        yield _at(policy, unmet.key, unmet.message)


def _kinds(policy: Policy, at: int, rule: Rule) -> Iterator[Fault]:
    patterns = rule.when.resources.patterns if rule.when.resources is not None else ()
    for pattern in patterns:
        kind, colon, _ = pattern.partition(":")
        if colon and kind not in KNOWN:
            yield _at(
                policy,
                f"rules[{at}].when.resources",
                f"no command is known to touch a `{kind}`{suggestion(kind, KNOWN)}",
            )


def _within(policy: Policy, at: int, rule: Rule, then: Holding) -> Iterator[Fault]:
    longest = max((agent.ttl for agent in policy.agents.values()), default=then.within)
    if then.within > longest:
        yield _at(
            policy,
            f"rules[{at}].then.hold.within",
            f"the rule {rule.name} waits longer than any agent's token lives ({_span(longest)}), and with the token "
            "its approval ends; shorten `within`, or raise the agents' `ttl`",
        )


def _unmasked(policy: Policy, at: int, rule: Rule) -> Iterator[Fault]:
    """Reading let through for whoever asks, where another rule masks it for some: the answers differ by accident."""
    if (
        not rule.enforce
        or not _reads(rule)
        or masks_of(rule.then)
        or not _OF_EVERYBODY.issuperset(set_conditions(rule.when))
    ):
        return
    for target in policy.targets.values():
        connection = target.connection
        if not reaches(rule, connection):
            continue
        lending = [each for each in policy.enforced if masks_of(each.then) and reaches(each, connection)]
        if any(implied(rule, each) for each in lending):
            continue
        masking = [
            each
            for each in lending
            if _reads(each) and not _OF_EVERYBODY.issuperset(set_conditions(each.when))
        ]
        if masking:
            other = masking[0]
            names = ", ".join(masks_of(other.then))
            yield _at(
                policy,
                f"rules[{at}].then",
                f"the rule {rule.name} lets anybody read {connection.name} unmasked where {other.name} (line "
                f"{other.line}), which masks by {names}, does not match; add `mask: {names}`",
            )
            return


def _reads(rule: Rule) -> bool:
    return isinstance(rule.then, Allowing) and Effect.READ in effects_of(rule)


def _approvers(policy: Policy) -> Iterator[Fault]:
    holding = [rule.then for rule in policy.rules if isinstance(rule.then, Holding)]
    if isinstance(policy.default, Holding):
        holding.append(policy.default)
    holding += [offer.hold for offer in policy.elevations]
    reviews = [offer.break_glass for offer in policy.elevations if offer.break_glass is not None]
    asking = [*(then.asks for then in holding), *(review.asks for review in reviews)]
    asked = {ask.approvers for asks in asking for ask in asks}
    asked |= {step.to for then in holding for step in then.steps if step.kind is StepKind.ESCALATE}
    for name in sorted((asked | set(policy.operators)) - {ANY_GROUP}):
        if is_empty(policy.groups[name]):
            yield _at(
                policy,
                f"groups.{name}",
                "nobody is in this group, so it cannot approve; add `members`, `slack` or `claim`",
            )
    if ANY_GROUP in asked and all(map(is_empty, policy.groups.values())):
        yield _at(
            policy,
            "default",
            "what is held here asks any declared group, and none has members; it can only expire",
        )
    if holding and not policy.operators:
        yield _at(policy, "operators", "no group may end other people's sessions; add `operators: [GROUP]`")


def _masks(policy: Policy) -> Iterator[Fault]:
    used = {name for rule in policy.rules if not isinstance(rule.then, Blocking) for name in rule.then.masks}
    if not isinstance(policy.default, Blocking):
        used.update(policy.default.masks)
    for name in _unused(policy.masks.values(), used):
        yield _at(policy, f"masks.{name}", "no rule uses this mask; name it in a rule's `mask`")


def _unused(masks: Iterable[MaskPolicy], used: set[str]) -> list[str]:
    return [mask.name for mask in masks if mask.name not in used]


def _span(seconds: float) -> str:
    for unit, length in (("d", DAY), ("h", HOUR), ("m", MINUTE)):
        if seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"


def _examples(policy: Policy) -> Iterator[Fault]:
    if not policy.examples:
        yield _at(
            policy,
            "examples",
            "there are none; a few commands with what must come of them keep later edits honest",
        )


def _at(policy: Policy, key: str, message: str) -> Fault:
    """At the key, or at the nearest thing around it that is in the file."""
    around = key
    while around and around not in policy.places:
        around = around.rpartition(".")[0]
    line, column = policy.places.get(around, (1, 1))
    return Fault(line, column, key, message)
