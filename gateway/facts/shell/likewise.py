"""What shell commands of one shape have in common: everything but a few words that name nothing.

A path, a unit, a host or a process is a thing, so it stays, and so do options, targets of redirections and code. What may
be another is how many lines, since when, or what is searched for where all of the text only reads, and a message that
a program keeps and nobody runs. `places` says where such a word stands. How a word is quoted and spaced is no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.facts.shell import places
from gateway.facts.shell.grammar import parse
from gateway.facts.shell.places import Free
from gateway.facts.shell.tree import Block, Chain, Node, Pipeline, Simple, Text, Unreadable, Word
from gateway.model import Effect, Facts, Shape

LONGEST = 8_192
"""Characters of a text that has a shape."""
_FREE = "\1"
ANY = "…"
_LOOKS = frozenset({Effect.READ, Effect.SESSION})
_BLANKS = re.compile(r"[ \t]+")
_OPERATORS = re.compile(r"(?:[ \t\n;&|!(){}]|\\\n)*")
_UNCHANGED = re.compile(r"[A-Za-z0-9_./:=@%+,-]*")
"""What an unquoted text says as it stands."""


class _Unlike(Exception):
    """Nobody can say what else is like it."""


def shape(text: str, facts: Facts) -> Shape | None:
    """What the text has in common with those that differ in free words alone; None where that cannot be told."""
    if len(text) > LONGEST or "\0" in text or _FREE in text:
        return None
    try:
        commands = list(_commands(parse(text)))
        for command in commands:
            _check(command)
        if any(command.assignments or command.redirects for command in commands):
            return _exactly(text.strip(), facts)
        slots = [slot for command in commands for slot in _slots(command, facts, alone=len(commands) == 1)]
    except (Unreadable, RecursionError, _Unlike):
        return None
    return _between(text, slots, facts)


def _exactly(text: str, facts: Facts) -> Shape:
    return Shape(key=text, things=facts.resources, words=text, passes="", stops=f"{text}; id")


def _between(text: str, slots: Sequence[_Slot], facts: Facts) -> Shape | None:
    """The words in their places, between nothing but blanks and operators."""
    key: list[str] = []
    shown: list[str] = []
    passes: list[str] = []
    at = 0
    for slot in slots:
        found = text.find(slot.source, at)
        between = text[at:found]
        if found < 0 or not _OPERATORS.fullmatch(between):
            return None
        between = _BLANKS.sub(" ", between)
        free = slot.free
        key += (between, f"{_FREE}{free.kind} {free.before}" if free else slot.said, "\0")
        shown += (between, f"{free.before}{ANY}" if free else slot.source)
        passes += (between, f"{free.before}{free.other}" if free else slot.source)
        at = found + len(slot.source)
    rest = text[at:].rstrip(" \t\n")
    if not _OPERATORS.fullmatch(rest):
        return None
    other = "".join([*passes, rest]).strip()
    return Shape(
        key="".join([*key, rest]).lstrip(" \t\n"),
        things=facts.resources,
        words="".join([*shown, rest]).strip(),
        passes=other if any(slot.free for slot in slots) else "",
        stops=f"{other}; id",
    )


def _commands(node: Node) -> Iterator[Simple]:
    """Raises `_Unlike` where the text is more than commands one after another."""
    match node:
        case Simple():
            yield node
        case Pipeline() | Block():
            if isinstance(node, Block) and node.redirects:
                raise _Unlike
            for part in node.parts:
                yield from _commands(part)
        case Chain():
            yield from _commands(node.first)
            for _, part in node.rest:
                yield from _commands(part)
        case _:
            raise _Unlike


def _check(command: Simple) -> None:
    """Raises `_Unlike` where the target's shell would put something else in a word's place, or feed it a document."""
    parts = [*command.words, *(redirect.target for redirect in command.redirects)]
    parts += [assignment.value for assignment in command.assignments]
    if any(assignment.elements is not None or assignment.subscript for assignment in command.assignments):
        raise _Unlike
    if any(redirect.operator == "<<" for redirect in command.redirects):
        raise _Unlike
    if not all(isinstance(piece, Text) for word in parts for piece in word.pieces):
        raise _Unlike


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """One word: as it is written, what tells it from others, and what may stand in its place."""

    source: str
    said: str
    free: Free | None


def _slots(command: Simple, facts: Facts, *, alone: bool) -> Iterator[_Slot]:
    plain = [_plain(word) for word in command.words]
    values = [value for value in plain if value is not None]
    free: Sequence[Free | None] = [None] * len(plain)
    if len(values) == len(plain):
        free = places.free(values, looks=facts.effects <= _LOOKS, says=alone)
    for at, (word, value, may) in enumerate(zip(command.words, plain, free, strict=True)):
        # Whether the command's own word is quoted decides whether an alias is meant.
        said = f"~{word.source}" if value is None or at == 0 else f"={value}"
        yield _Slot(source=word.source, said=said, free=may)


def _plain(word: Word) -> str | None:
    """The word's text where the target's shell changes nothing of it."""
    texts = [piece for piece in word.pieces if isinstance(piece, Text)]
    if all(text.quoted or _UNCHANGED.fullmatch(text.text) for text in texts):
        return "".join(text.text for text in texts)
    return None
