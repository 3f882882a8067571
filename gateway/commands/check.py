"""`countersign check`: is this policy in order, and does it do what its examples say?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from gateway.commands.options import policy_file
from gateway.commands.terminal import harmless, tinted
from gateway.model import Effect, Scope
from gateway.policy.coverage import Cell, coverage, word
from gateway.policy.examples import failures
from gateway.policy.file import PolicyFileError, load
from gateway.policy.lint import warnings
from gateway.policy.model import Policy
from gateway.policy.reader import Fault
from gateway.policy.schema import schema, text_of

HELP = "Check policies.yaml: errors and warnings with their places, its examples, and what it covers."
FORMATS = ("text", "json", "github")
BY_DEFAULT = "  * no rule always speaks of it: the default"


def options(parser: argparse.ArgumentParser) -> None:
    policy_file(parser)
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings, too")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument(
        "--format", choices=FORMATS, default="text", help="github: annotations of a workflow; default: text"
    )
    shape.add_argument(
        "--json", action="store_const", const="json", dest="format", help="the same as --format json"
    )
    shape.add_argument("--schema", action="store_true", help="print the JSON Schema of the file instead")


def run(arguments: argparse.Namespace) -> int:
    """0: in order. 1: errors, or examples that do not hold; with --strict, warnings. 2: no such file."""
    from gateway.vocabulary import known

    vocabulary = known()
    if arguments.schema:
        print(text_of(schema(vocabulary)), end="")
        return 0
    path: Path = arguments.file
    if not path.is_file():
        print(f"{path}: there is no such file; name the policy's file on the command line", file=sys.stderr)
        return 2
    try:
        policy = load(path, vocabulary)
    except PolicyFileError as error:
        _report(arguments.format, str(path), None, error.errors, ())
        return 1
    broken, doubts = failures(policy, vocabulary), warnings(policy)
    _report(arguments.format, str(path), policy, broken, doubts)
    return 1 if broken or (arguments.strict and doubts) else 0


def _report(
    form: str,
    source: str,
    policy: Policy | None,
    errors: Sequence[Fault],
    doubts: Sequence[Fault],
) -> None:
    match form:
        case "json":
            answer = {
                "source": source,
                "ok": not errors,
                "errors": [asdict(fault) for fault in errors],
                "warnings": [asdict(fault) for fault in doubts],
                **(_resolved(policy) if policy is not None else {}),
            }
            print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        case "github":
            for fault in errors:
                print(_annotation("error", source, fault))
            for fault in doubts:
                print(_annotation("warning", source, fault))
        case _:
            _tell(source, policy, errors, doubts)


def _tell(source: str, policy: Policy | None, errors: Sequence[Fault], doubts: Sequence[Fault]) -> None:
    for fault in errors:
        print(f"{harmless(source)}:{fault}")
    for fault in doubts:
        place, _, told = str(fault).partition(": ")
        print(f"{harmless(source)}:{place}: {tinted('warning')}: {told}")
    if policy is not None:
        print(_summary(policy))
        print(table(coverage(policy)))
    tried = f", {_count(len(policy.examples), 'example')} tried" if policy is not None else ""
    found = f"{_count(len(errors), 'error')}, {_count(len(doubts), 'warning')}{tried}"
    print(f"{harmless(source)}: {tinted('error', found) if errors else found}")


def _annotation(level: str, source: str, fault: Fault) -> str:
    """A workflow command of GitHub Actions, with what it reserves written out."""
    place = source.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    message = f"{fault.key}: {fault.message}" if fault.key else fault.message
    message = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} file={place},line={fault.line},col={fault.column}::{message}"


def table(cells: Sequence[Cell]) -> str:
    """Connections down, effects across; below it, what conditions change."""
    connections = list(dict.fromkeys(each.connection for each in cells))
    shown = {(each.connection, each.effect): _shown(each) for each in cells}
    first = max(len("coverage"), *map(len, connections)) if connections else len("coverage")
    wide = {
        effect: max(len(effect), *(len(shown[name, effect]) for name in connections))
        for effect in Effect
        if connections
    }
    lines = [
        f"  {'coverage':<{first}}  " + "  ".join(f"{effect:<{width}}" for effect, width in wide.items()),
        *(
            f"  {name:<{first}}  "
            + "  ".join(f"{shown[name, effect]:<{width}}" for effect, width in wide.items())
            for name in connections
        ),
    ]
    if any(each.is_default for each in cells):
        lines.append(BY_DEFAULT)
    if any(each.may for each in cells):
        lines.append("  ~ also, under further conditions:")
        ways: dict[tuple[str, str, str], list[str]] = {}
        for each in cells:
            for way in each.may:
                told = f"{way.verdict}, by {way.rule} (line {way.line}), depending on {', '.join(way.on)}"
                ways.setdefault((each.connection, way.rule, told), []).append(each.effect)
        lines += [f"    {name} {', '.join(effects)}: {told}" for (name, _, told), effects in ways.items()]
    return "\n".join(line.rstrip() for line in lines)


def _shown(cell: Cell) -> str:
    return cell.verdict + ("*" if cell.is_default else "") + ("~" if cell.may else "")


def cell_fields(cell: Cell) -> dict[str, object]:
    """A cell as JSON has it."""
    return {
        "connection": cell.connection,
        "effect": str(cell.effect),
        "verdict": cell.verdict,
        "default": cell.is_default,
        "rules": list(cell.rules),
        "masks": list(cell.masks),
        "may": [asdict(each) for each in cell.may],
    }


def _resolved(policy: Policy) -> dict[str, object]:
    return {
        "version": policy.version,
        "examples": len(policy.examples),
        "default": {"then": word(policy.default), "line": policy.places.get("default", (0, 0))[0]},
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
        "agents": [{"name": name, "scope": _effects(agent.scope)} for name, agent in policy.agents.items()],
        "groups": [
            {
                "name": name,
                "slack": group.slack,
                "members": list(group.members),
                "claim": list(group.claim),
            }
            for name, group in policy.groups.items()
        ],
        "identity": {
            "providers": [
                {"name": name, "domains": list(each.domains)}
                for name, each in policy.identity.providers.items()
            ],
            "people": [
                {"name": each.name, "groups": list(each.groups), "scope": _effects(each.scope)}
                for each in policy.identity.people
            ],
            "workloads": [
                {
                    "name": name,
                    "issuer": each.issuer,
                    "agents": sorted({rule.agent for rule in each.rules}),
                }
                for name, each in policy.identity.workloads.items()
            ],
        },
        "coverage": [cell_fields(each) for each in coverage(policy)],
        "rules": [
            {"name": rule.name, "line": rule.line, "then": word(rule.then), "enforce": rule.enforce}
            for rule in policy.rules
        ],
    }


def _effects(scope: Scope) -> dict[str, list[str]]:
    return {to: sorted(effects) for to, effects in scope.items()}


def _summary(policy: Policy) -> str:
    lines = [f"policy version {policy.version}"]
    for name, target in policy.targets.items():
        own = f"host keys: {target.upstream.ca or '~/.ssh/known_hosts'}"
        to = f"{target.upstream} ({own if target.upstream.tls == 'own' else f'TLS: {target.upstream.tls}'})"
        protocol = target.connection.protocol
        lines.append(f"  connection {name}: {protocol}, {target.listen} -> {to}")
    for name, agent in policy.agents.items():
        lines.append(f"  agent {name}: {_scope(agent.scope)}")
    for name, group in policy.groups.items():
        others = f" and {group.slack} in Slack" if group.slack else ""
        if group.claim:
            others = f" and whom identity providers say to be in {' or '.join(group.claim)}"
        lines.append(f"  group {name}: {_count(len(group.members), 'member')}{others}")
    lines += _identities(policy)
    lines += [
        f"  rule {rule.name}: {word(rule.then)}s"
        + ("" if rule.enforce else ", a shadow: it would, and does not")
        for rule in policy.rules
    ]
    lines.append(f"  otherwise: {word(policy.default)}")
    return "\n".join(lines)


def _identities(policy: Policy) -> Iterator[str]:
    """Whose word is taken, and what that makes of people and programs."""
    for provider in policy.identity.providers.values():
        of = " or ".join(provider.domains)
        yield f"  provider {provider.name}: vouches for {f'addresses of {of}' if of else 'any address'}"
    for grant in policy.identity.people:
        whom = " or ".join(grant.groups) or "whoever logs in"
        yield f"  people {grant.name} ({whom}): {_scope(grant.scope)}"
    for workload in policy.identity.workloads.values():
        for rule in workload.rules:
            when = " and ".join(
                f"{claim} {' or '.join(globs.patterns)}" for claim, globs in rule.when.items()
            )
            less = f": {_scope(rule.scope)}" if rule.scope is not None else ""
            yield f"  workload {workload.name} with {when} is {rule.agent}{less}"


def _scope(scope: Scope) -> str:
    return "; ".join(f"{to}: {', '.join(sorted(effects))}" for to, effects in scope.items())


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
