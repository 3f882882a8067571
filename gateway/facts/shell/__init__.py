"""What a shell text would do, read with bash's grammar.

`read` follows every command that a text may run, through quotes, expansions, substitutions, wrappers and nested
shells. A command word that cannot be known, a program that is not known, and code in another language are `unknown`.
Lines of one guarded session share variables, functions, aliases and directory: `before`.

Not seen, because only the target knows it: what is installed under a name, its start-up files, what links point at.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.cache import Cache
from gateway.facts.shell.reading import ATTRIBUTES, Reading
from gateway.facts.shell.state import Shell
from gateway.facts.shell.tree import Unreadable
from gateway.facts.shell.values import MARKS
from gateway.facts.shell.walk import Walker
from gateway.model import Effect, Facts

__all__ = ["ATTRIBUTES", "read", "unread"]

LONGEST = 65_536
"""Characters of a text that is read at all."""
_CACHED_TEXT = 4_096
_texts: Cache[Facts] = Cache(entries=8_192, weight=24 * 1024 * 1024)


def read(text: str, *, before: Sequence[str] = ()) -> Facts:
    """The facts of `text`, after the lines `before` of the same session. Never raises, never waits, remembers."""
    if not before:
        found = _texts.get(text)
        if found is not None:
            return found
    facts = _read(text, before)
    if not before and len(text) <= _CACHED_TEXT:
        _texts.put(text, facts, weight=1_024 + 2 * len(text) + 400 * len(facts.resources))
    return facts


def unread(why: str) -> Facts:
    """Facts of a text that cannot be read; `why` holds nothing of it."""
    return Facts(
        effects=frozenset({Effect.UNKNOWN}),
        attributes={"shell.commands": 0, "shell.why_unknown": why},
        complete=False,
    )


def _read(text: str, before: Sequence[str]) -> Facts:
    size = len(text) + sum(len(line) for line in before)
    if size > LONGEST:
        return unread("the text is too long")
    if "\0" in text or MARKS.search(text) or any("\ud800" <= character <= "\udfff" for character in text):
        return unread("the text holds characters that no shell text has")
    shell = Shell(positionals=())
    try:
        for line in before:
            Walker(Reading(), shell).text(line)
            shell.left = False
        reading = Reading()
        Walker(reading, shell).text(text)
    except RecursionError:
        return unread("the text nests too deep")
    except Unreadable as unreadable:
        return unread(str(unreadable))
    return reading.facts()
