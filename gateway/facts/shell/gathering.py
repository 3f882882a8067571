"""Lines of one command: a shell at a terminal asks for more until quotes, documents and compound commands have ended.

Whoever judges judges the whole text, so where this and the shell disagree about its end nothing runs unread.
"""

from __future__ import annotations

import re

from gateway.facts.shell.grammar import Parser
from gateway.facts.shell.tree import Unfinished, Unreadable

LONGEST = 65_536
"""Characters of a text that is read at all."""
_MOST_PARSED = 4 * LONGEST
"""Characters that are parsed while one command is gathered: each line may mean that all before it are parsed again."""
_WORD = re.compile(r"[a-z]+|\]\]|\}")


class Gathering:
    """The lines of one command so far."""

    def __init__(self) -> None:
        self.text = ""
        self.lines = 0
        self._wanted: re.Pattern[str] | None = None
        """What the command cannot end without; None where any line may end it."""
        self._parsed = 0
        self.ends = False
        """Where nothing follows: whether a shell runs it as it is."""

    def add(self, line: str) -> bool:
        """Whether the command goes on behind this line. One that cannot be read, or is too long for that, has ended."""
        self.text = f"{self.text}\n{line}" if self.lines else line
        self.lines += 1
        if self._wanted is not None and not self._wanted.search(line):
            return not self.too_long
        self._parsed += len(self.text)
        if self.too_long:
            return False
        until, self.ends = _until(self.text)
        self._wanted = until if until is None or until.pattern else None
        return until is not None

    @property
    def too_long(self) -> bool:
        return len(self.text) > LONGEST or self._parsed > _MOST_PARSED


def _until(text: str) -> tuple[re.Pattern[str] | None, bool]:
    """What a line has to hold that may end this text, None where it has ended; and whether it may end as it is."""
    parser = Parser(text)
    ends = True
    try:
        parser.script()
    except Unfinished as unfinished:
        ends = False
        if parser.open_end is None:
            return _holding(unfinished.until), ends
    except (Unreadable, RecursionError):
        ends = parser.open_end is None
    return (None if parser.open_end is None else _document(parser.open_end)), ends


def _holding(sign: str) -> re.Pattern[str]:
    if not _WORD.fullmatch(sign):
        return re.compile(re.escape(sign))
    return re.compile(rf"(?<![^\s;&|<>()]){re.escape(sign)}(?![^\s;&|<>()])")


def _document(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf"\A\t*{re.escape(delimiter)}\Z" if delimiter else "")
