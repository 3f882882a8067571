"""What stands between the words of a shell text: blanks, comments, line ends, and the here-documents behind those."""

from __future__ import annotations

import re
from abc import ABC
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.facts.shell.cursor import Budget
from gateway.facts.shell.lexer import ENDING, Lexer
from gateway.facts.shell.tree import Piece, Text, Unfinished, Unreadable, Word

_BLANKS = re.compile(r"(?:[ \t]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_PLAIN = re.compile(r"[^\\`$]+")


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A here-document that a line has started and that follows its end."""

    delimiter: str
    strip: bool
    literal: bool
    document: list[Piece] = field(default_factory=list)


class Documents(Lexer, ABC):
    """Passes over line ends, over the words of `Lexer`."""

    __slots__ = ("_pending",)

    def __init__(self, text: str, *, depth: int = 0, budget: Budget | None = None) -> None:
        super().__init__(text, depth=depth, budget=budget)
        self._pending: list[_Pending] = []

    def skip(self, *, newlines: bool = False) -> None:
        """Pass over blanks and a comment, and over line ends with the here-documents that follow them."""
        while True:
            blank = _BLANKS.match(self.text, self.at)
            if blank:
                self.at = blank.end()
            comment = _COMMENT.match(self.text, self.at)
            if comment and (self.at == 0 or self.text[self.at - 1] in ENDING):
                self.at = comment.end()
            if not newlines or not self.text.startswith("\n", self.at):
                return
            self.at += 1
            self.read_heredocs()

    def heredoc(self, delimiter: Word, operator: str) -> list[Piece]:
        """The pieces of the here-document that this line starts; they arrive when the line has ended."""
        if not all(isinstance(piece, Text) for piece in delimiter.pieces):
            raise Unreadable("a here-document's delimiter is no plain word")
        text = "".join(piece.text for piece in delimiter.pieces if isinstance(piece, Text))
        literal = any(isinstance(piece, Text) and piece.quoted for piece in delimiter.pieces)
        document: list[Piece] = []
        self._pending.append(
            _Pending(delimiter=text, strip=operator == "<<-", literal=literal, document=document)
        )
        return document

    def read_heredocs(self) -> None:
        """Those of the line that has just ended. Bash lets the end of the text end one that has begun."""
        pending, self._pending = self._pending, []
        for one in pending:
            body = self._read(one)
            if one.literal:
                one.document.append(Text(text=body, quoted=True))
            else:
                one.document.extend(self.document(body))

    def _read(self, one: _Pending) -> str:
        """The lines up to the delimiter, which is passed over."""
        lines: list[str] = []
        while self.at < len(self.text):
            line = self._line()
            if one.strip:
                line = line.lstrip("\t")
            while not one.literal and _continues(line) and self.at < len(self.text):
                line = line[:-1] + self._line()
            if line == one.delimiter:
                return "".join(lines)
            lines.append(line + "\n")
        if one.delimiter or not self.text.endswith("\n"):
            self.open_end = self.open_end or one.delimiter
        return "".join(lines)

    def _line(self) -> str:
        """The line from here on, without its end, which is passed over."""
        self.step()
        start = self.at
        end = self.text.find("\n", start)
        end = len(self.text) if end < 0 else end
        self.at = min(end + 1, len(self.text))
        return self.text[start:end]

    def document(self, body: str) -> list[Piece]:
        """The pieces of a text in which only dollars, backticks and backslashes are active."""
        inner = type(self)(body, depth=self.depth + 1, budget=self.budget)
        pieces: list[Piece] = []
        with ending():
            while inner.at < len(body):
                inner.step()
                plain = _PLAIN.match(body, inner.at)
                if plain:
                    pieces.append(Text(text=plain[0], quoted=True))
                    inner.at = plain.end()
                else:
                    inner.quoted_active(pieces, escaped="$`\\")
        return pieces


@contextmanager
def ending() -> Iterator[None]:
    """For a text that another one holds whole: nothing that follows can go on with it."""
    try:
        yield
    except Unfinished as unfinished:
        raise Unreadable(str(unfinished)) from None


def _continues(line: str) -> bool:
    """Whether an unescaped backslash ends the line."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1
