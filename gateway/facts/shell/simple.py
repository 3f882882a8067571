"""Simple commands: assignments, words and redirections."""

from __future__ import annotations

import re
from abc import abstractmethod

from gateway.facts.shell.documents import Documents
from gateway.facts.shell.tree import Assignment, Node, Redirect, Simple, Text, Unfinished, Unreadable, Word
from gateway.facts.shell.values import words

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^\]\n]*\])?(\+?)=")
_DECLARING = words("export declare typeset local readonly")
_REDIRECT = re.compile(
    r"([0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\})?(&>>|&>|<<<|<<-|<<|<>|<&|>>|>&|>\||<(?!\()|>(?!\())"
)


class SimpleCommands(Documents):
    """Commands without a keyword. The grammar supplies a function's body."""

    __slots__ = ()

    @abstractmethod
    def definition(self, name: str) -> Node:
        """The function of that name, whose body comes next."""

    def simple(self) -> Node:
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            self.skip()
            if self.at >= len(self.text):
                break
            if self._redirect(redirects):
                continue
            character = self.text[self.at]
            if character in "\n;&|)":
                break
            if character == "(":
                if len(words) == 1 and not assignments and not redirects:
                    self.at += 1
                    self.skip()
                    self.take(")")
                    return self.definition(words[0].source)
                raise Unreadable("a parenthesis stands where the shell's grammar allows none")
            found = _ASSIGNMENT.match(self.text, self.at)
            if found and not words:
                assignments.append(self._assignment(found)[0])
            elif found and words[0].source in _DECLARING:
                words.append(self._assignment(found)[1])
            else:
                words.append(self.word())
        if not (assignments or words or redirects):
            raise Unreadable("a command is missing")
        return Simple(assignments=tuple(assignments), words=tuple(words), redirects=tuple(redirects))

    def _assignment(self, found: re.Match[str]) -> tuple[Assignment, Word]:
        """The assignment that `found` begins, and the same as one word."""
        start = self.at
        self.at = found.end()
        name, partial = found[1], bool(found[2] or found[3])
        subscript = tuple(self.document(found[2] or ""))
        if not self.text.startswith("(", self.at):
            value = self.word(empty=True)
            head = Text(text=self.text[start : found.end()], quoted=True)
            whole = Word(pieces=(head, *value.pieces), source=self.text[start : self.at])
            return Assignment(name=name, value=value, subscript=subscript, partial=partial), whole
        self.at += 1
        elements: list[Word] = []
        while True:
            self.skip(newlines=True)
            if self.text.startswith(")", self.at):
                self.at += 1
                break
            if self.at >= len(self.text):
                raise Unfinished("an array does not end", until=")")
            elements.append(self.word())
        pieces = tuple(piece for element in elements for piece in element.pieces)
        whole = Word(pieces=(Text(text=f"{name}=", quoted=True), *pieces), source=self.text[start : self.at])
        return Assignment(name=name, value=whole, elements=tuple(elements), partial=partial), whole

    def redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while True:
            self.skip()
            if not self._redirect(found):
                return tuple(found)

    def _redirect(self, found: list[Redirect]) -> bool:
        """Whether a redirection stood here; it is added to `found`."""
        match = _REDIRECT.match(self.text, self.at)
        if match is None:
            return False
        self.step()
        self.at = match.end()
        number, operator = match[1] or "", match[2]
        self.skip()
        if operator in {"<<", "<<-"}:
            target = self.word()
            found.append(Redirect(operator="<<", target=target, document=self.heredoc(target, operator)))
        else:
            found.append(Redirect(operator=operator, number=number, target=self.word()))
        return True

    def take(self, character: str) -> None:
        self.skip(newlines=True)
        if self.at >= len(self.text):
            raise Unfinished("a parenthesis does not close yet", until=character)
        if not self.text.startswith(character, self.at):
            raise Unreadable("a parenthesis does not close")
        self.at += len(character)
