"""What a shell text would do, read with bash's grammar.

`read` follows every command that a text may run, through quotes, expansions, substitutions, wrappers and nested
shells. A command word that cannot be known, a program that is not known, and code in another language are `unknown`.
Lines of one guarded session share variables, functions, aliases and directory: `before`.

Not seen, because only the target knows it: what is installed under a name, its start-up files, what links point at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from gateway.facts.cache import Cache
from gateway.facts.shell.gathering import LONGEST, Gathering
from gateway.facts.shell.reading import ATTRIBUTES, Reading
from gateway.facts.shell.state import Shell
from gateway.facts.shell.tree import Unreadable
from gateway.facts.shell.values import MARKS
from gateway.facts.shell.walk import Walker
from gateway.model import Effect, Facts

__all__ = ["ATTRIBUTES", "Gathering", "Lines", "read", "unread"]

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
    if len(text) + sum(map(len, before)) > LONGEST:
        return unread("the text is too long")
    lines = Lines()
    for line in before:
        lines.ran(line)
    return lines.read(text)


class Lines:
    """The lines of one session as they run: each is read with what those before it left."""

    def __init__(self) -> None:
        self._shell = Shell(positionals=())
        self._lost = ""
        self.past = b""
        """Stands for all the lines that changed something, in their order."""

    def read(self, text: str) -> Facts:
        """The facts of a line that has not run yet. Never raises."""
        reading = Reading()
        why = self._lost or _walk(text, reading, self._apart())
        return unread(why) if why else reading.facts()

    def gives_meaning(self, text: str, words: Collection[str]) -> bool:
        """Whether one of these words would be a function or an alias once the line has run."""
        shell = self._apart()
        _walk(text, Reading(), shell)
        return any(word in shell.functions or word in shell.aliases for word in words)

    def traps_each(self, text: str) -> bool:
        """Whether the line sets a trap that runs before each command, as bash's DEBUG does."""
        reading = Reading()
        _walk(text, reading, self._apart())
        return reading.traps_each

    def takes_screen(self, text: str) -> str:
        """A program of the line that is of no use without a terminal, or ""."""
        reading = Reading()
        _walk(text, reading, self._apart())
        return next(iter(reading.screens), "")

    def ran(self, text: str) -> None:
        """The line has been let through: what it sets, defines and changes counts from now on."""
        was = self._apart()
        self._lost = self._lost or _walk(text, Reading(), self._shell)
        self._shell.left = False
        if self._lost or self._shell != was:
            self.past = hashlib.sha256(self.past + text.encode("utf-8", "surrogateescape")).digest()

    def _apart(self) -> Shell:
        shell = self._shell.copy()
        shell.descriptors = dict(shell.descriptors)
        return shell


def _walk(text: str, reading: Reading, shell: Shell) -> str:
    """Follow a text; why it cannot be, or ""."""
    if len(text) > LONGEST:
        return "the text is too long"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "the text is not UTF-8"
    if "\0" in text or MARKS.search(text):
        return "the text holds characters that no shell text has"
    try:
        Walker(reading, shell).text(text)
    except RecursionError:
        return "the text nests too deep"
    except Unreadable as unreadable:
        return str(unreadable)
    return ""
