"""Where a command's words name nothing: counts, times, what is searched for, messages.

Only where every option of the call is one of those written here, so that no word is taken for what it is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_KINDS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "count": (re.compile(r"[0-9]{1,9}"), "42"),
    "time": (re.compile(r"[A-Za-z0-9][A-Za-z0-9 :.+-]{0,40}"), "yesterday"),
    "pattern": (re.compile(r"(?!-)[^\0-\x1f\x7f]{1,1000}"), "'another'"),
    "message": (re.compile(r"(?!-)[^\0-\x08\x0b-\x1f\x7f]{1,4000}"), "'another'"),
}
"""What each kind looks like, and another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """A word, or the end of one, in whose place another may stand."""

    kind: str
    before: str = ""
    """What of the word stays: `--lines=`."""

    @property
    def other(self) -> str:
        return _KINDS[self.kind][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    flags: str = ""
    """Letters and names of options without a value."""
    fixed: str = ""
    """Options whose value stays."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Options with a value that may be another, and its kind."""
    first: str = ""
    """The kind of the first operand, where none of `instead` is given."""
    instead: str = ""
    every: str = ""
    """The kind of every operand."""
    says: bool = False
    """It keeps a message: free beside other effects, too, where no other command stands in the text."""


def _given(kind: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


_GREP = _Program(
    flags="""
        i n H h l L c v w x o q s E F G P r R a I z
        ignore-case line-number count invert-match word-regexp line-regexp only-matching extended-regexp fixed-strings
        perl-regexp recursive quiet no-messages with-filename no-filename files-with-matches files-without-match text color
    """,
    values=_given("count", "m A B C max-count after-context before-context context")
    | _given("pattern", "e regexp"),
    first="pattern",
    instead="e regexp",
)
_PART = _Program(flags="f F q v follow quiet verbose", values=_given("count", "n c lines bytes"))
_LOGS = _Program(
    flags="f t follow timestamps previous p details",
    fixed="c container n namespace",
    values=_given("count", "tail n") | _given("time", "since until"),
)
_PROGRAMS: Mapping[tuple[str, ...], _Program] = {
    **dict.fromkeys((("grep",), ("egrep",), ("fgrep",)), _GREP),
    **dict.fromkeys((("head",), ("tail",)), _PART),
    ("docker", "logs"): _LOGS,
    ("podman", "logs"): _LOGS,
    ("kubectl", "logs"): _Program(
        flags="f follow p previous timestamps", fixed="c container n namespace", values=_LOGS.values
    ),
    ("journalctl",): _Program(
        flags="x e r q f k a no-pager catalog pager-end reverse quiet follow dmesg all utc no-hostname",
        fixed="u unit t identifier p priority o output",
        values=_given("count", "n lines") | _given("time", "S since U until") | _given("pattern", "g grep"),
    ),
    ("sleep",): _Program(every="count"),
    **dict.fromkeys((("vmstat",), ("iostat",), ("mpstat",)), _Program(flags="x d k m h w S", every="count")),
    ("ping",): _Program(flags="4 6 n q", fixed="I", values=_given("count", "c w W")),
    ("logger",): _Program(flags="i s", fixed="t tag p priority", every="message", says=True),
    ("git", "commit"): _Program(
        flags="a q s v all quiet signoff verbose", values=_given("message", "m message"), says=True
    ),
    ("git", "tag"): _Program(flags="a annotate", values=_given("message", "m message"), says=True),
}


def free(argv: Sequence[str], *, looks: bool, says: bool) -> list[Free | None]:
    """For each word what may stand in its place. `looks`: all of the text only reads; `says`: it is one command."""
    for words in (2, 1):
        program = _PROGRAMS.get(tuple(argv[:words]))
        if program is not None and (says if program.says else looks):
            return [None] * words + _of(program, argv[words:])
    return [None] * len(argv)


def _of(program: _Program, arguments: Sequence[str]) -> list[Free | None]:
    """Nothing is free where an option is not known: its value might be taken for an operand."""
    found: list[Free | None] = [None] * len(arguments)
    given: set[str] = set()
    operands: list[int] = []
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word == "--":
            operands += range(at + 1, len(arguments))
            break
        if not word.startswith("-") or word == "-":
            operands.append(at)
        else:
            option = _option(program, word)
            if option is None:
                return [None] * len(arguments)
            name, before, value = option
            given.add(name)
            if kind := program.values.get(name, ""):
                place = at if value else at + 1
                if place < len(arguments):
                    found[place] = _may(kind, value or arguments[place], before if value else "")
            takes_next = not value and (kind or name in program.fixed.split())
            at += 1 if takes_next else 0
        at += 1
    if program.every:
        for place in operands:
            found[place] = _may(program.every, arguments[place])
    elif program.first and operands and not given & set(program.instead.split()):
        found[operands[0]] = _may(program.first, arguments[operands[0]])
    return found


def _option(program: _Program, word: str) -> tuple[str, str, str] | None:
    """The option's name, what of the word stands before its value, and that value; None for one that is not known."""
    valued = program.values.keys() | set(program.fixed.split())
    flags = set(program.flags.split())
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        if len(name) < 2 or name not in (valued if equals else valued | flags):
            return None
        return (name, f"--{name}=", value) if value else None if equals else (name, "", "")
    if word[1:].isdigit() and "n" in program.values:
        return "n", "-", word[1:]
    for at, letter in enumerate(word[1:], 1):
        if letter in valued:
            return letter, word[: at + 1], word[at + 1 :]
        if letter not in flags:
            return None
    return word[-1], "", ""


def _may(kind: str, value: str, before: str = "") -> Free | None:
    return Free(kind=kind, before=before) if _KINDS[kind][0].fullmatch(value) else None
