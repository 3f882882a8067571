"""bash's grammar, read by recursive descent: a text in, a `Node` out, or `Unreadable`.

Of the parsers that could be had, one accepts silently what bash reads otherwise and takes minutes over hostile text,
the others run a process or carry a licence that does not fit. So the grammar stands here, and the tests hold it
against two independent ones: bash itself (`set -n`) and shfmt. Steps and depth are bounded.
"""

from __future__ import annotations

import re

from gateway.facts.shell.documents import ending
from gateway.facts.shell.simple import SimpleCommands
from gateway.facts.shell.tree import (
    Block,
    Chain,
    Choice,
    Define,
    Expression,
    ForEach,
    Loop,
    Node,
    Pipeline,
    Unfinished,
    Unreadable,
    Word,
)
from gateway.facts.shell.values import words

_RESERVED = words(
    """
    if then elif else fi while until for select case esac do done in { } ! [[ time function coproc
    """
)
_ENDS = words("then elif else fi do done esac }")
_OPENERS = words("if while until for select case { [[")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_CONDITION_SKIPPED = frozenset("()<>|&!;")


def parse(text: str) -> Node:
    """The commands of a whole text. Raises `Unreadable`."""
    return Parser(text).script()


class Parser(SimpleCommands):
    """Compound commands over simple ones."""

    __slots__ = ()

    def script(self) -> Node:
        node = self._list()
        if self.at < len(self.text):
            raise Unreadable("a word stands where the shell's grammar allows none")
        self.read_heredocs()
        return node

    def substitution(self, text: str) -> Node:
        inner = Parser(text, depth=self.depth + 1, budget=self.budget)
        with ending():
            return inner.script()

    def parenthesised(self) -> Node:
        self.deeper()
        node = self._list()
        self.take(")")
        self.depth -= 1
        return node

    def _list(self) -> Node:
        parts: list[Node] = []
        while True:
            self.skip(newlines=True)
            if self.at >= len(self.text) or self.text[self.at] == ")" or self.plain_word() in _ENDS:
                break
            if self.text.startswith(";;", self.at):
                break
            node = self._and_or()
            self.skip()
            if self._operator("&"):
                node = Block(parts=(node,), apart=True)
                self.at += 1
            elif self._operator(";"):
                self.at += 1
            elif self.at < len(self.text) and self.text[self.at] not in "\n);":
                raise Unreadable("the shell's grammar does not allow what follows a command")
            parts.append(node)
            self.skip()
            if (
                self.at < len(self.text)
                and self.text[self.at] == ";"
                and not self.text.startswith(";;", self.at)
            ):
                if self.text.startswith(";&", self.at):
                    break
                raise Unreadable("a semicolon stands where the shell's grammar allows none")
        return Block(parts=tuple(parts))

    def _operator(self, operator: str) -> bool:
        """Whether exactly this single-character operator stands here."""
        if not self.text.startswith(operator, self.at):
            return False
        rest = self.text[self.at + 1 : self.at + 2]
        return rest not in (("&", ">") if operator == "&" else (";", "&"))

    def _and_or(self) -> Node:
        node = self._pipeline()
        rest: list[tuple[str, Node]] = []
        while True:
            self.skip()
            operator = self.text[self.at : self.at + 2]
            if operator not in {"&&", "||"}:
                break
            self.at += 2
            self.skip(newlines=True)
            rest.append((operator, self._pipeline()))
        return Chain(first=node, rest=tuple(rest)) if rest else node

    def _pipeline(self) -> Node:
        self.step()
        word = self.plain_word()
        while word in {"!", "time"}:
            self.at += len(word)
            self.skip()
            if word == "time":
                while self.plain_word() in {"-p", "--"}:
                    self.at += 2
                    self.skip()
            word = self.plain_word()
            if self.at >= len(self.text) or self.text[self.at] in "\n;)":
                return Block(parts=())
        parts = [self._command()]
        while True:
            self.skip()
            if not self.text.startswith("|", self.at) or self.text.startswith("||", self.at):
                break
            self.at += 2 if self.text.startswith("|&", self.at) else 1
            self.skip(newlines=True)
            parts.append(self._command())
        return Pipeline(parts=tuple(parts)) if len(parts) > 1 else parts[0]

    def _command(self) -> Node:
        self.deeper()
        node = self._bare_command()
        self.depth -= 1
        return node

    def _bare_command(self) -> Node:
        if self.at >= len(self.text):
            raise Unfinished("the text ends where a command is expected")
        if self.text[self.at] == "(":
            return self._parenthesis()
        word = self.plain_word()
        match word:
            case "{":
                self.at += 1
                body = self._list()
                self._expect("}")
                return Block(parts=(body,), redirects=self.redirects())
            case "if":
                return self._if()
            case "while" | "until":
                self.at += len(word)
                condition = self._list()
                body = self._do()
                return Loop(head=condition, body=body, redirects=self.redirects())
            case "for" | "select":
                return self._for(word)
            case "case":
                return self._case()
            case "[[":
                self.at += 2
                return Expression(words=self._condition(), redirects=self.redirects())
            case "function":
                self.at += len(word)
                self.skip()
                name = self.word().source
                self.skip()
                if self.text.startswith("(", self.at):
                    self.at += 1
                    self.skip()
                    self.take(")")
                return self.definition(name)
            case "coproc":
                return self._coproc()
            case _ if word in _RESERVED and word != "in":
                raise Unreadable("a reserved word stands where the shell's grammar allows none")
            case _:
                return self.simple()

    def _parenthesis(self) -> Node:
        if self.text.startswith("((", self.at):
            start = self.at
            self.at += 2
            pieces = self.arithmetic()
            if pieces is not None:
                source = self.text[start : self.at]
                return Expression(words=(Word(pieces=pieces, source=source),), redirects=self.redirects())
            self.at = start
        self.at += 1
        body = self.parenthesised()
        return Block(parts=(body,), redirects=self.redirects(), apart=True)

    def _if(self) -> Node:
        """Behind `if` or `elif`, up to the `fi` that ends them all."""
        self.at += len(self.plain_word())
        self.deeper()
        head = self._list()
        self._expect("then")
        branches = [self._list()]
        word = self.plain_word()
        if word == "elif":
            branches.append(self._if())
        else:
            if word == "else":
                self.at += len(word)
                branches.append(self._list())
            self._expect("fi")
        self.depth -= 1
        redirects = () if word == "elif" else self.redirects()
        return Choice(head=head, branches=tuple(branches), always=len(branches) > 1, redirects=redirects)

    def _do(self) -> Node:
        self._expect("do")
        body = self._list()
        self._expect("done")
        return body

    def _for(self, keyword: str) -> Node:
        self.at += len(keyword)
        self.skip()
        if self.text.startswith("((", self.at):
            start = self.at
            self.at += 2
            pieces = self.arithmetic()
            if pieces is None:
                raise Unreadable("the arithmetic of a loop does not end")
            head = Expression(words=(Word(pieces=pieces, source=self.text[start : self.at]),))
            self._separator()
            body = self._body()
            return Loop(head=head, body=body, redirects=self.redirects())
        name = self.word().source
        if not _NAME.match(name):
            raise Unreadable("a loop's variable is no name")
        self.skip(newlines=True)
        values: list[Word] | None = None
        if self.plain_word() == "in":
            self.at += 2
            values = []
            self.skip()
            while self.at < len(self.text) and self.text[self.at] not in ";\n&|<>()":
                values.append(self.word())
                self.skip()
        self._separator()
        body = self._body()
        return ForEach(
            name=name,
            values=None if values is None else tuple(values),
            body=body,
            redirects=self.redirects(),
        )

    def _body(self) -> Node:
        if self.plain_word() != "{":
            return self._do()
        self.at += 1
        body = self._list()
        self._expect("}")
        return body

    def _separator(self) -> None:
        self.skip()
        if self._operator(";"):
            self.at += 1
        self.skip(newlines=True)

    def _case(self) -> Node:
        self.at += 4
        self.skip()
        words = [self.word()]
        self.skip(newlines=True)
        self._expect("in")
        bodies: list[Node] = []
        falls = False
        while True:
            self.skip(newlines=True)
            if self.plain_word() == "esac":
                self.at += 4
                break
            if self.at >= len(self.text):
                raise Unfinished("a choice does not end", until="esac")
            if self.text.startswith("(", self.at):
                self.at += 1
                self.skip()
            words.append(self._pattern())
            self.skip()
            while self.text.startswith("|", self.at):
                self.at += 1
                self.skip()
                words.append(self._pattern())
                self.skip()
            self.take(")")
            body = self._list()
            bodies.append(Block(parts=(bodies[-1], body)) if falls else body)
            falls = self.text.startswith((";;&", ";&"), self.at)
            for end in (";;&", ";;", ";&"):
                if self.text.startswith(end, self.at):
                    self.at += len(end)
                    break
        return Choice(
            head=Expression(words=tuple(words)),
            branches=tuple(bodies),
            always=any(word.source == "*" for word in words[1:]),
            redirects=self.redirects(),
        )

    def _pattern(self) -> Word:
        """A pattern of `case`, where extended globs are always read."""
        return self.word(extended=True)

    def _condition(self) -> tuple[Word, ...]:
        words: list[Word] = []
        while True:
            self.skip(newlines=True)
            if self.at >= len(self.text):
                raise Unfinished("a [[ condition does not end", until="]]")
            if self.plain_word() == "]]":
                self.at += 2
                return tuple(words)
            if self.text.startswith(("<(", ">("), self.at) or self.text[self.at] not in _CONDITION_SKIPPED:
                words.append(self.word())
            else:
                self.step()
                self.at += 1

    def _coproc(self) -> Node:
        self.at += len("coproc")
        self.skip()
        start = self.at
        if self.plain_word() not in _OPENERS and not self.text.startswith("(", self.at):
            self.word()
            self.skip()
            if self.plain_word() not in _OPENERS and not self.text.startswith("(", self.at):
                self.at = start
        return Block(parts=(self._command(),), apart=True)

    def definition(self, name: str) -> Node:
        self.skip(newlines=True)
        if self.at >= len(self.text):
            raise Unfinished("a function has no body yet")
        if self.plain_word() not in _OPENERS and not self.text.startswith("(", self.at):
            raise Unreadable("a function has no body")
        return Define(name=name, body=self._command())

    def _expect(self, word: str) -> None:
        self.skip(newlines=True)
        if self.at >= len(self.text):
            raise Unfinished("a compound command does not end", until=word)
        if self.plain_word() != word:
            raise Unreadable("a compound command does not end as the shell's grammar wants")
        self.at += len(word)
