"""`countersign check`: is this policy in order, and does it do what its examples say?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from gateway.policy.examples import failures
from gateway.policy.file import PolicyFileError, load
from gateway.policy.lint import warnings
from gateway.policy.model import Allowing, Blocking, Holding, Policy, Then
from gateway.policy.reader import Fault

HELP = "check policies.yaml: errors and warnings with their places, and its examples"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", type=Path, default=Path("policies.yaml"), help="default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """0: in order, warnings or not. 1: errors, or examples that do not hold. 2: no such file."""
    from gateway.vocabulary import known

    path: Path = arguments.file
    if not path.is_file():
        print(f"{path}: there is no such file", file=sys.stderr)
        return 2
    vocabulary = known()
    try:
        policy = load(path, vocabulary)
    except PolicyFileError as error:
        _report(arguments, str(path), None, error.errors, ())
        return 1
    broken = failures(policy, vocabulary)
    _report(arguments, str(path), policy, broken, warnings(policy))
    return 1 if broken else 0


def _report(
    arguments: argparse.Namespace,
    source: str,
    policy: Policy | None,
    errors: Sequence[Fault],
    doubts: Sequence[Fault],
) -> None:
    if arguments.json:
        answer = {
            "source": source,
            "ok": not errors,
            "errors": [asdict(fault) for fault in errors],
            "warnings": [asdict(fault) for fault in doubts],
            **(_resolved(policy) if policy is not None else {}),
        }
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    for fault in errors:
        print(f"{source}:{fault}")
    for fault in doubts:
        print(f"{source}:{fault.line}:{fault.column}: warning: {fault.key}: {fault.message}")
    if policy is not None:
        print(_summary(policy))
    tried = f", {_count(len(policy.examples), 'example')} tried" if policy is not None else ""
    print(f"{source}: {_count(len(errors), 'error')}, {_count(len(doubts), 'warning')}{tried}")


def _resolved(policy: Policy) -> dict[str, object]:
    return {
        "version": policy.version,
        "examples": len(policy.examples),
        "default": _word(policy.default),
        "connections": [
            {
                "name": name,
                "protocol": target.connection.protocol,
                "listen": str(target.listen),
                "upstream": str(target.upstream),
                "tls": target.upstream.tls,
                "labels": dict(target.connection.labels),
            }
            for name, target in policy.targets.items()
        ],
        "agents": [
            {"name": name, "scope": {to: sorted(effects) for to, effects in agent.scope.items()}}
            for name, agent in policy.agents.items()
        ],
        "groups": [
            {"name": name, "slack": group.slack, "members": list(group.members)}
            for name, group in policy.groups.items()
        ],
        "rules": [{"name": rule.name, "line": rule.line, "then": _word(rule.then)} for rule in policy.rules],
    }


def _summary(policy: Policy) -> str:
    lines = [f"policy version {policy.version}"]
    for name, target in policy.targets.items():
        to = f"{target.upstream} (TLS: {target.upstream.tls})"
        lines.append(f"  connection {name}: {target.connection.protocol}, {target.listen} -> {to}")
    for name, agent in policy.agents.items():
        scope = "; ".join(f"{to}: {', '.join(sorted(effects))}" for to, effects in agent.scope.items())
        lines.append(f"  agent {name}: {scope}")
    for name, group in policy.groups.items():
        slack = f" and {group.slack} in Slack" if group.slack else ""
        lines.append(f"  group {name}: {_count(len(group.members), 'member')}{slack}")
    lines += [f"  rule {rule.name}: {_word(rule.then)}s" for rule in policy.rules]
    lines.append(f"  otherwise: {_word(policy.default)}")
    return "\n".join(lines)


def _word(then: Then) -> str:
    match then:
        case Allowing():
            return "allow"
        case Holding():
            return "hold"
        case Blocking():
            return "block"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
