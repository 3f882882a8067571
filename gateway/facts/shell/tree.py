"""What a shell text is made of: words of pieces, and commands of words. Values only; `grammar` builds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


class Unreadable(Exception):
    """The text cannot be read; the message says why and holds nothing of the text."""


class Unfinished(Unreadable):
    """The text ends too early: a shell at a terminal would ask for more of it."""

    def __init__(self, why: str, *, until: str = "") -> None:
        """`until`: what has to come for it to end; "" where anything may."""
        super().__init__(why)
        self.until = until


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Characters that stand for themselves; unquoted ones may still glob, split braces or be a tilde."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """`$name` and every form of `${name...}`. `operator` is as written, "" for the bare value, "!" and "length" for `${!name}` and `${#name}`."""

    name: str
    operator: str = ""
    argument: tuple[Piece, ...] = ()
    quoted: bool = False
    bare: bool = False
    """Written without braces, so that what brace expansion puts behind it may go on with the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """`$(...)` or backticks: what the script prints stands here."""

    script: Node
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """`<(...)` and `>(...)`: a file name behind which the script runs."""

    script: Node
    reads: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """`$((...))`: its pieces are expanded, then computed."""

    pieces: tuple[Piece, ...]
    quoted: bool


Piece: TypeAlias = Text | Variable | Substitution | Process | Arithmetic


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word as written, and its pieces."""

    pieces: tuple[Piece, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    name: str
    value: Word
    elements: tuple[Word, ...] | None = None
    """Of `name=(...)`."""
    subscript: tuple[Piece, ...] = ()
    partial: bool = False
    """`name+=`, or one element of an array: the rest of the value stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """`operator` is as written; `<<` has its `document`, which is read when its line has ended."""

    operator: str
    number: str = ""
    """The file descriptor in front of it, "" where the operator's own is meant."""
    target: Word
    document: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Commands one after another. `apart`: in a shell of their own, which gives nothing back."""

    parts: tuple[Node, ...]
    redirects: tuple[Redirect, ...] = ()
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """`first && second || third`: `rest` has each operator with what follows it."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`if` and `case`: `head` runs, then one of the branches, or none where `always` is false."""

    head: Node
    branches: tuple[Node, ...]
    always: bool
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """`while`, `until` and the arithmetic `for`."""

    head: Node
    body: Node
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEach:
    """`for` and `select`; `values` is `None` where the positional parameters are meant."""

    name: str
    values: tuple[Word, ...] | None
    body: Node
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Define:
    name: str
    body: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """`[[ ]]`, `(( ))` and the words of `case`: expanded, compared, never run."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


Node: TypeAlias = Simple | Pipeline | Block | Chain | Choice | Loop | ForEach | Define | Expression
