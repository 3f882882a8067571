"""`countersign policy`: try a policy's examples, and see what an edit would change before it takes effect."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import orjson

from gateway.commands.options import Actions, policy_file
from gateway.commands.recorded import Recorded
from gateway.commands.terminal import harmless, tinted
from gateway.policy.differences import Asked, Comparison, Difference, Judged
from gateway.policy.examples import facts_of, lineage_of, moment_of, outcome, trials
from gateway.policy.file import PolicyFileError, load
from gateway.policy.model import Policy
from gateway.policy.vocabulary import Vocabulary

HELP = "Try a policy's examples, or see what an edit would change."
LONGEST = 120
"""Characters of a command that are shown."""


def options(parser: argparse.ArgumentParser) -> None:
    verbs = Actions(parser)
    test = verbs.add("test", "try the examples of a file")
    policy_file(test)
    diff = verbs.add(
        "diff",
        "judge recorded commands, or the examples of both files, by two policies, and show what differs",
    )
    diff.add_argument("old", type=Path, metavar="OLD", help="the policy file as it is")
    diff.add_argument("new", type=Path, metavar="NEW", help="the policy file as it may become")
    diff.add_argument(
        "--recordings",
        type=Path,
        metavar="DIR",
        help="of a state directory; default: the examples of both files",
    )
    for each in (test, diff):
        each.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from gateway.vocabulary import known

    vocabulary = known()
    try:
        if arguments.action == "test":
            return _test(load(arguments.file, vocabulary), vocabulary, as_json=arguments.json)
        if arguments.recordings is not None and not arguments.recordings.is_dir():
            print(f"countersign: {arguments.recordings} is no directory of recordings", file=sys.stderr)
            return 2
        old, new = load(arguments.old, vocabulary), load(arguments.new, vocabulary)
    except PolicyFileError as error:
        print(error, file=sys.stderr)
        return 2
    return _diff(old, new, vocabulary, arguments.recordings, as_json=arguments.json)


# test


def _test(policy: Policy, vocabulary: Vocabulary, *, as_json: bool) -> int:
    tried = list(trials(policy, vocabulary))
    failed = [each for each in tried if each.difference]
    if as_json:
        answer = {
            "source": policy.source,
            "ok": not failed,
            "examples": [
                {
                    "line": each.example.line,
                    "connection": each.example.connection,
                    "command": each.example.command,
                    "expect": each.example.expect,
                    "verdict": outcome(each.verdict).word,
                    "rules": outcome(each.verdict).rules,
                    "difference": each.difference,
                }
                for each in tried
            ],
        }
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return 1 if failed else 0
    for each in tried:
        found = outcome(each.verdict)
        place = f"{policy.source}:{each.example.line}"
        if each.difference:
            print(f"{place}: {tinted('error', 'FAILS')} {harmless(each.difference)}")
        else:
            print(
                f"{place}: {tinted(found.word)} by {', '.join(found.rules)}: "
                f"{each.example.connection}: {_short(each.example.command)}"
            )
    print(f"{policy.source}: {_count(len(tried), 'example')} tried, {len(failed)} failed")
    return 1 if failed else 0


# diff


def _diff(old: Policy, new: Policy, vocabulary: Vocabulary, directory: Path | None, *, as_json: bool) -> int:
    comparison = Comparison(old, new, vocabulary)
    recorded = Recorded(broken=[])
    if directory is None:
        comparison.compare(_examples(old, new, vocabulary))
    else:
        by_time = any(_by_clock(policy) for policy in (old, new))
        comparison.compare(recorded.read(directory, vocabulary, by_time=by_time))
    found = comparison.differences
    if as_json:
        answer = {
            "old": {"source": old.source, "version": old.version},
            "new": {"source": new.source, "version": new.version},
            "of": "examples" if directory is None else "recordings",
            "sessions": recorded.sessions,
            "commands": comparison.commands,
            "changed": sum(each.commands for each in found),
            "unreadable": recorded.broken,
            "differences": [asdict(each) | {"loosens": each.loosens} for each in found],
        }
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        for each in found:
            print(_told(each))
        for broken in recorded.broken:
            print(f"countersign: left out: {harmless(broken)}", file=sys.stderr)
        asked = (
            _count(comparison.commands, "example")
            if directory is None
            else f"{_count(comparison.commands, 'command')} of {_count(recorded.sessions, 'session')}"
        )
        changed = sum(each.commands for each in found)
        print(f"{old.source} -> {new.source}: {asked} judged by both, {changed} with another outcome")
    if not comparison.commands:
        print("countersign: there was nothing to compare", file=sys.stderr)
        return 2
    return 1 if found else 0


def _examples(old: Policy, new: Policy, vocabulary: Vocabulary) -> Iterator[Asked]:
    """Those of both files, each once."""
    seen: set[tuple[object, ...]] = set()
    for policy in (new, old):
        for example in policy.examples:
            key = (
                example.connection,
                example.command,
                example.agents,
                example.person,
                example.groups,
                example.session_before,
                example.at,
                example.estimated_rows,
                example.used,
            )
            if key in seen:
                continue
            seen.add(key)
            protocol = policy.targets[example.connection].connection.protocol
            yield Asked(
                connection=example.connection,
                lineage=lineage_of(example.agents, example.person, example.groups),
                facts=facts_of(example, protocol, vocabulary),
                text=example.command,
                before=moment_of(old, example),
                after=moment_of(new, example),
            )


def _by_clock(policy: Policy) -> bool:
    return any(rule.when.during is not None or rule.when.outside is not None for rule in policy.rules)


def _told(each: Difference) -> str:
    mark = "looser" if each.loosens else "other" if each.before.verdict == each.after.verdict else "stricter"
    head = (
        f"{mark}: {each.connection}: {tinted(each.before.verdict)} by {', '.join(each.before.rules)} -> "
        f"{tinted(each.after.verdict)} by {', '.join(each.after.rules)}, {_count(each.commands, 'command')}"
    )
    details = [
        f"    {what}: {_list(before)} -> {_list(after)}"
        for what, before, after in (
            ("asks", _asks(each.before), _asks(each.after)),
            ("fresh logins", _logins(each.before), _logins(each.after)),
            ("for a while", each.before.lasting, each.after.lasting),
            ("while nobody answers", each.before.unanswered, each.after.unanswered),
            ("masks", each.before.masks, each.after.masks),
            ("masked columns", each.before.masked, each.after.masked),
        )
        if before != after and "block" not in {each.before.verdict, each.after.verdict}
    ]
    return "\n".join([head, *details, *(f"    e.g. {_short(text)}" for text in each.examples)])


def _asks(judged: Judged) -> list[str]:
    return [f"{quorum} of {'any group' if group == '*' else group}" for group, quorum in judged.asks]


def _logins(judged: Judged) -> list[str]:
    return [
        f"of {group}, {max_age / 60:g} minutes old at most{f', {acr}' if acr else ''}"
        for group, max_age, acr in judged.logins
    ]


def _list(values: Iterable[str]) -> str:
    return ", ".join(map(harmless, values)) or "none"


def _short(text: str) -> str:
    text = harmless(" ".join(text.split()))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
