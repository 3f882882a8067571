"""YAML as a tree that knows its places: every node has the line and column where it stands.

Built from the parser's events rather than from loaded objects, so that duplicate keys, tags, anchors and depth are
seen before anything is made of them. A policy is written out: anchors, aliases, tags and merge keys are refused,
and plain words mean what YAML 1.2 says (`yes`, `on` and `0x1F` are text).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32


class NotYaml(Exception):
    """The text is no YAML document of the kind a policy is; `line` and `column` count from 1."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    value: str | int | float | bool | None
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    entries: tuple[tuple[Scalar, Node], ...]
    """In the file's order, duplicates included: the reader says where they are."""
    line: int
    column: int


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    start: NodeEvent
    children: list[Node]


def read(text: str) -> Node:
    """The one document of `text`. Raises `NotYaml`."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise NotYaml(
            f"the file is larger than {MAX_BYTES // 1024} KiB; split what it governs over several gateways"
        )
    try:
        return _document(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise NotYaml(_explained(error, text, line), line=line, column=column) from None
    except ReaderError as error:
        before = text[: int(error.position)]
        raise NotYaml(
            f"the character U+{int(error.character):04X} may not stand in a policy; remove it",
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
        ) from None
    except YAMLError as error:
        raise NotYaml(f"this is no YAML: {error}") from None


def _document(text: str) -> Node:
    opened: list[_Open] = []
    root: Node | None = None
    documents = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        finished: Node | None = None
        match event:
            case DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise _refused(
                        event, "a second document begins here; a policy is one document, remove the `---`"
                    )
            case AliasEvent():
                raise _refused(
                    event,
                    f"`*{event.anchor}` would be a YAML alias; put names that begin with `*` in quotes: "
                    f'"*{str(event.anchor).rstrip(":")}"',
                )
            case ScalarEvent():
                _plain_node(event)
                finished = Scalar(value=_value(event), line=_line(event), column=_column(event))
            case MappingStartEvent() | SequenceStartEvent():
                _plain_node(event)
                opened.append(_Open(event, []))
                if len(opened) > MAX_DEPTH:
                    raise _refused(event, f"nothing in a policy is nested deeper than {MAX_DEPTH} levels")
            case MappingEndEvent():
                done = opened.pop()
                finished = Mapping(entries=_pairs(done), line=_line(done.start), column=_column(done.start))
            case SequenceEndEvent():
                done = opened.pop()
                finished = Sequence(
                    items=tuple(done.children), line=_line(done.start), column=_column(done.start)
                )
            case _:
                pass
        if finished is not None:
            if opened:
                opened[-1].children.append(finished)
            else:
                root = finished
    if root is None:
        raise NotYaml("the file is empty; a policy needs at least `connections`, `rules` and `default`")
    return root


def _plain_node(event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
    if event.anchor is not None:
        raise _refused(
            event, f"`&{event.anchor}` would be a YAML anchor; a policy is written out: repeat the value here"
        )
    if getattr(event, "tag", None) is not None:
        raise _refused(
            event, f"YAML tags such as `{event.tag}` have no place in a policy; put the text in quotes"
        )


def _pairs(done: _Open) -> tuple[tuple[Scalar, Node], ...]:
    pairs: list[tuple[Scalar, Node]] = []
    for key, value in zip(done.children[::2], done.children[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise NotYaml("a key must be a word, not a list or a mapping", line=key.line, column=key.column)
        pairs.append((key, value))
    return tuple(pairs)


_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,18}(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _value(event: ScalarEvent) -> str | int | float | bool | None:
    """YAML 1.2's core schema, as far as a policy has use for it."""
    text = str(event.value)
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise _refused(event, "this holds half a character (a lone surrogate); write it whole")
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _explained(error: MarkedYAMLError, text: str, line: int) -> str:
    """The parser's complaint, or a better one where the usual mistake can be told."""
    problem = str(error.problem or error.context or error)
    lines = text.split("\n")
    broken = lines[line - 1] if line <= len(lines) else ""
    if re.search(r"(^|[\s\[{,:])\*", broken):
        return f'this is no YAML ({problem}); a name with `*` at its beginning needs quotes, as in "*.ssn"'
    if "\\t" in problem:
        return "a tab stands where spaces indent; use spaces"
    if "mapping values are not allowed" in problem:
        return f"this is no YAML ({problem}); put a text that contains `: ` in quotes"
    return f"this is no YAML: {problem}"


def _refused(event: NodeEvent | DocumentStartEvent, message: str) -> NotYaml:
    return NotYaml(message, line=_line(event), column=_column(event))


def _line(event: NodeEvent | DocumentStartEvent) -> int:
    return int(event.start_mark.line) + 1


def _column(event: NodeEvent | DocumentStartEvent) -> int:
    return int(event.start_mark.column) + 1
