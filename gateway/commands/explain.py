"""`countersign explain`: what would become of a command, and why; one for people, or a stream of rows."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.model import Actor, Block, Connection, Effect, Facts, Hold, Lineage, Verdict
from gateway.policy.evaluate import combine, judge
from gateway.policy.examples import lineage_of, outcome
from gateway.policy.file import PolicyFileError, load
from gateway.policy.matching import deeds
from gateway.policy.model import AttributeValue, Policy
from gateway.policy.reasons import Reason, reasons
from gateway.policy.vocabulary import Vocabulary

HELP = "what the policy says about a command, and why"
PROTOCOLS = ("postgres", "mysql", "ssh", "http", "kubernetes")
"""What a row may name. Commands of protocols that this build cannot read are unknown, and judged as such."""
UNREAD = Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)
ANYONE = lineage_of(("agent",), "", frozenset())


class RowUnreadable(Exception):
    """A row that does not say what to explain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    connection: Connection
    lineage: Lineage
    facts: Facts
    verdict: Verdict
    masked: tuple[str, ...]


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--policy", type=Path, default=Path("policies.yaml"), help="default: %(default)s")
    parser.add_argument("--jsonl", action="store_true", help="read rows from stdin, write one row for each")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--connection", help="default: the policy's first")
    parser.add_argument("--agent", action="append", help="an agent of the chain, root first; may be repeated")
    parser.add_argument("--person", default="", help="the accountable person's e-mail")
    parser.add_argument(
        "--group", action="append", default=[], help="a group of that person; may be repeated"
    )
    parser.add_argument(
        "--before", action="append", default=[], help="an earlier command of the same session"
    )
    parser.add_argument("command", nargs="?", help="the command; `-` reads it from stdin")


def run(arguments: argparse.Namespace) -> int:
    """0: explained. 1: the policy is not in order. 2: not asked rightly."""
    from gateway.vocabulary import known

    if not arguments.jsonl and arguments.command is None:
        print("say which command to explain, or give --jsonl", file=sys.stderr)
        return 2
    vocabulary = known()
    try:
        policy = load(arguments.policy, vocabulary)
    except PolicyFileError as error:
        print(error, file=sys.stderr)
        return 1
    explainer = Explainer(policy, vocabulary)
    if arguments.jsonl:
        return _stream(explainer)
    command = sys.stdin.read() if arguments.command == "-" else arguments.command
    name = arguments.connection or next(iter(policy.targets), "")
    if name not in policy.targets:
        print(
            f"no connection {name!r} in {arguments.policy}; there are: {', '.join(policy.targets)}",
            file=sys.stderr,
        )
        return 2
    row = {
        "id": command,
        "connection": name,
        "command": command,
        "session_before": arguments.before,
        "agent": arguments.agent or ["agent"],
        "person": arguments.person,
        "groups": arguments.group,
    }
    try:
        explained = explainer.explain(row)
    except RowUnreadable as error:
        print(error, file=sys.stderr)
        return 2
    why = reasons(policy, explained.lineage, explained.connection, explained.facts)
    if arguments.json:
        answer = _answer(None, explained) | {
            "why": [{"rule": each.rule, "because": each.sentence} for each in why]
        }
        del answer["id"]
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        print(_told(policy, explained, why))
    return 0


class Explainer:
    """Judges rows of one policy."""

    def __init__(self, policy: Policy, vocabulary: Vocabulary) -> None:
        self._policy = policy
        self._vocabulary = vocabulary
        self._masked_columns = vocabulary.masked_columns(policy.masks)
        self._first: dict[str, Connection] = {}
        for target in policy.targets.values():
            self._first.setdefault(target.connection.protocol, target.connection)

    def explain(self, row: Mapping[str, Any]) -> Explained:
        """Raises `RowUnreadable`."""
        connection = self._connection(row)
        facts = self._facts(connection.protocol, row)
        lineage = _lineage(row)
        if connection.name:
            verdict, facts = judge(self._policy, lineage, connection, facts)
        else:
            verdict = combine((), deeds(facts), self._policy.default)
        masks = () if isinstance(verdict, Block) else verdict.masks
        return Explained(
            connection=connection,
            lineage=lineage,
            facts=facts,
            verdict=verdict,
            masked=self._masked_columns(masks, facts),
        )

    def _connection(self, row: Mapping[str, Any]) -> Connection:
        """The one named, else the first of the protocol, else a nameless one that no rule reaches."""
        protocol, name = row.get("protocol"), row.get("connection")
        if name is not None:
            target = self._policy.targets.get(name) if isinstance(name, str) else None
            if target is None:
                raise RowUnreadable("the policy has no such connection")
            if protocol not in (None, target.connection.protocol):
                raise RowUnreadable(
                    f"the connection {target.connection.name} speaks {target.connection.protocol}"
                )
            return target.connection
        if not isinstance(protocol, str) or (
            protocol not in PROTOCOLS and protocol not in self._vocabulary.protocols
        ):
            raise RowUnreadable(f"`protocol` must be one of {', '.join(PROTOCOLS)}")
        return self._first.get(protocol) or Connection(name="", protocol=protocol)

    def _facts(self, protocol: str, row: Mapping[str, Any]) -> Facts:
        if protocol not in self._vocabulary.protocols:
            return UNREAD
        try:
            return self._vocabulary.read_facts(protocol, row)
        except Exception as error:  # one bad row must not end the batch, and is blocked
            raise RowUnreadable(f"this row cannot be read: {type(error).__name__}: {error}"[:300]) from error


def _lineage(row: Mapping[str, Any]) -> Lineage:
    agent, person, groups = row.get("agent"), row.get("person", ""), row.get("groups", ())
    if agent is None and not person and not groups:
        return ANYONE
    names = [agent] if isinstance(agent, str) else agent if agent is not None else ["agent"]
    if not (_texts(names) and _texts(groups) and isinstance(person, str)):
        raise RowUnreadable("`agent` and `groups` are texts or lists of texts, `person` is a text")
    return Lineage(
        person=person,
        chain=tuple(Actor(name=name, token_id="") for name in names),
        groups=frozenset(groups),
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _stream(explainer: Explainer) -> int:
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        # Written one by one: a caller may wait for each answer before it asks again.
        try:
            out.write(explain_line(explainer, line))
            out.flush()
        except BrokenPipeError:
            return 1
    return 0


def explain_line(explainer: Explainer, line: bytes) -> bytes:
    """One row in, one row out, whatever the row holds."""
    row: Any = None
    try:
        row = _row(line)
        answer = _answer(row.get("id"), explainer.explain(row))
    except RowUnreadable as error:
        identifier = row.get("id") if isinstance(row, dict) else None
        answer = _refused(identifier, str(error))
    try:
        return orjson.dumps(answer) + b"\n"
    except TypeError:
        # Lone surrogates: JSON can spell them, UTF-8 cannot.
        return json.dumps(answer).encode("ascii") + b"\n"


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise RowUnreadable("this line is no JSON") from None
    if not isinstance(row, dict):
        raise RowUnreadable("a row must be a JSON object")
    return row


def _answer(identifier: Any, explained: Explained) -> dict[str, Any]:
    judged = outcome(explained.verdict)
    attributes = dict(explained.facts.attributes)
    return {
        "id": identifier,
        "verdict": judged.word,
        "effects": sorted(explained.facts.effects),
        "complete": explained.facts.complete,
        "rules": list(judged.rules),
        "message": judged.message,
        "masked": list(explained.masked),
        "sanitised": list(filter(None, str(attributes.pop("http.sanitised", "")).split(", "))),
        "attributes": attributes,
    }


def _refused(identifier: Any, message: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "verdict": "block",
        "effects": [Effect.UNKNOWN],
        "complete": False,
        "rules": [],
        "message": message,
        "masked": [],
        "sanitised": [],
        "attributes": {},
    }


def _told(policy: Policy, explained: Explained, why: Iterable[Reason]) -> str:
    verdict, facts = explained.verdict, explained.facts
    judged = outcome(verdict)
    lines = [f"{judged.word}  by {', '.join(judged.rules)}, on {explained.connection.name}"]
    if judged.message:
        lines.append(f"  says       {judged.message}")
    if isinstance(verdict, Hold):
        asks = " and ".join(f"{ask.quorum} of {_group(ask.approvers)}" for ask in verdict.asks)
        lines.append(f"  asks       {asks}, within {verdict.expires_in / 60:g} minutes")
    lines.append(f"  effects    {', '.join(sorted(facts.effects)) or 'none'}")
    if not facts.complete:
        lines.append("  incomplete: it could not be read to the end")
    lines += [
        f"  touches    {each.kind} {_visible(each.name)} ({each.effect})" for each in facts.resources[:20]
    ]
    lines += [
        f"  attribute  {key}: {_visible(_plain(value))}" for key, value in sorted(facts.attributes.items())
    ]
    if not isinstance(verdict, Block) and verdict.masks:
        lines.append(f"  masks      {', '.join(verdict.masks)}")
    if explained.masked:
        lines.append(f"  masked     {', '.join(map(_visible, explained.masked))}")
    lines.append(f"rules of {policy.source}:")
    lines += [
        f"  {'*' if each.decides else ' '} {each.rule} (line {each.line}) {_visible(each.sentence)}"
        for each in why
    ]
    return "\n".join(lines)


def _group(approvers: str) -> str:
    return "any group" if approvers == "*" else approvers


def _plain(value: AttributeValue) -> str:
    """As the policy file would spell it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _visible(text: str) -> str:
    """Without control and formatting characters, which a terminal would obey."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
