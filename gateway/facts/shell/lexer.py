"""Words of a shell text: quotes, expansions, substitutions.

`Lexer` walks one text from left to right and knows no commands, except that a substitution holds some: those it asks
of the grammar that extends it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from gateway.facts.shell.ansi import decoded
from gateway.facts.shell.cursor import Budget, Cursor
from gateway.facts.shell.tree import (
    Arithmetic,
    Node,
    Piece,
    Process,
    Substitution,
    Text,
    Unfinished,
    Unreadable,
    Variable,
    Word,
)
from gateway.facts.shell.values import WILD

_PLAIN = re.compile(r"[^\s\\'\"`$;&|<>()?*+@!]+")
_QUOTED_PLAIN = re.compile(r"[^\\\"`$]+")
_PLAIN_WORD = re.compile(r"(?:[a-z]+|\[\[|\]\]|[{}!]|--|-p)(?=[\s;&|<>()]|\Z)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]|[@*#?$!_-]")
_GOES_ON = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*)?\\\n")
"""The shell takes backslash and line end away before it looks for the end of a name."""
_BRACED = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])")
_PARAMETER_OPERATOR = re.compile(r":?[-=?+]|##?|%%?|//?|\^\^?|,,?|@|:")
_RECALL = re.compile(r"!(?:[!$^*#:?]|-?\d|[A-Za-z])")
ENDING = "\n;&|<>() \t"
"""What ends a word where nothing quotes it."""


class Lexer(Cursor, ABC):
    """Words at a position. The grammar supplies what a substitution holds."""

    __slots__ = ("open_end",)

    def __init__(self, text: str, *, depth: int = 0, budget: Budget | None = None) -> None:
        super().__init__(text, depth=depth, budget=budget)
        self.open_end: str | None = None
        """The text may end so, and a shell at a terminal would ask for more all the same: up to this line, if it is not ""."""

    @abstractmethod
    def parenthesised(self) -> Node:
        """The list up to the closing parenthesis, which is passed over."""

    @abstractmethod
    def substitution(self, text: str) -> Node:
        """The script inside backticks, already unescaped."""

    def plain_word(self) -> str:
        """The unquoted word that stands here, if it is one that the grammar may give a meaning, else ""."""
        found = _PLAIN_WORD.match(self.text, self.at)
        return found[0] if found else ""

    def word(self, *, empty: bool = False, extended: bool = False) -> Word:
        """The word that stands here. `extended`: parentheses of extended globs belong to it."""
        start = self.at
        pieces: list[Piece] = []
        open_globs = 0
        while self.at < len(self.text):
            self.step()
            plain = _PLAIN.match(self.text, self.at)
            if plain:
                pieces.append(Text(text=plain[0], quoted=False))
                self.at = plain.end()
                continue
            character = self.text[self.at]
            if character == "!" and _RECALL.match(self.text, self.at):
                # Where history is expanded, as in an interactive shell, it stands for earlier words.
                pieces.append(Text(text=WILD, quoted=True))
            if character in "?*+@!":
                following = self.text.startswith("(", self.at + 1)
                if following and not extended and character != "!":
                    raise Unreadable("an extended glob is read as the target's shell is set")
                self.at += 2 if following and extended else 1
                open_globs += following and extended
                pieces.append(Text(text=character, quoted=False))
            elif character in "|)" and open_globs:
                open_globs -= character == ")"
                self.at += 1
                pieces.append(Text(text="*", quoted=False))
            elif character in "<>" and self.text.startswith("(", self.at + 1):
                self.at += 2
                pieces.append(Process(script=self.parenthesised(), reads=character == "<"))
            elif character in ENDING:
                break
            else:
                self._active(pieces, character)
        if self.at == start and not empty:
            raise Unreadable("a word is missing")
        return Word(pieces=tuple(pieces), source=self.text[start : self.at])

    def _active(self, pieces: list[Piece], character: str) -> None:
        """One quote, escape or expansion outside of double quotes."""
        match character:
            case "\\":
                if self.at + 1 >= len(self.text):
                    self.open_end = ""
                if not self.text.startswith("\n", self.at + 1):
                    pieces.append(Text(text=self.text[self.at + 1 : self.at + 2] or "\\", quoted=True))
                self.at += 2
                self.at = min(self.at, len(self.text))
            case "'":
                end = self.text.find("'", self.at + 1)
                if end < 0:
                    raise Unfinished("a quote does not end", until="'")
                pieces.append(Text(text=self.text[self.at + 1 : end], quoted=True))
                self.at = end + 1
            case '"':
                self.at += 1
                self._double(pieces)
            case "`" | "$":
                self._expansion(pieces, quoted=False)
            case _:  # white space that the shell does not split at
                pieces.append(Text(text=character, quoted=True))
                self.at += 1

    def _double(self, pieces: list[Piece]) -> None:
        """Up to the closing double quote, which is passed over."""
        pieces.append(Text(text="", quoted=True))
        while self.at < len(self.text):
            self.step()
            plain = _QUOTED_PLAIN.match(self.text, self.at)
            if plain:
                pieces.append(Text(text=plain[0], quoted=True))
                self.at = plain.end()
            elif self.text[self.at] == '"':
                self.at += 1
                return
            else:
                self.quoted_active(pieces, escaped='$`"\\')
        raise Unfinished("a quote does not end", until='"')

    def quoted_active(self, pieces: list[Piece], *, escaped: str) -> None:
        """A backslash, dollar or backtick where double quotes' rules hold."""
        if self.text[self.at] != "\\":
            self._expansion(pieces, quoted=True)
            return
        following = self.text[self.at + 1 : self.at + 2]
        if following != "\n":
            pieces.append(
                Text(text=following if following in escaped and following else "\\" + following, quoted=True)
            )
        self.at = min(self.at + 2, len(self.text))

    def _expansion(self, pieces: list[Piece], *, quoted: bool) -> None:
        """What begins with a dollar sign or a backtick."""
        rest = self.text[self.at + 1 : self.at + 2]
        if _GOES_ON.match(self.text, self.at):
            raise Unreadable("an expansion goes on in the next line")
        if self.text[self.at] == "`":
            pieces.append(Substitution(script=self._backticks(quoted=quoted), quoted=quoted))
        elif rest == "(":
            pieces.append(self._parenthesised_expansion(quoted=quoted))
        elif rest == "{":
            self.at += 2
            self.deeper()
            pieces.append(self._braced(quoted=quoted))
            self.depth -= 1
        elif rest == "[":
            self.at += 2
            found = self.arithmetic(end="]")
            if found is None:
                raise Unreadable("an arithmetic expansion does not end")
            pieces.append(Arithmetic(pieces=found, quoted=quoted))
        elif rest == "'" and not quoted:
            pieces.append(Text(text=self._ansi(), quoted=True))
        elif rest == '"' and not quoted:
            self.at += 2
            self._double(pieces)
        elif name := _VARIABLE.match(self.text, self.at + 1):
            self.at = name.end()
            pieces.append(Variable(name=name[0], quoted=quoted, bare=True))
        else:
            self.at += 1
            pieces.append(Text(text="$", quoted=True))

    def _backticks(self, *, quoted: bool) -> Node:
        inner: list[str] = []
        self.at += 1
        escapes = '$`\\"' if quoted else "$`\\"
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "`":
                self.at += 1
                return self.substitution("".join(inner))
            if character == "\\" and self.text[self.at + 1 : self.at + 2] in list(escapes):
                self.at += 1
                character = self.text[self.at]
            inner.append(character)
            self.at += 1
        raise Unfinished("a backtick does not end", until="`")

    def _parenthesised_expansion(self, *, quoted: bool) -> Piece:
        if self.text.startswith("((", self.at + 1):
            start = self.at
            self.at += 3
            found = self.arithmetic()
            if found is not None:
                return Arithmetic(pieces=found, quoted=quoted)
            self.at = start
        self.at += 2
        return Substitution(script=self.parenthesised(), quoted=quoted)

    def arithmetic(self, *, end: str = "))") -> tuple[Piece, ...] | None:
        """Up to `end`, which is passed over; `None` where the parentheses show that no arithmetic stands here."""
        self.deeper()
        pieces: list[Piece] = []
        open_ones = 0
        while self.at < len(self.text):
            self.step()
            character = self.text[self.at]
            if not open_ones and self.text.startswith(end, self.at):
                self.at += len(end)
                self.depth -= 1
                return tuple(pieces)
            if character in "`$\\":
                self.quoted_active(pieces, escaped='$`"\\')
                continue
            if character in "([":
                open_ones += 1
            elif character in ")]":
                if not open_ones:
                    break
                open_ones -= 1
            if character not in "\"'":
                pieces.append(Text(text=character, quoted=True))
            self.at += 1
        self.depth -= 1
        return None

    def _braced(self, *, quoted: bool) -> Variable:
        """`${...}` behind its opening brace."""
        indirect = length = False
        if self.text.startswith("!", self.at) and not self.text.startswith("!}", self.at):
            indirect = True
            self.at += 1
        elif self.text.startswith("#", self.at) and _BRACED.match(self.text, self.at + 1):
            self.at += 1
            length = True
        name = _BRACED.match(self.text, self.at)
        if name is None:
            raise Unreadable("an expansion in braces names no parameter")
        self.at = name.end()
        pieces: list[Piece] = []
        if self.text.startswith("[", self.at):
            self.at += 1
            subscript = self.arithmetic(end="]")
            if subscript is None:
                raise Unreadable("a subscript does not end")
            pieces.extend(subscript)
            indirect = True
        found = _PARAMETER_OPERATOR.match(self.text, self.at)
        operator = found[0] if found else ""
        self.at += len(operator)
        argument = self._argument(quoted=quoted)
        if not operator and argument:
            raise Unreadable("an expansion in braces has a form that is not known")
        if length:
            return Variable(name=name[0], operator="length", argument=(*pieces, *argument), quoted=quoted)
        if indirect:
            return Variable(name=name[0], operator="!", argument=(*pieces, *argument), quoted=quoted)
        return Variable(name=name[0], operator=operator, argument=argument, quoted=quoted)

    def _argument(self, *, quoted: bool) -> tuple[Piece, ...]:
        """The word behind an operator, up to the closing brace, which is passed over."""
        pieces: list[Piece] = []
        while self.at < len(self.text):
            self.step()
            character = self.text[self.at]
            if character == "}":
                self.at += 1
                return tuple(pieces)
            if character == '"' or (character in "'\\" and not quoted):
                self._active(pieces, character)
            elif character in "\\`" or (character == "$" and quoted):
                self.quoted_active(pieces, escaped='$`"\\}')
            elif character == "$":
                self._expansion(pieces, quoted=False)
            elif character in "<>" and self.text.startswith("(", self.at + 1) and not quoted:
                self.at += 2
                pieces.append(Process(script=self.parenthesised(), reads=character == "<"))
            else:
                pieces.append(Text(text=character, quoted=quoted))
                self.at += 1
        raise Unfinished("an expansion in braces does not end", until="}")

    def _ansi(self) -> str:
        """`$'...'`: decoded."""
        at = self.at + 2
        while at < len(self.text) and self.text[at] != "'":
            at += 2 if self.text[at] == "\\" else 1
        if at >= len(self.text):
            raise Unfinished("a quote does not end", until="'")
        inner = self.text[self.at + 2 : at]
        self.at = at + 1
        return decoded(inner)
