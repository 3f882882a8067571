"""What is doubtful about a policy that is otherwise in order: each a warning that names the place and the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.model import Connection
from gateway.policy.model import ANY_GROUP, Allowing, Blocking, Group, Holding, MaskPolicy, Policy, Rule
from gateway.policy.reader import Fault
from gateway.policy.values import is_loopback


def warnings(policy: Policy) -> list[Fault]:
    """In the file's order; what is missing altogether first."""
    return sorted(
        [
            *_connections(policy),
            *_agents(policy),
            *_rules(policy),
            *_approvers(policy),
            *_masks(policy),
            *_examples(policy),
        ]
    )


def _connections(policy: Policy) -> Iterator[Fault]:
    for name, target in policy.targets.items():
        if target.upstream.tls != "verify-full" and not is_loopback(target.upstream.host):
            yield _at(
                policy,
                f"connections.{name}.upstream",
                f"sslmode={target.upstream.tls} does not prove which server answers; use verify-full",
            )
        if not is_loopback(target.listen.host) and policy.tls is None:
            yield _at(
                policy,
                f"connections.{name}.listen",
                f"{target.listen} is reached from other machines without TLS, and tokens are refused there; "
                "add `tls` or listen on 127.0.0.1",
            )
        if not any(name in agent.scope for agent in policy.agents.values()):
            yield _at(
                policy, f"connections.{name}", "no agent's scope reaches this connection; nobody can use it"
            )


def _agents(policy: Policy) -> Iterator[Fault]:
    for name, agent in policy.agents.items():
        if not agent.person and not agent.persons:
            yield _at(
                policy, f"agents.{name}", "no person is accountable for this agent; add `person` or `persons`"
            )
        if agent.secret is None:
            yield _at(
                policy,
                f"agents.{name}",
                "this agent has no secret and cannot ask for a token; add `secret: env:NAME`",
            )


def _rules(policy: Policy) -> Iterator[Fault]:
    for at, rule in enumerate(policy.rules):
        if not any(_reaches(rule, target.connection) for target in policy.targets.values()):
            yield _at(
                policy,
                f"rules[{at}].when",
                f"the rule {rule.name} can never match: its connections, protocols and labels fit no connection",
            )
        if isinstance(rule.then, Allowing) and rule.when.effects is None:
            yield _at(
                policy,
                f"rules[{at}].when",
                f"the rule {rule.name} allows every effect but unknown; name its `effects`",
            )
        asked = rule.then.asks if isinstance(rule.then, Holding) else ()
        for ask in asked:
            group = policy.groups.get(ask.approvers)
            if group is not None and not group.slack and 0 < len(group.members) < ask.quorum:
                yield _at(
                    policy,
                    f"rules[{at}].then",
                    f"{ask.quorum} votes are asked of {group.name}, which has {len(group.members)}: it can never be met",
                )


def _reaches(rule: Rule, connection: Connection) -> bool:
    when = rule.when
    if when.connections is not None and not when.connections.match(connection.name):
        return False
    if when.protocols is not None and connection.protocol not in when.protocols:
        return False
    return all(
        key in connection.labels and values.match(connection.labels[key])
        for key, values in when.labels.items()
    )


def _approvers(policy: Policy) -> Iterator[Fault]:
    holding = [rule.then for rule in policy.rules if isinstance(rule.then, Holding)]
    if isinstance(policy.default, Holding):
        holding.append(policy.default)
    asked = {ask.approvers for then in holding for ask in then.asks}
    for name in sorted((asked | set(policy.operators)) - {ANY_GROUP}):
        if _is_empty(policy.groups[name]):
            yield _at(
                policy,
                f"groups.{name}",
                "nobody is in this group, so it cannot approve; add `members` or `slack`",
            )
    if ANY_GROUP in asked and all(map(_is_empty, policy.groups.values())):
        yield _at(
            policy,
            "default",
            "what is held here asks any declared group, and none has members; it can only expire",
        )
    if holding and not policy.operators:
        yield _at(policy, "operators", "no group may end other people's sessions; add `operators: [GROUP]`")


def _is_empty(group: Group) -> bool:
    return not group.slack and not group.members


def _masks(policy: Policy) -> Iterator[Fault]:
    used = {name for rule in policy.rules if not isinstance(rule.then, Blocking) for name in rule.then.masks}
    if not isinstance(policy.default, Blocking):
        used.update(policy.default.masks)
    for name in _unused(policy.masks.values(), used):
        yield _at(policy, f"masks.{name}", "no rule uses this mask; name it in a rule's `mask`")


def _unused(masks: Iterable[MaskPolicy], used: set[str]) -> list[str]:
    return [mask.name for mask in masks if mask.name not in used]


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
