"""`countersign explain`: what would become of a command, and why; one for people, or a stream of rows."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import IO, Any, TypeAlias

import orjson

from gateway.commands.explained import Explained, because, beyond_scope, told
from gateway.commands.options import policy_option
from gateway.model import Actor, Block, Command, Connection, Effect, Facts, Hold, Lineage, Reach, Shape
from gateway.policy.evaluate import combine, judge
from gateway.policy.examples import lineage_of, outcome
from gateway.policy.file import PolicyFileError, load
from gateway.policy.matching import deeds
from gateway.policy.model import Policy, Target
from gateway.policy.moment import Moment, Spent
from gateway.policy.reasons import reasons
from gateway.policy.vocabulary import Vocabulary

HELP = "Say what the policy does with a command, and why."
PROTOCOLS = ("postgres", "mysql", "ssh", "http", "kubernetes")
"""What a row may name. Commands of protocols that this build cannot read are unknown, and judged as such."""
DIALECTS = ("mysql", "mariadb")
UNREAD = Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)
ROW_BYTES = 128 * 1024 * 1024
"""Of the longest row; a command of the largest size, escaped, stays below."""
ANYONE = lineage_of(("agent",), "", frozenset())
NOW = Moment()
"""Of a policy in which nothing hangs on the moment."""


RowReader: TypeAlias = Callable[[Mapping[str, Any]], Facts]
NO_CATALOGUES: Mapping[str, RowReader] = MappingProxyType({})


class RowUnreadable(Exception):
    """A row that does not say what to explain."""


def options(parser: argparse.ArgumentParser) -> None:
    policy_option(parser)
    parser.add_argument("--jsonl", action="store_true", help="read rows from stdin, write one row for each")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--catalogue",
        action="store_true",
        help="ask targets for their tables and views first, with the gateway's own credential",
    )
    parser.add_argument("--connection", metavar="NAME", help="default: the policy's first")
    parser.add_argument(
        "--agent", action="append", metavar="NAME", help="an agent of the chain, root first; may be repeated"
    )
    parser.add_argument("--person", default="", metavar="EMAIL", help="the accountable person's e-mail")
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME", help="a group of that person; may be repeated"
    )
    parser.add_argument(
        "--before",
        action="append",
        default=[],
        metavar="COMMAND",
        help="an earlier command of the same session; may be repeated",
    )
    parser.add_argument("--dialect", choices=DIALECTS, help="of a MySQL connection")
    parser.add_argument(
        "--at", metavar="TIME", help="when it is asked, as in 2026-03-29T09:30+02:00; default: now"
    )
    parser.add_argument(
        "--rows", type=int, metavar="N", help="what the target would estimate that it touches"
    )
    parser.add_argument(
        "--used", type=int, default=0, metavar="N", help="commands that were had of every budget before"
    )
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="the command; `-` reads it from stdin")


def run(arguments: argparse.Namespace) -> int:
    """0: explained. 1: the policy is not in order. 2: not asked rightly."""
    from gateway.vocabulary import known

    if not arguments.jsonl and arguments.command is None:
        print("countersign: say which command to explain, or give --jsonl", file=sys.stderr)
        return 2
    vocabulary = known()
    try:
        policy = load(arguments.policy, vocabulary)
    except PolicyFileError as error:
        print(error, file=sys.stderr)
        return 1
    catalogues = asked_of_targets(policy, arguments.connection) if arguments.catalogue else {}
    explainer = Explainer(policy, vocabulary, catalogues)
    if arguments.jsonl:
        return _stream(explainer)
    text = _asked(arguments.command)
    name = arguments.connection or next(iter(policy.targets), "")
    if name not in policy.targets:
        print(
            f"countersign: no connection {name!r} in {arguments.policy}; there are: {', '.join(policy.targets)}",
            file=sys.stderr,
        )
        return 2
    row = {
        "connection": name,
        **text,
        "session_before": arguments.before,
        "agent": arguments.agent or ["agent"],
        "person": arguments.person,
        "groups": arguments.group,
        **{key: value for key, value in (("dialect", arguments.dialect), ("at", arguments.at)) if value},
        **({"estimated_rows": arguments.rows} if arguments.rows is not None else {}),
        "used": {"commands": arguments.used},
    }
    try:
        explained = explainer.explain(row)
    except RowUnreadable as error:
        print(f"countersign: {error}", file=sys.stderr)
        return 2
    why = reasons(policy, explained.lineage, explained.connection, explained.facts, explained.moment)
    beyond = beyond_scope(policy, explained)
    alike = _shape(explained, text)
    if arguments.json:
        answer = _answer(None, explained) | {
            "because": because(explained, why),
            "why": [
                {
                    "rule": each.rule,
                    "file": each.file,
                    "line": each.line,
                    "decides": each.decides,
                    "because": each.sentence,
                }
                for each in why
            ],
            "outside_scope": beyond,
            "shape": alike and {"words": alike.words, "passes": alike.passes, "stops": alike.stops},
        }
        del answer["id"]
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        print(told(explained, why, beyond, alike))
    return 0


def _shape(explained: Explained, asked: Mapping[str, str]) -> Shape | None:
    """What a yes for the shape would let go, where the rules that hold the command offer that."""
    from gateway.protocols import shape

    verdict, text = explained.verdict, asked.get("command")
    if not isinstance(verdict, Hold) or verdict.lasting is None or Reach.SHAPE not in verdict.lasting.what:
        return None
    if text is None:
        return None
    command = Command(id="", text=text, facts=explained.facts, exact=())
    return shape(explained.connection.protocol, command, explained.facts)


def _asked(command: str) -> dict[str, str]:
    """The command that was given, or stdin's exact bytes."""
    if command != "-":
        return {"command": command}
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:
        return {"command": sys.stdin.read()}
    return {"command_b64": base64.b64encode(binary.read()).decode()}


def asked_of_targets(policy: Policy, only: str | None) -> Mapping[str, RowReader]:
    """Asks the targets of all connections, or of one; what cannot be asked is told on stderr, and read without."""
    from gateway.secrets import Secrets
    from gateway.upstream.logins import Logins
    from gateway.upstream.surveys import Surveys, has_catalogue

    secrets = Secrets(lambda: policy)
    surveys = Surveys(lambda: policy, Logins(secrets))
    found: dict[str, RowReader] = {}

    async def ask(name: str, target: Target) -> None:
        note = await surveys.survey(target)
        if note:
            print(f"{name}: read without its catalogue: {note}", file=sys.stderr)
        found[name] = surveys.reader(target)

    async def ask_all() -> None:
        targets = [each for each in policy.targets.items() if only in (None, each[0])]
        try:
            await asyncio.gather(*(ask(name, target) for name, target in targets if has_catalogue(target)))
        finally:
            await secrets.close()

    asyncio.run(ask_all())
    return found


class Explainer:
    """Judges rows of one policy."""

    def __init__(
        self, policy: Policy, vocabulary: Vocabulary, catalogues: Mapping[str, RowReader] = NO_CATALOGUES
    ) -> None:
        """`catalogues`: connection -> what reads its rows by what its target says of itself."""
        self._policy = policy
        self._vocabulary = vocabulary
        self._catalogues = catalogues
        self._masked_columns = vocabulary.masked_columns(policy.masks)
        self._of_the_moment = any(rule.when.is_of_the_moment for rule in policy.rules)
        self._first: dict[str, Connection] = {}
        for target in policy.targets.values():
            self._first.setdefault(target.connection.protocol, target.connection)

    def explain(self, row: Mapping[str, Any]) -> Explained:
        """Raises `RowUnreadable`."""
        connection = self._connection(row)
        facts = self._facts(connection, row)
        lineage = _lineage(row)
        moment = self._moment(row)
        if connection.name:
            verdict, facts = judge(self._policy, lineage, connection, facts, moment)
        else:
            verdict = combine((), deeds(facts), self._policy.default)
        masks = () if isinstance(verdict, Block) else verdict.masks
        return Explained(
            connection=connection,
            lineage=lineage,
            facts=facts,
            moment=moment,
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

    def _moment(self, row: Mapping[str, Any]) -> Moment:
        """Now, with budgets that nobody has touched and no estimate, but for what the row says."""
        if not self._of_the_moment and not row.keys() & {"at", "estimated_rows", "used"}:
            return NOW
        at, rows, used = row.get("at"), row.get("estimated_rows"), row.get("used", {})
        try:
            when = time.time() if at is None else datetime.fromisoformat(at)
            spent = Spent(**used)
            if not all(_is_count(each) for each in (spent.commands, spent.rows, 0 if rows is None else rows)):
                raise TypeError
            return Moment(
                at=when.timestamp() if isinstance(when, datetime) else when,
                rows=rows,
                spent=dict.fromkeys((rule.name for rule in self._policy.rules), spent),
            )
        except (TypeError, ValueError, OverflowError):
            raise RowUnreadable(
                "`at` is a time such as 2026-03-29T09:30+02:00, `estimated_rows` a number, and `used` an object of "
                "numbers, `commands` and `rows`"
            ) from None

    def _facts(self, connection: Connection, row: Mapping[str, Any]) -> Facts:
        protocol = connection.protocol
        if protocol not in self._vocabulary.protocols:
            return UNREAD
        row = {key: value for key, value in row.items() if value is not None}
        if not _texts(row.get("session_before", ())):
            raise RowUnreadable("`session_before` is a list of texts, the commands that went before")
        if protocol == "mysql" and row.get("dialect", "mysql") not in DIALECTS:
            raise RowUnreadable(f"`dialect` is one of {', '.join(DIALECTS)}")
        read = self._catalogues.get(connection.name) or partial(self._vocabulary.read_facts, protocol)
        try:
            return read(row)
        except Exception as error:  # one bad row must not end the batch, and is blocked
            raise RowUnreadable(f"this row cannot be read: {type(error).__name__}: {error}"[:300]) from error


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


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
    for line in _lines(sys.stdin.buffer):
        if not line.strip():
            continue
        # Written one by one: a caller may wait for each answer before it asks again.
        try:
            out.write(explain_line(explainer, line))
            out.flush()
        except BrokenPipeError:
            return 1
    return 0


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    """Lines, each of at most `ROW_BYTES`; of a longer one the beginning, which is no JSON."""
    while line := source.readline(ROW_BYTES):
        yield line
        while len(line) == ROW_BYTES and not line.endswith(b"\n"):
            line = source.readline(ROW_BYTES)


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
    if isinstance(row.get("id"), float):
        row["id"] = json.loads(line).get(
            "id"
        )  # it may be a whole number that is too long for the quick reader
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
